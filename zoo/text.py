"""Foreign text as it may be shown: in a terminal, a page or a sentence."""

from __future__ import annotations

import unicodedata

_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: object) -> str:
    """Return text in which control characters, marks of direction and lone surrogates are written as escapes."""
    return "".join(_SHORT_ESCAPES.get(c) or f"\\u{ord(c):04x}" if _invisible(c) else c for c in str(text))


def _invisible(character: str) -> bool:
    return not character.isprintable() and unicodedata.category(character) != "Zs"
