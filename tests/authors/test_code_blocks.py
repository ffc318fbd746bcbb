"""Every code block of the documentation is run; of a command that trains for minutes the arguments are checked.

A block for which neither is possible is preceded by ``<!-- skip: next "reason" -->``. The tutorial's are followed by
test_docs_plugins.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
import typer
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, SkipParser

from zoo.cli import build_app, main
from zoo.registry import installed

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("results/*.md")} - {ROOT / "docs/plugins.md"})
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
PROSE = {"bibtex", "json", "text", "yaml"}
QUICK = {"doctor", "metrics", "models", "plugins", "show", "tasks"}
ASSIGNMENT = re.compile(r"\w+=\S*")


def run(words: list[str]) -> None:
    """Run or parse one command of a shell block."""
    while ASSIGNMENT.fullmatch(words[0]):
        os.environ.update([words.pop(0).split("=", 1)])
    program, *arguments = words
    if program == "zoo":
        installed.cache_clear()
        command = next(word for word in arguments if not word.startswith("-"))
        if command in QUICK:
            assert main(arguments) == 0
        elif command == "bench" and has_data(arguments):
            assert main([*arguments, "--dry-run"]) == 0
        else:
            parse(command, arguments[arguments.index(command) + 1 :])
    elif program not in (".", "cd"):
        assert shutil.which(program), f"{program} is installed nowhere"
        extras = {extra for word in words for extra in re.findall(r"(?:\.|genzoo)\[([\w,]+)\]", word)}
        assert extras <= set(EXTRAS)


def has_data(arguments: list[str]) -> bool:
    """Whether the data of the named tasks are on this machine."""
    named = arguments[arguments.index("--task") + 1].split(",") if "--task" in arguments else []
    if any(":" in name or "?" in name for name in named):
        return False
    return not any(installed().tasks.get(name).spec.absent for name in named)


def parse(name: str, arguments: list[str]) -> None:
    """Refuse arguments that the command does not take."""
    command = typer.main.get_command(build_app(name)).commands[name]  # type: ignore[attr-defined]
    command.make_context(name, arguments)


def shell(example: Example) -> None:
    text = str(example.parsed).replace("\\\n", " ")
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set(";&|"):
                if words:
                    run(words)
                words = []
            else:
                words.append(word)


def toml(example: Example) -> None:
    assert tomllib.loads(example.parsed)


SYBIL = Sybil(
    [
        SkipParser(),
        CodeBlockParser("python", PythonEvaluator()),
        CodeBlockParser("sh", shell),
        CodeBlockParser("toml", toml),
    ]
)
EXAMPLES = [
    pytest.param(example, id=f"{path.relative_to(ROOT)}:{example.line}")
    for path in PAGES
    for example in SYBIL.parse(path).examples()
]


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    yield
    installed.cache_clear()


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_block_works(example: Example) -> None:
    example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_block_has_a_language_that_is_run_or_known_to_be_prose(page: Path) -> None:
    fences = re.findall(r"^```(.*)$", page.read_text("utf-8"), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert set(fences[::2]) <= {"python", "sh", "toml", *PROSE}


@pytest.mark.parametrize(
    "line", ["zoo bench --budgt 1k", "zoo bench --models no-such", "zoo shwo gan", "zoo show gna", "no-such-program"]
)
@pytest.mark.usefixtures("_elsewhere")
def test_a_wrong_command_would_be_found(line: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        run(shlex.split(line))
