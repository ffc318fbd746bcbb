"""A column describes itself, and belongs to one distribution."""

import math

import pytest

import zoo
from zoo.catalogue import ColumnCatalogue, Plugin
from zoo.errors import PluginError


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "My column"}, "'My column' must be lower-case letters"),
        ({"name": "2d"}, "'2d' must be lower-case letters, digits and '_', a letter first"),
        ({"better": "bigger"}, "better must be 'lower', 'higher' or '', got 'bigger'"),
        ({"scale": "cubic"}, "scale must be 'linear', 'log' or 'share', got 'cubic'"),
        ({"range": (1, 0)}, "range must ascend"),
    ],
)
def test_what_no_column_can_be_is_refused_where_it_is_declared(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        zoo.Column(**{"name": "it", "better": "lower", "description": "It.", **fields})


def test_a_column_knows_its_heading_its_limits_and_its_scale():
    plain = zoo.Column("mean_shift", "lower", "It.")
    assert (plain.heading, plain.arrow, plain.log, plain.limits) == ("mean shift", "↓", False, (-math.inf, math.inf))
    share = zoo.Column("hits", "higher", "It.", title="Hits", scale="share")
    assert (share.heading, share.arrow, share.limits) == ("Hits", "↑", (0.0, 1.0))
    assert zoo.Column("cost", "", "It.", scale="log", range=(0, None)).limits == (0, math.inf)


def plugin(name, distribution="one"):
    return Plugin(name, distribution, "1.0", name)


def column(name):
    return zoo.Column(name, "lower", "It.")


def test_a_plugin_whose_column_another_distribution_fills_adds_none():
    columns = ColumnCatalogue()
    columns.add([(column("fid"), "fid")], plugin("a"))
    with pytest.raises(PluginError, match=r"metric 'mine' has a column 'fid', which metric 'fid' of one 1.0 fills"):
        columns.add([(column("own"), "mine"), (column("fid"), "mine")], plugin("b", "two"))
    assert columns.get("own") is None
    columns.add([(column("fid"), "another")], plugin("c"))  # metrics of one distribution may share


def test_a_model_may_return_what_nobody_fills_or_its_own_plugin_describes():
    columns, own = ColumnCatalogue(), plugin("a")
    columns.add([(column("energy"), ""), (column("fid"), "fid")], own)
    columns.check_own("free", own, "It")
    columns.check_own("energy", own, "It")
    for name, other in (("fid", own), ("energy", plugin("b"))):
        with pytest.raises(PluginError, match=f"It returns '{name}', which .*one 1.0 fills: choose another name"):
            columns.check_own(name, other, "It")
