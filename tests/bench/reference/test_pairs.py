import runpy
import sys
from pathlib import Path

import pytest

from zoo.errors import UnknownNameError

SCRIPT = str(Path(__file__).parents[3] / "bench" / "reference" / "pairs.py")


def test_every_pair_is_printed_with_its_p_value_of_the_whole_table(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pairs.py", "grid25-packing-steps", "fid"])
    runpy.run_path(SCRIPT, run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [
        "gan[batch_size=512,packing=2] (1.88) before gan (7.15): p = 0.000788, separable",
        "corrected over 1 pair of the table",
    ]


def test_an_unknown_column_is_one_sentence():
    with pytest.raises(UnknownNameError, match="fid"):
        runpy.run_path(SCRIPT)["claims_of"]("grid25-packing", "fidd")
