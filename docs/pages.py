"""Hooks of MkDocs: the pages that are made from the code, and those whose text is elsewhere in the repository."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

os.environ["ZOO_PLUGINS"] = "genzoo"  # whatever else is installed where the pages are built

from parts import filled, table

from zoo import card
from zoo.catalogue import Entry
from zoo.cli import build_app
from zoo.registry import installed
from zoo.specs import ModelSpec

ROOT = Path(__file__).parents[1]
ELSEWHERE = {
    "README.md": "index.md",
    "results/README.md": "results.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "cite.md",
}
PICTURED = ("digits", "mnist", "fashion-mnist", "grid25")
"""Reference results whose sheets are on the models' pages."""

LINK = re.compile(r"(\]\(|\bsrc=\")(?!\w+:|#)([^)\"#]+)")
ROLE = re.compile(r":(?:class|func|meth|attr|mod):<code>([\w.]+)</code>")


def on_config(config: MkDocsConfig) -> None:
    """Put a page per model into the navigation."""
    for section in config.nav or []:
        if isinstance(section, dict) and "Models" in section:
            section["Models"] = ["models/index.md", *(f"models/{e.spec.name}.md" for e in installed().models)]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages."""
    for uri, text in _pages():
        files.append(File.generated(config, uri, content=text))
    for path in sorted(path for path in (ROOT / "results" / "reference").rglob("*") if path.is_file()):
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Fill in the made parts of this folder's pages, and let them link to files outside of it as they do on GitHub."""
    source = f"docs/{page.file.src_uri}"
    return filled(_moved(markdown, source)) if (ROOT / source).is_file() else markdown


def on_page_content(html: str, **_: object) -> str:
    """Turn the docstrings' roles into links."""
    html = ROLE.sub(r'<autoref optional identifier="\1"><code>\1</code></autoref>', html)
    return html.replace("Example::</p>", "Example:</p>")


def _pages() -> Iterator[tuple[str, str]]:
    for source, page in ELSEWHERE.items():
        text = (ROOT / source).read_text("utf-8")
        yield page, _citation(text) if page == "cite.md" else _moved(text, source)
    yield "cli.md", _commands()
    yield "models/index.md", _models()
    for entry in installed().models:
        yield f"models/{entry.spec.name}.md", _model(entry)


def _moved(text: str, source: str) -> str:
    """Let the relative links of a file point to where their targets are on the site."""

    def target(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[2]))
        return link[1] + ELSEWHERE.get(path, path.removeprefix("docs/"))

    return LINK.sub(target, text)


def _commands() -> str:
    options = (
        "`zoo --version` or `-V` prints the version, `zoo COMMAND --help` or `-h` what a command takes, and "
        "`zoo --no-plugins` loads no third party's plugins. `zoo --install-completion` lets the shell complete "
        "commands, options and the names of models, tasks and metrics."
    )
    parts = ["# Command line", options]
    for name in sorted(get_command(build_app(None)).commands):  # type: ignore[attr-defined]
        command = get_command(build_app(name)).commands[name]  # type: ignore[attr-defined]
        context = Context(command, info_name=name)
        parts.append(get_docs_for_click(obj=command, ctx=context, indent=1, call_prefix="zoo"))
    return "\n\n".join(parts)


def _models() -> str:
    rows = [
        [f"[{e.spec.name}]({e.spec.name}.md)", e.spec.family, " ".join(e.spec.data), e.spec.summary]
        for e in installed().models
    ]
    return "# All models\n\n" + table(["model", "family", "data", "summary"], rows)


def _model(entry: Entry[ModelSpec]) -> str:
    spec = entry.spec
    counts = card.parameters(entry, installed().tasks)
    found = card.references(entry)
    sheets = {name: f"results/reference/{name}/{spec.name}.png" for name in PICTURED}
    shown = {name: f"![Samples on {name}](../{path})" for name, path in sheets.items() if (ROOT / path).is_file()}
    parts = [
        f"# {spec.name}\n\n{spec.summary}\n\n[{spec.paper}]({spec.url})",
        "## Samples\n\n" + table(list(shown), [shown.values()]) + "\nTraining seed 0; [all models](../gallery.md).",
        f"## Loss\n\n{spec.loss}",
        f"## Known failure modes\n\n{spec.failure_modes}",
        "## Settings\n\n"
        + table(["setting", "type", "default", "description"], map(_values, card.settings(entry)))
        + _tuned(entry)
        + "\nSome defaults depend on the shape of the data; records have the values used.",
        "## Parameters\n\n" + table(["task", "trainable parameters"], ((t, f"{n:,}") for t, n in counts.items())),
    ]
    if found:
        rows = [[r.task, r.runs, f"{r.fid:.3g}" if r.fid else "", r.modes, f"`{r.command}`"] for r in found]
        results = table(["task", "runs", "FID", "modes", "command"], rows)
        curves = "![Learning curves of all models on digits](../results/reference/digits/curves.png)"
        parts.append(f"## Reference results\n\n{results}\n[All of them](../results.md), with intervals.\n\n{curves}")
    target = spec.target.replace(":", ".")
    parts.append(f"## Code\n\n::: {target}\n    options:\n      show_source: true\n      members: []")
    return "\n\n".join(parts) + "\n"


def _tuned(entry: Entry[ModelSpec]) -> str:
    rows = [[kind, f"`{text}`"] for kind, text in card.tuned(entry).items()]
    return "\n" + table(["data", "settings of preset=tuned"], rows) if rows else ""


def _values(setting: card.Setting) -> list[str]:
    return [f"`{setting.name}`", setting.type, f"`{setting.default}`", setting.description]


def _citation(text: str) -> str:
    facts = yaml.safe_load(text)
    fields = {
        "author": " and ".join("{" + author["name"] + "}" for author in facts["authors"]),
        "title": "{" + facts["title"] + "}",
        "version": facts["version"],
        "year": str(facts["date-released"])[:4],
    }
    body = "".join(f"  {key} = {{{value}}},\n" for key, value in fields.items())
    return (
        "# How to cite\n\n"
        "Cite the version that made your figures: `zoo --version` prints it, and every row has it in `zoo_version`. "
        "Cite the papers of the models as well: [each model's page](models/index.md) names its own.\n\n"
        f"```bibtex\n@software{{genzoo,\n{body}}}\n```\n\nThe same as a file, `CITATION.cff`:\n\n```yaml\n{text}```\n"
    )
