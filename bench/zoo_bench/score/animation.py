"""Pictures that move, as GIF or MP4."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.errors import ZooError
from zoo.files import write_atomically

if TYPE_CHECKING:
    from PIL.Image import Image

FRAMES_PER_SECOND = 25
SUFFIXES = (".gif", ".mp4")


def check_film(path: Path) -> None:
    """Raise a :class:`ZooError` if a film with this suffix needs what is not installed."""
    if path.suffix == ".mp4" and not importlib.util.find_spec("imageio_ffmpeg"):
        raise ZooError("an .mp4 needs imageio's ffmpeg: pip install 'genzoo[video]', or name a .gif")


def write_film(path: Path, frames: Sequence[Image], made: dict[str, Any]) -> None:
    """Write a film that loops, a ``.gif`` or ``.mp4``, whose comment says what made it.

    Args:
        path: The file.
        frames: Pictures of one size; of an MP4 the last row and column are left out where their number is odd.
        made: What made it.
    """
    if path.suffix == ".gif":
        buffer = io.BytesIO()
        first, *rest = frames
        milliseconds = 1000 // FRAMES_PER_SECOND
        first.save(
            buffer, "GIF", save_all=True, append_images=rest, duration=milliseconds, loop=0, comment=json.dumps(made)
        )
        write_atomically(path, buffer.getvalue())
        return
    import imageio.v3 as imageio

    width, height = (side // 2 * 2 for side in frames[0].size)  # of yuv420p, which every player shows
    arrays = [np.asarray(frame.convert("RGB"))[:height, :width] for frame in frames]
    content = imageio.imwrite(
        "<bytes>", arrays, extension=".mp4", plugin="FFMPEG", fps=FRAMES_PER_SECOND, macro_block_size=2,
        output_params=["-metadata", f"comment={json.dumps(made)}"],
    )  # fmt: skip
    write_atomically(path, content)
