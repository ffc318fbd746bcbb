"""The example in docs/data.md is a working plugin."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from zoo_bench.data.loading import load_task

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def entry(distributions):
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    source = "\n".join(re.findall(r"```python\n(.*?)```", text, re.S))
    distributions.add("stripes-distribution", {"my-tasks": "my_tasks"}, my_tasks=source)
    (entry,) = distributions.discover().tasks
    return entry


def test_the_documented_task_loads_and_its_judge_is_right(entry):
    task = load_task(entry)
    assert torch.equal(task.judge.modes(task.test.data), task.test.modes)
    assert entry.spec.state == "ready"


def test_the_documented_loader_reads_its_file_or_says_where_it_belongs(entry, root):
    import my_tasks

    with pytest.raises(zoo.DataError, match=r"scans\.npy is not in .*: put it there, or set ZOO_DATA"):
        my_tasks.scans()
    images = np.random.default_rng(0).integers(0, 256, (4000, 1, 8, 8), np.uint8)
    np.save(root / "scans.npy", images)
    task = my_tasks.scans()
    assert [len(task.train), len(task.validation), len(task.test)] == [2500, 500, 1000]
    assert torch.equal(task.test.data, torch.from_numpy(images[-1000:]))
