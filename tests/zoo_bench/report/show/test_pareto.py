"""The plot of a metric against speed and size: its front, and where labels go."""

import pytest

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.statistics import Estimate
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.show.figures import colours_of
from zoo_bench.report.show.pareto import Point, front, label_sides, pareto


def point(label, cost, value, claimed=True):
    return Point(label, cost, Estimate(value, value, value, 1), claimed)


def test_labels_of_points_that_are_near_go_to_different_sides_and_at_an_edge_inwards():
    assert label_sides(["one", "other"], [(0.5, 0.5), (0.51, 0.5)]) == ["middle left", "middle right"]
    assert label_sides(["left", "right"], [(0.0, 0.3), (1.0, 0.7)]) == ["middle right", "middle left"]


def test_what_no_claim_is_made_of_is_not_on_the_front_and_hides_nobody_from_it():
    survivors = point("survivors", 9.0, 0.1, claimed=False)
    points = [survivors, point("fast", 5.0, 2.0), point("good", 2.0, 1.0), point("neither", 1.0, 3.0)]
    assert [found.label for found in front(points, more_is_better=True)] == ["good", "fast"]


@pytest.mark.parametrize(
    ("more", "lower", "labels"), [(True, True, ["c"]), (False, True, ["a", "c"]), (True, False, ["b", "c"]),
                                  (False, False, ["a", "b"])],
)  # fmt: skip
def test_the_front_has_the_direction_of_both_axes(more, lower, labels):
    points = [point("a", 1.0, 2.0), point("b", 2.0, 3.0), point("c", 3.0, 1.0)]
    assert [p.label for p in front(points, more_is_better=more, lower_is_better=lower)] == labels


def test_every_run_is_a_point_beside_its_models_mean(drawn_bench):
    results = load([drawn_bench])
    (summary,) = (summarise(group, results.controls) for group in groups(results.frame))
    (axes,) = pareto(summary, colours_of([summary])).axes
    drawn = {line.get_gid(): line.get_ydata()[0] for line in axes.lines if line.get_gid()}
    for model in summary.models:
        own = {gid: y for gid, y in drawn.items() if gid.startswith(f"title: {model.label}, seed ")}
        assert sorted(own.values()) == sorted(model.values["fid"])
        (mean,) = (y for gid, y in drawn.items() if gid.startswith(f"title: {model.label}: FID "))
        assert mean == model.estimates["fid"].mean
