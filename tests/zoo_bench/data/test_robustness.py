from pathlib import Path

import pytest
import torch

from zoo.task import Split
from zoo_bench.data import robustness

ROOT = Path(__file__).parents[3]


class Brightness:
    """Calls an image bright, 1, or dark, 0."""

    name, sha256 = "brightness", "0"

    def to(self, device):
        return self

    def features(self, data):
        return data.flatten(1).float()

    def modes(self, data):
        return (data.flatten(1).float().mean(dim=1) > 100).long()


@pytest.fixture
def items():
    modes = torch.arange(60) % 2
    grain = torch.randint(30, (60, 1, 3, 3), generator=torch.Generator().manual_seed(0))
    return Split((grain + 130 * modes[:, None, None, None]).to(torch.uint8), modes)


def test_what_is_held_undisturbed_comes_first(items):
    clear, pale, grey = robustness.examine(Brightness(), items, "contrast", (0.1, 1.0))
    assert clear == (1.0, 2, pytest.approx(0.0, abs=1e-6))
    assert 0 < pale.fid < grey.fid
    assert (grey.accuracy, grey.modes) == (0.5, 1)


def test_a_class_that_no_item_has_is_not_counted(items):
    dark = Split(items.data[items.modes == 0], items.modes[items.modes == 0])
    assert [held.modes for held in robustness.examine(Brightness(), dark, "contrast", (1.0,))] == [1, 0]


@pytest.mark.slow
def test_the_documented_table_is_that_of_the_shipped_judges(mnist_task, fashion_mnist_task):
    text = (ROOT / "docs" / "metrics.md").read_text()
    documented = text.partition("<!-- robustness -->\n")[2].partition("\n<!-- /robustness -->")[0]
    assert documented.splitlines() == list(robustness.table())
