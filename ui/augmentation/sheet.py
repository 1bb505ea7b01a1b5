"""The contact sheet: the pictures of the preview in one PNG, to hang up or hand in."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ui.augmentation.preview import Shown
from ui.gallery import enlarge

FACTOR = 6
"""How often a pixel is repeated, so that nothing that shows the file has to blur it."""
GAP = 12
"""Between the two pictures of a pair, in enlarged pixels."""
OUTLINE, OUTLINE_EDGE = (255, 214, 10), (20, 20, 20)
COLUMNS = 4
MARGIN, LINE = 28, 22
"""In pixels of the picture."""
PAPER, INK = "white", "black"


def contact_sheet(shown: Shown, names: Sequence[str], title: str, outlines: bool) -> bytes:
    """Each image beside its augmented one, under the name of its class, as a PNG file."""
    font = ImageFont.load_default(15)
    pairs = [
        Image.fromarray(draw_pair(original, augmented, mask if outlines else None))
        for original, augmented, mask in zip(shown.originals, shown.images, shown.hidden, strict=True)
    ]
    width, height = pairs[0].size[0] + MARGIN, pairs[0].size[1] + LINE + MARGIN
    columns, rows = min(COLUMNS, len(pairs)), -(-len(pairs) // COLUMNS)
    sheet = Image.new("RGB", (columns * width + MARGIN, rows * height + LINE + 2 * MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), title, INK, font)
    for index, (pair, name) in enumerate(zip(pairs, names, strict=True)):
        row, column = divmod(index, COLUMNS)
        left, top = MARGIN + column * width, 2 * MARGIN + LINE + row * height
        sheet.paste(pair, (left, top), pair)
        draw.text((left, top + pair.size[1] + 3), name, INK, font)
    file = BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def draw_pair(
    original: NDArray[np.uint8], augmented: NDArray[np.uint8], mask: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """Both enlarged, side by side with a transparent gap: `(H, 2 W + gap, 4)` RGBA; `mask` is outlined."""
    height, width = original.shape[:2]
    left, right = enlarge(original, FACTOR * width), enlarge(augmented, FACTOR * width)
    if mask is not None and mask.any():
        right = _outline(right, mask)
    pair = np.zeros((FACTOR * height, 2 * FACTOR * width + GAP, 4), np.uint8)
    for picture, start in ((left, 0), (right, FACTOR * width + GAP)):
        pair[:, start : start + FACTOR * width, :3] = picture
        pair[:, start : start + FACTOR * width, 3] = 255
    return pair


def _outline(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """`picture` with the inner rim of `mask` in two colours, so that it shows on any background."""
    inside = mask.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)
    outlined = picture.copy()
    for thickness, colour in ((5, OUTLINE_EDGE), (3, OUTLINE)):
        outlined[inside & ~_shrunk(inside, thickness)] = colour
    return outlined


def _shrunk(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """`mask` without what lies within `pixels` of its rim; the picture's own edge counts as a rim."""
    padded = np.pad(mask, pixels)
    height, width = mask.shape
    kept = mask.copy()
    for shift in (0, 2 * pixels):
        kept &= padded[shift : shift + height, pixels : pixels + width]
        kept &= padded[pixels : pixels + height, shift : shift + width]
    return kept
