"""A run as a folder of the Hugging Face Hub: weights, configuration, samples, and a card that says how good it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Any

from zoo.catalogue import Entry
from zoo.columns import Column
from zoo.errors import ZooError
from zoo.files import is_regular
from zoo.loading import HUB_WEIGHTS
from zoo.specs import ModelSpec
from zoo_bench.export.weights import weights_file
from zoo_bench.plan.record import RunRecord
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load_once
from zoo_bench.report.read.statistics import Estimate
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.text import figure, markdown

SHEET = "samples.png"
PIPELINE = "unconditional-image-generation"
"""The Hub's word for what models of images do; classes are no text, so it has no other for conditional ones."""

CARD = """---
{metadata}
---

# {title}

{summary} {paper}

{sheet}

## Quality

{quality}

## Training

Seed {seed}, a budget of {budget} on {device}; genzoo {version}. To train it again:

```shell
zoo bench --task '{task}' --models '{label}' --budget '{budget}' --seeds {seeds}
```

## Limits

{limits}

## How to load it

```python
import zoo  # pip install genzoo

model = zoo.load("PATH/OF/THIS/FOLDER")
samples = {sample}
```

Images are {shape} in [-1, 1]. `zoo.load` compares the weights with their SHA-256 in `config.json`.
"""


@dataclass(frozen=True)
class Quality:
    """What one metric says.

    Attributes:
        metric: The metric.
        value: That of these weights.
        over_seeds: Of all seeds in the run's folder.
        floor: What real data score, if it is known.
    """

    metric: Column
    value: float
    over_seeds: Estimate
    floor: float | None


def hub_files(
    path: Path, record: RunRecord, entry: Entry[ModelSpec], description: str, licence: str
) -> dict[str, bytes]:
    """Return the content of the folder's files, by name.

    Args:
        path: JSON file of the run, in the folder of results that it belongs to.
        record: The run.
        entry: Its model.
        description: JSON of what :func:`zoo_bench.export.weights.described` returns.
        licence: The Hub's identifier of the licence of the weights, such as "mit".

    Raises:
        ZooError: If the run is in no folder of results, so that nothing is known of its other seeds.
    """
    files = {HUB_WEIGHTS: weights_file(path, description)}
    files["config.json"] = json.dumps(json.loads(description), indent=2).encode()
    sheet = path.with_suffix(".png")
    if is_regular(sheet):
        files[SHEET] = sheet.read_bytes()
    marks, qualities = _quality(path, record)
    files["README.md"] = _card(record, entry, marks, qualities, licence, SHEET in files).encode()
    return files


def _quality(path: Path, record: RunRecord) -> tuple[tuple[str, ...], list[Quality]]:
    """Return what speaks against the run, and what its headline metrics say."""
    if len(path.absolute().parents) < 4 or path.absolute().parents[2].name != "runs":
        raise ZooError(f"{str(path)!r} is in no folder of results, whose other seeds the card needs: move it back")
    results = load_once([path.absolute().parents[3]])
    for group in groups(results.frame):
        own = group.runs[group.runs["run_id"] == record.run_id]
        if own.empty:
            continue
        summary, label = summarise(group, results.controls), str(own["_label"].iloc[0])
        [model] = [model for model in summary.models if model.label == label]
        shown = [m for m in summary.metrics if m.headline and not m.cost and isfinite(record.metrics.get(m.name, nan))]
        values = [Quality(m, record.metrics[m.name], model.estimates[m.name], summary.floor(m)) for m in shown]
        return model.marks, values
    raise ZooError(f"{str(path)!r} has no row in the results of its folder")


def _card(
    record: RunRecord,
    entry: Entry[ModelSpec],
    marks: tuple[str, ...],
    qualities: list[Quality],
    licence: str,
    has_sheet: bool,
) -> str:
    spec, model = record.spec, entry.spec
    seeds = max([1, *(q.over_seeds.n for q in qualities)])
    metadata = _metadata(record, model, qualities, licence, has_sheet)
    ended = [] if record.status == "ok" else [f"The run ended with status {record.status}."]
    notes = [*(f"{mark}." for mark in marks), *ended]
    return CARD.format(
        metadata="\n".join(f"{key}: {json.dumps(value)}" for key, value in metadata.items()),  # JSON is YAML
        title=markdown(f"{spec.label} on {spec.task}"),
        summary=markdown(model.summary),
        paper=f"[{markdown(model.paper)}]({model.url})" if model.paper and model.url else markdown(model.paper),
        sheet=f"![Samples]({SHEET})" if has_sheet else "",
        quality="\n\n".join(filter(None, [_table(qualities, record, seeds), markdown(" ".join(notes))])),
        seed=spec.seed,
        budget=spec.budget,
        device=spec.device,
        version=record.zoo_version,
        task=spec.task,
        label=spec.label,
        seeds=seeds,
        limits=markdown(model.failure_modes or "None are known."),
        sample="model.sample(64, labels)  # (64,) int64" if spec.conditional else "model.sample(64)",
        shape="x".join(map(str, record.shape)),
    )


def _table(qualities: list[Quality], record: RunRecord, seeds: int) -> str:
    if not qualities:
        return "It has no score."
    lines = [f"| metric | these weights | mean of {seeds} seeds (95 % interval) | real data |", "|---|---:|---:|---:|"]
    for q in qualities:
        interval = f" ({figure(q.over_seeds.low)} to {figure(q.over_seeds.high)})" if q.over_seeds.n > 1 else ""
        floor = "" if q.floor is None else figure(q.floor)
        heading = markdown(f"{q.metric.heading} {q.metric.arrow}".strip())
        lines.append(f"| {heading} | {figure(q.value)} | {figure(q.over_seeds.mean)}{interval} | {floor} |")
    judged = f"Judge: `{record.judge}`. Real data is what as many real items score, which no model is expected to beat."
    return "\n".join([*lines, "", judged])


def _metadata(
    record: RunRecord, model: ModelSpec, qualities: list[Quality], licence: str, has_sheet: bool
) -> dict[str, Any]:
    """Return the fields at the head of the card, as the Hub reads them."""
    spec, images = record.spec, len(record.shape) == 3
    task = PIPELINE if images else "other"
    metrics = [
        {
            "type": q.metric.name,
            "name": q.metric.heading,
            "value": q.value,
            "args": {
                name: number
                for name, number in {**vars(q.over_seeds), "floor": q.floor}.items()
                if number is not None and isfinite(number)
            },
        }
        for q in qualities
    ]
    data = {"type": spec.task, "name": spec.task, "revision": spec.task_version, "split": "test"}
    results = [{"task": {"type": task}, "dataset": data, "metrics": metrics}] if metrics else []
    return {
        "license": licence,
        "library_name": "genzoo",
        **({"pipeline_tag": task} if images else {}),
        "tags": list(
            dict.fromkeys(filter(None, ["genzoo", spec.model, model.family, "conditional" * spec.conditional]))
        ),
        "datasets": [spec.task],
        **({"widget": [{"text": "Samples", "output": {"url": SHEET}}]} if has_sheet else {}),
        "model-index": [{"name": f"{spec.model}-{spec.task}", "results": results}],
    }
