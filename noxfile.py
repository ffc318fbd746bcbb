"""The checks of a change, each in an environment of its own: ``nox`` runs all, ``nox -s lint`` one of them."""

import tempfile
from pathlib import Path

import nox
from packaging.requirements import Requirement

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
DEPENDENCIES = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the fast suite, or what follows ``--``."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "logical", *session.posargs)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Train every model and run the core's and harness's tests with the lowest versions that pyproject.toml allows."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "lowest.txt")
        constraints.write_text("\n".join(map(_lowest, [*DEPENDENCIES, *EXTRAS["test"]])))
        session.install("-e", ".[test]", "-c", str(constraints))
        session.run("zoo", "bench", "--models", "all", "--budget", "2k", "--seeds", "1", "--out", f"{folder}/bench")
    session.run("pytest", "-n", "logical", *(session.posargs or ["tests/zoo", "tests/zoo_bench"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Check rules and format."""
    session.install(*(text for text in EXTRAS["dev"] if Requirement(text).name == "ruff"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site; a broken link fails."""
    session.install("-e", ".[docs]")
    session.run("mkdocs", "build")


def _lowest(text: str) -> str:
    """Pin a requirement to its floor: ``torch>=2.6,<3`` becomes ``torch==2.6``."""
    requirement = Requirement(text)
    [floor] = [specifier.version for specifier in requirement.specifier if specifier.operator == ">="]
    return f"{requirement.name}=={floor}"
