import csv
import math
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.errors import ZooError
from zoo_bench import load_results
from zoo_bench.plan.columns import LEADING_COLUMNS, TRAILING_COLUMNS
from zoo_bench.plan.record import Outcome
from zoo_bench.store.tables import csv_text, to_frame, write_tables

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
    assert table.loc[("gan", "0"), "flops"] == "123456789.0"


@pytest.mark.parametrize("name", ["", "results.csv", "results.parquet"])
def test_a_figure_that_is_no_number_is_missing(store, make_record, name):
    save_all(store, [make_record(metrics={"fid": 1.0, "fid_auc": math.nan})])
    assert load_results(store.root / name)["fid_auc"].isna().tolist() == [True]
    assert "nan" not in (store.root / "results.csv").read_text().lower()


@pytest.mark.parametrize("name", ["", "results.csv", "results.parquet"])
def test_counts_too_large_for_a_float_are_exact_beside_runs_that_have_none(store, make_record, name):
    save_all(store, [make_record({"seed": 0}, images=2**53 + 1), make_record({"seed": 1}, status="error")])
    assert int(load_results(store.root / name)["images"][0]) == 2**53 + 1


@pytest.mark.parametrize("name", ["", "results.csv", "results.parquet"])
def test_operations_beyond_2_to_the_63_are_a_number_like_any(store, make_record, name):
    save_all(store, [make_record({"seed": 0}, flops=2**64 + 1), make_record({"seed": 1}, flops=1)])
    assert load_results(store.root / name)["flops"].tolist() == [2.0**64, 1.0]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
BEGINNINGS = st.sampled_from(["", "=", "+", "-", "@", "\t", "\r", "\n", "'", "'=", "''@", '"', ","])


@given(st.lists(st.builds("{}{}".format, BEGINNINGS, TEXTS), min_size=1, max_size=5))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_loads_from_csv_as_it_was_and_is_no_formula_there(tmp_path, make, texts):
    texts = [text.replace("\0", "0") for text in texts]  # no reader of CSV takes that character
    runs = [make.record(make.spec(seed=i), status="error", error=text) for i, text in enumerate(texts)]
    (tmp_path / "results.csv").write_bytes(csv_text(to_frame(runs)).encode())
    assert load_results(tmp_path / "results.csv")["error"].tolist() == texts
    with (tmp_path / "results.csv").open(newline="") as file:
        assert not [row["error"] for row in csv.DictReader(file) if row["error"][0] in "=+-@\t\r\n"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("seed", "1.5"), ("seed", ""), ("images", str(2**63)), ("images", "many"), ("fid", "good"), ("status", "fine"),
        ("status", ""), ("started_at", "yesterday"), ("model", ""), ("task", "folder:/etc"), ("config", "[1]"),
        ("config", "{"), ("config", "[" * 10_000), ("params", "9" * 200_000),
    ],
)  # fmt: skip
def test_a_table_with_a_cell_that_no_bench_writes_is_refused_in_one_sentence(store, records, column, value):
    save_all(store, records)
    for path in (store.root / "odd.csv", store.root / "odd.parquet"):
        table = pd.read_csv(store.root / "results.csv", dtype=str, keep_default_na=False)
        table.loc[0, column] = value
        table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path, index=False)
        with pytest.raises(ZooError, match="is not a table that `zoo bench` wrote") as refused:
            load_results(path)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("seeds", [[0.0, 1.5, 2.0], [0.0, 1e25, 2.0]])
def test_numbers_of_parquet_that_are_not_whole_are_refused(store, records, seeds):
    table = save_all(store, records).assign(seed=pd.array(seeds, dtype="Float64"))
    table.to_parquet(store.root / "odd.parquet", index=False)
    with pytest.raises(ZooError, match="seed must be whole numbers"):
        load_results(store.root / "odd.parquet")


@pytest.mark.parametrize("content", [b"", b"\0\1\2", b"\xff\xfe", b"run_id\n1,2,3\n", b"PAR1", b'"', b"a" * 10**6])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_garbage_is_no_table(tmp_path, content, suffix):
    path = tmp_path / f"garbage{suffix}"
    path.write_bytes(content)
    with pytest.raises(ZooError, match="is not a table that `zoo bench` wrote"):
        load_results(path)


def test_a_file_that_is_no_record_is_left_out_with_a_warning(store, records):
    save_all(store, records)
    (store.root / "runs/digits/gan/odd.json").write_text("{")
    with pytest.warns(UserWarning, match=r"odd\.json' is not a run record"):
        assert len(load_results(store.root)) == 3


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
    assert types[["seed", "images", "modes_captured"]].tolist() == ["Int64"] * 3
    assert types[["fid", "odd", "train_seconds", "flops"]].tolist() == ["Float64"] * 4
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
