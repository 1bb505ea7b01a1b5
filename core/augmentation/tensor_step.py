"""What every transform on tensors offers: the numbers that it draws, apart from what it does with them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Stage:
    """The images that a step meets."""

    height: int
    """Pixels."""
    width: int
    """Pixels."""
    is_normalised: bool
    """float32 after Normalize, uint8 before it."""

    @property
    def white(self) -> float:
        """The value that albumentations takes for the greatest: 255 for uint8, 1 for any float."""
        return 1.0 if self.is_normalised else 255.0


Drawn = TypeVar("Drawn")


class TensorStep(ABC, Generic[Drawn]):
    """One transform of albumentations 2.0.8 on a batch `(N, 3, H, W)`, with its own draw for every image."""

    num_uniforms = 0
    """How many random numbers it takes for an image."""

    def __init__(self, transform: Any, stage: Stage) -> None:
        """From the albumentations transform, whose arguments are checked, and the images it will meet."""

    @abstractmethod
    def draw(self, uniforms: Tensor) -> Drawn:
        """Its parameters from `(N, num_uniforms)` float64 random numbers in [0, 1), on the CPU."""

    @abstractmethod
    def apply(self, images: Tensor, drawn: Drawn) -> Tensor:
        """A copy of `images`, changed by what was drawn for each; only Normalize changes the dtype."""


class FixedStep(TensorStep[None]):
    """A step that does the same to every image on which it acts."""

    def draw(self, uniforms: Tensor) -> None:
        """Nothing."""


def scale_to(uniforms: Tensor, ends: tuple[float, float]) -> Tensor:
    """Random numbers in [0, 1) to the range between `ends`."""
    low, high = ends
    return low + (high - low) * uniforms


def whole_between(uniforms: Tensor, low: Tensor | int, high: Tensor | int) -> Tensor:
    """Random numbers in [0, 1) to whole numbers from `low` to `high`, both included, as int64."""
    return low + torch.floor(uniforms * (high - low + 1)).long()


def to_pixels(images: Tensor, stage: Stage) -> Tensor:
    """float32 results as the next step meets them: whole numbers before Normalize, as they are after it."""
    return images if stage.is_normalised else images.round_().clamp_(0, 255).to(torch.uint8)
