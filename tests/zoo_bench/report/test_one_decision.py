"""Terminal, report, notebook, tables, comparison and gate make the same claims, those of ``Claims``, of any folder."""

import io
import math
import re
from itertools import combinations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rich.console import Console

from zoo_bench.report.read.claims import ALPHA
from zoo_bench.report.read.compare import models as compared
from zoo_bench.report.read.gate import Limit, gates
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.statistics import holm, welch
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.read.tidy import tidy_table
from zoo_bench.report.show import notebook
from zoo_bench.report.show.html import page
from zoo_bench.report.show.terminal import tables

SHOWN_AS = {"*": "best", "≈": "tied", "": ""}
RUN = st.one_of(
    st.floats(0.5, 2.0),
    st.floats(0.5, 2.0),
    st.floats(0.5, 2.0),
    st.sampled_from(["diverged", "error", "timeout", "interrupted", "no score", "infinite"]),
)
MODEL = st.tuples(
    st.floats(-4.0, 4.0),  # logarithm of its level
    st.sampled_from([0.0, 0.01, 0.3]),  # of its spread
    st.lists(RUN, min_size=1, max_size=6),
    st.sampled_from(["", "", "", "", "it took steps that were not counted"]),  # its mark
    st.sampled_from([False] * 6 + [True]),  # whether it was made elsewhere
)
BENCH = st.lists(MODEL, min_size=1, max_size=5)


def records(make, drawn):
    """Make the records of a folder; the classes that models reach follow their FID roughly."""
    for number, (level, spread, runs, mark, outside) in enumerate(drawn):
        for seed, run in enumerate(runs):
            fid = math.exp(level) * run**spread if isinstance(run, float) else math.nan
            name = f"model{number}"
            if outside:
                yield make.outside(name, fid if math.isfinite(fid) else 1.0, seed)
            elif run in ("diverged", "error", "timeout", "interrupted"):
                yield make.record(make.spec(model=name, seed=seed), status=run, error="it ended")
            else:
                metrics = {
                    "modes_captured": float(int(10 / (1 + level**2) * (run if run == fid else 1))),
                    "modes_total": 10.0,
                }
                metrics |= {} if run == "no score" else {"fid": math.inf if run == "infinite" else fid, "kid": -level}
                marks = [mark] if mark else []
                yield make.record(make.spec(model=name, seed=seed), metrics, marks=marks, params=1000 * (number + 1))


def told_by_the_definition(summary, metric):
    """Who is best and who is not separable, worked out anew from the runs' rows."""
    rows = summary.group.runs
    sign = -1 if metric.better == "higher" else 1
    values, whole = {}, {}
    for label, runs in rows.groupby("_label"):
        begun = runs[runs["status"] != "interrupted"]
        if (begun["status"] != "ok").any() or (runs["marks"] != "").any() or (runs["samples"] != "").any():
            continue
        finite = [v for v in begun[metric.name].dropna() if abs(v) < 1e150]
        if finite:
            values[label], whole[label] = finite, metric.cost or len(finite) == len(begun)
    pairs = list(combinations(values, 2))
    raw = [welch(values[a], values[b], log=metric.log).p for a, b in pairs]
    separable = {frozenset(pair): p < ALPHA for pair, p in zip(pairs, holm(raw), strict=True)}
    means = {label: summary_mean(found, metric.log) for label, found in values.items()}
    if not values or not any(whole.values()) or all(len(found) == 1 for found in values.values()):
        return {}
    best = min((label for label in values if whole[label]), key=lambda label: (sign * means[label], label))
    told = {}
    for label in values:
        apart = whole[label] and separable.get(frozenset((best, label)), False)
        told[label] = (
            "best" if means[label] == means[best] and label != best and whole[label] else "" if apart else "tied"
        )
    return {**told, best: "best"}


def summary_mean(values, log):
    """The mean as tables have it: geometric where the column says so and all values are positive."""
    log = log and min(values) > 0
    mean = math.fsum(map(math.log, values) if log else values) / len(values)
    return math.exp(mean) if log else mean


def of_the_terminal(frame):
    """By model, what the terminal's table shows of the FID's column."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    for part in tables(frame, 200):
        console.print(part)
    rows = re.findall(
        r"^\s*(model\d)(?: !)?(?: \(outside\))?\s+\d+/\d+\s+(\S+?)([*≈]?)(?:\s|$)", console.file.getvalue(), re.M
    )
    return {name: SHOWN_AS[sign] for name, value, sign in rows if value != "-"}


def of_html(html):
    """By model, how the cells of FID in the first table are marked."""
    table = html[html.index("<thead>") :].partition("</table>")[0]
    heads = re.findall(r"<th[ >](.*?)</th>", table.partition("</thead>")[0], re.S)
    place = next(i for i, head in enumerate(heads) if re.search(r"\bFID\b", head)) - 2
    told = {}
    for row in re.findall(r"<tr><th.*?</tr>", table.partition("<tbody>")[2], re.S):
        name = re.search(r"model\d", row)
        cell = re.findall(r"<td.*?</td>", row, re.S)[1:][place]
        if name and not re.search(r'class="none"|<td>(≈ )?–<', cell):
            told[name[0]] = "best" if re.search(r'class="num best"|<b>', cell) else "tied" if "≈" in cell else ""
    return told


@pytest.fixture(scope="module", autouse=True)
def no_drawings():
    """Draw nothing: figures take longer than everything else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo_bench.report.show.sections.drawings", lambda title, figures: [])
        patch.setattr("zoo_bench.report.show.sections.pareto", lambda *args: None)
        for name in ("learning_curves", "modes", "profiles", "ranks"):
            patch.setattr(f"zoo_bench.report.show.plots.{name}", lambda *args: None)
        yield


def agree(make, root, drawn):
    make.write(root, records(make, drawn), pictures=False)
    results = load([root])
    for summary in [summarise(group, results.controls) for group in groups(results.frame)]:
        labels = {model.label.removesuffix(" (outside)"): model for model in summary.models}
        for metric in (m for m in summary.metrics if m.better):
            assert summary.standings[metric.name] == told_by_the_definition(summary, metric), metric.name
        if not (fid := next((m for m in summary.metrics if m.name == "fid"), None)):
            continue
        claims = summary.claims["fid"]
        shown = {name: model for name, model in labels.items() if model.estimates["fid"].n}
        expected = {name: summary.standings["fid"].get(model.label, "") for name, model in shown.items()}
        frame = summary.group.runs.drop(columns="_label")
        assert of_the_terminal(frame) == expected
        assert {k: v for k, v in of_html(page(results, [summary])).items() if k in expected} == expected
        assert {k: v for k, v in of_html(notebook.table([summary])).items() if k in expected} == expected
        tidy = tidy_table([summary])
        tidy = tidy[(tidy["metric"] == "fid") & (tidy["kind"] != "control")]
        assert dict(zip(tidy["model"], tidy["standing"], strict=True)) == {
            m.label: summary.standing(m, fid) for m in summary.models
        }
        for a, b in combinations([m for m in summary.models if m.estimates["fid"].n], 2):
            (change,) = [c for c in compared(results, a.label, b.label) if c.metric.name == "fid"]
            assert (change.verdict in ("better", "worse")) == claims.is_separable(a, b)
            (gate,) = gates([Limit.parse("fid:+0%")], [change])
            if not (gate.fewer_finish or gate.unjudged):
                rises = b.estimates["fid"].mean > a.estimates["fid"].mean
                assert gate.passed == (not (claims.is_separable(a, b) and rises))
            if change.verdict in ("better", "worse"):
                assert (change.verdict == "better") == (claims.ranked.index(b) < claims.ranked.index(a))


@given(BENCH)
@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, phases=[Phase.generate]
)
def test_all_say_the_same(make, tmp_path_factory, drawn):
    agree(make, tmp_path_factory.mktemp("bench"), drawn)


@pytest.mark.slow
@given(BENCH)
@settings(
    max_examples=1000,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    phases=[Phase.generate],
)
def test_all_say_the_same_of_a_thousand_folders(make, tmp_path_factory, drawn):
    agree(make, tmp_path_factory.mktemp("bench"), drawn)
