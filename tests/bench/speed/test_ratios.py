import json
import math
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = str(Path(__file__).parents[3] / "bench" / "speed" / "ratios.py")
ratio = runpy.run_path(SCRIPT)["ratio"]


@pytest.mark.parametrize(("n", "low", "high"), [(6, 1, 6), (9, 2, 8), (12, 3, 10), (15, 4, 12)])
def test_the_interval_of_a_median_has_the_order_statistics_of_printed_tables(n, low, high):
    order = np.random.default_rng(n).permutation(n) + 1
    assert ratio([1] * n, order) == (np.median(order), low, high)


def test_fewer_than_six_pairs_have_no_interval():
    middle, low, high = ratio([1, 2, 4], [2, 4, 4])
    assert middle == 2
    assert math.isnan(low)
    assert math.isnan(high)


def test_intervals_hold_the_true_median_of_skewed_ratios_as_often_as_they_say():
    draws = np.random.default_rng(0).lognormal(sigma=1, size=(2000, 9))
    held = [low <= 1 <= high for _, low, high in (ratio([1] * 9, draw) for draw in draws)]
    assert np.mean(held) == pytest.approx(1 - 20 / 512, abs=0.015)


def test_pairs_are_printed_as_a_table_and_other_measurements_are_passed_over(tmp_path, monkeypatch, capsys):
    ours, theirs = {"cpu": [1.0] * 9, "wall": [2.0] * 9}, {"cpu": list(range(1, 10)), "wall": [1.0] * 9}
    pair = {"against": "bare", "items": 100, "ours": ours, "theirs": theirs}
    stored = tmp_path / "speed.json"
    stored.write_text(
        json.dumps(
            {
                "machine_info": {"python_version": "3.11.7", "cpu": {"brand_raw": "A CPU"}},
                "datetime": "2026-01-02T03:04:05",
                "benchmarks": [{"group": "gan", "extra_info": pair}, {"group": "prepare", "extra_info": {}}],
            }
        )
    )
    monkeypatch.setattr(sys, "argv", ["ratios.py", str(stored)])
    runpy.run_path(SCRIPT, run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [
        "Python 3.11.7 on A CPU, 2026-01-02.",
        "",
        "| what | against | ours/s | it/s | ours / it, CPU time | wall time |",
        "|---|---|--:|--:|--:|--:|",
        "| gan | bare | 50 | 100 | 5.00 (2.00 to 8.00) | 0.50 (0.50 to 0.50) |",
    ]


def test_a_missing_file_name_is_one_sentence(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ratios.py"])
    with pytest.raises(SystemExit, match="usage"):
        runpy.run_path(SCRIPT, run_name="__main__")
