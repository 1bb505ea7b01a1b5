"""The tiles of the Augment page, decoded as a browser would."""

from base64 import b64decode
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ui.augmentation.see_tiles import OUTLINE


def decode(address: str) -> NDArray[np.uint8]:
    """A tile as a browser would decode it, RGBA."""
    return np.asarray(Image.open(BytesIO(b64decode(address.removeprefix("data:image/png;base64,")))))


def pixels(address: str) -> list[NDArray[np.uint8]]:
    """The pictures inside a tile, as a browser would decode them, at their own size."""
    whole = decode(address)
    factor = len(whole) // 32
    small = whole[::factor, ::factor]
    assert np.array_equal(small.repeat(factor, axis=0).repeat(factor, axis=1), whole), "no pixel is blurred"
    return [small[:, left : left + 32, :3] for left in range(0, small.shape[1] - 31, 34)]


def is_outlined(address: str) -> bool:
    """Whether a region of the tile is outlined."""
    return bool((decode(address) == OUTLINE).all(axis=2).any())
