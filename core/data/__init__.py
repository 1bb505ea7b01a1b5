"""Datasets: CIFAR-10, image folders, and the stand-in "shapes"."""

from core.data.dataset import IMAGE_SIDE, Dataset, Split
from core.data.sources import load

__all__ = ["IMAGE_SIDE", "Dataset", "Split", "load"]
