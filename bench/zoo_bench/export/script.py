"""A run's training as one script without genzoo, stitched together from the source of the model and what it uses.

The settings are known, so every condition on them is decided here, and what nothing calls is left out.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from zoo.catalogue import HOST
from zoo.errors import ZooError
from zoo.model import GenerativeModel
from zoo.registry import installed
from zoo.task import Task
from zoo_bench.core.budget import Budget
from zoo_bench.export import replay
from zoo_bench.plan.code import is_changed
from zoo_bench.plan.record import RunRecord

TEMPLATE = '''"""Training of {label} with seed {seed}, as genzoo {version} did it: with the same torch, bit for bit.

python {name} [DATA.npz] prints the losses of every round, and keeps the weights; `data` is all training items.
"""

{imports}

CONFIG = SimpleNamespace(**{config})
SHAPE = {shape}
SEEDS = {seeds}

{code}

torch.set_num_threads({threads})
main(lambda: {model}(SHAPE, CONFIG), SEEDS, budget={budget}, per_round={per_round}, bf16={bf16})
'''


def script(model: GenerativeModel, record: RunRecord, name: str) -> str:
    """Return the source of a script that trains as a run did.

    Args:
        model: The run's model.
        record: The run.
        name: Name of the script's file.

    Raises:
        ZooError: If the model is none of genzoo's, or its code has changed; if the run has what the script's loop has
            not: a budget in seconds or FLOPs or of several limits, a schedule, a weight average, labels,
            compilation, or another device.
    """
    spec, config = record.spec, model.config
    entry = installed().models.get(spec.model)
    if entry.plugin.distribution != HOST:
        raise ZooError(f"--format script is for the models of {HOST}, and {spec.model!r} is of {entry.plugin}")
    if is_changed(entry, record.code):
        raise ZooError(f"the code of model {spec.model!r} has changed since this run: a script would differ")
    limits = {unit: limit for unit, limit in vars(Budget.parse(spec.budget)).items() if limit is not None}
    has = {
        f"the budget {spec.budget}": len(limits) > 1 or not limits.keys() <= {"images", "rounds"},
        f"schedule={config.schedule}": config.schedule != "constant",
        f"ema={config.ema}": bool(config.ema),
        "labels": model.conditional,
        f"the arithmetic {spec.precision_mode} on {spec.device}": "compile" in spec.precision_mode
        or spec.device != "cpu",
    }
    if lacking := [what for what, is_so in has.items() if is_so]:
        raise ZooError(f"--format script has no loop for a run with {lacking[0]}")
    [limit] = limits.values()
    code = _Stitched(type(model), {"config": config, "shape": model.shape, "labels": None})
    return TEMPLATE.format(
        label=spec.label,
        seed=spec.seed,
        version=record.zoo_version,
        name=name,
        imports=code.imports(),
        config={key: getattr(config, key) for key in type(config).model_fields if key in code.used},
        shape=model.shape,
        seeds={axis: spec.seed_of(axis) for axis in ("initialisation", "training", "data")},
        code="\n\n".join(map(ast.unparse, code.trees.values())),
        threads=spec.threads or 1,
        model=type(model).__name__,
        budget=int(limit) if limit.is_integer() else limit,
        bf16=spec.precision_mode == "bf16",
        per_round=config.batch_size if "images" in limits else 1,
    )


def training_data(task: Task) -> bytes:
    """Return an ``.npz`` with the array ``data``: what a script trains on, in genzoo's order."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, data=task.train.data.numpy())
    return buffer.getvalue()


class _Stitched:
    """The code of a model and of the loop, in an order in which it can be defined.

    Args:
        model: The model's class.
        known: Names in the code whose values are known; they are also attributes of ``self``.

    Attributes:
        trees: Classes, functions and constants by name.
    """

    def __init__(self, model: type[GenerativeModel], known: Mapping[str, Any]) -> None:
        self.trees: dict[str, ast.AST] = {}
        self._seen: set[str] = set()
        self._imports = {"SimpleNamespace": ("from types import", "SimpleNamespace")}
        self._specialise = _Specialise({**known, "self": SimpleNamespace(**known), "len": len})
        roots = {"main": replay.__name__, model.__name__: model.__module__}
        for name, module in roots.items():
            self._add(name, module)
        inlined = _Inline(self.trees)
        for tree in self.trees.values():
            inlined.visit(tree)
        while self._drop_unused({*roots, "__init__", "forward", "players", "SimpleNamespace"}):
            pass

    @property
    def used(self) -> set[str]:
        """Names of all variables and attributes in the code."""
        return {name for tree in self.trees.values() for name in _names(tree)}

    def imports(self) -> str:
        """Return the lines with imports, those from one module on one line."""
        names: dict[str, list[str]] = {}
        for lead, name in sorted(self._imports.values()):
            names.setdefault(lead if lead != "import" else f"import {name}", []).append(name)
        return "\n".join(
            lead if lead.startswith("import") else f"{lead} {', '.join(of_module)}"
            for lead, of_module in sorted(names.items(), key=lambda line: line[0].startswith("from"))
        )

    def _add(self, name: str, module: str) -> None:
        """Add what a module calls ``name``, after all that it uses itself; nothing if it is no name of the module."""
        if name in self._seen:
            return
        home, found = _definition(name, module)
        if found is None:
            return
        self._seen.add(name)
        if isinstance(found, tuple):
            self._imports[name] = found
            return
        tree = self._specialise.visit(found)
        for used in [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]:
            self._add(used, replay.__name__ if hasattr(replay, used) else home)
        self.trees[name] = tree

    def _drop_unused(self, roots: set[str]) -> bool:
        """Drop methods, functions, constants and imports that nothing uses; return whether there were any."""
        used = roots | self.used
        unused = [name for name in self.trees if name not in used]
        unused_imports = [name for name in self._imports if name not in used]
        self.trees = {name: tree for name, tree in self.trees.items() if name in used}
        self._imports = {name: line for name, line in self._imports.items() if name in used}
        methods = 0
        for tree in self.trees.values():
            if isinstance(tree, ast.ClassDef):
                kept = [s for s in tree.body if not isinstance(s, ast.FunctionDef) or s.name in used]
                methods += len(tree.body) - len(kept)
                tree.body = kept or [ast.Pass()]
        return bool(unused or unused_imports or methods)


class _Specialise(ast.NodeTransformer):
    """Decides what is known, and drops annotations, refusals of bad input and docstrings."""

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Turn ``zoo.Player`` into ``Player``."""
        self.generic_visit(node)
        return ast.Name(node.attr) if isinstance(node.value, ast.Name) and node.value.id == "zoo" else node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt] | None:
        """Keep the branch that is taken, if that is known."""
        self.generic_visit(node)
        if isinstance(node.body[0], ast.Raise):
            return None
        value = self._value(node.test)
        return node if value is None else node.body if value else node.orelse

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """Keep the value that is meant, if that is known."""
        self.generic_visit(node)
        value = self._value(node.test)
        return node if value is None else node.body if value else node.orelse

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """Assign without an annotation."""
        self.generic_visit(node)
        return ast.Assign([node.target], node.value, lineno=node.lineno) if node.value else None

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Drop the annotation."""
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        """Drop abstract methods, docstrings, and what follows a return."""
        if any(isinstance(d, ast.Name) and d.id == "abstractmethod" for d in node.decorator_list):
            return None
        node.returns, node.body = None, _without_docstring(node)
        self.generic_visit(node)
        end = [isinstance(statement, ast.Return) for statement in node.body]
        node.body = node.body[: end.index(True) + 1] if any(end) else node.body
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Drop the docstring, and the name of the settings' class."""
        node.body = [s for s in _without_docstring(node) if not ast.unparse(s).startswith("Config =")]
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def _value(self, test: ast.expr) -> bool | None:
        """Return whether a condition holds, or None if that depends on more than what is known."""
        try:
            return bool(eval(ast.unparse(test), {"__builtins__": {}}, self._known))
        except (NameError, AttributeError):
            return None


class _Inline(ast.NodeTransformer):
    """Puts the first argument in place of a call of a function that returns it as it is.

    Args:
        trees: Functions and others, by name.
    """

    def __init__(self, trees: Mapping[str, ast.AST]) -> None:
        self._identities = {
            name
            for name, tree in trees.items()
            if isinstance(tree, ast.FunctionDef)
            and tree.args.args
            and [ast.unparse(s) for s in tree.body] == [f"return {tree.args.args[0].arg}"]
        }

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Replace it."""
        self.generic_visit(node)
        return node.args[0] if isinstance(node.func, ast.Name) and node.func.id in self._identities else node


def _definition(name: str, module: str) -> tuple[str, ast.AST | tuple[str, str] | None]:
    """Return where a name of a module is defined, and how: the statement, or two parts of the import from elsewhere."""
    for node in ast.parse(inspect.getsource(importlib.import_module(module))).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() if node.name == name:
                return module, node
            case ast.Assign(targets=[ast.Name(id)]) if id == name:
                return module, node
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                for alias in aliases:
                    if (alias.asname or alias.name) != name:
                        continue
                    source = node.module or "" if isinstance(node, ast.ImportFrom) else ""
                    if source.startswith("zoo"):
                        return _definition(alias.name, source)
                    renamed = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                    return module, (f"from {source} import" if source else "import", renamed)
    return module, None


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield the names of variables and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            yield node.id if isinstance(node, ast.Name) else node.attr


def _without_docstring(node: ast.FunctionDef | ast.ClassDef) -> list[ast.stmt]:
    return node.body[1:] if ast.get_docstring(node) and node.body[1:] else node.body
