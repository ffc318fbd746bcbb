"""Run as a script in a fresh interpreter: import plugins, then their targets, and print as JSON what that did."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys


def main(plugins: str, targets: str) -> None:
    """Import the modules, separated by commas, in turn; :class:`zoo.testing.subject.Imported` says what is printed."""
    output, failed = io.StringIO(), {}
    with contextlib.redirect_stdout(output):
        for plugin in plugins.split(","):
            importlib.import_module(plugin)
        heavy = [name for name in ("torch", "torchvision") if name in sys.modules]
        from zoo.errors import FAILURES, described
        from zoo.settings import changed, snapshot

        before = snapshot()
        for target in targets.split(","):
            try:
                importlib.import_module(target)
            except FAILURES as error:
                failed[target] = described(error)
    facts = {
        "heavy": heavy,
        "changed": changed(before),
        "printed": output.getvalue(),
        "harness": "zoo_bench" in sys.modules,
        "failed": failed,
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
