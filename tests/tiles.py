"""The tiles of the Augment page, decoded as a browser would."""

from base64 import b64decode
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ui.augmentation.see_tiles import GAP, OUTLINE


def decode(address: str) -> NDArray[np.uint8]:
    """A tile as a browser would decode it, RGBA."""
    return np.asarray(Image.open(BytesIO(b64decode(address.removeprefix("data:image/png;base64,")))))


def pixels(address: str) -> list[NDArray[np.uint8]]:
    """The pictures inside a tile, as a browser would decode them, at their own size."""
    whole = decode(address)
    factor = len(whole) // 32
    side = 32 * factor
    large = [whole[:, left : left + side, :3] for left in range(0, whole.shape[1] - side + 1, side + GAP)]
    small = [picture[::factor, ::factor] for picture in large]
    for picture, enlarged in zip(small, large, strict=True):
        assert np.array_equal(picture.repeat(factor, axis=0).repeat(factor, axis=1), enlarged), "not blurred"
    return small


def is_outlined(address: str) -> bool:
    """Whether a region of the tile is outlined."""
    return bool((decode(address) == OUTLINE).all(axis=2).any())
