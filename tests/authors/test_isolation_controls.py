"""``ZOO_PLUGINS`` and ``--no-plugins`` choose which plugins are loaded; the harness always is."""

import json
import os

import pytest

OWN = {"bench", "beta-vae", "dcgan", "gan", "sngan", "vae", "wgan-gp"}


@pytest.fixture
def loaded(tmp_path, zoo_command):
    """Two third-party distributions, one of them broken; return the names of the entry points that are loaded."""
    for name, source in {"third": "", "broken": "raise RuntimeError('broken at import')\n"}.items():
        info = tmp_path / f"zoo_plugin_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: zoo-plugin-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[zoo]\n{name} = {name}_module\n")
        (tmp_path / f"{name}_module.py").write_text(source)

    def run(*options, **environment):
        everything = {**os.environ, "PYTHONPATH": str(tmp_path), **environment}
        result = zoo_command(*options, "plugins", "--json", env=everything)
        names = {plugin["name"] for plugin in json.loads(result.stdout)} if result.returncode == 0 else set()
        return names, result.stderr

    return run


def test_without_a_choice_everything_is_loaded(loaded):
    names, warnings = loaded()
    assert names >= OWN | {"third", "broken"}
    assert "broken at import" in warnings


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("third", {"bench", "third"}),
        ("gan, third", {"bench", "gan", "third"}),
        ("zoo-plugin-third", {"bench", "third"}),
        ("genzoo", OWN),
        ("", {"bench"}),
    ],
)
def test_only_the_named_entry_points_or_distributions_are_loaded(loaded, value, expected):
    assert loaded(ZOO_PLUGINS=value) == (expected, "")


def test_no_plugins_loads_what_genzoo_brings_and_nothing_else(loaded):
    assert loaded("--no-plugins") == (OWN, "")


def test_no_plugins_overrides_the_variable(loaded):
    assert loaded("--no-plugins", ZOO_PLUGINS="third") == (OWN, "")


def test_an_unknown_name_is_refused_with_the_nearest(loaded):
    names, said = loaded(ZOO_PLUGINS="thrid")
    assert not names
    assert said == "zoo: unknown plugin in ZOO_PLUGINS 'thrid': did you mean 'third'?\n"
