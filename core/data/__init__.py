"""Datasets: CIFAR-10, folders of pictures, and the stand-in "shapes"."""

from core.data.dataset import IMAGE_SIDE, Dataset, Split
from core.data.sources import DatasetSource, available, default_name, load, register_folder

__all__ = [
    "IMAGE_SIDE",
    "Dataset",
    "DatasetSource",
    "Split",
    "available",
    "default_name",
    "load",
    "register_folder",
]
