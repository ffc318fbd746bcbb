"""Discovery of plugins among fake installed distributions, and selection by name."""

from __future__ import annotations

import importlib.metadata
import os
from typing import Any

import pytest

import zoo
from zoo.catalogue import Catalogue, Entry, Plugin
from zoo.errors import NameClashError, UnknownNameError, ZooError
from zoo.registry import discover, harnesses, installed, only
from zoo.specs import MetricSpec, ModelSpec


def provides(*names: str) -> str:
    """Source of a plugin that provides these models; their target is never to be imported."""
    specs = "\n".join(f"    yield zoo.ModelSpec(name={n!r}, target='not_there:It', summary='It.')" for n in names)
    return f"import zoo\n\n@zoo.hookimpl\ndef zoo_models():\n{specs}\n"


def names(catalogue: Catalogue[Any]) -> list[str]:
    return [entry.spec.name for entry in catalogue]


def test_a_plugin_is_found_with_its_distribution_and_without_importing_its_target(distributions):
    distributions.add("fake", {"mine": "fake_good"}, version="2.3", fake_good=provides("b-model", "a-model"))
    registry = distributions.discover()
    assert registry.plugins == [Plugin("mine", "fake", "2.3", "fake_good", ["model b-model", "model a-model"])]
    assert names(registry.models) == ["a-model", "b-model"]
    assert registry.models.get("a-model").plugin is registry.plugins[0]
    assert registry.problems == []


def plugin(body: str, hook: str = "zoo_models()") -> str:
    """Source of a plugin with one hook."""
    return f"import zoo\n\n@zoo.hookimpl\ndef {hook}:\n    {body}\n"


BROKEN = {
    "import error": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "syntax error": ("def (", "SyntaxError: "),
    "exit at import": ("raise SystemExit(3)", "SystemExit: 3"),
    "message of two lines": ("raise ValueError('first\\nsecond')", "ValueError: first second"),
    "hook raises": (plugin("raise OSError('no disk')"), "OSError: no disk"),
    "hook exits": (plugin("raise SystemExit('bye')"), "SystemExit: bye"),
    "hook returns nothing": (plugin("pass"), "TypeError: "),
    "hook yields a wrong type": (
        plugin("yield 'my-gan'"),
        "PluginError: zoo_models must yield zoo.ModelSpec, got str",
    ),
    "hook yields what another hook should": (
        plugin("yield zoo.ModelSpec(name='a', target='a:A', summary='A.')", "zoo_tasks()"),
        "PluginError: zoo_tasks must yield zoo.TaskSpec, got ModelSpec",
    ),
    "invalid name": (
        plugin("yield zoo.ModelSpec(name='My GAN', target='a:A', summary='A.')"),
        "ValueError: name 'My GAN' must be lower-case letters, digits, '.', '_' or '-'",
    ),
    "invalid target": (
        plugin("yield zoo.ModelSpec(name='a', target='a.A', summary='A.')"),
        "ValueError: target 'a.A' of 'a' must have the form 'module:attribute'",
    ),
    "unknown hook": (
        plugin("return []", "zoo_model()"),
        "UnknownNameError: unknown hook 'zoo_model': did you mean 'zoo_models'?",
    ),
    "wrapper": (
        "import zoo\n\n@zoo.hookimpl(wrapper=True)\ndef zoo_models():\n    return (yield)\n",
        "zoo_models is a wrapper, and hooks of zoo cannot be wrapped",
    ),
    "wrapper of the old kind": (
        "import zoo\n\n@zoo.hookimpl(hookwrapper=True)\ndef zoo_run_started():\n    yield\n",
        "zoo_run_started is a wrapper, and hooks of zoo cannot be wrapped",
    ),
    "hook asks for an unknown argument": (plugin("return []", "zoo_models(device)"), "PluginValidationError: "),
}


@pytest.mark.parametrize(("source", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_recorded_and_the_rest_goes_on(distributions, source, message):
    distributions.add("broken", {"bad": "fake_broken"}, version="0.9", fake_broken=source)
    distributions.add("fake", {"good": "fake_good"}, fake_good=provides("a-model"))
    registry = distributions.discover()
    broken = next(p for p in registry.plugins if p.distribution == "broken")
    assert message in broken.error
    assert "\n" not in broken.error
    assert registry.problems == [f"plugin 'bad' of broken 0.9 was not loaded: {broken.error}"]
    assert names(registry.models) == ["a-model"]
    assert names(registry.tasks) == []


def test_a_plugin_with_one_broken_hook_provides_nothing_at_all(distributions):
    half = provides("a-model") + "@zoo.hookimpl\ndef zoo_tasks():\n    raise RuntimeError('half way')\n"
    distributions.add("fake", {"half": "fake_half"}, fake_half=half)
    registry = distributions.discover()
    assert registry.plugins[0].error == "RuntimeError: half way"
    assert registry.plugins[0].provides == []
    assert names(registry.models) == []


def test_a_hook_that_fails_half_way_provides_nothing_at_all(distributions):
    source = provides("a-model") + "    raise RuntimeError('after the first')\n"
    distributions.add("fake", {"half": "fake_half"}, fake_half=source)
    assert names(distributions.discover().models) == []


def test_what_a_plugin_prints_at_import_and_in_a_hook_does_not_reach_stdout(distributions, capsys):
    source = "print('at import')\n" + provides("a-model") + "    print('in the hook')\n"
    distributions.add("fake", {"loud": "fake_loud"}, fake_loud=source)
    assert names(distributions.discover().models) == ["a-model"]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "at import\nin the hook\n"


def test_a_name_clash_names_both_distributions_and_the_rest_goes_on(distributions):
    distributions.add("first", {"one": "fake_one"}, version="1.1", fake_one=provides("shared", "first-own"))
    distributions.add("second", {"two": "fake_two"}, version="2.2", fake_two=provides("shared", "second-own"))
    registry = distributions.discover()
    with pytest.raises(NameClashError) as error:
        registry.models.get("shared")
    assert "'shared'" in str(error.value)
    assert "first 1.1" in str(error.value)
    assert "second 2.2" in str(error.value)
    assert registry.problems == [str(error.value)]
    assert names(registry.models) == ["first-own", "second-own"]
    assert [e.spec.name for e in registry.models.select("all")] == ["first-own", "second-own"]
    assert [e.spec.name for e in registry.models.select("*")] == ["first-own", "second-own"]
    with pytest.raises(NameClashError):
        registry.models.select("first-own,shared")


METRIC = """
    import zoo

    @zoo.hookimpl
    def zoo_metrics():
        columns = (zoo.Column("{column}", "lower", "Odd"),)
        yield zoo.MetricSpec(name="{name}", target="no:f", summary="It.", columns=columns)
"""


def test_a_metric_may_not_fill_a_column_of_another_distribution(distributions):
    distributions.add("alien", {"alien": "fake_alien"}, fake_alien=METRIC.format(name="alien", column="fid"))
    points = importlib.metadata.entry_points(group="zoo")
    registry = discover(p for p in points if p.name in ("alien", "bench"))
    assert {"fid", "kid"} <= set(names(registry.metrics)), "genzoo's stay, although 'alien' comes before it"
    assert "alien" not in names(registry.metrics)
    [problem] = registry.problems
    assert "'alien'" in problem
    assert "'fid' of genzoo" in problem


@pytest.mark.parametrize("column", ["seed", "status", "config", "fid_best", "train_images_per_s"])
def test_a_metric_may_not_fill_a_column_of_the_harness(distributions, column):
    distributions.add("alien", {"alien": "fake_alien"}, fake_alien=METRIC.format(name="greedy", column=column))
    registry = discover(p for p in importlib.metadata.entry_points(group="zoo") if p.name in ("alien", "bench"))
    [problem] = registry.problems
    assert f"metric 'greedy' has a column {column!r}, which genzoo {zoo.__version__} fills: choose another" in problem
    assert "greedy" not in names(registry.metrics)


def test_metrics_of_one_distribution_may_share_a_column(distributions):
    two = {"own": METRIC.format(name="one", column="modes"), "other": METRIC.format(name="two", column="modes")}
    distributions.add("fake", {k: f"fake_{k}" for k in two}, **{f"fake_{k}": source for k, source in two.items()})
    registry = distributions.discover()
    assert registry.problems == []
    assert names(registry.metrics) == ["one", "two"]


def test_a_plugin_that_provides_one_name_twice_is_told_so_itself(distributions):
    distributions.add("fake", {"twice": "fake_twice"}, fake_twice=provides("same", "same"))
    [problem] = distributions.discover().problems
    assert "'same'" in problem
    assert "both" not in problem, "one distribution is not two, and uninstalling 'one' of them is no advice"


def test_two_distributions_may_use_the_same_entry_point_name(distributions):
    distributions.add("first", {"model": "fake_one"}, fake_one=provides("one"))
    distributions.add("second", {"model": "fake_two"}, fake_two=provides("two"))
    registry = distributions.discover()
    assert registry.problems == []
    assert names(registry.models) == ["one", "two"]
    assert registry.models.get("one").plugin.distribution == "first"
    assert registry.models.get("two").plugin.distribution == "second"


def test_one_distribution_may_have_several_plugins_of_which_one_is_broken(distributions):
    modules = {"fake_one": provides("one"), "fake_two": "1 / 0"}
    distributions.add("fake", {"a": "fake_one", "b": "fake_two"}, **modules)
    registry = distributions.discover()
    assert names(registry.models) == ["one"]
    assert [p.error for p in registry.plugins] == ["", "ZeroDivisionError: division by zero"]


def test_an_entry_point_that_is_no_module_name_is_recorded(distributions):
    distributions.add("fake", {"bad": "not a module!"})
    [plugin] = distributions.discover().plugins
    assert plugin.error


def test_remains_of_a_distribution_without_metadata_stop_nothing(distributions):
    distributions.add("fake", {"good": "fake_good"}, fake_good=provides("a-model"))
    distributions.add("remains", {"bad": "fake_remains"}, fake_remains=provides("b-model"))
    (distributions.folder / "remains-1.0.dist-info" / "METADATA").unlink()
    assert "a-model" in names(discover().models)


def test_the_harness_says_itself_what_it_is():
    assert harnesses() == {"zoo_bench.plugin"}


@pytest.mark.parametrize("before", [None, "gan,vae"])
def test_a_selection_holds_for_a_while_and_is_undone(monkeypatch, before):
    monkeypatch.delenv("ZOO_PLUGINS", raising=False)
    if before:
        monkeypatch.setenv("ZOO_PLUGINS", before)
    installed.cache_clear()
    usual = zoo.models()
    with only("dcgan"):
        assert zoo.models() == ["dcgan"]
    assert os.environ.get("ZOO_PLUGINS") == before
    assert zoo.models() == usual != ["dcgan"]
    installed.cache_clear()


def test_discovery_without_arguments_reads_the_installed_distributions():
    assert {"gan", "dcgan", "wgan-gp", "sngan", "vae", "beta-vae"} <= set(zoo.models())
    assert zoo.models() == sorted(zoo.models())


@pytest.fixture
def catalogue() -> Catalogue[ModelSpec]:
    made = Catalogue[ModelSpec]("model")
    for name in ("vae", "gan", "dcgan", "beta-vae"):
        spec = ModelSpec(name=name, target="not_there:It", summary="It.")
        made.add(Entry(spec, Plugin(name, "fake", "1.0", "fake")))
    return made


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("all", ["beta-vae", "dcgan", "gan", "vae"]),
        ("*gan", ["dcgan", "gan"]),
        ("?ae", ["vae"]),
        ("[gv]a[ne]", ["gan", "vae"]),
        ("vae,gan", ["vae", "gan"]),
        (" vae , gan ,", ["vae", "gan"]),
        ("gan,*gan,gan", ["gan", "dcgan"]),
        ("*vae,all", ["beta-vae", "vae", "dcgan", "gan"]),
    ],
)
def test_select_understands_names_patterns_and_all_without_repeats(catalogue, patterns, expected):
    assert [entry.spec.name for entry in catalogue.select(patterns)] == expected


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("all", ["fid", "kid"]),
        ("*id", ["fid", "kid"]),
        ("slow-fid", ["slow-fid"]),
        ("all,slow-fid", ["fid", "kid", "slow-fid"]),
        ("slow-fid,*", ["slow-fid", "fid", "kid"]),
    ],
)
def test_metrics_on_request_are_selected_by_name_alone(patterns, expected):
    made = Catalogue[MetricSpec]("metric")
    for name in ("kid", "slow-fid", "fid"):
        spec = MetricSpec(name=name, target="not_there:it", summary="It.", columns=(), on_request=name == "slow-fid")
        made.add(Entry(spec, Plugin(name, "fake", "1.0", "fake")))
    assert [entry.spec.name for entry in made.select(patterns)] == expected


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ("dcgn", "unknown model 'dcgn': did you mean 'dcgan'?"),
        ("vae,DCGAN", "unknown model 'DCGAN': did you mean 'dcgan'?"),
        ("diffusion", "unknown model 'diffusion': known: beta-vae, dcgan, gan, vae"),
        ("vae,xyz*", "unknown model 'xyz*': known: beta-vae, dcgan, gan, vae"),
    ],
)
def test_select_suggests_the_nearest_name_or_lists_all(catalogue, patterns, message):
    with pytest.raises(UnknownNameError) as error:
        catalogue.select(patterns)
    assert str(error.value) == message


@pytest.mark.parametrize("patterns", ["", " , ,"])
def test_select_refuses_an_empty_selection(catalogue, patterns):
    with pytest.raises(ZooError) as error:
        catalogue.select(patterns)
    assert str(error.value) == "no model named; known: beta-vae, dcgan, gan, vae"


def test_an_empty_catalogue_says_that_it_knows_none():
    with pytest.raises(UnknownNameError, match=r"^unknown task 'digits': known: none$"):
        Catalogue("task").get("digits")
