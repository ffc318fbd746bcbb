"""Names of files and folders."""

from __future__ import annotations

import re
from pathlib import Path

_UNUSABLE = re.compile(r'[%<>:"/\\|?*\x00-\x1f]|[. ]$')
_RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)\d)(\..*)?", re.IGNORECASE)


def file_name(name: str) -> str:
    """Return the name that a file or folder has for a task or model, the same on all systems.

    Almost every name is used unchanged. What Windows or another system refuses is escaped as in URLs, "%3F" for "?":
    certain characters, a dot or space at the end, and the first letter of names of devices such as "con" and "nul".
    """
    usable = _UNUSABLE.sub(lambda match: f"%{ord(match[0]):02X}", name)
    return f"%{ord(usable[0]):02X}{usable[1:]}" if _RESERVED.fullmatch(usable) else usable


def real_sheet_path(root: Path, task: str) -> Path:
    """Return where a bench's folder keeps the sheet of real items of a task."""
    return root / "controls" / f"{file_name(task)}.png"
