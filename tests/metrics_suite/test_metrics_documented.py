"""The page on metrics has a definition of every column, and names every judge that is shipped."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from zoo_bench.judge import NAMED
from zoo_bench.metrics.specs import METRICS

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
DEFINED = {
    name
    for line in PAGE.partition("## Definitions")[2].partition("\n## ")[0].splitlines()
    if line.startswith("|")
    for name in re.findall(r"`(\w+)`", line.split("|")[1])
}
SHIPPED = [path.stem for path in Path(str(files("zoo_bench") / "judges")).glob("*.safetensors")]


def test_the_columns_of_the_page_are_those_of_the_metrics():
    columns = {column.name for spec in METRICS for column in spec.columns}
    assert columns - {"modes_total"} == DEFINED


@pytest.mark.parametrize("judge", [*NAMED, *SHIPPED])
def test_judges_are_described(judge):
    assert f"| `{judge}` |" in PAGE
