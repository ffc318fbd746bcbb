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
        from zoo.errors import FAILURES, error_sentence
        from zoo.registry import harnesses
        from zoo.settings import changed, snapshot

        before = snapshot()
        for target in targets.split(","):
            try:
                importlib.import_module(target)
            except FAILURES as error:
                failed[target] = error_sentence(error)
    packages = {module.partition(".")[0] for module in harnesses()}
    facts = {
        "heavy": heavy,
        "changed": changed(before),
        "printed": output.getvalue(),
        "harnesses": sorted(packages & set(sys.modules)),
        "failed": failed,
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
