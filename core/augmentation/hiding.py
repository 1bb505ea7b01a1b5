"""Which transforms hide pixels, and which pixels one has just hidden. It imports albumentations.

A pixel is hidden where nothing is left of it. What a transform does to one channel of three is no hole: the
pixel still shows, in another colour.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.augmentation.library import albumentations

Hole = tuple[int, int, int, int]
"""`(x1, y1, x2, y2)` in pixels, x2 and y2 outside."""

DROPOUTS = (
    albumentations.CoarseDropout,
    albumentations.ConstrainedCoarseDropout,
    albumentations.Erasing,
    albumentations.GridDropout,
    albumentations.XYMasking,
)
"""Those that make rectangular holes, in masks too."""
HIDING = (*DROPOUTS, albumentations.PixelDropout, albumentations.SaltAndPepper)


def hidden_pixels(transform: Any) -> NDArray[np.bool_] | None:
    """`(H, W)`: the single pixels that it has hidden in the last image; None where it did or does not.

    Such transforms leave masks as they are, or drop other pixels of them, with further draws.
    """
    drawn = transform.get_applied_params()
    if not drawn:
        return None
    hidden: NDArray[np.bool_] | None = None
    if isinstance(transform, albumentations.PixelDropout):
        hidden = drawn["drop_mask"].all(axis=-1)
    elif isinstance(transform, albumentations.SaltAndPepper):
        hidden = drawn["salt_mask"] | drawn["pepper_mask"]
    return hidden


def drawn_holes(transform: Any) -> list[Hole]:
    """The holes that it has made in the last image, where it made them; a single pixel is one too."""
    pixels = hidden_pixels(transform)
    if pixels is not None:
        return [(x, y, x + 1, y + 1) for y, x in np.argwhere(pixels).tolist()]
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in np.asarray(_corners(transform), int).tolist()]


def _corners(transform: Any) -> Any:
    return transform.get_applied_params().get("holes", ())
