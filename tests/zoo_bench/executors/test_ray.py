"""The Ray executor on a cluster of two nodes on this machine, beside the local executor."""

import importlib.util
import socket

import psutil
import pytest

from zoo.errors import ZooError
from zoo_bench.executors import Finished, Options, Progressed, Started, local
from zoo_bench.executors import ray as executor
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import plan
from zoo_bench.plan.scoring import Scoring

pytestmark = [
    pytest.mark.extra,
    pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="needs the extra ray"),
]
SCORING = Scoring(("class-modes",))
TIMINGS = {
    "train_seconds",
    "cpu_seconds",
    "cpu_share",
    "evaluate_seconds",
    "throughput",
    "history",
    "curve",
    "started_at",
}


def specs_of(models="vae", seeds=1, budget="20rounds", **options):
    return plan(
        BenchOptions(models=models, task="digits", budget=budget, seeds=seeds, device="cpu", executor="ray", **options)
    ).runs


def ended(events):
    return {str(e.spec): e.outcome.record for e in events if isinstance(e, Finished)}


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def narrow_node(cluster):
    """Add a node where no plugin but the harness is loaded."""
    node = cluster.add_node(num_cpus=1, env_vars={"ZOO_PLUGINS": "bench"})
    cluster.wait_for_nodes()
    yield node
    cluster.remove_node(node)


def test_two_nodes_give_the_records_of_the_local_executor(cluster):
    specs = specs_of("vae,gan")
    events = list(executor.run(specs, Options(timeout=300, address=cluster.address, scoring=SCORING)))
    assert [type(event) for event in events].count(Started) == 2
    there, here = ended(events), ended(local.run(specs, Options(workers=1, threads=1, scoring=SCORING)))
    assert there.keys() == here.keys() == set(map(str, specs))
    for name, record in there.items():
        assert "class-modes" in record.scores
        alike = TIMINGS | {"contended", "notes"}  # other programs may take the machine
        assert record.model_dump(exclude=alike) == here[name].model_dump(exclude=alike)
        assert not record.contended or record.cpu_share < 0.8
    assert all(e.outcome.files for e in events if isinstance(e, Finished))


def test_a_run_that_hangs_on_a_node_is_ended_there(cluster):
    events = executor.run(specs_of(budget="5h"), Options(timeout=3, address=cluster.address))
    for event in events:
        if isinstance(event, Progressed):
            break
    (worker,) = [p for p in psutil.process_iter(["name"]) if p.info["name"].startswith("ray::Worker.run")]
    processes = worker.children(recursive=True)
    for process in processes:
        process.suspend()
    (record,) = ended(events).values()
    assert (record.status, record.threads) == ("timeout", 1)
    assert "no sign of progress for 3 seconds" in record.error


def test_a_lost_worker_costs_its_run_alone(cluster):
    events = executor.run(specs_of(seeds=3, budget="400rounds"), Options(address=cluster.address))
    first = next(events)
    assert isinstance(first, Started)
    workers = [p for p in psutil.process_iter(["name"]) if p.info["name"].startswith("ray::Worker")]
    assert len(workers) == 2
    workers[0].kill()
    records = ended(events)
    assert len(records) == 3
    lost = [record for record in records.values() if record.status == "error"]
    assert len(lost) == 1
    assert "was lost" in lost[0].error


def test_a_node_that_lacks_the_model_is_named_before_any_run(cluster, narrow_node):
    with pytest.raises(ZooError, match=r"^node [\d.]+ \(\w{8}\) lacks model 'vae': pip install genzoo==\S+ there$"):
        list(executor.run(specs_of(), Options(address=cluster.address)))


def test_more_threads_than_any_node_has_are_refused(cluster):
    with pytest.raises(ZooError, match="no node of the Ray cluster has 64 CPUs for a run's --threads"):
        list(executor.run(specs_of(), Options(threads=64, address=cluster.address)))


def test_an_address_where_nothing_listens_is_refused_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(
        ZooError, match=rf"no Ray cluster answers at --address 127\.0\.0\.1:{port}: .*`ray start --head`"
    ):
        list(executor.run(specs_of(), Options(address=f"127.0.0.1:{port}")))


def test_what_a_machine_lacks_is_said_for_each_kind(monkeypatch, tmp_path):
    version = executor.__version__
    assert executor.lacking(version, {("vae", "genzoo", version, "digits", "1")}) == []
    assert executor.lacking("99.0", set()) == [f"has genzoo {version}, not 99.0: install the same version there"]
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    needed = {("vae", "other-zoo", "3.0", "digits", "0"), ("vea", "vea-zoo", "1.2", "mnist", "1")}
    found = " / ".join(executor.lacking(version, needed))
    for expected in ("not of other-zoo 3.0", "version 1 of task 'digits', not 0", "pip install vea-zoo==1.2",
                     "lacks the data of task 'mnist': run `zoo data mnist` there"):  # fmt: skip
        assert expected in found


def test_without_runs_no_cluster_is_asked_for():
    assert list(executor.run([], Options(address="127.0.0.1:1"))) == []


def test_without_ray_a_sentence_names_the_extra(monkeypatch):
    specs = specs_of()

    def absent(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(executor.importlib, "import_module", absent)
    with pytest.raises(ZooError, match=r"pip install 'genzoo\[ray\]'"):
        list(executor.run(specs, Options()))
