"""A ladder of known quality: real items, harmed step by step, which a judge has to put in order.

A judge whose Fréchet distance puts small samples of a lower rung behind those of the rung above sees that harm; judges
are chosen by how often it does.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Generator, Tensor

from zoo.evaluation import Judged, feature_scale
from zoo.task import Judge, Split
from zoo_bench.core.frechet import frechet_distance
from zoo_bench.data.disturbances import STRENGTHS, disturbed

RUNGS = (0.0, *STRENGTHS)
DRAWS, ITEMS = 8, 200
REFERENCE_ITEMS = 5000

Harm = Callable[[Split, float, Generator], Tensor]
"""Maps real items, how much to harm them, 0 to 1, and a generator to items that are worse, as they are stored."""


def copies(items: Split, share: float, generator: Generator) -> Tensor:
    """Replace items by copies of the others, until at 1 a fiftieth of the items is left."""
    distinct = max(1, round(len(items) * (1.0 - 0.98 * share)))
    return items.data[torch.arange(len(items)) % distinct]


def missing(items: Split, share: float, generator: Generator) -> Tensor:
    """Leave out classes, the last ones first, until at 1 only the first is left."""
    assert items.modes is not None
    last = int(items.modes.max())
    return items.data[items.modes <= round(last * (1.0 - share))]


def blends(items: Split, share: float, generator: Generator) -> Tensor:
    """Replace a share of the images by the mean of two of them."""
    count = round(share * len(items))
    others = items.data[torch.randperm(len(items), generator=generator)[:count]]
    mixed = (items.data[:count].float() + others.float()).div_(2.0).to(items.data.dtype)
    return torch.cat([mixed, items.data[count:]])


def _disturbance(name: str) -> Harm:
    return lambda items, share, generator: disturbed(items.data, name, share, generator.initial_seed())


HARMS: dict[str, Harm] = {
    **{name: _disturbance(name) for name in ("noise", "blur")},
    **{harm.__name__: harm for harm in (copies, missing, blends)},
}


def climb(judge: Judge, reference: Tensor, items: Split) -> dict[str, float]:
    """Return by harm how often a judge sees one step of it: 0.5 by chance, 1 always.

    That is the share of pairs of samples of 200 items, one of a rung and one of the next, in which the Fréchet
    distance to ``reference`` of the more harmed sample is larger; features are standardised by those of the reference.

    Args:
        judge: The judge.
        reference: Real items as they are stored, of which 5,000 are looked at.
        items: Other real items with classes, which are harmed.
    """
    real = Judged(judge, reference[:REFERENCE_ITEMS]).features
    mean, units = feature_scale(real)
    real = (real - mean) / units
    seen = {}
    for name, harm in HARMS.items():
        rungs = []
        for rung in RUNGS:
            samples = [_draw(harm, items, rung, Generator().manual_seed(draw)) for draw in range(DRAWS)]
            features = [(Judged(judge, sample).features - mean) / units for sample in samples]
            rungs.append([frechet_distance(sample, real) for sample in features])
        seen[name] = statistics.fmean(a < b for better, worse in pairwise(rungs) for a in better for b in worse)
    return seen


def _draw(harm: Harm, items: Split, rung: float, generator: Generator) -> Tensor:
    """Draw items, half of all at most, and harm them."""
    assert items.modes is not None
    drawn = torch.randperm(len(items), generator=generator)[: min(ITEMS, len(items) // 2)]
    return harm(Split(items.data[drawn], items.modes[drawn]), rung, generator)
