import math
import os
from pathlib import Path

import pandas as pd
import pytest

from zoo.errors import ZooError
from zoo_bench import load_results
from zoo_bench.plan.columns import LEADING_COLUMNS, TRAILING_COLUMNS
from zoo_bench.plan.record import Outcome
from zoo_bench.store.tables import to_frame, write_tables

REFERENCE = Path(__file__).parents[3] / "results" / "reference"


def save_all(store, records):
    for record in records:
        store.save(Outcome(record))
    return write_tables(store)


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*/results.csv")), ids=lambda path: path.parent.name)
def test_every_reference_table_loads(path):
    table = load_results(path)
    assert list(table.columns[: len(LEADING_COLUMNS)]) == list(LEADING_COLUMNS)
    assert table["rounds"].gt(0).all()
    assert not table["budget"].str.contains("steps").any()


def test_the_tables_hold_every_run_with_the_stable_columns_first(store, records):
    frame = save_all(store, records)
    header = (store.root / "results.csv").read_text().splitlines()[0].split(",")
    assert header == [*LEADING_COLUMNS, "odd", *TRAILING_COLUMNS]
    assert list(frame.columns) == header
    assert set(frame["run_id"]) == {record.run_id for record in records}


def test_what_does_not_apply_is_empty_in_csv(store, records):
    save_all(store, records)
    table = pd.read_csv(store.root / "results.csv", dtype=str, keep_default_na=False).set_index(["model", "seed"])
    assert table.loc[("gan", "1"), "fid"] == ""
    assert table.loc[("vae", "0"), ["images", "flops", "params", "train_seconds", "odd"]].tolist() == [""] * 5
    assert table.loc[("gan", "0"), "flops"] == "123456789"


@pytest.mark.parametrize("name", ["", "results.csv", "results.parquet"])
def test_a_figure_that_is_no_number_is_missing(store, make_record, name):
    save_all(store, [make_record(metrics={"fid": 1.0, "fid_auc": math.nan})])
    assert load_results(store.root / name)["fid_auc"].isna().tolist() == [True]
    assert "nan" not in (store.root / "results.csv").read_text().lower()


@pytest.mark.parametrize("name", ["", "results.csv", "results.parquet"])
def test_counts_too_large_for_a_float_are_exact_beside_runs_that_have_none(store, make_record, name):
    save_all(store, [make_record({"seed": 0}, flops=2**53 + 1), make_record({"seed": 1}, status="error")])
    assert load_results(store.root / name)["flops"][0] == 2**53 + 1


def test_csv_parquet_and_records_load_as_one_table(store, records):
    save_all(store, records)
    loaded = [load_results(store.root / name) for name in ("", "results.csv", "results.parquet")]
    for frame in loaded:
        assert frame.dtypes.astype(str).to_dict() == loaded[0].dtypes.astype(str).to_dict()
        assert len(frame) == 3
    first = loaded[0]
    for other in loaded[1:]:
        for column in first.columns:
            assert first[column].equals(other[column]), column


def test_loaded_columns_have_the_type_of_what_they_hold(store, records):
    save_all(store, records)
    types = load_results(store.root).dtypes.astype(str)
    assert types[["seed", "images", "flops", "modes_captured"]].tolist() == ["Int64"] * 4
    assert types[["fid", "odd", "train_seconds"]].tolist() == ["Float64"] * 3
    assert types[["contended", "status"]].tolist() == ["boolean", "string"]
    assert types["started_at"].startswith("datetime64[")
    assert types["started_at"].endswith("UTC]")


@pytest.mark.parametrize("text", ["NA", "nan", "null", "None"])
def test_text_that_looks_like_nothing_survives_csv(store, make_record, text):
    save_all(store, [make_record(status="error", error=text)])
    assert load_results(store.root / "results.csv")["error"].tolist() == [text]


def test_a_table_of_no_runs_has_the_columns_and_their_types(records):
    assert list(to_frame([]).columns) == [*LEADING_COLUMNS, *TRAILING_COLUMNS]
    types = to_frame([]).dtypes.astype(str)
    assert (types == to_frame(records).dtypes.astype(str)[types.index]).all()


@pytest.mark.parametrize("name", ["absent", "absent.csv", "absent.parquet", "empty"])
def test_a_place_without_results_is_refused_in_one_sentence(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZooError, match="no results in"):
        load_results(tmp_path / name)


def test_results_can_be_loaded_from_where_nothing_can_be_written(store, records, monkeypatch):
    save_all(store, records)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    assert len(load_results(store.root)) == 3


@pytest.mark.parametrize("name", ["other.csv", "other.parquet"])
def test_a_table_of_something_else_is_refused_with_what_it_lacks(tmp_path, name):
    path = tmp_path / name
    frame = pd.DataFrame({"error": ["a"], "value": [2]})
    frame.to_csv(path) if name.endswith("csv") else frame.to_parquet(path)
    with pytest.raises(ZooError, match=r"is not a table that `zoo bench` wrote: it has no column 'run_id'$"):
        load_results(path)
