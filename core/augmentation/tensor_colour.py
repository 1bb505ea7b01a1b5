"""Steps on tensors that change values where they stand: grey, brightness, contrast, normalisation."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.augmentation.tensor_step import FixedStep, Stage, TensorStep, scale_to
from core.augmentation.transfer import send


class ToGray(FixedStep):
    """Three equal channels."""

    def __init__(self, transform: Any, stage: Stage) -> None:
        self.stage, self.method = stage, transform.method

    def apply(self, images: Tensor, drawn: None) -> Tensor:
        """The images without colour, still with three channels."""
        return self._grey(images).to(images.dtype).repeat(1, 3, 1, 1)

    def _grey(self, images: Tensor) -> Tensor:
        """`(N, 1, H, W)`; before Normalize the cast to uint8 cuts off what follows the point."""
        if self.method == "weighted_average":
            return brightness_of(images)
        pixels = images.float()
        if self.method == "average":
            return pixels.sum(1, keepdim=True) / 3
        if self.method == "max":
            return pixels.amax(1, keepdim=True)
        middle = (pixels.amax(1, keepdim=True) + pixels.amin(1, keepdim=True)) / 2
        return middle.clamp_(0, self.stage.white)  # 2.0.8 cuts off even what Normalize made


def brightness_of(images: Tensor) -> Tensor:
    """OpenCV's grey `(N, 1, H, W)` of RGB images, of their dtype.

    For uint8 it is OpenCV's fixed-point sum, which float32 holds exactly: it stays below 2^23.
    """
    red, green, blue = images.float()[:, :, None].unbind(1)
    if images.dtype == torch.uint8:
        return ((red * 9798 + green * 19235 + blue * 3735 + 16384) / 32768).to(torch.uint8)
    return red * 0.299 + green * 0.587 + blue * 0.114


@dataclass(frozen=True, eq=False, slots=True)
class Stretch:
    """`pixel * factor + offset`, each `(N,)`."""

    factor: Tensor
    offset: Tensor
    """On the scale of the pixels."""


class RandomBrightnessContrast(TensorStep[Stretch]):
    """Contrast stretches the values from 0, brightness adds to them."""

    num_uniforms = 2

    def __init__(self, transform: Any, stage: Stage) -> None:
        self.stage = stage
        self.brightness, self.contrast = transform.brightness_limit, transform.contrast_limit

    def draw(self, uniforms: Tensor) -> Stretch:
        """Factors around 1, and offsets as shares of white."""
        return Stretch(
            factor=1 + scale_to(uniforms[:, 0], self.contrast),
            offset=scale_to(uniforms[:, 1], self.brightness) * self.stage.white,
        )

    def apply(self, images: Tensor, drawn: Stretch) -> Tensor:
        """The images, stretched and moved; before Normalize cut off to whole numbers, not rounded."""
        factor, offset = (
            send(values.float(), images.device).view(-1, 1, 1, 1) for values in (drawn.factor, drawn.offset)
        )
        return (images * factor).add_(offset).clamp_(0, self.stage.white).to(images.dtype)


class Normalize(FixedStep):
    """`(pixel / 255 - mean) / std`: uint8 to float32, by the operations and precision of albumentations."""

    def __init__(self, transform: Any, stage: Stage) -> None:
        self.offset = torch.from_numpy(transform.mean_np).view(3, 1, 1)
        self.factor = torch.from_numpy(transform.denominator).view(3, 1, 1)

    def apply(self, images: Tensor, drawn: None) -> Tensor:
        """The images as float32."""
        offset, factor = send(self.offset, images.device), send(self.factor, images.device)
        return images.float().sub_(offset).mul_(factor)
