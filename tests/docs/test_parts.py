"""What pages of the documentation are made from: code, and the tables in ``results/reference``."""

import importlib.util
import re
import runpy
from pathlib import Path

import pytest

from zoo.errors import ZooError

ROOT = Path(__file__).parents[2]
MARKED = [page for page in sorted((ROOT / "docs").glob("*.md")) if "<!-- part: " in page.read_text("utf-8")]


@pytest.fixture(scope="module")
def parts():
    spec = importlib.util.spec_from_file_location("parts", ROOT / "docs" / "parts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(text: str) -> dict[str, list[str]]:
    """Return the rows of a table by their first cell."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize("page", MARKED, ids=lambda page: page.name)
def test_every_part_that_a_page_asks_for_is_made_and_its_files_are_there(parts, page):
    text = parts.filled(page.read_text("utf-8"))
    assert "<!-- part: " not in text
    for target in re.findall(r"\]\((results/reference/[^)]+)\)", text):
        assert (ROOT / target).is_file(), target


def test_code_is_that_of_the_plugin_without_its_docstring(parts):
    assert parts.source("zoo_dcgan.model.DCGAN.generator_loss").splitlines() == [
        "```python",
        "def generator_loss(self, turn: zoo.Turn) -> Tensor:",
        '    fake = turn.kept["fake"] = self.decode(self.latent(turn.size), turn.labels)',
        "    return F.softplus(-self.logits(fake, turn.labels)).mean()",
        "```",
    ]


@pytest.mark.parametrize("name", ["digits", "mnist", "mnist-wall-clock", "grid25"])
def test_a_decision_names_all_models_that_the_table_does_not_separate_from_the_best_and_no_other(parts, name):
    _, claims = runpy.run_path(str(ROOT / "bench" / "reference" / "pairs.py"))["claims_of"](name, "fid")
    best, *others = claims.ranked
    expected = [best.label, *(m.label for m in others if claims.p_values[best.label, m.label] >= 0.05)]
    [row] = cells(parts.decisions("fid", name)).values()
    assert re.findall(r"`(.+?)`", row[1]) == expected


def test_nothing_is_said_where_no_model_is_separably_worse_than_the_best(parts):
    [row] = cells(parts.decisions("modes_captured", "digits")).values()
    assert row[1] == "no difference shown"


def test_remedies_are_marked_where_the_reference_results_say_that_they_are_separable(parts):
    rows = cells(parts.remedies())
    assert all("▲" in cell for cell in rows["`gan[schedule=linear]`"])
    assert rows["`gan[ema=0.999]`"] == ["8 of 8, 51.3% HQ ▲", "23.8 of 25 ▲, 39.6% HQ ▲", "526 of 1000"]
    assert rows["`gan[gradient_penalty=0.1]`"][2] == "411 of 1000 ▼"
    assert not re.search("[▲▼]", " ".join(rows["`gan`"]))


def test_a_folder_of_several_tables_is_refused(parts, monkeypatch):
    monkeypatch.setattr(parts, "groups", lambda frame: [frame, frame])
    with pytest.raises(ZooError, match="results/reference/digits holds 2 tables"):
        parts.sheets("digits")
