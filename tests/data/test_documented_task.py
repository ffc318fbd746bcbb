"""The example in docs/data.md is a working plugin."""

import re
from pathlib import Path

import torch

from zoo_bench.spec import load_task


def test_the_documented_task_loads_and_its_judge_is_right(distributions):
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    source = re.search(r"```python\n(.*?)```", text, re.S).group(1)
    distributions.add("stripes-distribution", {"my-tasks": "my_tasks"}, my_tasks=source)
    (entry,) = distributions.discover().tasks
    task = load_task(entry)
    assert torch.equal(task.judge.modes(task.test.data), task.test.modes)
    assert entry.spec.state == "ready"
