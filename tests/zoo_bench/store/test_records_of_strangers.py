"""Whatever a file in ``runs/`` is, it is a record or one sentence, and the others are read."""

import json
import os
import shutil
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.cli import main
from zoo.errors import ZooError
from zoo.files import MAX_JSON_BYTES
from zoo_bench import load_results
from zoo_bench.plan.spec import key
from zoo_bench.store.records import Store, read_record

NAME = "runs/digits/vae/seed=7-strange.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make):
    """A folder of two good runs, and room for a third."""
    runs = [make.drawn(make.spec(seed=seed), 2.0) for seed in range(2)]
    root = make.write(tmp_path_factory.mktemp("strange") / "bench", runs)
    (root / NAME).parent.mkdir()
    return root


@pytest.fixture(scope="module")
def valid(make):
    """A record with something in every field, as parsed JSON."""
    record = make.drawn(
        make.spec(model="vae", seed=7, config={"lr": 0.1}), 2.0, history=[{"images": 1, "seconds": 1.0, "losses": {}}],
        diagnostics={"kl": 1.0}, notes=["n"], marks=["m"], cpu_share=0.9, cpu_seconds=1.0, shape=(1, 8, 8),
    )  # fmt: skip
    return json.loads(record.model_dump_json())


def rekeyed(fields):
    """Give a record the key of its spec, so that what else is wrong with it is seen."""
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        fields["run_id"] = key(fields["spec"])
    return fields


def test_the_valid_one_is_read(folder, valid):
    (folder / NAME).write_text(json.dumps(valid))
    assert read_record(folder / NAME).run_id == valid["run_id"]


BROKEN = {
    "empty": (b"", "EOF"),
    "truncated": (b'{"run_id": "a', "EOF"),
    "garbage": (b"\x00\x01\x02", "expected value"),
    "not UTF-8": (b'{"run_id": "\xff"}', "invalid unicode"),
    "half a character": (b'{"run_id": "\\ud800"}', "hex escape"),
    "a list": (b"[]", "Input should be"),
    "a key twice": (b'{"run_id": "a", "run_id": "a"}', "'run_id' twice"),
    "NaN": (b'{"train_seconds": NaN}', "expected value"),
    "Infinity": (b'{"train_seconds": Infinity}', "expected value"),
    "deep": (b'{"a":' * 100_000 + b"}" * 100_000, "recursion limit"),
    "long number": (b'{"images": ' + b"9" * 5000 + b"}", "number out of range"),
    "huge": (b" " * (MAX_JSON_BYTES + 1), "more than 16,000,000"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_content_that_is_no_record_is_named_and_left_out_everywhere(folder, name, capsys):
    content, reason = BROKEN[name]
    (folder / NAME).write_bytes(content)
    assert_left_out(folder, reason, capsys)


def assert_left_out(folder, reason, capsys):
    with pytest.raises(ZooError, match="seed=7-strange") as refused:
        read_record(folder / NAME)
    assert reason in str(refused.value)
    for command in (["report", str(folder), "--format", "table"], ["compare", str(folder), str(folder)]):
        assert main(command) == 0
        shown = capsys.readouterr()
        named = [line for line in shown.err.splitlines() if "seed=7-strange" in line]
        assert len(named) == command.count(str(folder))
        assert all(line.isprintable() for line in shown.err.splitlines())
    store = Store(folder)
    assert len(store.records()) == 2
    assert len(store.problems) == 1
    with pytest.warns(UserWarning, match="seed=7-strange"):
        assert len(load_results(folder)) == 2


FIELDS = {
    "images of 2^63": ({"images": 2**63}, "images"),
    "negative rounds": ({"rounds": -1}, "rounds"),
    "fractional updates": ({"updates": 0.5}, "updates"),
    "flops without end": ({"flops": 10**400}, "flops"),
    "a time without a zone": ({"started_at": "2025-01-01T00:00:00"}, "started_at"),
    "a time before all": ({"started_at": "0001-01-01T00:00:00+14:00"}, "out of range"),
    "a fraction of a mode": ({"throughput": {"modes_captured": 1.5}}, "modes_captured must be a whole number"),
    "infinite modes": ({"throughput": {"modes_captured": "Infinity"}}, "modes_captured must be a whole number"),
    "no column": ({"throughput": {"\x1b[31m": 1.0}}, "no name of a column"),
    "a newer schema": ({"schema_version": 99}, "upgrade genzoo"),
    "a wrong type": ({"scores": [1]}, "scores"),
    "a foreign field": ({"\x1b[31mred": 1}, "\\u001b[31mred"),
    "another key": ({"run_id": "0" * 64}, "is not the hash of its spec"),
    "no seed": ({"spec": {"seed": None}}, "it has no seed"),
    "the address of a folder": ({"spec": {"task": "folder:/etc"}}, "spec.task"),
    "the address of a data set": ({"spec": {"task": "hf:mnist?size=32"}}, "spec.task"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_that_no_run_leaves_are_named_and_left_out_everywhere(folder, valid, name, capsys):
    changes, reason = FIELDS[name]
    spec = {**valid["spec"], **changes.get("spec", {})}
    fields = rekeyed({**valid, "spec": spec}) | {k: v for k, v in changes.items() if k != "spec"}
    (folder / NAME).write_text(json.dumps(fields))
    assert_left_out(folder, reason, capsys)


def test_only_files_are_read(folder, valid, tmp_path, capsys):
    path, elsewhere = folder / NAME, tmp_path / "elsewhere.json"
    elsewhere.write_text(json.dumps(valid))
    makers = {
        "a pipe": lambda: os.mkfifo(path),
        "a folder": path.mkdir,
        "a link": lambda: path.symlink_to(elsewhere),
        "a link to nothing": lambda: path.symlink_to(tmp_path / "absent"),
        "a link to itself": lambda: path.symlink_to(path),
        "a link to a device": lambda: path.symlink_to("/dev/zero"),
    }
    for make_it in makers.values():
        path.unlink(missing_ok=True)
        make_it()
        assert_left_out(folder, "only files are read", capsys)
        if path.is_dir():
            path.rmdir()


VALUES = st.sampled_from(
    [
        None, True, 0, -1, 1.5, 2**31, 2**63, 10**25, 1e308, "", "x", "NaN", "Infinity", "=1+1", "\x1b[31m<b>", "🦓",
        "a" * 5000, "folder:/etc", "all", "{", [], {}, [1], {"a": 1}, [[[]]], "2025-01-01", "digits", "error", "auto",
    ]
)  # fmt: skip


def places(value, above=()):
    """Yield the way to every part of parsed JSON."""
    yield above
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from places(part, (*above, name))


@st.composite
def mutations(draw, fields):
    """Draw a record in which one to three parts are replaced or gone, or whose bytes are damaged."""
    fields = json.loads(json.dumps(fields))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from([place for place in places(fields) if place]))
        part = fields
        for name in above:
            part = part[name]
        if draw(st.booleans()):
            part[last] = draw(VALUES)
        else:
            del part[last]
        if not fields:
            break
    content = bytearray(json.dumps(rekeyed(fields) if draw(st.booleans()) else fields).encode())
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 5]))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.sampled_from([None, None, None, len(content) // 2]))])


def check_any(folder, data, valid):
    (folder / NAME).write_bytes(data.draw(mutations(valid)))
    store = Store(folder)
    found = store.records()
    assert len(found) + len(store.problems) == 3
    assert all("seed=7-strange" in problem and problem.isprintable() for problem in store.problems)
    if folder / NAME in found:
        form = data.draw(st.sampled_from(["table", "csv", "markdown", "latex", "json", "html"]))
        out = ["--out", str(folder / "page.html")] if form == "html" else []
        assert main(["report", str(folder), "--format", form, *out]) == 0


@given(data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_record_is_it_is_read_and_shown_or_named(folder, valid, data):
    check_any(folder, data, valid)


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_record_is_it_is_read_and_shown_or_named_at_length(folder, valid, data):
    check_any(folder, data, valid)


def test_a_folder_of_nothing_but_broken_records_is_one_sentence(folder, tmp_path, capsys):
    root = tmp_path / "broken"
    (root / NAME).parent.mkdir(parents=True)
    (root / NAME).write_text("{")
    for command in (["report", str(root)], ["compare", str(root), str(folder)], ["score", str(root)]):
        assert main(command) == 2
        assert "zoo: " in capsys.readouterr().err
    with pytest.raises(ZooError, match=r"no run in .* can be read: .*seed=7-strange"):
        load_results(root)
    shutil.rmtree(root)


def test_a_report_resolves_no_task_whose_data_would_be_read(folder, valid, monkeypatch, capsys):
    resolved = []
    monkeypatch.setattr("zoo.specs.TaskSpec.variant", lambda spec, text: resolved.append(text))
    for task in ("folder:/etc", "folder:/etc?size=32", "hf:mnist"):
        (folder / NAME).write_text(json.dumps(rekeyed({**valid, "spec": {**valid["spec"], "task": task}})))
        for form in ("table", "html", "csv", "json"):
            assert main(["report", str(folder), "--format", form]) == 0
        assert main(["sample", str(folder / NAME)]) == 2
        assert main(["score", str(folder), "--metrics", "modes"]) == 2
        assert "seed=7-strange" in capsys.readouterr().err
    assert resolved == []
