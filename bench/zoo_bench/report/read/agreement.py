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
        reasons: dict[str, list[str]] = {}
        for column, found in panel.items():
            reasons.setdefault(_doubt(found, a.label, b.label), []).append(JUDGES[column])
        if why := [f"{doubt} under {listed(judges)}" for doubt, judges in reasons.items() if doubt]:
            doubts.append(f"{a.label} before {b.label} ({listed(why)})")
    if not pairs:
        return ""
    lead = f"{plural(len(pairs), 'pair')} of models {'is' if len(pairs) == 1 else 'are'} separable by FID"
    if not doubts:
        return f"{lead}, in the same order under {'both' if len(panel) == 2 else f'all {len(panel)}'} judges."
    more = [f"{len(doubts) - MAX_NAMED} more"] if len(doubts) > MAX_NAMED else []
    return f"{lead}; not all judges confirm {listed([*doubts[:MAX_NAMED], *more])}."


def _doubt(claims: Claims, a: str, b: str) -> str:
    """Return what a judge says against one model being separably better than another; "" if nothing."""
    places = {model.label: model for model in claims.ranked}
    order, separable = list(places), claims.is_separable(places[a], places[b])
    if order.index(a) > order.index(b):
        return "the reverse" if separable else "not separable, if anything the reverse"
    return "" if separable else "not separable"


def _panel(claims: Mapping[str, Claims]) -> dict[str, Claims]:
    """Return the claims by FID under each judge, if FID is that of several models with several runs.

    A judge that has not seen every run of these models, as where folders with different twins are merged, has no say.
    """
    if "fid" not in claims or len(claims["fid"].ranked) < 2 or not claims["fid"].standings:
        return {}
    labels = {model.label for model in claims["fid"].ranked}
    seen = {
        column: {model.label for model in found.ranked if model.has_all(found.metric)}
        for column in JUDGES
        if (found := claims.get(column))
    }
    return {column: claims[column] for column in seen if column == "fid" or labels <= seen[column]}
