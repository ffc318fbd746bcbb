"""The Ray executor: runs on every node of a cluster, each as the local executor would run it there.

An actor per slot holds a fork server and lets :mod:`zoo_bench.executors.local` run one spec after another in processes
of their own. Records are therefore those of the local executor, crashes and timeouts included.
"""

from __future__ import annotations

import importlib
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zoo.errors import UnknownNameError, ZooError
from zoo.registry import installed
from zoo.version import __version__
from zoo_bench.executors import Event, Finished, Options, Started
from zoo_bench.executors.local import run_with, training
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.resources import Resources, share_machine
from zoo_bench.plan.spec import RunSpec

CHECK_TIMEOUT_SECONDS = 120.0  # a node that has run nothing yet first starts a worker process
CONNECT_TIMEOUT_SECONDS = 10.0
NO_ANSWER = (
    "no Ray cluster answers at --address {}: {}; start one with `ray start --head`, or leave the address out to use "
    "this machine alone"
)


@dataclass
class _Slot:
    """A place on a node that executes one run at a time."""

    node: dict[str, Any]
    resources: Resources
    actor: Any


class Worker:
    """The actor of a slot."""

    def run(self, spec: RunSpec, resources: Resources, options: Options) -> Iterator[Event]:
        """Run one spec and yield its events."""
        yield from run_with([resources], [spec], options.timeout, training(options))


def run(specs: Sequence[RunSpec], options: Options) -> Iterator[Event]:
    """Run every spec somewhere on a Ray cluster; see :mod:`zoo_bench.executors`.

    ``options.address`` is a cluster's address, or "auto" for the one that this machine belongs to. Without it a Ray
    instance is started on this machine for as long as the runs take. ``options.workers`` limits the runs at once in the
    whole cluster; runs have one thread each unless ``options.threads`` is given. Nodes that join later are not used.

    Raises:
        ZooError: If Ray is not installed, no cluster answers, a node lacks what the runs need, or none is large enough.
    """
    if not specs:
        return
    ray = _connect(options.address)
    slots: list[_Slot] = []
    try:
        nodes = [node for node in ray.nodes() if node["Alive"]]
        _check_nodes(ray, nodes, specs)
        slots = _slots(ray, nodes, specs, options)
        yield from _schedule(ray, slots, list(specs), options)
    finally:
        for slot in slots:
            ray.kill(slot.actor)
        ray.shutdown()


def _connect(address: str) -> Any:
    """Return the ray module, connected."""
    if not address:
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # Ray reads it when it is imported
    try:
        ray: Any = importlib.import_module("ray")
    except ModuleNotFoundError as error:
        raise ZooError("--executor ray needs Ray: pip install 'genzoo[ray]'") from error
    _check_listens(address)
    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level="error", include_dashboard=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        if address:
            raise ZooError(NO_ANSWER.format(address, reason)) from error
        raise ZooError(f"Ray does not start on this machine: {reason}") from error
    return ray


def _check_listens(address: str) -> None:
    """Refuse at once an address where nothing listens, which Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=CONNECT_TIMEOUT_SECONDS).close()
        except OSError as error:
            raise ZooError(NO_ANSWER.format(address, str(error))) from error


def _check_nodes(ray: Any, nodes: Sequence[dict[str, Any]], specs: Sequence[RunSpec]) -> None:
    """Raise an error that names every node which lacks a plugin or data."""
    needed = {(s.model, s.plugin, s.plugin_version, s.task, s.task_version) for s in specs}
    check = ray.remote(num_cpus=0, max_retries=0)(lacking)
    answers = {
        _name(node): check.options(scheduling_strategy=_on(ray, node)).remote(__version__, needed) for node in nodes
    }
    problems = []
    for name, answer in answers.items():
        try:
            problems += [f"node {name} {lack}" for lack in ray.get(answer, timeout=CHECK_TIMEOUT_SECONDS)]
        except ray.exceptions.RayError as error:
            reason = str(error).strip().rpartition("\n")[2]
            problems.append(f"node {name} cannot run genzoo {__version__}: {reason}")
    if problems:
        raise ZooError("; ".join(problems))


def lacking(version: str, needed: set[tuple[str, str, str, str, str]]) -> list[str]:
    """Return what this machine lacks, each as the end of a sentence about it.

    Args:
        version: The version of genzoo that is needed.
        needed: Model, its distribution and version, task and its version, of every run.
    """
    if version != __version__:
        return [f"has genzoo {__version__}, not {version}: install the same version there"]
    registry, lacks = installed(), []
    for model, plugin, plugin_version, task, task_version in sorted(needed):
        try:
            provider = registry.models.get(model).plugin
            if (provider.distribution, provider.version) != (plugin, plugin_version):
                lacks.append(f"has model {model!r} of {provider}, not of {plugin} {plugin_version}: install that there")
        except UnknownNameError:
            lacks.append(f"lacks model {model!r}: pip install {plugin}=={plugin_version} there")
        try:
            spec = registry.tasks.get(task).spec
            if spec.version != task_version:
                lacks.append(f"has version {spec.version} of task {task!r}, not {task_version}: install the same there")
            if spec.absent:
                lacks.append(f"lacks the data of task {task!r}: run `zoo data {task}` there, or set ZOO_DATA there")
        except ZooError as error:
            lacks.append(f"lacks task {task!r}: {error}")
    return list(dict.fromkeys(lacks))


def _slots(ray: Any, nodes: Sequence[dict[str, Any]], specs: Sequence[RunSpec], options: Options) -> list[_Slot]:
    """Start as many actors as runs may be executed at once, filling one node after another."""
    worker, slots = ray.remote(max_concurrency=1)(Worker), list[_Slot]()
    limit = min(options.workers or len(specs), len(specs))
    for node in nodes:
        total = node["Resources"]
        cores, memory = int(total.get("CPU", 0)), int(total.get("memory", 0))
        gpus = [str(i) for i in range(int(total.get("GPU", 0)))]  # Ray chooses, so it only matters how many
        if cores < (options.threads or 1):
            continue
        for resources in share_machine(
            specs[: limit - len(slots)], None, options.threads, cores=cores, memory=memory, gpus=gpus
        ):
            if len(slots) < limit:
                share = Resources(resources.threads, resources.contended, resources.memory)
                actor = worker.options(
                    num_cpus=resources.threads,
                    num_gpus=int(resources.gpu is not None),
                    memory=resources.memory,
                    scheduling_strategy=_on(ray, node),
                ).remote()
                slots.append(_Slot(node, share, actor))
    if not slots:
        raise ZooError(f"no node of the Ray cluster has {options.threads or 1} CPUs for a run's --threads")
    return slots


def _schedule(ray: Any, slots: Sequence[_Slot], waiting: list[RunSpec], options: Options) -> Iterator[Event]:
    free, busy = list(slots), dict[Any, tuple[_Slot, Started]]()
    while waiting or busy:
        while waiting and free:
            spec = waiting.pop(0)
            if options.claim and not options.claim(spec):
                continue
            slot, without_claim = free.pop(0), replace(options, claim=None)  # locks stay in this process
            stream = slot.actor.run.options(num_returns="streaming").remote(spec, slot.resources, without_claim)
            busy[stream] = slot, Started(spec, slot.resources)
        if not busy:
            for spec in filter(options.claim, waiting):
                yield Finished(
                    spec, _lost(Started(spec, Resources(1, False)), "every worker of the Ray cluster was lost")
                )
            return
        (stream, *_), _ = ray.wait(list(busy), num_returns=1)
        slot, started = busy[stream]
        try:
            yield ray.get(next(stream))
        except StopIteration:
            free.append(slot)
            del busy[stream]
        except ray.exceptions.RayError as error:
            del busy[stream]
            message = f"the worker on node {_name(slot.node)} was lost: {type(error).__name__}"
            yield Finished(started.spec, _lost(started, message))


def _lost(run: Started, message: str) -> Outcome:
    return Outcome(RunRecord.failed(run.spec, run.resources, "error", message))


def _on(ray: Any, node: dict[str, Any]) -> Any:
    return ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)


def _name(node: dict[str, Any]) -> str:
    return f"{node['NodeManagerAddress']} ({node['NodeID'][:8]})"
