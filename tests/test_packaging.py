"""What is shipped: one wheel of the zoo, the harness and every plugin; and what it depends on."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import zoo

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
PLUGINS = sorted(path.name for path in (ROOT / "plugins").glob("zoo_*") if path.is_dir())
DISTRIBUTIONS = [ROOT / "zoo" / "template", *sorted((ROOT / "plugins" / "examples").glob("zoo-plugin-*"))]
EXTRAS = PROJECT["project"]["optional-dependencies"]
MEGABYTE = 1_000_000
NEEDED = {
    Requirement(text).name
    for extra, texts in {"": PROJECT["project"]["dependencies"], **EXTRAS}.items()
    for text in texts
    if extra not in ("dev", "docs", "test")
}
"""What users install: the dependencies and the extras of single features."""
USED_THROUGH = {
    "pyarrow": ".to_parquet(",
    "pytest-benchmark": '"pytest_benchmark.plugin"',
    "tensorboard": "torch.utils.tensorboard",
}
"""What no module imports by itself, and the code for which another package imports it."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if not (importlib.util.find_spec("hatchling") and importlib.util.find_spec("hatch_fancy_pypi_readme")):
        pytest.skip("what builds the wheel is not installed")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [path] = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_wheel_holds_the_zoo_the_harness_and_plugins_and_nothing_else(wheel):
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert top == {"zoo", "zoo_bench", *PLUGINS, f"genzoo-{zoo.__version__}.dist-info"}


def test_the_wheel_holds_every_module_of_its_packages(wheel):
    names = set(wheel.namelist())
    for package in PACKAGES:
        modules = {path.relative_to((ROOT / package).parent).as_posix() for path in (ROOT / package).rglob("*.py")}
        assert modules <= names


def test_the_wheel_says_that_it_is_typed_and_holds_no_caches(wheel):
    names = wheel.namelist()
    assert {f"{package}/py.typed" for package in ("zoo", "zoo_bench", *PLUGINS)} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_wheel_holds_the_judges_which_are_small(wheel):
    judges = {info.filename: info.file_size for info in wheel.infolist() if info.filename.endswith(".safetensors")}
    assert {f"zoo_bench/judges/weights/{name}-cnn.safetensors" for name in ("digits", "mnist")} <= judges.keys()
    assert max(judges.values()) < MEGABYTE


def test_a_card_has_the_reference_results_where_only_the_wheel_is_installed(wheel, tmp_path):
    wheel.extractall(tmp_path)
    script = "import sys; sys.path.insert(0, sys.argv[1]); from zoo.cli import main; main(['show', 'dcgan', '--json'])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["reference_results"]


def test_the_wheel_has_the_entry_points_and_the_licence(wheel):
    info = f"genzoo-{zoo.__version__}.dist-info"
    text = wheel.read(f"{info}/entry_points.txt").decode()
    for name, module in PROJECT["project"]["entry-points"]["zoo"].items():
        assert f"{name} = {module}\n" in text
    assert "[zoo.harness]\nbench = zoo_bench.plugin\n" in text
    assert f"{info}/licenses/LICENSE" in wheel.namelist()


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_plugin_has_an_entry_point_and_is_packed(plugin):
    name = plugin.removeprefix("zoo_").replace("_", "-")
    assert PROJECT["project"]["entry-points"]["zoo"].get(name) == plugin
    assert f"plugins/{plugin}" in PACKAGES
    assert plugin in PROJECT["tool"]["mypy"]["packages"]


@pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda path: path.name)
def test_examples_and_the_template_say_that_they_are_typed(folder):
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    [package] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert (folder / package / "py.typed").is_file()


def test_every_page_of_the_top_is_in_the_sdist():
    included = set(PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    pages = {f"/{path.name}" for path in ROOT.glob("*.md")}
    assert pages | {"/CITATION.cff", "/mkdocs.yml", "/noxfile.py"} <= included


@pytest.mark.parametrize("texts", [PROJECT["project"]["dependencies"], *EXTRAS.values()])
def test_dependencies_are_sorted(texts):
    assert texts == sorted(texts, key=lambda text: Requirement(text).name)


@pytest.mark.parametrize("text", [*PROJECT["project"]["dependencies"], *EXTRAS["test"]])
def test_a_dependency_has_one_lowest_version_which_nox_installs(text):
    assert [specifier.operator for specifier in Requirement(text).specifier].count(">=") == 1


def module_of(distribution):
    return {"pillow": "PIL", "scikit-learn": "sklearn"}.get(distribution, distribution.replace("-", "_"))


def packages_imported(source):
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(module))]):
                yield module.partition(".")[0]


def sources(*folders):
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "template" not in path.parts]
    return [path.read_text() for path in paths]


@pytest.fixture(scope="module")
def shipped():
    return sources(*PACKAGES)


def test_what_is_imported_is_what_is_declared(shipped):
    imported = {package for source in shipped for package in packages_imported(source)}
    others = imported - sys.stdlib_module_names - {Path(package).name for package in PACKAGES}
    assert others == {module_of(distribution) for distribution in NEEDED - USED_THROUGH.keys()}


@pytest.mark.parametrize(("distribution", "code"), USED_THROUGH.items())
def test_what_others_import_for_us_is_needed(distribution, code, shipped):
    assert distribution in NEEDED
    assert any(code in source for source in shipped)


def test_contributing_says_what_each_dependency_is_for():
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## Dependencies")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert sorted(name.strip(" `") for row in rows for name in row.split(",")) == sorted(NEEDED)


def test_every_entry_point_names_a_package_that_is_packed():
    packed = {Path(package).name for package in PACKAGES}
    assert {module.split(".")[0] for module in PROJECT["project"]["entry-points"]["zoo"].values()} <= packed
    assert all((ROOT / package / "__init__.py").is_file() for package in PACKAGES)


def test_the_installed_entry_points_are_those_of_the_project():
    for group, expected in PROJECT["project"]["entry-points"].items():
        points = importlib.metadata.entry_points(group=group)
        installed = {point.name: point.value for point in points if point.dist.name == "genzoo"}
        assert installed == expected, "install the project again"


@pytest.mark.parametrize("folder", ["bench", "plugins", "tests", "results"])
def test_folders_that_are_no_packages_have_no_init(folder):
    assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize(("tests", "package"), [("zoo", "zoo"), ("zoo_bench", "bench/zoo_bench")])
def test_a_file_of_tests_stands_where_its_module_does(tests, package):
    of_several = {
        "test_folder.py",
        "test_fuzzed.py",
        "test_html_in_browser.py",
        "test_namespaces.py",
        "test_one_decision.py",
        "test_properties.py",
        "test_records_of_strangers.py",
        "test_shared.py",
        "test_trackers.py",
    }
    folder = ROOT / "tests" / tests
    for path in folder.rglob("test_*.py"):
        module = ROOT / package / path.relative_to(folder).with_name(path.name.removeprefix("test_"))
        assert module.is_file() or path.name in of_several, f"{path} tests no {module}"


def test_the_readme_on_a_package_index_has_no_link_into_the_repository(wheel):
    [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    text = wheel.read(name).decode()
    links = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    assert len(links) > 10
    assert [link for link in links if not link.startswith("https://")] == []
