"""Small pictures as vector graphics, so that no pixel is blurred and the outlines of holes stay sharp.

A picture of 32×32 pixels travels as it is, in 3 kB, and the browser enlarges it without smoothing; enlarged
here, 32 pairs take 100 ms to compress.
"""

import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import streamlit as st
from numpy.typing import NDArray

GAP, MARGIN = 2, 3
"""Between the parts of a tile, and right of it, in pixels of the pictures."""
RIM = 0.5
"""Room for the outline of a hole at the edge."""
OUTLINE, OUTLINE_EDGE = "#ffd60a", "#141414"
FAINT = 0.3
"""How much is left of a part that did not change."""
# What may not stand in an address as it is.
ESCAPES = (("%", "%25"), ("#", "%23"), ("<", "%3C"), (">", "%3E"), ('"', "'"), (" ", "%20"))


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """One picture of a tile."""

    image: NDArray[np.uint8]
    """`(H, W, 3)` RGB."""
    outlined: NDArray[np.bool_] | None = None
    """`(H, W)`: a region to outline."""
    is_faint: bool = False


def tile(*parts: Part) -> str:
    """These pictures side by side, as the address of an SVG that holds them."""
    left, drawn = 0, []
    for part in parts:
        drawn.append(_draw(part, left))
        left += part.image.shape[1] + GAP
    width, height = left - GAP + MARGIN + RIM, max(part.image.shape[0] for part in parts) + 2 * RIM
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{8 * width}" height="{8 * height}" '
        f'viewBox="{-RIM} {-RIM} {width} {height}">{"".join(drawn)}</svg>'
    )
    for sign, escape in ESCAPES:
        svg = svg.replace(sign, escape)
    return f"data:image/svg+xml,{svg}"


def _draw(part: Part, left: int) -> str:
    height, width = part.image.shape[:2]
    opacity = f' opacity="{FAINT}"' if part.is_faint else ""
    picture = (
        f'<image x="{left}" width="{width}" height="{height}"{opacity} style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{_png(part.image.tobytes(), width, height)}"/>'
    )
    if part.outlined is None or not part.outlined.any():
        return picture
    path = _outline(part.outlined)
    strokes = "".join(
        f'<path d="{path}" stroke="{colour}" stroke-width="{thickness}"/>'
        for colour, thickness in ((OUTLINE_EDGE, 1), (OUTLINE, 0.5))
    )
    return f'{picture}<g transform="translate({left})" stroke-linecap="square">{strokes}</g>'


def _outline(region: NDArray[np.bool_]) -> str:
    """The edges between the pixels inside and outside of `region`, as the data of an SVG path."""
    padded = np.pad(region, 1)
    across = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1]).tolist()
    down = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1]).tolist()
    return "".join([f"M{x},{y}h1" for y, x in across] + [f"M{x},{y}v1" for y, x in down])


@lru_cache(maxsize=1024)
def _png(pixels: bytes, width: int, height: int) -> str:
    """`pixels`, RGB of 8 bits each row by row, as a PNG file in base64; PIL takes three times as long."""
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = np.frombuffer(pixels, np.uint8).reshape(height, 3 * width)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def show_tiles(tiles: Sequence[str], captions: Sequence[str], alts: Sequence[str], width: int) -> None:
    """Draw the tiles, each `width` pixels wide, as one element, which is quicker than one for each."""
    st.image(list(tiles), caption=list(captions), alt=list(alts), width=width)
