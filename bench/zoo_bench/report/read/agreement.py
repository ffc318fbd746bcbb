"""Whether the judges of a panel agree on what is claimed of the first one's FID."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from zoo_bench.report.read.claims import Claims
from zoo_bench.report.text import figure, listed, plural

JUDGES = {"fid": "the task's judge", "fid_twin": "the twin", "fid_pixels": "the pixels"}
"""By column of FID, what sentences call its judge."""

MAX_NAMED = 4
"""Pairs that a sentence names; more are counted."""


def of_the_best(claims: Mapping[str, Claims]) -> str:
    """Return under how many judges the model with the lowest FID has the lowest, and which judge says otherwise.

    Args:
        claims: By column.

    Returns:
        A sentence, or "" if there is only one judge, one model, or one run of each.
    """
    panel = _panel(claims)
    if len(panel) < 2:
        return ""
    best = panel["fid"].ranked[0].label
    others = [_other_lead(column, claims, best) for column, claims in panel.items() if claims.ranked[0].label != best]
    agreeing = len(panel) - len(others)
    return f"It is lowest under {agreeing} of {len(panel)} judges{''.join(f'; {other}' for other in others)}."


def _other_lead(column: str, claims: Claims, best: str) -> str:
    lead = claims.ranked[0]
    means = [figure(m.estimates[column].mean) for m in claims.ranked if m.label in (lead.label, best)]
    doubt = "" if claims.standings.get(best) == "" else ", not separable from it"
    return f"under {JUDGES[column]} {lead.label} is ({' against '.join(means)}){doubt}"


def of_pairs(claims: Mapping[str, Claims]) -> str:
    """Return how many of the pairs that FID separates are separable in the same order under every judge.

    Args:
        claims: By column.

    Returns:
        A sentence, or "" if there is only one judge, or no pair is separable.
    """
    panel = _panel(claims)
    if len(panel) < 2:
        return ""
    pairs = [pair for pair in combinations(panel["fid"].ranked, 2) if panel["fid"].is_separable(*pair)]
    doubts = []
    for a, b in pairs:
        reasons = [_doubt(column, claims, a.label, b.label) for column, claims in panel.items()]
        if any(reasons):
            doubts.append(f"{a.label} before {b.label} ({listed([reason for reason in reasons if reason])})")
    if not pairs:
        return ""
    lead = f"{plural(len(pairs), 'pair')} of models {'is' if len(pairs) == 1 else 'are'} separable by FID"
    if not doubts:
        return f"{lead}, in the same order under all {len(panel)} judges."
    more = [f"{len(doubts) - MAX_NAMED} more"] if len(doubts) > MAX_NAMED else []
    return f"{lead}; not all judges confirm {listed([*doubts[:MAX_NAMED], *more])}."


def _doubt(column: str, claims: Claims, a: str, b: str) -> str:
    """Return what a judge says against one model being separably better than another; "" if nothing."""
    places = {model.label: model for model in claims.ranked}
    if a not in places or b not in places:
        return ""
    order = list(places)
    if order.index(a) > order.index(b):
        doubt = "" if claims.is_separable(places[a], places[b]) else "not separable, if anything "
        return f"{doubt}the reverse under {JUDGES[column]}"
    return "" if claims.is_separable(places[a], places[b]) else f"not separable under {JUDGES[column]}"


def _panel(claims: Mapping[str, Claims]) -> dict[str, Claims]:
    """Return the claims by FID under each judge, if FID is that of several models with several runs."""
    panel = {column: claims[column] for column in JUDGES if column in claims and len(claims[column].ranked) > 1}
    return panel if panel.get("fid") and panel["fid"].standings else {}
