"""What a measurement was taken on: one line that every benchmark prints above its table."""

import platform

import cv2
import torch

from core.augmentation.library import albumentations
from core.device import cpu_name


def describe_machine() -> str:
    """CPU model and the versions that matter."""
    return (
        f"{cpu_name()}; Python {platform.python_version()}, torch {torch.__version__}, "
        f"albumentations {albumentations.__version__}, OpenCV {cv2.__version__}"
    )
