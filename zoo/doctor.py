"""What ``zoo doctor`` checks."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from zoo.data import cache_root, data_root, prepared_root
from zoo.errors import error_sentence, reraise_ctrl_c
from zoo.machine import cores, cpu_quota, memory, open_files, socket_folder
from zoo.registry import Registry, installed
from zoo.version import __version__

FILES, FILES_PER_RUN = 20, 3
"""Files that a bench has open, and further ones for each run at once."""


@dataclass(frozen=True)
class Finding:
    """One line of the examination."""

    subject: str
    ok: bool
    text: str


def examine() -> list[Finding]:
    """Examine Python, torch, devices, data and plugins."""
    registry = installed()
    findings = [Finding("genzoo", True, f"{__version__} on Python {platform.python_version()}, {platform.platform()}")]
    findings += [_torch(), _machine(), _home(), _temporary(), _working(), _data(registry), _cache()]
    counts = {c.kind: len(list(c)) for c in (registry.models, registry.tasks, registry.metrics, registry.executors)}
    text = ", ".join(f"{n} {kind}s" for kind, n in counts.items())
    findings.append(Finding("plugins", all(counts.values()), f"{len(registry.plugins)} entry points provide {text}"))
    loads = [_loads(entry) for entry in registry.models]
    return [*findings, *(Finding("plugin problem", False, problem) for problem in registry.problems), *loads]


def _torch() -> Finding:
    try:
        import torch
    except Exception as error:
        return Finding("torch", False, f"cannot be imported: {error}")
    devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    devices += ["Apple MPS"] if torch.backends.mps.is_available() else []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    of = "" if visible is None else f", of CUDA_VISIBLE_DEVICES={visible!r}"
    return Finding("torch", True, f"{torch.__version__} with {', '.join(devices) or 'no GPU'}{of}")


def _machine() -> Finding:
    """Describe what this process may use of the machine, and say if too few files may be open for a run per core."""
    quota, files = cpu_quota(), open_files()
    text = f"{cores()} of {os.cpu_count()} CPU cores" + ("" if quota is None else f" (a quota of {quota:g} CPUs)")
    text += f", {memory() / 2**30:.1f} GiB of memory"
    if files is None:
        return Finding("machine", True, text)
    text += f", {files} open files"
    if files < FILES + FILES_PER_RUN * cores():
        return Finding("machine", False, f"{text}: raise that with `ulimit -n`")
    return Finding("machine", True, text)


def _home() -> Finding:
    home = os.path.expanduser("~")
    if home == "~":
        return Finding("home", True, "none: HOME is not set, and the user is unknown")
    return Finding("home", True, f"{home!r}, {_access(Path(home))}")


def _temporary() -> Finding:
    try:
        folder = tempfile.gettempdir()
    except OSError as error:
        return Finding("temporary folder", False, f"{error.strerror}: set TMPDIR to a folder that can be written")
    text = f"{folder!r} ({_set_by('TMPDIR')}), {_megabytes(shutil.disk_usage(folder).free)} free"
    if socket_folder() != folder:
        text += f"; its path is too long for sockets, which are in {socket_folder()!r}"
    return Finding("temporary folder", True, text)


def _working() -> Finding:
    """Describe the folder in which results are put unless ``--out`` is an absolute path."""
    folder = Path.cwd()
    return Finding("working folder", True, f"{str(folder)!r}, {_access(folder)}")


def _data(registry: Registry) -> Finding:
    """Describe the folder of data sets, which is only read and so need not be writable."""
    root, specs = data_root(), [entry.spec for entry in registry.tasks if entry.spec.shape]
    files = {root / name for spec in specs for name in (*spec.files, *spec.instead)}
    size = sum(file.stat().st_size for file in files if file.is_file())
    ready = sum(spec.state == "ready" for spec in specs)
    text = f"{str(root)!r} ({_set_by('ZOO_DATA')}), {_access(root)}, {_megabytes(size)} of data sets"
    return Finding("data root", True, f"{text}; {ready} of {len(specs)} tasks are ready, see `zoo tasks`")


def _cache() -> Finding:
    root = cache_root()
    size = sum(file.stat().st_size for file in prepared_root().rglob("*") if file.is_file())
    free = shutil.disk_usage(_nearest(root)).free
    text = f"{str(root)!r} ({_set_by('ZOO_CACHE')}), {_access(root)}, {_megabytes(size)} of prepared images, "
    text += f"{_megabytes(free)} free"
    if not _writable(root):
        return Finding("cache", False, f"{text}: set ZOO_CACHE to a folder that can be written")
    return Finding("cache", True, text)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _set_by(variable: str) -> str:
    return variable if os.environ.get(variable) else f"{variable} is not set"


def _access(path: Path) -> str:
    if path.exists() and not path.is_dir():
        return "not a folder"
    return ("writable" if _writable(path) else "read-only") + ("" if path.exists() else ", made when it is needed")


def _writable(path: Path) -> bool:
    nearest = _nearest(path)
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def _nearest(path: Path) -> Path:
    """Return a path, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _loads(entry: object) -> Finding:
    from zoo.catalogue import Entry

    assert isinstance(entry, Entry)
    try:
        entry.load()
    except BaseException as error:
        reraise_ctrl_c(error)
        return Finding(f"model {entry.spec.name}", False, f"of {entry.plugin}: {error_sentence(error)}")
    return Finding(f"model {entry.spec.name}", True, f"imports, from {entry.plugin}")
