"""albumentations itself, imported in one place."""

import os
import warnings

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else it asks the internet for a newer release

import albumentations  # type: ignore[import-untyped]

__all__ = ["albumentations"]

warnings.filterwarnings("ignore", "ShiftScaleRotate is a special case of Affine", UserWarning)
warnings.filterwarnings("ignore", "This augmenter is very slow", UserWarning)
