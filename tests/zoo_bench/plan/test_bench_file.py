"""A bench is a file, which is the command."""

import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from zoo.cli import main
from zoo.errors import ZooError
from zoo_bench.plan.bench_file import NAME, ONE_OFF, bench_file, read_bench_file, write_bench_file
from zoo_bench.plan.options import DEFAULTS, BenchOptions
from zoo_bench.plan.planning import parse_settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), lambda inner: st.lists(inner)
)

FULL = BenchOptions(
    models="vae,gan[packing=2]", task="ring8", budget="2M,90s", seeds="0,5-9", metrics="fid", precision="fp32",
    settings={"gan": {"lr": 1e-4, "preset": "dcgan-era", "betas": [0.5, 0.9]}, "vae": {"sigma": None}}, device="cpu",
    out=Path("results/ü"), executor="ray", address="auto", workers=2, threads=1, timeout=90.0, throughput=True,
    track="tensorboard", retry_failed=True, force=True, keep_samples=True,
    judge_seed=7, checkpoint_every=60.0,
)  # fmt: skip
"""Every option has a value that is not its default."""


@pytest.fixture
def understood(monkeypatch):
    """Return the options that ``zoo bench`` makes of its arguments, with the seeds as numbers."""

    def options(*arguments):
        given = []

        def prepare(options, log, **further):
            given.append(options)
            raise ZooError("enough")

        monkeypatch.setattr("zoo_bench.benchmark.prepare", prepare)
        monkeypatch.setattr(zoo.TrackerSpec, "load", lambda spec: None)  # its extra need not be installed
        assert main(["bench", *arguments]) == 2
        return replace(given[0], seeds=given[0].training_seeds)

    return options


@pytest.mark.parametrize(
    "options",
    [
        DEFAULTS, FULL, replace(FULL, timeout=None, checkpoint_every=None), replace(DEFAULTS, executor="ray"),
        replace(DEFAULTS, throughput=True), replace(DEFAULTS, seeds=[7]), replace(DEFAULTS, out=Path("/elsewhere")),
    ],
)  # fmt: skip
def test_the_command_of_a_file_is_the_one_that_wrote_it(options, tmp_path, understood):
    path = tmp_path / "any.toml"
    path.write_text(bench_file(options), "utf-8")
    expected = replace(options, seeds=options.training_seeds, retry_failed=False, force=False)
    assert understood("--config", str(path)) == expected


def test_a_file_has_every_option_but_those_of_one_call():
    assert all(getattr(FULL, field.name) != getattr(DEFAULTS, field.name) for field in fields(BenchOptions))
    names = {field.name for field in fields(BenchOptions)} - ONE_OFF
    assert set(tomllib.loads(bench_file(FULL))) == names - {"settings"} | {"set"}


def test_a_file_has_what_figures_depend_on_and_little_else_at_its_default():
    first, *lines = bench_file(DEFAULTS).splitlines()
    assert first == "# zoo bench --config bench.toml"
    assert lines == [
        'models = "all"', 'task = "digits"', 'budget = "200k"', "seeds = 3", 'metrics = "all"', 'precision = "auto"',
        'device = "auto"', "throughput = false",
    ]  # fmt: skip


def test_settings_are_written_as_set_reads_them():
    content = tomllib.loads(bench_file(FULL))
    assert content["set"] == ["gan.lr=0.0001", "gan.preset=dcgan-era", "gan.betas=[0.5,0.9]", "vae.sigma=null"]


@given(JSON)
def test_every_value_of_json_is_a_setting(setting):
    options = BenchOptions(settings={"gan": {"any": setting}})
    assert parse_settings(tomllib.loads(bench_file(options))["set"]) == options.settings


def test_it_is_written_into_the_output_folder(tmp_path):
    write_bench_file(replace(FULL, out=tmp_path / "out"))
    assert (tmp_path / "out" / NAME).read_text("utf-8").startswith("# zoo bench")


def test_the_command_line_overrides_a_file(tmp_path, understood):
    path = tmp_path / NAME
    path.write_text(bench_file(replace(FULL, executor="local", address="")), "utf-8")
    found = understood("--config", str(path), "--seeds", "1", "--no-throughput", "--set", "vae.lr=1", "--force")
    assert (found.seeds, found.throughput, found.settings, found.force) == ((0,), False, {"vae": {"lr": 1}}, True)
    assert (found.models, found.budget, found.out) == (FULL.models, FULL.budget, FULL.out)


@pytest.mark.parametrize(
    ("line", "seeds"),
    [("", (0, 1, 2)), ("seeds = 2", (0, 1)), ("seeds = [7]", (7,)), ('seeds = "0,5-6"', (0, 5, 6))],
)
def test_a_file_by_hand_may_have_few_options(line, seeds, tmp_path, understood):
    path = tmp_path / "mine.toml"
    path.write_text(f'models = "vae"\nbudget = "1k"\n{line}')
    expected = replace(DEFAULTS, models="vae", budget="1k", seeds=seeds, throughput=True)
    assert understood("--config", str(path)) == expected


@pytest.mark.parametrize(("seeds", "written"), [("auto", "auto"), ("auto:20", "auto"), ("auto:30", "auto:30")])
def test_seeds_that_are_added_stay_so(seeds, written, tmp_path):
    path = tmp_path / NAME
    path.write_text(bench_file(replace(DEFAULTS, seeds=seeds)), "utf-8")
    assert f'seeds = "{written}"\n' in path.read_text("utf-8")
    assert read_bench_file(path)["seeds"] == written


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('modles = "vae"', "unknown key of 'bench.toml' 'modles': did you mean 'models'?"),
        ('settings = ["vae.lr=1"]', "unknown key of 'bench.toml' 'settings': did you mean 'set'?"),
        ("force = true", "unknown key of 'bench.toml' 'force'"),
        ('workers = "2"', "'bench.toml': workers: input should be a valid integer"),
        ("workers = true", "'bench.toml': workers: input should be a valid integer"),
        ("budget = 640", "'bench.toml': budget: input should be a valid string"),
        ('set = "vae.lr=1"', "'bench.toml': set: input should be a valid list"),
        ('set = ["vae.lr=1", 2]', "'bench.toml': set: input should be a valid string"),
        ("throughput = 1", "'bench.toml': throughput: input should be a valid boolean"),
        ("seeds = true", "--seeds True is not understood"),
        ("[models]", "'bench.toml': models: input should be a valid string"),
        ("models", "'bench.toml' is not TOML: "),
        (b"\xff", "'bench.toml' is not TOML: "),
        ("workers = 0", "--workers must be at least 1"),
        ("workers = 10_001", "--workers must be at most 10,000, got 10001"),
        ("judge_seed = 3_000_000_000", "--judge-seed must be at most 2,147,483,647, got 3000000000"),
        ("seeds = " + "[" * 10_000, "'bench.toml' is not TOML: "),
        ("# " + "x" * 10**6, "'bench.toml' is no file of options: it has more than 1,000,000 bytes"),
        ('timeout = "soon"', "timeout 'soon' is not understood"),
    ],
)
def test_a_file_that_is_unusable_is_one_sentence(content, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path(NAME).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["bench", "--config", NAME]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"zoo: {sentence}")
    assert error.count("\n") == 1


def test_a_file_that_is_not_there_is_one_sentence(tmp_path, capsys):
    absent = tmp_path / "absent.toml"
    assert main(["bench", "--config", str(absent)]) == 2
    assert capsys.readouterr().err == f"zoo: {str(absent)!r} cannot be used: No such file or directory\n"


def test_a_file_is_read_by_names_of_options(tmp_path):
    path = tmp_path / NAME
    path.write_text('set = ["vae.lr=1"]\nseeds = [7]')
    assert read_bench_file(path) == {"settings": ["vae.lr=1"], "seeds": "7-7"}
