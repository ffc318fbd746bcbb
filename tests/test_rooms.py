"""No import points upward: see the table of rooms in ARCHITECTURE.md."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = (
    "core", "judges", "data", "plan", "store", "train", "score", "run", "executors", "track", "measure",
    "report.text", "report.read", "report.show", "export", "",
)  # fmt: skip
"""The rooms of ``zoo_bench``, lowest first; "" are the modules at its top and the commands."""


def floor(module: str) -> int:
    """Return how high a module's room lies."""
    inside = module.removeprefix("zoo_bench").lstrip(".")
    return next(height for height, room in enumerate(FLOORS) if not room or f"{inside}.".startswith(f"{room}."))


def imports(source: str) -> Iterator[str]:
    """Yield the modules that Python source imports anywhere, within functions and for types too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute, so that a reader sees the room"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_at_top(source: str) -> Iterator[str]:
    """Yield the packages that Python source imports as soon as it is imported itself, conditions aside."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (name.partition(".")[0] for name in imports(ast.unparse(node)))


def forbidden(module: str, source: str) -> list[str]:
    """Return the imports of a module that point upward."""
    package = module.partition(".")[0]
    found = []
    for imported in imports(source):
        if imported.partition(".")[0] != "zoo_bench":
            continue
        if package != "zoo_bench" or floor(imported) > floor(module):
            found.append(f"{module} -> {imported}")
    return found


def modules() -> dict[str, Path]:
    """Return the modules of the packages that the wheel holds, by dotted name."""
    roots = [ROOT, ROOT / "bench", ROOT / "plugins"]
    folders = [(root, folder) for root in roots for folder in root.glob("zoo*") if (folder / "__init__.py").exists()]
    files = [(root, file) for root, folder in folders for file in folder.rglob("*.py") if "template" not in file.parts]
    return {".".join(file.relative_to(root).with_suffix("").parts): file for root, file in files}


def test_no_import_points_upward():
    found = [line for module, file in modules().items() for line in forbidden(module, file.read_text())]
    assert not found, "\n".join(found)


def test_zoo_says_no_word_of_the_harness():
    files = [file for file in (ROOT / "zoo").rglob("*") if file.is_file() and file.suffix != ".pyc"]
    assert not [str(file) for file in files if b"zoo_bench" in file.read_bytes()]


def test_no_module_needs_posix_to_be_imported():
    posix = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
    found = {name: posix & set(imports_at_top(file.read_text())) for name, file in modules().items()}
    assert not {name: needed for name, needed in found.items() if needed}


def test_every_room_is_on_a_floor_and_every_floor_is_a_room():
    tops = {name.split(".")[1] for name in modules() if name.startswith("zoo_bench.") and name.count(".") > 1}
    assert tops - {"cli"} == {room.partition(".")[0] for room in FLOORS if room}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("zoo_bench.core.seeds", "from zoo_bench.plan.spec import RunSpec"),
        ("zoo_bench.plan.spec", "def load():\n    import zoo_bench.score.scoring"),
        ("zoo_bench.score.controls", "from zoo_bench import benchmark"),
        ("zoo_bench.report.read.results", "from zoo_bench.report.show import terminal"),
        ("zoo.registry", "import zoo_bench"),
        ("zoo_gan.model", "from zoo_bench.train import game"),
    ],
)
def test_an_import_that_points_upward_is_found(module, source):
    assert forbidden(module, source)


def test_imports_of_the_same_room_and_of_lower_ones_are_allowed():
    assert not forbidden(
        "zoo_bench.score.scoring", "from zoo_bench.score.metrics import fid\nimport zoo_bench.core.names"
    )
