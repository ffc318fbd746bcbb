"""The notebook of the documentation runs from its first cell to its last, and is committed with what that gives."""

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"
MAX_BYTES = 300_000

pytestmark = pytest.mark.extra


@pytest.fixture
def notebook():
    return pytest.importorskip("nbformat").read(NOTEBOOK, as_version=4)


def test_the_notebook_runs(notebook, tmp_path):
    client = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    client.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    verdict = next(cell for cell in notebook.cells if cell.source == "print(result.verdict)")
    assert " has the lowest FID, " in verdict.outputs[0].text
    assert list(tmp_path.iterdir()) == []


def test_the_notebook_is_committed_with_the_outputs_of_one_run_and_small(notebook):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert (kinds.count("image/svg+xml"), kinds.count("image/png")) == (3, 2)
    assert NOTEBOOK.stat().st_size < MAX_BYTES


def test_the_notebook_names_no_folder_of_the_machine_that_ran_it():
    assert not any(folder in NOTEBOOK.read_text("utf-8") for folder in ('"/tmp', "'/tmp", "/home/", "/root/"))
