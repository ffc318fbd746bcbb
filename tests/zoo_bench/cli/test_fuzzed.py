"""Fuzzed command lines, settings, task addresses and files of options: each runs or is refused in one sentence."""

import contextlib
import functools
import io
import multiprocessing
import os
import shutil
import socket
import stat
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tomli_w
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drawn_benches import usual_bench
from pictures import draw_pictures
from zoo.cli import build_app, main
from zoo.errors import DataError, ZooError
from zoo.registry import installed
from zoo_bench.core.budget import Budget, parse_timeout
from zoo_bench.plan import planning
from zoo_bench.plan.seeds import canonical, parse_seeds
from zoo_bench.plan.variants import select
from zoo_bench.report.read.gate import Limit

LONG = "x" * 5000
PATHS = [
    "", ".", "/proc", "new", "new/deep", "empty", "file", "file/below", "table.csv", "broken.json", "broken.npz",
    "ones.npy", "image.png", "results", "results/runs", "results/results.csv", "/dev/null", "/dev/full",
    "/proc/self/nothing", "loop", "dangling", "~nobody/x", "späße", "with space", "-dash", LONG, "a/" * 3000, "\udcff",
    "nul\0", "new\n.csv", "new.csv", "new.html", "new.parquet", "new.tex", "new.npz", "new.png", "$HOME", "%00", "*",
]  # fmt: skip
NUMBERS = [
    "0", "1", "2", "-1", "+3", "3.5", "1e3", "1e400", "NaN", "inf", "-inf", "5", "٣", "²", "0x10", "1_000", "10" * 15,
    "9" * 5000, "-" + "9" * 5000, str(2**31), str(2**63), str(2**64), " 4 ", "4\n", "", "True", "null",
]  # fmt: skip
BUDGETS = [
    *(number + unit for number in NUMBERS for unit in ("", "k", "M", "s", "h", "rounds", "FLOP", "PFLOP")), "200k,90s",
    "1k,1k", "1k,,", ",", "k", "5m", "5 m", "100steps", "200K", "never", ".5k", "5.k", "0.0000001k",
]  # fmt: skip
SEEDS = [
    *NUMBERS, "0,3,5-9", "5-3", "7-7", "0-99", "0-99999999999", "1-2-3", "auto", "auto:30", "auto:-1", "auto:", ",",
]  # fmt: skip
VALUES = [
    "null", "true", "0", "-1", "1e400", "NaN", "Infinity", "[]", "{}", "[[[1]]]", '{"a": {"b": []}}', '"text"', "2",
    "[" * 50_000, "{" * 3000, "9" * 5000, "1e-400", "[0.5, 0.9]", "[0.9]", "word", "", " ", '"', "a=b", "\udc80",
    "1e3", '{"": 1}', '"\\ud800"', "tuned", "[1, 2]", "cosine", str(2**70), "0.1", '"\\u0000"',
]  # fmt: skip
SETTINGS = [
    "gan.lr", "gan.packing", "gan.z_dim", "vae.batch_size", "dcgan.width", "gan.preset", "gan.betas", "gan.hidden",
    "gan", "gan.", ".lr", "nobody.lr", "gan.lr.deep", "*.lr", "all.lr", "", "gan .lr", "gan.ema", "gan.schedule",
]  # fmt: skip
MODELS = [
    "all", "gan", "vae,gan", "g*", "*", "?an", "[gv]a[en]", "gan[packing=2]", "gan[packing=2][x", "gan[", "gan]",
    "gan[]", "gan[=]", "gan[packing=]", "gan[packing=2,packing=3]", "gan[packing=[1,2]]", "g*[packing=2]", "all[lr=1]",
    "gna", "gan[betas=[0.5,0.9]]", 'gan[preset="pacgan"]', "[[[", "]]]", "[]", "[=]", "[lr=1]", ",,,", "gan,,vae",
    "GAN", LONG, "gan," * 2000, "[" * 3000, "gan[lr=" + "[" * 50_000 + "=]", "gan[lr=NaN]", "gan@x", "gan?x=1",
    "gan:x", '"', "gan[lr=1e-3]", "wgan-gp[lr=1e-3,lr=x]", "[!g]*", "[z-a]", "\\", "(?", "gan[\0=1]",
]  # fmt: skip
TASKS = [
    "digits", "ring8", "digits,ring8", "all", "*", "d*", "[", "nothing", "folder", "folder:", "folder:?size=0",
    "folder:.", "folder:/dev/null", "folder:images", "folder:images?size=8", "folder:images?size=8&grey=1",
    "folder:images?grey=2", "folder:images?size=٣٢", "folder:images?size=²", "folder:images?size=8&size=8",
    "folder:images?judge=x", "folder:%00", "folder:%ff", "folder:images?size=" + "9" * 5000,
    "folder:images?judge=random-conv", "folder@", "folder@x-0123456789ab", "folder@x-0123456789ab+judge",
    "folder:images,digits", "folder:" + LONG, "folder:~unknown", "folder:loop", "hf:~unknown",
    "folder:images?", "folder:a\0b", "folder:images?&&&",
    "folder:images?x", "folder:images?=", "hf", "hf:", "hf:?", "hf:images?split=x", "hf:no/such", "hf:/dev/null",
    "hf:broken.parquet", "hf:file", "hf:../..", "hf:a/b/c", "hf:%00", "hf:images?size=8", "hf:images?image=x",
    "few", "few:digits?fraction=0.1",
    "few:digits?fraction=2&draw=x", "few@digits-1-1", "few:", "few:@?fraction",
    "stacked-digits", "stacked-", "stacked-stacked-digits", "digits?judge=x", "digits@x", "digits:x", "mnist",
    "cifar10", "cifar10?judge=efficientnet-lite0", "cifar10?judge=", "cifar10@", "cifar10?", "cifar10@random-conv",
    "\udcff", "nul\0", "späße", "数字", " digits ", "digits\n", "", ",",
    "folder:images?size=8&judge=inception-v3-compat", "kmnist?judge=%00",
]  # fmt: skip
BY_OPTION = {
    "--budget": BUDGETS, "--final-budget": BUDGETS, "--seeds": SEEDS, "--timeout": BUDGETS, "--models": MODELS,
    "--task": TASKS, "--out": PATHS, "--config": [*PATHS, "options.toml"], "--show": PATHS,
    "--metrics": ["all", "fid", "fid,kid", "f*", "nope", "", "[", "fid[", "\0", "*", "fid-inception", ",", LONG],
    "--precision": ["auto", "fp32", "bf16", "fp32+compile", "FP32", "fp16", "", "+compile"],
    "--device": ["auto", "cpu", "cuda", "mps", "cuda:0", "gpu", "", "\0"],
    "--executor": ["local", "ray", "no", "", "\0"],
    "--address": ["", "auto", "x:1", "\0"], "--track": ["", "tensorboard", "mlflow", "*", "no", "[", ","],
    "--fail-if": [
        "fid:+5%", "fid:-1", "fid:+٥%", "fid:+1e3%", "fid:5", "fid", "fid:+" + "9" * 400, ":", "", "\0:+1", "no:+1",
        "fid:+" + "9" * 5000 + "%", "modes_captured:-0",
    ],
    "--columns": ["", "all", "fid", "fid,kid", "no", ",", "\0", "fid,,", "model", LONG],
    "--format": ["", "table", "csv", "parquet", "markdown", "latex", "html", "json", "junit", "CSV", "\0", "as_json"],
    "--sampler": ["tpe", "random", "", "TPE"], "--name": ["", "x", "X", "a b", "../x", "\0", LONG, "gan"],
    "--class": ["", "0", "3,5", "3,", ",", "-1", "\u0663", "9" * 5000, "x"], "--path": ["", "linear", "spherical", "x"],
    "--and": PATHS,
    "--range": ["", "0,1", "-1,1", "0..1", "1,0"],
    "--set": None,
}  # fmt: skip
"""Odd values that options of these names are given, beside any text; others are numbers."""

TEXTS = st.text(st.characters(exclude_characters="/"), max_size=12) | st.sampled_from(
    [*PATHS, *NUMBERS, *VALUES, *TASKS, *MODELS]
)
ASSIGNMENTS = st.builds("{}={}".format, st.sampled_from(SETTINGS), st.sampled_from(VALUES) | TEXTS)
FOLDERS = st.sampled_from(["results", "results", "results/results.csv", *PATHS])
ARGUMENTS = {
    "bench": st.lists(st.sampled_from(MODELS), max_size=2),
    "show": st.tuples(st.sampled_from(["gan", "digits", "fid", "gna", *TASKS, *MODELS])),
    "check": st.tuples(st.sampled_from(["gna", "", "\0", "gan[packing=2]", "folder:", "stacked-", LONG])),
    "data": st.tuples(st.sampled_from(TASKS)), "task": st.tuples(st.sampled_from(TASKS)),
    "variance": st.tuples(st.sampled_from(MODELS)), "new-plugin": st.tuples(st.sampled_from(MODELS) | TEXTS),
    "report": st.lists(FOLDERS, max_size=3), "compare": st.lists(FOLDERS, min_size=1, max_size=3),
    **{name: st.tuples(FOLDERS) for name in ("sample", "interpolate", "traverse", "reconstruct", "neighbours")},
    "score": st.tuples(FOLDERS), "augment": st.tuples(FOLDERS),
}  # fmt: skip
"""Arguments of commands that have some."""

TOML = st.recursive(
    st.text(max_size=8) | st.booleans() | st.integers() | st.floats() | st.datetimes() | st.dates() | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
"""Values of every type that TOML has."""


@functools.cache
def commands():
    """Return the options of every command, by its name: whether each takes a value."""
    app = typer.main.get_command(build_app(None, with_help=False))
    found = {}
    for name in app.commands:
        command = typer.main.get_command(build_app(name, with_help=False)).commands[name]
        found[name] = {opt: not p.is_flag for p in command.params for opt in p.opts + p.secondary_opts if opt[0] == "-"}
    return found


def values(option):
    """Draw a value of an option: mostly one of its own odd ones, else any text."""
    own = ASSIGNMENTS if option == "--set" else st.sampled_from(BY_OPTION.get(option, NUMBERS))
    return st.integers(0, 4).flatmap(lambda other: own if other else TEXTS)


@st.composite
def command_lines(draw):
    """Draw a command line; what it names are the files that :func:`fill` writes."""
    name = draw(
        st.sampled_from([*sorted(commands()), *["bench"] * 12, *["tune", "variance", "compare", "report", "score"] * 2])
    )
    options = commands()[name]
    words = list(draw(ARGUMENTS.get(name, st.just([]))))
    for option in draw(st.lists(st.sampled_from(sorted(options) or ["--json"]), min_size=1, max_size=4)):
        words += [option, draw(values(option))] if options.get(option) else [option]
    line = [name, *words, *["--dry-run"] * (name == "bench")]
    if draw(st.integers(0, 9)) == 0:  # one word too few or too many, or another spelling
        at = draw(st.integers(0, len(line) - 1))
        changed = [
            [],
            [line[at], line[at]],
            [line[at][:-1]],
            [line[at].upper()],
            [f"{line[at]}=x"],
            ["--"],
            ["--no-plugins"],
            ["-x"],
        ]
        line[at : at + 1] = draw(st.sampled_from([*changed, ["--version"], ["--help"], [draw(TEXTS)]]))
        line += ["--dry-run"] * (line[:1] != ["bench"] and "bench" in line)
    return line


def fill(folder, bench):
    """Write files of all kinds into a folder."""
    shutil.copytree(bench, folder / "results")
    (folder / "empty").mkdir()
    (folder / "file").write_text("text")
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / "broken.json").write_text("{")
    for name in ("broken.npz", "broken.parquet", "image.png"):
        (folder / name).write_bytes(b"PK\3\4 but broken")
    np.save(folder / "ones.npy", np.ones((3, 1, 8, 8)))
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("nowhere")
    draw_pictures(folder / "images", 120)
    (folder / "options.toml").write_text('task = "ring8"\nbudget = "1k"\n')


def tree(folder):
    """Return what changes when a file in a folder does, by path."""
    found = ((path, path.lstat()) for path in sorted(folder.rglob("*")))
    return {
        str(path): (status.st_size, status.st_mtime_ns) for path, status in found if not stat.S_ISDIR(status.st_mode)
    }


class Folder:
    """A folder with files of all kinds in which command lines are run; it is made anew when one has changed it."""

    def __init__(self, path):
        self.path, self.pristine = path / "work", path / "pristine"
        usual_bench(path / "bench", seeds=2)
        self.pristine.mkdir()
        fill(self.pristine, path / "bench")
        shutil.copytree(self.pristine, self.path, symlinks=True)

    def renew(self):
        os.chdir(self.pristine)
        shutil.rmtree(self.path)
        shutil.copytree(self.pristine, self.path, symlinks=True)
        os.chdir(self.path)


def start_nothing(*args, **kwargs):
    raise KeyboardInterrupt


def no_network(*args, **kwargs):
    raise OSError(101, "Network is unreachable")


def no_hub(data_set):
    raise DataError("the hub cannot be reached")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A :class:`Folder` as the working directory; nothing trains, and nothing outside is reached."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(multiprocessing, "get_context", start_nothing)
    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, no_network)
    monkeypatch.setattr("zoo_bench.data.pictures.hub.DataSet._fetch", no_hub)
    monkeypatch.setattr("zoo_bench.core.processes.warm_up", lambda: None)
    for name in ("precision", "threads"):
        chosen = {"chosen": "fp32" if name == "precision" else 1, "reason": "drawn"}
        monkeypatch.setattr(f"zoo_bench.measure.probe.choose_{name}", lambda *args, chosen=chosen: chosen)
    monkeypatch.setattr("zoo_bench.judges.panel.train_twin", lambda *args: None)
    monkeypatch.setattr("zoo_bench.score.scoring.score", lambda *args: SimpleNamespace(values={}, errors={}))
    load = planning.load_task
    by_name = functools.cache(lambda name: load(installed().tasks.get(name)))
    monkeypatch.setattr(planning, "load_task", lambda entry: by_name(entry.spec.name))
    made = Folder(tmp_path)
    monkeypatch.chdir(made.path)
    return made


def run(words):
    """Run a command line in this process, with the console script's streams; return its exit code and both."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", write_through=True) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        code = main(words)
    return code, *(stream.buffer.getvalue().decode() for stream in streams)


def check(words, folder):
    """Check that a command line is carried out, or refused in one sentence with nothing written."""
    before = tree(folder.path)
    try:
        code, out, err = run(words)
    finally:
        changed = tree(folder.path) != before
        if changed:
            folder.renew()
    assert code in (0, 1, 2, 130)
    assert "Traceback" not in err
    if code == 2:
        assert not changed, "it wrote something before the arguments were checked"
        assert out == ""
        *_, sentence, rest = err.split("\n")  # what takes time is told before
        assert sentence.startswith("zoo: ")
        assert not rest


def fuzz(test, examples, **strategies):
    """Run a test on so many drawn examples; the same every time if they are few."""
    few = examples < 1000
    options = settings(
        max_examples=examples, derandomize=few, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    options(given(**strategies)(test))()


EXAMPLES = pytest.mark.parametrize(
    "examples", [100, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)


@EXAMPLES
def test_a_command_line_is_carried_out_or_refused_in_a_sentence(folder, examples):
    fuzz(lambda words: check(words, folder), examples, words=command_lines())


@EXAMPLES
def test_a_file_of_options_is_used_or_refused_in_a_sentence(folder, examples):
    """It has any key with a value of any type, or an option with a value as the command line takes it."""
    names = sorted(option.removeprefix("--") for option in commands()["bench"])
    keys = st.sampled_from([name.replace("-", "_") for name in names]) | st.text(max_size=5)
    own = st.sampled_from([option for option in BY_OPTION if option.removeprefix("--") in names and BY_OPTION[option]])
    pairs = st.tuples(keys, TOML) | own.flatmap(lambda o: st.tuples(st.just(o[2:]), st.sampled_from(BY_OPTION[o])))

    def use(pairs, junk):
        text = tomli_w.dumps({"task": "ring8", **dict(pairs)}).encode("utf-8", "replace")
        (folder.path / "options.toml").write_bytes(text + junk)
        check(["bench", "--config", "options.toml", "--dry-run"], folder)

    fuzz(use, examples, pairs=st.lists(pairs, max_size=3), junk=st.just(b"") | st.binary(max_size=3))


def same_budget(text):
    budget = Budget.parse(text)
    assert Budget.parse(str(budget)) == budget


def same_seeds(text):
    assert parse_seeds(canonical(text)) == parse_seeds(text)


PARSERS = {
    "budget": (same_budget, BUDGETS), "timeout": (parse_timeout, BUDGETS), "seeds": (same_seeds, SEEDS),
    "setting": (lambda text: planning.parse_settings([text]), [*SETTINGS, *VALUES, "="]),
    "models": (lambda text: select(text, installed().models), MODELS), "gate": (Limit.parse, BY_OPTION["--fail-if"]),
    "task": (lambda text: installed().tasks.get(text), [*TASKS, "?", "@", ":", "&size=8"]),
}  # fmt: skip
"""What reads a text of the command line, and what texts are made of."""


@EXAMPLES
@pytest.mark.parametrize("parser", PARSERS)
def test_a_text_is_read_or_refused_in_a_sentence(folder, examples, parser):
    parse, odd = PARSERS[parser]

    def read(parts):
        with contextlib.suppress(ZooError):
            parse("".join(parts))

    fuzz(read, examples, parts=st.lists(st.sampled_from(odd) | st.text(max_size=3), max_size=3))
