import re
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from zoo_bench.executors import Finished, Looked, Progressed, Started
from zoo_bench.plan.record import Outcome, Progress, Score
from zoo_bench.plan.resources import Resources
from zoo_bench.report.show.progress import Live


@pytest.fixture
def bench(make_spec):
    runs = [make_spec(seed=seed) for seed in range(3)]
    return runs[1:]


@pytest.fixture(params=["pipe", "terminal"])
def kind(request, monkeypatch):
    """Where stderr goes; a terminal gets bars, anything else a line per finished run."""
    monkeypatch.setenv("COLUMNS", "200")
    if request.param == "terminal":
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.delenv("NO_COLOR", raising=False)
    else:
        monkeypatch.delenv("FORCE_COLOR", raising=False)
    return request.param


def play(bench, make_record, *, losses=None, **record):
    spec = bench[0]
    with Live(3, 2, Path("out")) as live:
        live.on_event(Started(spec, Resources(1, False)))
        live.on_event(Progressed(spec, Progress(0.5, 320, 12345.6, losses or {"left": 0.25})))
        live._bars.refresh()
        live.on_event(Finished(spec, Outcome(make_record({"seed": spec.seed}, train_seconds=1.25, **record))))


def test_what_is_to_do_and_what_is_done_is_said_first(bench, make_record, kind, capsys):
    play(bench, make_record)
    captured = capsys.readouterr()
    assert captured.err.startswith("2 runs to do, 1 stored already, into out\n")
    assert captured.out == ""


def test_a_finished_run_is_a_line_with_its_figures(bench, make_record, kind, capsys):
    play(bench, make_record, metrics={"fid": 12.345, "modes_captured": 9.0, "modes_total": 10.0})
    assert "[1/2] tiny[batch_size=4] on digits, seed 1: ok, 1.2 s, FID 12.3, modes 9/10" in capsys.readouterr().err


def test_a_metric_that_failed_is_named(bench, make_record, kind, capsys):
    failed = Score(plugin="genzoo", version="1", judge="any@01234567", error="RuntimeError: cannot count")
    play(bench, make_record, scores={"kid": failed})
    assert "kid: RuntimeError: cannot count" in capsys.readouterr().err


@pytest.mark.parametrize("error", ["[red]oops[/red]", "[/nonsense]", "[link=x]"])
def test_what_a_plugin_says_is_text_and_never_markup(bench, make_record, kind, capsys, error):
    play(bench, make_record, status="error", error=error)
    assert f"tiny[batch_size=4] on digits, seed 1: error: {error}" in capsys.readouterr().err


def test_lines_and_marks_of_direction_in_a_message_are_shown_as_text(bench, make_record, kind, capsys):
    play(bench, make_record, status="error", error="two\nlines, \u202eone turned")
    assert "error: two\\nlines, \\u202eone turned" in capsys.readouterr().err


def test_a_bar_shows_losses_and_speed(bench, make_record, kind, capsys):
    play(bench, make_record)
    shown = "12,346 images/s  left 0.25" in capsys.readouterr().err
    assert shown == (kind == "terminal")


@pytest.mark.parametrize("player", ["[/nonsense]", "[red]left[/red]"])
def test_a_players_name_is_text_and_never_markup(bench, make_record, kind, capsys, player):
    play(bench, make_record, losses={player: 0.25})
    shown = f"{player} 0.25" in capsys.readouterr().err
    assert shown == (kind == "terminal")


@pytest.fixture
def narrow(monkeypatch):
    """A terminal of 80 columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)


def drawn(live):
    """Return the lines of the bars as they stand."""
    console = Console(stderr=True)
    with console.capture() as captured:
        console.print(live._bars.get_renderable())
    return [Text.from_ansi(line).plain for line in captured.get().splitlines()]


@pytest.mark.parametrize("model", ["tiny", "tiny-with-a-name-that-alone-fills-more-than-half-of-the-line"])
def test_bar_share_and_time_left_stay_in_80_columns_and_losses_are_cut(make_spec, narrow, capsys, model):
    spec = make_spec(model=model)
    losses = {"generator": 1.25, "discriminator": 0.5, "encoder": 2.5}
    with Live(3, 2, Path("out")) as live:
        live.on_event(Started(spec, Resources(1, False)))
        live.on_event(Progressed(spec, Progress(0.5, 320, 12345.6, losses)))
        total, run = drawn(live)
    for line, share in ((total, "25%"), (run, "50%")):
        assert len(line) <= 80
        assert len(re.findall("[━╸╺]", line)) == 16
        assert f"{share} --:-- " in line
    assert run.rstrip().endswith("…")


def test_the_total_moves_with_the_runs_under_way(bench, make_record, capsys):
    with Live(3, 2, Path("out")) as live:
        total = live._bars.tasks[0]
        for spec, share in zip(bench, (0.5, 0.25), strict=True):
            live.on_event(Started(spec, Resources(1, False)))
            live.on_event(Progressed(spec, Progress(share, 320, 1.0, {})))
        assert total.completed == 0.75
        live.on_event(Finished(bench[0], Outcome(make_record({"seed": 1}, train_seconds=1.25))))
        assert total.completed == 1.25
        live.on_event(Finished(bench[1], Outcome(make_record({"seed": 2}, train_seconds=1.25))))
        assert (total.completed, total.fields["detail"]) == (2, "then controls and the report")


def test_quiet_shows_nothing_but_an_interruption(bench, make_record, narrow, capsys):
    with Live(3, 2, Path("out"), quiet=True) as live:
        live.on_event(Started(bench[0], Resources(1, False)))
        live.on_event(Finished(bench[0], Outcome(make_record({"seed": 1}, train_seconds=1.25))))
        assert capsys.readouterr().err == ""
        live.interrupted()
    assert capsys.readouterr().err == "interrupted: 2 runs stored, 1 missing; the same command goes on\n"


def test_verbose_says_what_starts_and_where_a_run_failed(bench, make_record, monkeypatch, capsys):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    record = make_record({"seed": 1}, status="error", error="no", traceback="Traceback:\n  line 3 \u202e\n")
    with Live(3, 2, None, verbose=True) as live:
        live.on_event(Started(bench[0], Resources(1, False)))
        live.on_event(Finished(bench[0], Outcome(record)))
    run = "tiny[batch_size=4] on digits, seed 1"
    said = capsys.readouterr().err.splitlines()[1:]
    assert said == [f"{run}: started", f"[1/2] {run}: error: no", "  Traceback:", "    line 3 \\u202e"]


def test_a_look_is_a_line_per_table_and_its_runs_count(bench, make_record, kind, capsys):
    with Live(3, 2, Path("out")) as live:
        live.on_event(Looked(("digits: not separable", "ring8: separable"), planned=4, missing=3, outdated=1))
        live.on_event(Finished(bench[0], Outcome(make_record({"seed": 1}, train_seconds=1.25))))
        assert live._bars.tasks[0].total == 6
        live.interrupted()
    said = capsys.readouterr().err
    assert "digits: not separable\n" in said
    assert "ring8: separable\n" in said
    assert "[1/5] tiny[batch_size=4] on digits, seed 1: ok" in said
    assert "interrupted: 3 runs stored, 4 missing" in said


def test_an_interruption_says_what_is_left(bench, capsys):
    with Live(3, 2, Path("out")) as live:
        live.interrupted()
    assert "interrupted: 1 run stored, 2 missing" in capsys.readouterr().err


def test_a_bar_shows_the_settings_of_its_model(bench, make_record, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    with Live(3, 2, Path("out")) as live:
        live.on_event(Started(bench[0], Resources(1, False)))
        live._bars.refresh()
    assert "tiny[batch_size=4] on digits, seed 1" in capsys.readouterr().err


def test_a_run_that_ended_before_it_began_is_a_line_as_well(bench, make_record, kind, capsys):
    spec = bench[0]
    with Live(3, 2, Path("out")) as live:
        live.on_event(Finished(spec, Outcome(make_record({"seed": 1}, status="error", error="the worker was lost"))))
    assert "[1/2] tiny[batch_size=4] on digits, seed 1: error: the worker was lost" in capsys.readouterr().err


def test_nothing_is_said_of_a_folder_that_does_not_stay(bench, capsys):
    with Live(3, 2, None):
        pass
    assert capsys.readouterr().err.startswith("2 runs to do, 1 stored already\n")


@pytest.mark.parametrize("has_widgets", [False, True])
def test_a_notebook_gets_bars_if_it_can_show_them_and_else_lines(bench, make_record, monkeypatch, capsys, has_widgets):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as Jupyter does
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("zoo_bench.report.show.progress.find_spec", lambda name: has_widgets or None)
    live = Live(3, 2, Path("out"))
    assert live._console.is_jupyter == has_widgets
    assert live._bars.disable != has_widgets
    if not has_widgets:
        play(bench, make_record)
        lines = capsys.readouterr().err.splitlines()
        assert lines[1:] == ["[1/2] tiny[batch_size=4] on digits, seed 1: ok, 1.2 s"]
