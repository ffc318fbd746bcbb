"""Plugins and trackers that are told of runs: what they are told, and that none of them can stop a bench."""

import functools
import inspect
import sys
import textwrap
from types import SimpleNamespace

import pytest

import zoo
from zoo import hookspecs
from zoo.catalogue import Catalogue
from zoo.cli import main
from zoo.errors import PluginError, UnknownNameError
from zoo.registry import Registry
from zoo_bench.benchmark import prepare, run
from zoo_bench.executors import Started
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.record import Progress, RunRecord
from zoo_bench.plan.resources import Resources
from zoo_bench.plan.spec import RunSpec
from zoo_bench.store.records import read_record
from zoo_bench.track.lifecycle import Lifecycle

PROGRESS = Progress(0.5, 320, 1000.0, {"left": 0.25})


class Spy:
    """A tracker that keeps what it is told."""

    def __init__(self, folder=None):
        self.folder, self.told = folder, []

    @zoo.hookimpl
    def zoo_run_started(self, spec):
        self.told.append(("started", spec))

    @zoo.hookimpl
    def zoo_run_progress(self, spec, progress):
        self.told.append(("progress", spec, progress))

    @zoo.hookimpl
    def zoo_run_finished(self, spec, record, files):
        self.told.append(("finished", spec, record, files))


class Broken:
    """A tracker whose every hook raises."""

    def __init__(self, folder=None):
        print("hello")

    @zoo.hookimpl
    def zoo_run_started(self):
        print("to be kept off stdout")
        raise OSError("no\ndisk")

    @zoo.hookimpl
    def zoo_run_progress(self):
        raise OSError("no disk")

    @zoo.hookimpl
    def zoo_run_finished(self):
        raise SystemExit(3)


@pytest.fixture
def told(fake_entry, tmp_path):
    """Make a lifecycle of one or more trackers given as ``name=function``."""

    def make(**trackers):
        registry = Registry()
        for name, target in trackers.items():
            registry.trackers.add(fake_entry(zoo.TrackerSpec, name, target))
        return Lifecycle(registry, ",".join(trackers), tmp_path)

    return make


def play(lifecycle, record):
    lifecycle.started(record.spec)
    lifecycle.progressed(record.spec, PROGRESS)
    lifecycle.finished(record, {".json": "a path"})


def test_a_tracker_is_made_for_the_folder_and_told_of_every_step(told, make_record, tmp_path):
    made = []
    lifecycle = told(spy=lambda folder: made.append(Spy(folder)) or made[0])
    record = make_record()
    play(lifecycle, record)
    (spy,) = made
    assert spy.folder == tmp_path
    spec = record.spec
    assert spy.told == [
        ("started", spec), ("progress", spec, PROGRESS), ("finished", spec, record, {".json": "a path"}),
    ]  # fmt: skip


def test_one_that_raises_is_named_once_and_the_others_go_on(told, make_record, capsys):
    spy = Spy()
    lifecycle = told(broken=Broken, spy=lambda folder: spy, worse=Broken)
    record = make_record()
    for _ in range(2):
        play(lifecycle, record)
    assert [step for step, *_ in spy.told] == 2 * ["started", "progress", "finished"]
    shown = capsys.readouterr()
    assert shown.out == ""
    warnings = [line for line in shown.err.splitlines() if line.startswith("zoo: warning: ")]
    ends = ("started: OSError: no disk", "progress: OSError: no disk", "finished: SystemExit: 3")
    assert sorted(warnings) == sorted(
        f"zoo: warning: tracker '{name}' of fake-distribution 1.2 failed in zoo_run_{end}"
        for name in ("broken", "worse")
        for end in ends
    )


def test_a_module_of_an_installed_plugin_is_told_as_well(distributions, make_record, tmp_path):
    source = """
        import zoo

        TOLD = []

        @zoo.hookimpl
        def zoo_run_finished(record):
            TOLD.append(record)
    """
    distributions.add("fake", {"mine": "fake_listener"}, fake_listener=source)
    registry = distributions.discover()
    record = make_record()
    play(Lifecycle(registry, "", tmp_path), record)
    [(_, module)] = registry.listeners
    assert [record] == module.TOLD


def test_they_are_told_in_the_order_that_they_ask_for(told, make_record):
    order = []

    def tracker(name, **options):
        @zoo.hookimpl(**options)
        def zoo_run_started():
            order.append(name)

        return lambda folder: SimpleNamespace(zoo_run_started=zoo_run_started)

    lifecycle = told(early=tracker("first", tryfirst=True), late=tracker("last", trylast=True), usual=tracker("usual"))
    lifecycle.started(make_record().spec)
    assert order == ["first", "usual", "last"]


@pytest.mark.parametrize("option", ["wrapper", "hookwrapper"])
def test_a_tracker_that_wraps_others_is_refused(told, option):
    @zoo.hookimpl(**{option: True})
    def zoo_run_started():
        yield

    with pytest.raises(PluginError, match=r"^tracker 'odd' .* zoo_run_started is a wrapper, and hooks of zoo cannot"):
        told(odd=lambda folder: SimpleNamespace(zoo_run_started=zoo_run_started))


@pytest.mark.parametrize(
    ("promised", "given"), [(zoo.RunSpec, RunSpec), (zoo.RunProgress, Progress), (zoo.RunRecord, RunRecord)]
)
def test_what_hooks_are_given_has_all_that_zoo_promises(promised, given):
    """That the types agree as well is mypy's to say: :class:`Lifecycle` takes zoo's, and the bench gives its own."""
    names = {name for name, value in vars(promised).items() if isinstance(value, property)}
    own = {name for name, value in vars(given).items() if isinstance(value, property | functools.cached_property)}
    assert names <= {*inspect.get_annotations(given), *own}


@pytest.mark.parametrize("hook", hookspecs.RUN_HOOKS)
def test_the_examples_of_the_hooks_do_what_they_say(distributions, make_record, tmp_path, capsys, hook):
    source = textwrap.dedent(inspect.getdoc(getattr(hookspecs, hook)).split("Example::\n\n", 1)[1])
    distributions.add("fake", {"mine": "fake_example"}, fake_example=source)
    play(Lifecycle(distributions.discover(), "", tmp_path), make_record(status="error", error="it broke"))
    (line,) = capsys.readouterr().err.splitlines()
    assert "warning" not in line


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (lambda folder: 1 / 0, "tracker 'bad' of fake-distribution 1.2 cannot be used: ZeroDivisionError"),
        (lambda: None, "cannot be used: TypeError"),
        (lambda folder: SimpleNamespace(zoo_run_over=zoo.hookimpl(lambda: None)), "unknown hook 'zoo_run_over'"),
    ],
)
def test_a_tracker_that_cannot_be_used_is_refused_in_one_sentence(told, target, message):
    with pytest.raises(PluginError) as refused:
        told(bad=target)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_tracker_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown tracker 'tensorbord': did you mean 'tensorboard'"):
        prepare(BenchOptions(models="vae", budget="640", seeds=1, out=tmp_path / "out", track="tensorbord"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "module"), [("tensorboard", "torch.utils.tensorboard"), ("mlflow", "mlflow"), ("wandb", "wandb")]
)
def test_an_absent_extra_is_named_with_the_command_that_installs_it(monkeypatch, capsys, tmp_path, name, module):
    monkeypatch.delitem(sys.modules, f"zoo_bench.track.{name}", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["bench", "--models", "vae", "--budget", "640", "--out", str(tmp_path / "out"), "--track", name]) == 2
    shown = capsys.readouterr()
    assert f"pip install 'genzoo[{name}]'" in shown.err
    assert len(shown.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_bench_tells_of_its_runs_and_of_the_files_they_left(tmp_path, monkeypatch, fake_entry):
    spy = Spy()
    registry = zoo.installed()
    monkeypatch.setattr(registry, "trackers", Catalogue("tracker"))
    registry.trackers.add(fake_entry(zoo.TrackerSpec, "spy", lambda folder: spy))
    bench = prepare(BenchOptions(models="vae", budget="6400", seeds=1, out=tmp_path, workers=1, threads=1, track="spy"))
    run(bench)
    (spec,) = bench.plan.runs
    assert spy.told[0] == ("started", spec)
    *_, (step, told_of, record, files) = spy.told
    assert (step, told_of, record) == ("finished", spec, read_record(bench.store.path(spec)))
    assert set(files) == {".json", ".safetensors", ".png", ".neighbours.png", ".progress.png"}
    assert all(path.is_file() for path in files.values())
    assert all(0 < entry[2].images <= 6400 for entry in spy.told if entry[0] == "progress")


def test_an_interrupted_run_is_told_of_as_finished(tmp_path, monkeypatch, fake_entry):
    def interrupted(specs, options):
        yield Started(specs[0], Resources(1, False))
        raise KeyboardInterrupt

    spy = Spy()
    registry = zoo.installed()
    monkeypatch.setattr(registry, "trackers", Catalogue("tracker"))
    registry.trackers.add(fake_entry(zoo.TrackerSpec, "spy", lambda folder: spy))
    monkeypatch.setattr("zoo_bench.executors.local.run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(prepare(BenchOptions(models="vae", budget="640", seeds=1, out=tmp_path, track="spy")))
    assert [step for step, *_ in spy.told] == ["started", "finished"]
    assert spy.told[1][2].status == "interrupted"
