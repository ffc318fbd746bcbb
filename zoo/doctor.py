"""What ``zoo doctor`` checks."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

from zoo.registry import installed
from zoo.version import __version__


@dataclass(frozen=True)
class Finding:
    """One line of the examination."""

    subject: str
    ok: bool
    text: str


def examine() -> list[Finding]:
    """Examine Python, torch, devices and plugins."""
    registry = installed()
    findings = [Finding("genzoo", True, f"{__version__} on Python {platform.python_version()}, {platform.platform()}")]
    findings.append(_torch())
    findings.append(
        Finding("data", True, f"ZOO_DATA is {os.environ.get('ZOO_DATA') or 'not set, the cache folder is used'}")
    )
    counts = {c.kind: len(list(c)) for c in (registry.models, registry.tasks, registry.metrics, registry.executors)}
    text = ", ".join(f"{n} {kind}s" for kind, n in counts.items())
    findings.append(Finding("plugins", all(counts.values()), f"{len(registry.plugins)} entry points provide {text}"))
    findings += [Finding("plugin problem", False, problem) for problem in registry.problems]
    return findings + [_loads(entry) for entry in registry.models]


def _torch() -> Finding:
    try:
        import torch
    except Exception as error:
        return Finding("torch", False, f"cannot be imported: {error}")
    devices = [f"{os.cpu_count()} CPU cores"]
    devices += [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    devices += ["Apple MPS"] if torch.backends.mps.is_available() else []
    return Finding("torch", True, f"{torch.__version__} with {', '.join(devices)}")


def _loads(entry: object) -> Finding:
    from zoo.registry import Entry

    assert isinstance(entry, Entry)
    try:
        entry.spec.load()
    except Exception as error:
        return Finding(f"model {entry.spec.name}", False, f"of {entry.plugin}: {type(error).__name__}: {error}")
    return Finding(f"model {entry.spec.name}", True, f"imports, from {entry.plugin}")
