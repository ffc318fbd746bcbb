"""The page on metrics has a definition of every column, and names every judge that is shipped."""

import json
import math
import re
from importlib.resources import files
from pathlib import Path

import pytest

from zoo_bench.judges.named import JUDGES
from zoo_bench.plan.columns import CURVE
from zoo_bench.plan.record import stored_scores
from zoo_bench.score.metrics.specs import METRICS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
DEFINED = {
    name
    for line in PAGE.partition("## Definitions")[2].partition("\n## ")[0].splitlines()
    if line.startswith("|")
    for name in re.findall(r"`(\w+)`", line.split("|")[1])
}
SHIPPED = [path.stem for path in Path(str(files("zoo_bench") / "judges" / "weights")).glob("*.safetensors")]


def test_the_columns_of_the_page_are_those_of_the_metrics():
    columns = {column.name for spec in METRICS for column in spec.columns} | {column.name for column in CURVE}
    assert columns - {"modes_total"} == DEFINED


@pytest.mark.parametrize("judge", [*JUDGES, *SHIPPED])
def test_judges_are_described(judge):
    assert f"| `{judge}` |" in PAGE


def test_the_controls_of_the_page_are_those_of_the_reference_results():
    stored = stored_scores(json.loads((ROOT / "results/reference/digits/controls.json").read_text("utf-8")))
    controls = {name: {c: v for score in row.values() for c, v in score.values.items()} for name, row in stored.items()}
    (_, *header), _, *lines = (line.split("|")[1:-1] for line in _table("## Controls"))
    for line in lines:
        column, *shown = (cell.strip(" `") for cell in line)
        values = [controls[name.strip()].get(column) for name in header]
        expected = [math.nan if value is None else float(f"{value:.3g}") for value in values]
        assert [float(f"{float(text or 'nan'):.3g}") for text in shown] == pytest.approx(expected, nan_ok=True), column


def _table(heading: str) -> list[str]:
    lines = PAGE.partition(heading)[2].partition("\n## ")[0].splitlines()
    return [line for line in lines if line.startswith("|")]
