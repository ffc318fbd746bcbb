"""Fingerprints of plugins' code: what changes them, and what does not."""

import json

import pytest

import zoo
from zoo.catalogue import Entry, Plugin
from zoo_bench.plan import code
from zoo_bench.plan.code import fingerprint, is_editable

PLUGIN = Plugin("mine", "mine-distribution", "1.0", "mine")


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """Fingerprints are computed once in a process: forget them."""
    for function in (is_editable, code._hash_of):
        function.cache_clear()
    yield
    for function in (is_editable, code._hash_of):
        function.cache_clear()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on ``sys.path`` with a package of two folders, and a module alone."""
    for file in ("mine/__init__.py", "mine/network.py", "mine/scores/__init__.py", "mine/scores/odd.py", "alone.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / file).write_text(f"# {file}")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def model(module="mine.network"):
    spec = zoo.ModelSpec(name="any", target=f"{module}:Model", summary="A fake.", family="fake", data=("images",))
    return Entry(spec, PLUGIN)


def metric(module="mine.scores.odd"):
    spec = zoo.MetricSpec(name="odd", target=f"{module}:odd", summary="A fake.", columns=())
    return Entry(spec, PLUGIN)


def install(site, **direct_url):
    """Install the distribution, as an installer leaves it in an editable install or in another one."""
    info = site / "mine_distribution-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine-distribution\nVersion: 1.0\n")
    if direct_url:
        (info / "direct_url.json").write_text(json.dumps(direct_url))


def after(change, entry):
    """Return the fingerprints before and after a change."""
    before = fingerprint(entry)
    code._hash_of.cache_clear()
    change()
    return before, fingerprint(entry)


@pytest.mark.parametrize("file", ["mine/network.py", "mine/__init__.py", "mine/scores/odd.py", "mine/new.json"])
def test_a_changed_or_new_file_of_the_package_changes_that_of_a_model(site, file):
    before, now = after(lambda: (site / file).write_text("other = 1"), model())
    assert before != now
    assert {len(before), len(now)} == {16}
    assert int(now, 16) >= 0


def test_a_file_that_is_moved_or_removed_changes_that_of_a_model(site):
    before, moved = after(lambda: (site / "mine/network.py").rename(site / "mine/net.py"), model())
    assert before != moved
    assert after((site / "mine/net.py").unlink, model())[1] not in (before, moved)


def test_compiled_files_and_times_of_files_do_not(site):
    def compile_it():
        (site / "mine" / "__pycache__").mkdir()
        (site / "mine" / "__pycache__" / "network.cpython-311.pyc").write_bytes(b"compiled")
        (site / "mine" / "network.py").touch()

    before, now = after(compile_it, model())
    assert before == now


def test_files_beside_the_package_do_not(site):
    before, now = after(lambda: (site / "alone.py").write_text("other = 1"), model())
    assert before == now


def test_a_single_module_is_a_plugin_as_well(site):
    before, now = after(lambda: (site / "alone.py").write_text("other = 1"), model("alone"))
    assert before != now
    assert after(lambda: (site / "mine" / "network.py").write_text("other = 1"), model("alone")) == (now, now)


def test_where_the_package_lies_does_not_matter(site, tmp_path_factory, monkeypatch):
    before = fingerprint(model())
    other = tmp_path_factory.mktemp("other")
    (site / "mine").rename(other / "mine")
    monkeypatch.syspath_prepend(other)
    code._hash_of.cache_clear()
    assert fingerprint(model()) == before


def test_what_is_not_there_has_none(site):
    assert fingerprint(model("no_such_package.network")) == ""


def test_metrics_and_tasks_have_one_only_where_they_can_change_without_a_version(site):
    assert fingerprint(metric()) == "", "no distribution of that name is installed"
    install(site)
    is_editable.cache_clear()
    assert fingerprint(metric()) == ""


def test_in_an_editable_install_that_of_a_metric_is_of_the_package_that_it_is_in(site):
    install(site, url="file:///anywhere", dir_info={"editable": True})
    before, now = after(lambda: (site / "mine/scores/odd.py").write_text("other = 1"), metric())
    assert before != now != ""
    before, now = after(lambda: (site / "mine/network.py").write_text("other = 1"), metric())
    assert before == now


@pytest.mark.parametrize(
    ("direct_url", "editable"),
    [
        ({"url": "file:///a", "dir_info": {"editable": True}}, True),
        ({"url": "file:///a", "dir_info": {"editable": False}}, False),
        ({"url": "file:///a", "dir_info": {}}, False),
        ({"url": "https://a/b.whl", "archive_info": {}}, False),
        ({}, False),
    ],
)
def test_editable_installs_are_known_by_what_installers_write(site, direct_url, editable):
    install(site, **direct_url)
    assert is_editable("mine-distribution") == editable
