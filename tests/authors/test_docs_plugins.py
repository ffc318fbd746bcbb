"""The tutorial is followed to the letter: its files are written and its commands run, in an environment of its own."""

import csv
import os
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (file|append to): (\S+)\n")

COMMAND = """
import sys

from zoo.cli import entry

if "bench" in sys.argv:
    sys.argv.append("--no-throughput")  # which takes longest and shows the same for every model
entry()
"""


@pytest.fixture
def environment(tmp_path):
    """A virtual environment that sees what is installed here, and takes what the tutorial installs."""
    folder = tmp_path / "venv"
    venv.create(folder, symlinks=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    shared = [path for path in sys.path if path.endswith("site-packages")]
    (site / "shared.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in shared))
    script = folder / "bin" / "zoo"
    script.write_text(f"#!{folder}/bin/python\n{COMMAND}")
    script.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "OMP_NUM_THREADS": "1",
    }


def follow(language, text, folder, environment):
    """Write the file that a block names, or run it; return what it prints."""
    named = FILE.match(text)
    if named:
        path = folder / named[2]
        before = path.read_text() if named[1] == "append to" else ""
        path.write_text(before + text[named.end() :])
        return ""
    if language == "toml":
        tomllib.loads(text)
        assert text in next(folder.glob("*/pyproject.toml")).read_text()
        return ""
    command = {"sh": ["bash", "-ec", text], "python": ["python", "-c", text]}[language]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{text}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_tutorial_leads_to_a_row_in_the_table(tmp_path, environment):
    blocks = BLOCK.findall((ROOT / "docs" / "plugins.md").read_text())
    folder = tmp_path / "empty"
    folder.mkdir()
    printed = [follow(language, text, folder, environment) for language, text in blocks]
    said = "\n".join(printed)
    assert re.findall(r"^(\S+): (\d+) of \2 checks pass$", said, re.MULTILINE)[0][0] == "my-model"
    assert said.count(" checks pass") == 3
    rows = read(folder / "results" / "my-model" / "results.csv")
    assert sorted((row["model"], row["status"]) for row in rows) == [("gan", "ok"), ("my-model", "ok")]
    (row,) = read(folder / "results" / "two-blobs" / "results.csv")
    assert row["status"] == "ok"
    assert float(row["mean_gap"]) > 0
