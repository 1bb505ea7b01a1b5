"""Small pictures side by side, enlarged so that no pixel is blurred, quick to make and quick to show.

A tile travels in the page itself, as a PNG file: Chromium has 32 of them on screen in about 40 ms, and in
150 ms where they are vector graphics around such files. Repeated rows are written as differences, so that to
enlarge costs next to nothing.
"""

import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

GAP, MARGIN = 2, 3
"""Between the parts of a tile, and right of it, in pixels of the pictures."""
OUTLINE, OUTLINE_EDGE = (255, 214, 10, 255), (20, 20, 20, 255)
FAINT, OPAQUE = 77, 255
"""How much is left of a part that did not change, of 255."""
UP = 2
"""PNG's filter that keeps of a row what differs from the row above."""


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """One picture of a tile."""

    image: NDArray[np.uint8]
    """`(H, W, 3)` RGB."""
    outlined: NDArray[np.bool_] | None = None
    """`(H, W)`: a region to outline."""
    is_faint: bool = False


def draw(parts: Sequence[Part], factor: int) -> NDArray[np.uint8]:
    """Pictures side by side, `factor` times enlarged: `(H, W, 4)` RGBA, transparent between them."""
    height = max(part.image.shape[0] for part in parts)
    width = sum(part.image.shape[1] + GAP for part in parts) - GAP + MARGIN
    drawn = np.zeros((factor * height, factor * width, 4), np.uint8)
    left = 0
    for part in parts:
        enlarged = part.image.repeat(factor, axis=0).repeat(factor, axis=1)
        place = drawn[: len(enlarged), left : left + enlarged.shape[1]]
        place[..., :3] = enlarged
        place[..., 3] = FAINT if part.is_faint else OPAQUE
        if part.outlined is not None and part.outlined.any():
            _outline(place, part.outlined.repeat(factor, axis=0).repeat(factor, axis=1), max(1, factor // 2))
        left += enlarged.shape[1] + factor * GAP
    return drawn


def _outline(picture: NDArray[np.uint8], region: NDArray[np.bool_], width: int) -> None:
    """Draw the inner rim of `region` in two colours, so that it shows on any background."""
    inner = _shrunk(region, width)
    picture[region & ~inner] = OUTLINE_EDGE
    picture[inner & ~_shrunk(inner, width)] = OUTLINE


def _shrunk(region: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """`region` without what lies within `pixels` of its rim; the picture's own edge counts as a rim."""
    padded = np.pad(region, pixels)
    height, width = region.shape
    kept = region.copy()
    for shift in (0, 2 * pixels):
        kept &= padded[shift : shift + height, pixels : pixels + width]
        kept &= padded[pixels : pixels + height, shift : shift + width]
    return kept


def _png(picture: NDArray[np.uint8]) -> bytes:
    """`(H, W, 4)` RGBA as a PNG file; PIL takes four times as long."""
    height, width = picture.shape[:2]
    rows = np.empty((height, 1 + 4 * width), np.uint8)
    rows[:, 0] = UP
    rows[:, 1:] = picture.reshape(height, -1)
    rows[1:, 1:] -= picture.reshape(height, -1)[:-1]
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def show_tiles(
    tiles: Sequence[Sequence[Part]], captions: Sequence[str], alts: Sequence[str], factor: int
) -> None:
    """Draw the tiles, `factor` times enlarged, as one element, which is quicker than one for each."""
    drawn = [draw(parts, factor) for parts in tiles]
    # At the width that they have: the browser has nothing to scale, and so nothing to blur.
    width = max(picture.shape[1] for picture in drawn)
    st.image([_address(picture) for picture in drawn], caption=list(captions), alt=list(alts), width=width)


def _address(picture: NDArray[np.uint8]) -> str:
    """The address of a PNG file that holds itself."""
    return f"data:image/png;base64,{b64encode(_png(picture)).decode()}"
