"""The command: what it refuses, its forms, and its exit code."""

import json
from xml.etree import ElementTree

import pytest

from zoo.cli import main


@pytest.fixture(scope="module")
def pair(tmp_path_factory, make):
    """Two benches, the second with an FID 30 % higher. Do not change them."""
    folder = tmp_path_factory.mktemp("pair")
    return make.bench(folder / "a", seeds=5), make.bench(folder / "b", seeds=5, factor=1.3)


@pytest.mark.parametrize(
    ("other", "reason"),
    [({"budget": "2M"}, "budget (200k in A, 2M in B)"), ({"task": "ring8"}, "A has digits, B has ring8"),
     ({"judge": "x@1", "device": "cuda"}, "judge (digits-cnn@01234567 in A, x@1 in B) and device")],
)  # fmt: skip
def test_what_is_not_comparable_is_refused_with_the_reason(tmp_path, make, capsys, other, reason):
    make.bench(tmp_path / "a", seeds=1)
    make.bench(tmp_path / "b", seeds=1, **other)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("limit", "code"),
    [("fid:+5%", 1), ("fid:+90%", 0), ("fid:-5%", 0), ("fid:+0.1", 1), ("fid:+1000", 0), ("params:+0%", 0),
     (" fid : +5 % ", 1)],
)  # fmt: skip
def test_the_exit_code_is_for_ci(pair, capsys, limit, code):
    assert main(["compare", *map(str, pair), "--fail-if", limit]) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 7
    assert all(line.startswith(("zoo: passed: ", "zoo: failed: ")) for line in lines[:-1])
    assert lines[-1].endswith(" of 6 gates passed")
    assert any(line.startswith("zoo: failed: ") for line in lines) == bool(code)


def test_chance_alone_does_not_fail_and_strict_lets_the_estimate_decide(tmp_path, make, capsys):
    """The seeds of one bench, parted in two: nothing has changed."""
    halves = [
        str(make.write(tmp_path / name, [make.drawn(make.spec(seed=seed), 2.0) for seed in seeds]))
        for name, seeds in (("a", (0, 1, 2)), ("b", (3, 4, 5)))
    ]
    assert main(["compare", *halves, "--fail-if", "fid:+0%", "--fail-if", "fid:-0%"]) == 0
    assert capsys.readouterr().err.endswith("zoo: 2 of 2 gates passed\n")
    assert main(["compare", *halves, "--fail-if", "fid:+0%", "--fail-if", "fid:-0%", "--strict"]) == 1
    assert capsys.readouterr().err.endswith("zoo: 1 of 2 gates passed\n")


def test_a_model_that_no_longer_finishes_fails(tmp_path, make, capsys):
    a = make.bench(tmp_path / "a", seeds=2)
    failed = [make.record(make.spec(model="gan", seed=s), status="error", error="it broke") for s in (0, 1)]
    b = make.write(tmp_path / "b", failed)
    assert main(["compare", str(a), str(b), "--fail-if", "fid:+5%"]) == 1
    assert "0 of 2 runs finished in B, 2 of 2 in A" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "code"), [("diverged", 1), ("error", 1), ("timeout", 1), ("interrupted", 0)])
def test_a_run_that_does_not_finish_fails_unless_the_user_interrupted_it(tmp_path, make, capsys, status, code):
    a = make.write(tmp_path / "a", [make.drawn(make.spec(seed=seed), 2.0) for seed in range(4)])
    last = make.record(make.spec(seed=3), status=status, error="it ended")
    b = make.write(tmp_path / "b", [*(make.drawn(make.spec(seed=seed), 2.0) for seed in range(3)), last])
    assert main(["compare", str(a), str(b), "--fail-if", "fid:+5%"]) == code
    assert ("3 of 4 runs finished in B, 4 of 4 in A" in capsys.readouterr().err) == bool(code)


def test_an_unknown_metric_in_a_limit_is_refused_with_the_nearest(pair, capsys):
    assert main(["compare", *map(str, pair), "--fail-if", "fit:+5%"]) == 2
    assert "fid" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["A"], ["A", "A", "A"], ["A", "--models", "gan"], ["A", "A", "--models", "a,b"]])
def test_anything_but_two_sides_is_refused(bench, capsys, arguments):
    assert main(["compare", *(str(bench) if a == "A" else a for a in arguments)]) == 2
    assert "two folders" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--columns", "fdi"], "unknown column 'fdi': did you mean 'fid'"),
        (["--format", "jnit"], "unknown format 'jnit': did you mean 'junit'"),
        (["--format", "table", "--json"], "--json is --format json: give one of them"),
        (["--format", "junit"], "--format junit is about gates: give one with --fail-if"),
        (["--strict"], "--strict is about gates"),
        (["--format", "junit", "--columns", "fid", "--fail-if", "fid:+5%"], "--columns needs --format table"),
        (["--fail-if", "fid:5%"], "'fid:5%' is not understood"),
    ],
)
def test_unusable_options_are_refused_in_one_sentence(pair, capsys, options, sentence):
    assert main(["compare", *map(str, pair), *options]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert sentence in shown.err
    assert shown.err.count("\n") == 1


def test_columns_choose_metrics_and_what_has_a_gate_is_there_too(pair, capsys):
    options = ["--columns", "modes_captured,mode_kl", "--fail-if", "fid:+90%", "--format", "json"]
    assert main(["compare", *map(str, pair), *options]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["metric"] for row in rows[:3]] == ["fid", "modes_captured", "mode_kl"]
    assert {len(row["gates"]) for row in rows if row["metric"] == "fid"} == {1}
    assert not any(row["gates"] for row in rows if row["metric"] != "fid")


def test_columns_that_name_none_are_all(pair, capsys):
    printed = []
    for names in ("all", " , "):
        assert main(["compare", *map(str, pair), "--columns", names, "--json"]) == 0
        printed.append(json.loads(capsys.readouterr().out))
    assert printed[0] == printed[1] != []


def test_what_only_one_side_has_is_named(tmp_path, make, capsys):
    a = make.write(tmp_path / "a", [make.drawn(make.spec(model=model), 2.0) for model in ("gan", "vae")])
    b = make.write(tmp_path / "b", [make.drawn(make.spec(), 2.0)])
    assert main(["compare", str(a), str(b)]) == 0
    assert ", precision fp32, device cpu: vae is only in A\n" in capsys.readouterr().err


def test_junit_has_a_case_per_gate_and_pair(pair, capsys):
    options = ["--format", "junit", "--fail-if", "fid:+5%", "--fail-if", "params:+0%"]
    assert main(["compare", *map(str, pair), *options]) == 1
    suites = ElementTree.fromstring(capsys.readouterr().out)
    cases = list(suites.iter("testcase"))
    failures = list(suites.iter("failure"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == 12
    assert (suites.get("tests"), suites.get("failures")) == ("12", str(len(failures)))
    assert 0 < len(failures) <= 6
    assert "changed by +30 %" in failures[0].get("message")


def test_json_has_a_row_per_metric(pair, capsys):
    assert main(["compare", *map(str, pair), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    (row,) = [r for r in rows if (r["model"], r["metric"]) == ("gan", "fid")]
    assert row["scale"] == "ratio"
    assert row["low"] < row["change"] < row["high"]
    assert row["verdict"] == "worse"


def test_models_of_one_bench_are_named_with_several_settings(tmp_path, make, capsys):
    settings = [{"lr": 0.001, "z_dim": 8}, {"lr": 0.002, "z_dim": 8}]
    specs = [make.spec(model="toy", config=config, seed=seed) for config in settings for seed in (0, 1)]
    root = make.write(tmp_path / "bench", [make.drawn(spec, 1.0) for spec in specs])
    assert main(["compare", str(root), "--models", "toy[lr=0.001,z_dim=8],toy[lr=0.002,z_dim=8]", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["model"] for row in rows} == {"toy[lr=0.001,z_dim=8] (A), toy[lr=0.002,z_dim=8] (B)"}
