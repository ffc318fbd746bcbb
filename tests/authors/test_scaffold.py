"""What ``zoo new-plugin`` writes is a package that installs, is found, passes its tests and runs in the bench."""

import ast
import json

import pytest

from zoo.cli import main
from zoo.scaffold import write_plugin

FILES = {
    ".github/workflows/ci.yml",
    "README.md",
    "pyproject.toml",
    "tests/test_tiny_flow.py",
    "zoo_plugin_tiny_flow/__init__.py",
    "zoo_plugin_tiny_flow/model.py",
    "zoo_plugin_tiny_flow/py.typed",
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return write_plugin("tiny-flow", tmp_path_factory.mktemp("new") / "not" / "there" / "yet")


@pytest.fixture(scope="module")
def environment(package, installed_packages):
    return installed_packages(package)


def test_every_file_is_there_and_none_speaks_of_the_template(package):
    found = {str(p.relative_to(package)): p.read_text() for p in package.rglob("*") if p.is_file()}
    assert set(found) == FILES
    assert not [name for name, text in found.items() if any(old in text for old in ("my-model", "my_model", "MyModel"))]
    assert list(package.parent.iterdir()) == [package]


def test_the_model_is_short_and_its_test_three_lines(package):
    assert len((package / "zoo_plugin_tiny_flow" / "model.py").read_text().splitlines()) < 80
    (function,) = [
        node
        for node in ast.parse((package / "tests" / "test_tiny_flow.py").read_text()).body
        if isinstance(node, ast.FunctionDef)
    ]
    code = [statement for statement in function.body if not isinstance(getattr(statement, "value", None), ast.Constant)]
    assert len([*function.decorator_list, function, *code]) == 3


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("My_Model", "must be lower-case words"),
        ("-x", "No such option"),
        ("a--b", "must be lower-case words"),
        ("../up", "must be lower-case words"),
        ("", "must be lower-case words"),
        ("none", "must be lower-case words"),
        ("gan", "exists already, from genzoo"),
    ],
)
def test_a_bad_name_is_refused_and_nothing_written(name, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new-plugin", name]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_left_alone(tmp_path, capsys):
    (tmp_path / "zoo-plugin-tiny-flow").mkdir()
    assert main(["new-plugin", "tiny-flow", "--out", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert not list((tmp_path / "zoo-plugin-tiny-flow").iterdir())


def test_out_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["new-plugin", "tiny-flow", "--out", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_folder_is_printed(tmp_path, capsys):
    assert main(["new-plugin", "tiny-flow", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'zoo-plugin-tiny-flow'}\n"


def test_it_is_found_after_installing(environment, zoo_command):
    listed = json.loads(zoo_command("models", "--json", env=environment).stdout)
    (ours,) = [row for row in listed if row["name"] == "tiny-flow"]
    assert (ours["plugin"], ours["plugin_version"]) == ("zoo-plugin-tiny-flow", "0.1.0")


def test_it_passes_its_own_tests(package, environment, run_tests):
    assert run_tests(package, environment) == 0


def test_it_runs_in_the_bench(environment, run_models):
    (row,) = run_models(environment, models="tiny-flow", budget="640").values()
    assert (row["model"], row["status"], row["plugin"]) == ("tiny-flow", "ok", "zoo-plugin-tiny-flow")
