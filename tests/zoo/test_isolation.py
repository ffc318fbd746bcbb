"""A plugin of every bad kind: each is a line with distribution, version and cause, and the rest works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
import torch

import zoo.cache  # noqa: F401 - which a test replaces a function of
from zoo.cli import main
from zoo.isolation import isolated
from zoo.registry import installed

HOOK = "import zoo\n@zoo.hookimpl\ndef {}:\n    {}\n"
MODEL = "yield zoo.ModelSpec(name='{}', target='a:A', summary='A.')"
GOOD = HOOK.format("zoo_models()", MODEL.format("fine"))

FAILING = {
    "import-error": ("import no_such_module", "No module named 'no_such_module'"),
    "exit": ("raise SystemExit(3)", "SystemExit: 3"),
    "leave": ("import os; os._exit(4)", "SystemExit: 4"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "columns": (
        HOOK.format(
            "zoo_metrics()",
            "yield zoo.MetricSpec(name='columns', target='a:a', summary='A.', "
            "columns=tuple(zoo.Column(f'c{i}', '', 'A') for i in range(1000)))",
        ),
        "metric 'columns' declares 1,000 columns, and 100 are the limit",
    ),
    "wrong-type": (HOOK.format("zoo_models()", "yield 'gan'"), "zoo_models must yield zoo.ModelSpec, got str"),
    "raising-hook": (HOOK.format("zoo_tasks()", "raise OSError('no disk')"), "OSError: no disk"),
    "unknown-hook": (HOOK.format("zoo_model()", "return []"), "did you mean 'zoo_models'?"),
    "unknown-argument": (HOOK.format("zoo_models(device)", "return []"), "device"),
}
MISBEHAVING = {
    "printing": (f"print('hello')\n{GOOD}", "prints to stdout"),
    "printing-hook": (HOOK.format("zoo_models()", "print('hello'); " + MODEL.format("x")), "prints to stdout"),
    "chdir": ("import os; os.chdir('/')\n", "changes the working directory"),
    "signals": (
        "import signal; signal.signal(signal.SIGINT, lambda *_: None)\n",
        "changes the handler of SIGINT",
    ),
    "patching": ("import json; json.dumps = lambda *a, **k: '{}'\n", "replaces json.dumps: put back"),
    "torch": (
        "import torch; torch.set_default_dtype(torch.float64)\n",
        "changes torch's default dtype from torch.float32 to torch.float64",
    ),
}


def plugins(environment):
    done = subprocess.run(
        [sys.executable, "-c", "from zoo.cli import entry; entry()", "plugins", "--json"],
        env={**os.environ, "PYTHONPATH": str(environment)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)}, done.stderr


def test_every_bad_plugin_is_a_line_and_json_stays_json(distributions):
    for name, (source, _) in {**FAILING, **MISBEHAVING}.items():
        module = "fake_" + name.replace("-", "_")
        source = source.replace("'fine'", f"'{name}'").replace("name='x'", f"name='{name}'")
        distributions.add(module, {name: module}, version="3.2", **{module: source})
    found, warnings = plugins(distributions.folder)
    module = {name: row["distribution"] for name, row in found.items()}
    for name, (_, cause) in FAILING.items():
        assert cause in found[name]["error"]
        assert found[name]["provides"] == []
        assert f"plugin {name!r} of {module[name]} 3.2 was not loaded: " in warnings
    for name, (_, cause) in MISBEHAVING.items():
        assert found[name]["error"] == ""
        assert cause in "".join(found[name]["warnings"])
        assert f"plugin {name!r} of {module[name]} 3.2 {cause}" in warnings
    assert found["printing"]["provides"] == ["model printing"]
    assert {"bench", "gan"} <= found.keys()


@pytest.fixture
def with_fakes(distributions):
    installed.cache_clear()
    yield distributions
    installed.cache_clear()


@pytest.mark.parametrize("name", MISBEHAVING)
def test_doctor_and_plugins_name_what_misbehaves(capsys, with_fakes, name):
    source, cause = MISBEHAVING[name]
    with_fakes.add("odd", {"odd": "fake_odd"}, version="4.5", fake_odd=source)
    assert main(["doctor"]) == 1
    assert f"FAIL plugin problem: plugin 'odd' of odd 4.5 {cause}" in capsys.readouterr().out
    main(["plugins"])
    assert f"warning: it {cause[:20]}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("requirement", "error"),
    [
        ("genzoo>=99", "PluginError: it needs genzoo>=99, and 0.1.0 is installed: upgrade one of them"),
        ("genzoo (<0.1)", "PluginError: it needs genzoo<0.1, and 0.1.0 is installed: upgrade one of them"),
        ("genzoo>=0.1,<0.2", ""),
        ("genzoo>=99; extra == 'new'", ""),
        ("genzoo-tools>=99", ""),
        ("genzoo", ""),
    ],
)
def test_a_plugin_for_another_version_is_not_imported(distributions, monkeypatch, requirement, error):
    monkeypatch.setattr("zoo.registry.__version__", "0.1.0")
    distributions.add("later", {"later": "fake_later"}, fake_later="raise RuntimeError('imported')" if error else GOOD)
    metadata = distributions.folder / "later-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text() + f"Requires-Dist: {requirement}\n")
    (plugin,) = distributions.discover().plugins
    assert plugin.error == error


def test_our_own_plugins_which_are_imported_unwatched_change_nothing():
    source = """
from importlib.metadata import entry_points
from zoo.isolation import isolated
warnings = []
with isolated(warnings):
    for point in entry_points(group="zoo"):
        if point.dist.name == "genzoo":
            point.load()
    from zoo.registry import installed
    found = installed()
    for entry in (*found.models, *found.tasks, *found.metrics):
        if entry.plugin.distribution == "genzoo":
            entry.spec.load()
assert found.models.get("gan") and found.tasks.get("ring8")
assert not warnings, warnings
"""
    subprocess.run([sys.executable, "-c", source], check=True)


def test_what_is_changed_is_put_back(tmp_path):
    folder, handler = os.getcwd(), signal.getsignal(signal.SIGTERM)
    warnings: list[str] = []
    with isolated(warnings):
        os.chdir(tmp_path)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        torch.set_default_dtype(torch.float64)
    assert (os.getcwd(), signal.getsignal(signal.SIGTERM)) == (folder, handler)
    assert torch.get_default_dtype() == torch.float32
    (warning,) = warnings
    assert warning == (
        "changes the working directory, the handler of SIGTERM, "
        "torch's default dtype from torch.float32 to torch.float64: put back"
    )


def test_what_changes_nothing_has_no_warning():
    warnings: list[str] = []
    with isolated(warnings):
        pass
    assert warnings == []


def test_it_is_put_back_after_a_failure_as_well(tmp_path):
    folder = os.getcwd()
    warnings: list[str] = []

    def fail():
        with isolated(warnings):
            os.chdir(tmp_path)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert os.getcwd() == folder
    assert warnings == ["changes the working directory: put back"]


def test_a_model_s_module_that_replaces_functions_is_undone_and_named(distributions):
    source = "import json, zoo.cache\njson.dumps = zoo.cache.cached = repr\nclass A: pass\n"
    hook = GOOD.replace("a:A", "fake_patcher_model:A")
    distributions.add("patcher", {"patcher": "fake_patcher"}, fake_patcher=hook, fake_patcher_model=source)
    registry = distributions.discover()
    assert registry.problems == []
    before = json.dumps
    registry.models.get("fine").load()
    assert json.dumps is before
    assert registry.problems == [
        "plugin 'patcher' of patcher 1.0 replaces json.dumps, zoo.cache.cached: put back",
    ]


def test_ctrl_c_while_a_plugin_is_imported_ends_the_command(distributions):
    source = "import os, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    source += "os.kill(os.getpid(), signal.SIGINT)\nfor _ in range(10**9): pass\n"
    distributions.add("slow", {"slow": "fake_slow"}, fake_slow=source)
    with pytest.raises(KeyboardInterrupt):
        distributions.discover()
