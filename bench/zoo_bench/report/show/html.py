"""``report.html``: one file that loads nothing from the network."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from zoo.errors import ZooError
from zoo.files import write_atomically
from zoo.version import __version__
from zoo_bench.report.read.groups import groups, kept_apart
from zoo_bench.report.read.overall import overall
from zoo_bench.report.read.results import Results, load_store
from zoo_bench.report.read.summary import Summary, summarise
from zoo_bench.report.show import sections
from zoo_bench.report.show.figures import COLOUR_COUNT, colours_of
from zoo_bench.report.show.pictures import MAX_PICTURE_BYTES, Pictures
from zoo_bench.report.show.runs import all_runs
from zoo_bench.report.show.speeds import CAPTION, FIELDS, speeds
from zoo_bench.report.text import plural, shortened, visible
from zoo_bench.store.records import Store
from zoo_bench.store.tables import to_frame

TEMPLATES = Path(__file__).parent / "templates"


def write_report(store: Store) -> Path:
    """Write ``report.html`` into a bench's folder and return its path; unusable records become sentences in it."""
    try:
        results = load_store(store)
    except ZooError as error:
        results = Results(to_frame([]), problems=[str(error)])
    path = store.root / "report.html"
    summaries = [summarise(g, results.controls) for g in groups(results.frame)]
    write_atomically(path, page(results, summaries, path.parent).encode())
    return path


def page(results: Results, summaries: Sequence[Summary], folder: Path | None = None) -> str:
    """Return the whole page, which links to the files of runs if it is known in which folder it will be."""
    colours = colours_of(summaries)
    pictures, together = Pictures(0), overall(summaries)
    groups_shown = []
    for i, summary in enumerate(summaries):
        # Bytes for pictures that one table does not use are left to the later ones.
        pictures.left += MAX_PICTURE_BYTES // len(summaries)
        groups_shown.append({"id": f"table-{i + 1}", **sections.group(summary, results, colours, pictures)})
    content = {
        "title": _title(summaries),
        "sections": groups_shown,
        "together": sections.all_tasks(together, colours) if together and len(together.tasks) > 1 else None,
        "kept_apart": kept_apart([s.group for s in summaries]),
        "problems": results.problems,
        "pictures_left_out": pictures.left_out,
        "speeds": [entry for frame in results.speeds for entry in speeds(frame)],
        "speed_titles": list(FIELDS.values()),
        "speed_caption": CAPTION,
        "runs": all_runs(results, folder),
        "environments": [(json.loads(text), n) for text, n in results.environments.items()],
        "colours": {label: number % COLOUR_COUNT for label, number in colours.items()},
    }
    return _render(content)


def _title(summaries: Sequence[Summary]) -> str:
    tasks = list(dict.fromkeys(s.group.key["task"] for s in summaries))
    return visible(", ".join(tasks)) or "no runs"


def _render(content: dict[str, Any]) -> str:
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    digest = f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
    written = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    page = template("report.html.j2").render(
        **content, style=style, script=script, digest=digest, version=__version__, written=written
    )
    return str(page)


@cache
def template(name: str) -> Any:
    """Return a template of this folder, which escapes what it is given."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, plural=plural, shortened=shortened, file_name=sections.download_name)
    return environment.get_template(name)
