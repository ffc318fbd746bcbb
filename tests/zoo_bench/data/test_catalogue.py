"""``all`` and patterns leave out tasks whose data are absent; naming one is an error."""

import pytest

import zoo
from zoo.cli import main
from zoo.errors import DataError, ZooError
from zoo_bench.data.sources import SOURCES
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan


def planned(tasks, registry=None):
    return plan(BenchOptions(models="vae", task=tasks, budget="64", seeds=1), registry)


def states():
    return {entry.spec.name: entry.spec.state for entry in zoo.installed().tasks}


@pytest.fixture(autouse=True)
def _no_downloads(offline):
    """Every download fails."""


def test_all_leaves_out_what_the_listing_says_is_not_ready_with_one_sentence_each(root):
    found = planned("all")
    assert {run.task for run in found.runs} == {name for name, state in states().items() if state == "ready"}
    assert sorted(found.left_out) == [
        f"task {name!r} needs a download, or files under $ZOO_DATA: try `zoo data {name}`" for name in sorted(SOURCES)
    ]
    assert list(root.iterdir()) == []


def test_a_pattern_that_means_only_absent_tasks_has_nothing_to_run(root, capsys, tmp_path):
    assert main(["bench", "--task", "cifar*", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("zoo: nothing to run: task 'cifar10' needs a download")
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_command_line_says_what_was_left_out(root, capsys):
    assert main(["bench", "--models", "vae", "--task", "all", "--dry-run"]) == 0
    left_out = [line for line in capsys.readouterr().err.splitlines() if line.startswith("left out: ")]
    assert len(left_out) == len(SOURCES)


@pytest.mark.parametrize("tasks", ["svhn", "all,svhn", "svhn?judge=random-conv"])
def test_an_absent_task_that_is_named_is_an_error(root, tasks):
    with pytest.raises(DataError, match="SVHN is not in"):
        planned(tasks)


def test_a_folder_that_is_named_beside_all_is_not_left_out(root, pictures):
    assert any(run.task.startswith("folder@") for run in planned(f"all,folder:{pictures}?size=8").runs)
    with pytest.raises(DataError, match="is absent"):
        planned("all,folder:/no/such/folder")


def test_archives_count_as_files_where_they_can_be_unpacked(root):
    (root / "cifar-10-python.tar.gz").touch()
    raw = root / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in SOURCES["kmnist"].checksums:
        (raw / f"{name}.gz").touch()
    assert [states()[name] for name in ("cifar10", "kmnist")] == ["ready", "ready"]
    assert states()["cifar100"] != "ready"


def test_damaged_data_are_left_out_of_all_and_an_error_by_name(root):
    raw = root / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in SOURCES["kmnist"].checksums:
        (raw / name).write_bytes(b"no images")
    (sentence,) = [s for s in planned("all").left_out if s.startswith("Kuzushiji")]
    assert "is damaged" in sentence
    with pytest.raises(DataError, match=r"Kuzushiji-MNIST in .* is damaged"):
        planned("kmnist")


def test_a_broken_task_of_a_plugin_stops_nobody(root, distributions):
    distributions.add(
        "odd-distribution",
        {"odd": "odd_tasks"},
        odd_tasks="""
        import zoo

        @zoo.hookimpl
        def zoo_tasks():
            for name, files in (("broken", ()), ("missing", ("a.bin", "b.bin"))):
                yield zoo.TaskSpec(name=name, target="odd_tasks:load", summary="Fake.", data="images",
                                   shape=(1, 8, 8), modes=0, version="1", files=files)

        def load():
            raise RuntimeError("disk on fire")
        """,
    )
    registry = distributions.discover()
    for catalogue, kind in ((registry.models, "models"), (registry.metrics, "metrics")):
        for entry in getattr(zoo.installed(), kind):
            catalogue.add(entry)
    registry.tasks.add(zoo.installed().tasks.get("digits"))
    found = planned("all", registry=registry)
    assert {run.task for run in found.runs} == {"digits"}
    assert found.left_out == [
        "task 'broken' of odd-distribution 1.0 cannot be loaded: RuntimeError: disk on fire",
        "task 'missing' needs files under $ZOO_DATA: a.bin, b.bin: try `zoo data missing`",
    ]
    with pytest.raises(ZooError, match="disk on fire"):
        planned("broken", registry=registry)
