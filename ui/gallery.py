"""Pictures on a page: enlarged without blur, in a grid, each with words for those who cannot see it."""

from collections.abc import Sequence

import numpy as np
import streamlit as st


def enlarge(image: np.ndarray, size: int = 128) -> np.ndarray:
    """`image` (H, W, 3) uint8 enlarged by the whole number that comes closest to `size` pixels, at least 1.

    The browser would blur a 32×32 image when it scales it; repeating pixels keeps what the network sees.
    """
    factor = max(1, round(size / max(image.shape[:2])))
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def gallery(
    images: Sequence[np.ndarray] | np.ndarray,
    captions: Sequence[str],
    alts: Sequence[str] | None = None,
    size: int = 128,
) -> None:
    """Show `images`, each (H, W, 3) uint8, in a grid that fits the width of the page."""
    with st.grid(min_column_width=size, gap="small"):
        for image, caption, alt in zip(images, captions, alts or captions, strict=True):
            picture = enlarge(image, 2 * size)
            # Streamlit's own choice is JPEG, which would smear the edges of the pixels.
            st.image(picture, caption=caption or None, width="stretch", output_format="PNG", alt=alt)
