"""What is kept of real items changes no value, whatever is in the cache folder."""

import pytest
import torch

from zoo.distances import nearest
from zoo.evaluation import Evaluation
from zoo_bench.score.metrics import copies, floor, memorisation, support
from zoo_bench.score.metrics.fid import fid
from zoo_bench.score.metrics.kept import kept

METRICS = (memorisation.authentic, memorisation.data_copying, copies.copies, support.support, fid)
COMPUTED = [
    (memorisation, "gaps"),
    (copies, "nearest_two"),
    (support, "_close_among"),
    (floor, "floor_of"),
]
"""What is computed of real items, by the name under which a metric calls it."""


@pytest.fixture
def values(digits_task):
    """Compute the metrics of noisy training items."""
    noise = 40 * torch.randn(digits_task.train.data[:300].shape, generator=torch.Generator().manual_seed(0))
    generated = (digits_task.train.data[:300] + noise).clamp(0, 255).byte()

    def compute(generated=generated):
        evaluation = Evaluation(digits_task, generated)
        return {name: value for metric in METRICS for name, value in metric(evaluation).items()}

    return compute


def test_values_are_the_same_to_all_digits_when_kept_and_when_nothing_can_be(tmp_path, monkeypatch, values):
    (tmp_path / "tensors").write_text("a file where the folder would be")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    unkept = values()
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "b"))
    assert values() == unkept
    files = list((tmp_path / "b" / "tensors").iterdir())
    assert len(files) == len(METRICS)
    assert values() == unkept
    for file in files:
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert values() == unkept


@pytest.mark.parametrize(("module", "function"), COMPUTED)
def test_it_is_computed_once(tmp_path, monkeypatch, values, module, function):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    values()
    calls, original = [], getattr(module, function)
    monkeypatch.setattr(module, function, lambda *given: calls.append(1) or original(*given))
    values()
    assert len(calls) == (function == "nearest_two")  # of the generated images


def test_other_items_settings_and_shapes_have_results_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    x = torch.arange(6.0)
    for name, items in [("a", x), ("b", x), ("a", x + 1), ("a", x.view(2, 3)), ("a", x.double())]:
        assert torch.equal(kept(name, lambda x: x * 2, items), items * 2)
    assert len(list((tmp_path / "tensors").iterdir())) == 5


@pytest.mark.parametrize("copies_of_each", [1, 2, 3])
def test_gaps_are_the_distances_to_the_nearest_other_item(copies_of_each):
    x = torch.randn(700, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).repeat(copies_of_each, 1)
    assert torch.equal(memorisation.gaps(x), nearest(x, x, 2)[0][:, 1])
    assert (memorisation.gaps(x) == 0).all() == (copies_of_each > 1)
