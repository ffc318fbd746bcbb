import io
import re

import pytest
from rich.console import Console

import zoo
from zoo.catalogue import ColumnCatalogue, Plugin
from zoo_bench.plan.columns import HARNESS
from zoo_bench.report.show.terminal import tables
from zoo_bench.store.tables import to_frame

OURS = Plugin("bench", "genzoo", "1.0", "zoo_bench.plugin")
THEIRS = Plugin("hits", "zoo-plugin-hits", "1.0", "hits")


@pytest.fixture
def frame(make_record):
    """Runs of a good, a bad, a partly failed and a failed model, in no order."""

    def ok(model, seed, fid, **fields):
        metrics = {"fid": fid, "fid_floor": 0.25, "modes_captured": 9.0, "modes_total": 10.0, "mode_kl": 0.1}
        return make_record({"model": model, "seed": seed}, metrics=metrics, params=1234, **fields)

    def failed(model, seed, status, error):
        return make_record({"model": model, "seed": seed}, status=status, error=error)

    return to_frame(
        [
            failed("dead", 0, "error", "[red]oops[/]"),
            failed("dead", 1, "timeout", "[/nonsense]"),
            ok("bad", 0, 400.0),
            ok("bad", 1, 100.0),
            ok("shaky", 0, 50.0),
            failed("shaky", 1, "diverged", "loss is nan"),
            ok("good", 0, 20.0),
            ok("good", 1, 30.0),
        ]
    )


def rendered(frame, width=80, controls=()):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    for part in tables(frame, width, controls):
        console.print(part)
    return console.file.getvalue()


def lines_of(text):
    """The lines of models: a name, then finished runs of all runs."""
    return [line.strip() for line in text.splitlines() if re.match(r"\s*[\w-]+\s+\d+/\d+\s", line)]


def cells_of(text):
    """Model, finished runs and FID of every line, without marks."""
    return [[cell.rstrip("*≈") for cell in line.split()[:3]] for line in lines_of(text)]


def test_models_are_sorted_by_fid_and_those_with_failures_come_after_them(frame):
    # FID is averaged on the log scale: 200 is the geometric mean of 100 and 400.
    assert cells_of(rendered(frame)) == [
        ["good", "2/2", "24.5"],
        ["bad", "2/2", "200"],
        ["shaky", "1/2", "50"],
        ["dead", "0/2", "-"],
    ]


def test_the_order_of_runs_does_not_matter(frame):
    assert lines_of(rendered(frame[::-1].reset_index(drop=True))) == lines_of(rendered(frame))


@pytest.mark.parametrize("width", [80, 160])
def test_every_line_fits_the_terminal_and_no_figure_is_cut(frame, width):
    text = rendered(frame, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("name", ["gan", "gan batch_size=64 lr=0.0001 norm=spectral"])
def test_a_mixture_with_every_column_fits_as_well_and_says_what_it_has_no_room_for(make_record, name, width):
    metrics = {"fid": 14.25, "fid_floor": 0.0123, "modes_captured": 17.0, "modes_total": 25.0, "mode_kl": 1.125,
               "high_quality": 0.5}  # fmt: skip
    speeds = {"train_images_per_s": 60.7e3, "sample_images_per_s": 1.08e6}
    records = [
        make_record(
            {"seed": seed, "model": name}, metrics={**metrics, "fid": fid, "modes_captured": 17.0 + seed},
            throughput=speeds, params=67_600,
        )
        for seed, fid in enumerate([14.25, 37.5])
    ]  # fmt: skip
    text = rendered(to_frame(records), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    head = next(line for line in text.splitlines() if line.strip().startswith("model"))
    left_out = " ".join(text.split()).partition("No room here for ")[2].partition(": see")[0]
    for title in ("FID", "modes", "KL", "HQ", "train/s", "sample/s", "params"):
        assert (title in head) != (title in left_out)
    assert ("KL: of mode shares" in " ".join(text.split())) == ("KL" in head)


def test_controls_and_the_floor_stand_below_the_models(frame):
    own = {"task": "digits", "task_version": "1", "judge": "digits-cnn@01234567"}
    rows = {"real": {"fid": 0.5, "modes_captured": 10.0}, "[red]noise": {"mode_kl": 2.5}}
    text = rendered(frame, controls=[{**own, "judge": "other", "controls": {"not": {}}}, {**own, "controls": rows}])
    below = text.partition("dead")[2].partition("\n")[2].partition("good has the lowest")[0]
    assert [line.split() for line in below.splitlines() if line.strip()] == [
        ["real", "0.5", "10/10"], ["[red]noise", "2.500"], ["floor", "0.25"],
    ]  # fmt: skip
    assert "controls, sets of known quality" in " ".join(text.split())


def test_the_floor_has_its_spread_and_a_control_of_few_items_their_number(make_record):
    metrics = {"fid": 30.0, "fid_floor": 19.8, "fid_floor_sd": 2.1}
    frame = to_frame([make_record({"seed": seed}, metrics=metrics) for seed in (0, 1)])
    own = {"task": "digits", "task_version": "1", "judge": "digits-cnn@01234567"}
    rows = {"real": {"fid": 28.9}, "noise": {"fid": 200.0}}
    text = rendered(frame, 120, [{**own, "controls": rows, "few": {"real": 39}}])
    below = [line.split() for line in text.splitlines() if line.startswith((" real", " noise", " floor"))]
    assert below == [["real", "(39)", "28.9"], ["noise", "200"], ["floor", "19.8", "±", "2.1"]]
    assert "± its standard deviation" in " ".join(text.split())


@pytest.mark.parametrize("change", ["one seed", "no spread"])
def test_the_caption_explains_no_spread_of_the_floor_that_is_not_shown(make_record, change):
    metrics = {"fid": 30.0, "fid_floor": 19.8} | ({"fid_floor_sd": 2.1} if change == "one seed" else {})
    seeds = (0,) if change == "one seed" else (0, 1)
    text = rendered(to_frame([make_record({"seed": seed}, metrics=metrics) for seed in seeds]), 120)
    assert "what as many fresh real items score." in " ".join(text.split())
    assert "±" not in text


def test_several_tables_share_one_explanation(make_record):
    records = [make_record({"task": task, "seed": seed}, metrics={"fid": 1.0 + seed, "mode_kl": 0.1})
               for task in ("a", "b") for seed in (0, 1)]  # fmt: skip
    assert rendered(to_frame(records), 120).count("Geometric means of FID") == 1


def test_an_interval_is_shown_with_two_runs_and_none_with_one(frame):
    good, _, shaky, *_ = lines_of(rendered(frame))
    assert " to " in good
    assert " to " not in shaky


def test_one_seed_claims_nothing_about_spread(frame):
    text = rendered(frame[frame["seed"] == 0])
    assert len(lines_of(text)) == 4
    assert " to " not in "".join(lines_of(text))
    assert "one seed" in text


def test_runs_without_any_score_are_a_table_of_failures(make_record):
    records = [make_record({"seed": seed}, status="error", error="it broke") for seed in (0, 1)]
    (line,) = lines_of(rendered(to_frame(records)) + "\n")
    assert line.split()[:2] == ["tiny", "0/2"]


def test_every_task_has_a_table_of_its_own_with_its_budget_and_judge(make_record):
    records = [make_record({"task": task}, {"fid": 1.0}, f"{task}-judge@12345678")
               for task in ("digits", "mnist")]  # fmt: skip
    text = rendered(to_frame(records), 120)
    for task in ("digits", "mnist"):
        assert f"{task}: budget 640" in text
        assert f"{task}-judge@12345678" in text
    assert len(lines_of(text)) == 2


def test_the_floor_and_shared_machines_are_mentioned_where_there_are_any(frame, make_record):
    assert "0.25" in rendered(frame)
    assert "shared the machine" not in rendered(frame)
    assert "shared the machine" in rendered(to_frame([make_record(contended=True, metrics={"fid": 1.0})]))


@pytest.mark.parametrize("status", ["ok", "error"])
def test_text_of_plugins_is_shown_as_it_is_and_never_as_markup(make_record, status):
    metrics = {"fid": 1.0} if status == "ok" else {}
    record = make_record({}, metrics, "odd[/judge][red]@12345678", status=status, error="[/nonsense]")
    assert "odd[/judge][red]@12345678" in rendered(to_frame([record]), 120)


def test_newlines_and_marks_of_direction_are_shown_as_text(make_record):
    odd = "<b>two\nlines\u202e[/x]"
    own = {"task": "digits", "task_version": "1", "judge": odd, "controls": {odd: {"fid": 3.0}}}
    text = rendered(to_frame([make_record({"model": odd}, {"fid": 1.0}, odd)]), 200, [own])
    assert text.count("<b>two\\nlines\\u202e[/x]") == 4  # title, model, control, verdict
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("fid", "shown"),
    [(0.25, "0.25"), (0.001234, "0.00123"), (12.345, "12.3"), (999.4, "999"), (1234.0, "1234"), (45678.0, "45.7k"),
     (1.2e6, "1.2M")],
)  # fmt: skip
def test_figures_have_three_digits_and_no_exponent(make_record, fid, shown):
    assert cells_of(rendered(to_frame([make_record(metrics={"fid": fid})]))) == [["tiny", "1/1", shown]]


class TestColumnOfAThirdParty:
    """A headline column of somebody else's metric is shown as ours are."""

    @pytest.fixture
    def shown(self, make_record, monkeypatch):
        """Render a table with a column described like this."""

        def render(width=160, values=(0.02, 0.9), **fields):
            column = zoo.Column("hits", "higher", "Share of hits, 0 to 1", title="Hits", headline=True, **fields)
            known = ColumnCatalogue()
            known.add([(column, "") for column in (*HARNESS, zoo.installed().columns.get("fid"))], OURS)
            known.add([(column, "hits")], THEIRS)
            monkeypatch.setattr(zoo.installed(), "columns", known)
            records = [
                make_record({"model": "gan", "seed": seed}, metrics={"fid": 10.0 + seed, "hits": value}, params=10)
                for seed, value in enumerate(values)
            ]
            return rendered(to_frame(records), width)

        return render

    def test_it_stands_in_the_table_with_an_interval_that_keeps_its_range(self, shown):
        (line,) = lines_of(shown(scale="share"))
        assert "46.0%" in line
        assert "0.0% to 100.0%" in line
        (line,) = lines_of(shown(values=(1.0, 9.0), range=(0, None)))
        assert "5.000" in line
        assert "0.000 to 55.825" in line, "Student's interval of 1 and 9 is -45.8 to 55.8"

    def test_it_stands_in_a_narrow_terminal_before_costs_do(self, shown):
        assert "46.0%" in shown(width=60, scale="share")

    def test_one_that_is_no_headline_does_not_stand_there(self, make_record):
        assert (
            "kid" not in rendered(to_frame([make_record({"model": "gan"}, metrics={"fid": 1.0, "kid": 0.5})])).lower()
        )
