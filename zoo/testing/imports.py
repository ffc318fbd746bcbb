"""Run as a script in a fresh interpreter: import a plugin, then its model, and print the effects as JSON."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys


def main(plugin: str, target: str) -> None:
    """Import both modules in turn; see :class:`zoo.testing.subject.Imported` for what is printed."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        importlib.import_module(plugin)
        heavy = [name for name in ("torch", "torchvision") if name in sys.modules]
        from zoo.registry import harnesses
        from zoo.settings import changed, snapshot

        before = snapshot()
        importlib.import_module(target)
    packages = {module.partition(".")[0] for module in harnesses()}
    facts = {
        "heavy": heavy,
        "changed": changed(before),
        "printed": output.getvalue(),
        "harnesses": sorted(packages & set(sys.modules)),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
