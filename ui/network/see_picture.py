"""The receptive field on a picture: the image enlarged, padding hatched around it, the field framed."""

import numpy as np

from core.network.coverage import Box

PICTURE_SIZE = 384
"""Pixels on the screen that the picture comes close to, and does not exceed unless the image does."""
HATCH = np.array([[168, 168, 168], [132, 132, 132]], dtype=np.uint8)
FRAME = (242, 154, 82)
"""Orange, between two black lines: it stands out from any picture and in both themes."""
DIMMED = 0.45
"""How much of the image is left outside the field."""


def fit_images(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """`images` (N, H, W, 3) at the size that a network takes, each pixel the nearest one."""
    chosen = (np.arange(side) * images.shape[axis] // side for axis, side in ((1, rows), (2, columns)))
    fitted: np.ndarray = images[np.ix_(range(len(images)), *chosen)]
    return fitted


def field_picture(image: np.ndarray, box: Box) -> np.ndarray:
    """`image` (H, W, 3) uint8 with `box` on it, enlarged; at most its own size of padding on every side."""
    rows, columns = image.shape[:2]
    canvas = _canvas(box, rows, columns)
    factor = max(1, PICTURE_SIZE // max(canvas.height, canvas.width))
    across, down = np.arange(canvas.width * factor), np.arange(canvas.height * factor)[:, None]
    picture: np.ndarray = HATCH[(across + down) // 6 % 2]
    picture[_part(Box(0, 0, rows, columns), canvas, factor)] = image.repeat(factor, 0).repeat(factor, 1)
    lit = np.zeros(picture.shape[:2], dtype=bool)
    lit[_part(box, canvas, factor)] = True
    dimmed = picture * DIMMED + 128 * (1 - DIMMED)
    picture = np.where(lit[..., None], picture, dimmed).astype(np.uint8)
    _draw_frame(picture, *_part(box, canvas, factor))
    return picture


def field_words(box: Box, rows: int, columns: int) -> str:
    """Size and place of the field on an image of `rows` by `columns`, and how much of it is padding."""
    ends = ", ".join(map(_number, (box.top, box.left))), ", ".join(map(_number, (box.bottom, box.right)))
    share = 1 - box.overlap(Box(0, 0, rows, columns)).area / box.area
    return (
        f"{box.height}×{box.width} pixels, from ({ends[0]}) to ({ends[1]}); "
        f"{_percent(share)} of it lies in the padding"
    )


def _canvas(box: Box, rows: int, columns: int) -> Box:
    """The image and the field, as far as that is shown."""
    top, left = max(min(box.top, 0), -rows), max(min(box.left, 0), -columns)
    bottom = min(max(box.bottom + 1, rows), 2 * rows)
    right = min(max(box.right + 1, columns), 2 * columns)
    return Box(top, left, bottom - top, right - left)


def _part(box: Box, canvas: Box, factor: int) -> tuple[slice, slice]:
    """Where `box`, cut to the canvas, lies on the enlarged canvas."""
    shown = box.overlap(canvas)
    top, left = (shown.top - canvas.top) * factor, (shown.left - canvas.left) * factor
    return slice(top, top + shown.height * factor), slice(left, left + shown.width * factor)


def _draw_frame(picture: np.ndarray, rows: slice, columns: slice) -> None:
    """Frame the part, within it."""
    for inset, thickness, colour in ((0, 5, (0, 0, 0)), (1, 3, FRAME)):
        top, bottom = rows.start + inset, rows.stop - inset
        left, right = columns.start + inset, columns.stop - inset
        picture[top : top + thickness, left:right] = colour
        picture[max(bottom - thickness, top) : bottom, left:right] = colour
        picture[top:bottom, left : left + thickness] = colour
        picture[top:bottom, max(right - thickness, left) : right] = colour


def _number(number: int) -> str:
    return str(number).replace("-", "−")


def _percent(share: float) -> str:
    """Whole per cents, but never 0 or 100 for what is not quite that."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return "more than 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"
