"""Reading a picture that a stranger sent: refused before it can do harm, and always the same RGB pixels."""

import struct
import threading
import warnings
import zlib
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import ImageError

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 10_000_000
MAX_PIXELS = 24_000_000
MIN_SIDE, MAX_SIDE = 8, 8000
MAX_SHOWN = 1024
"""The longest side that is kept, in pixels: more is neither shown nor seen by a 32×32 network."""

# What Pillow's decoders raise on damaged files; most of it shows within 24,000 random mutations.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
)

# 24 million pixels take about 100 MB while they are decoded, for every picture at the same time.
_decoding = threading.BoundedSemaphore(2)

# Set once: `warnings.catch_warnings` is not safe between threads.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def read_image(content: bytes) -> np.ndarray:
    """The picture in `content`, a PNG, JPEG or WebP file, as (H, W, 3) uint8 RGB, upright, metadata dropped.

    The longest side is at most 1024 pixels. Of an animation the first frame; transparency lies on white.
    Raises `ImageError` for other formats whatever the file is called, for more than 10 MB or 24 million
    pixels (before they are decoded), for sides outside 8 to 8000 pixels, and for damaged files.
    """
    if len(content) > MAX_BYTES:
        raise ImageError(
            f"The file has {len(content) / 1e6:.1f} MB, at most 10 are read; send a smaller picture."
        )
    try:
        with _decoding, Image.open(BytesIO(content), formats=FORMATS) as image:
            _check_size(*image.size)
            return np.array(_to_rgb(image))
    except UnidentifiedImageError:
        raise ImageError(
            "This is not a PNG, JPEG or WebP picture, whatever its name says; save it as one of these."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(f"The picture has more than {MAX_PIXELS:,} pixels; send a smaller one.") from None
    except UNREADABLE:
        raise ImageError(
            "The picture is damaged or cut off and cannot be read; save or send it again."
        ) from None


def fit_square(image: np.ndarray, side: int = 32) -> np.ndarray:
    """The central square of `image` (H, W, 3) uint8, resized to (side, side, 3) if it has another size."""
    height, width = image.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = image[top : top + edge, left : left + edge]
    if edge == side:
        return square
    # As sharp as bicubic and without its halos, which a network would see as edges.
    return np.array(Image.fromarray(square).resize((side, side), Image.Resampling.HAMMING))


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"The picture has {width} × {height} pixels, at most {MAX_PIXELS:,} are read; send a smaller one."
        )
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_SIDE:
        raise ImageError(
            f"Both sides must have {MIN_SIDE} to {MAX_SIDE} pixels, this picture has {width} × {height}; "
            "crop or resize it."
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    image.draft("RGB", (MAX_SHOWN, MAX_SHOWN))  # a JPEG is then decoded at a half, a quarter or an eighth
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits a pixel, which `convert` would clip at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    image.thumbnail((MAX_SHOWN, MAX_SHOWN))
    return image
