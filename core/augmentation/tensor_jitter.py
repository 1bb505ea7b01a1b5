"""ColorJitter on 8-bit tensors, with the tables and the rounding of OpenCV."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.augmentation.tensor_colour import brightness_of
from core.augmentation.tensor_step import Stage, TensorStep, scale_to
from core.augmentation.transfer import send

HUES = 180  # OpenCV's turn, in half degrees, so that a hue fits into 8 bits
SHIFT = 12  # the fraction bits of OpenCV's tables


@dataclass(frozen=True, eq=False, slots=True)
class Jitter:
    """Factors and their order."""

    factors: Tensor
    """`(N, 4)` float64: brightness, contrast, saturation as factors, hue in turns."""
    order: Tensor
    """`(N, 4)` int64: which of the four comes first, second, third and last."""


class ColorJitter(TensorStep[Jitter]):
    """Brightness, contrast, saturation and hue, in an order of its own for every image."""

    num_uniforms = 8

    def __init__(self, transform: Any, stage: Stage) -> None:
        self.ranges = (transform.brightness, transform.contrast, transform.saturation, transform.hue)

    def draw(self, uniforms: Tensor) -> Jitter:
        """Four factors from their ranges, and one of the 24 orders."""
        factors = [scale_to(uniforms[:, part], ends) for part, ends in enumerate(self.ranges)]
        return Jitter(torch.stack(factors, 1), uniforms[:, 4:].argsort(1))

    def apply(self, images: Tensor, drawn: Jitter) -> Tensor:
        """The images after all four changes."""
        changed = images.clone()
        for position in range(4):
            for part, change in enumerate((brighten, contrast, saturate, turn_hue)):
                rows = (drawn.order[:, position] == part).nonzero()[:, 0]
                if len(rows):
                    factors = send(drawn.factors[rows, part], images.device).view(-1, 1, 1, 1)
                    rows = send(rows, images.device)
                    changed[rows] = change(changed[rows], factors)
        return changed


def brighten(images: Tensor, factors: Tensor) -> Tensor:
    """All values times a factor, cut off to whole numbers."""
    return (images * factors.float()).clamp_(0, 255).to(torch.uint8)


def contrast(images: Tensor, factors: Tensor) -> Tensor:
    """Distances from the mean brightness of the image times a factor, cut off to whole numbers."""
    mean = brightness_of(images).double().mean((1, 2, 3), keepdim=True)
    even = torch.floor(mean + 0.5)  # with the factor 0 the mean is rounded
    middle = torch.where(factors == 0, even, mean * (1 - factors))
    return (images * factors.float()).add_(middle.float()).clamp_(0, 255).to(torch.uint8)


def saturate(images: Tensor, factors: Tensor) -> Tensor:
    """Distances from the pixel's own grey times a factor, rounded."""
    grey = brightness_of(images)
    # OpenCV multiplies and adds in one rounding: in float64, then to float32, comes to the same.
    mixed = images * factors.float().double() + grey * (1 - factors).float()
    return mixed.float().round_().clamp_(0, 255).to(torch.uint8)


def turn_hue(images: Tensor, factors: Tensor) -> Tensor:
    """Hues moved around the colour circle; 0 turns leave the image as it is."""
    hue, saturation, value = _to_hsv(images)
    hue = torch.remainder(hue + HUES * factors, HUES).to(torch.uint8)
    return torch.where(factors == 0, images, _to_rgb(hue, saturation, value))


def _to_hsv(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """OpenCV's RGB to HSV for 8 bits, each `(N, 1, H, W)` int32: hue to 179, the others to 255."""
    red, green, blue = images.int()[:, :, None].unbind(1)
    value = images.amax(1, keepdim=True).int()
    spread = value - images.amin(1, keepdim=True).int()
    saturation = (spread * _reciprocals(255, value) + (1 << SHIFT - 1)) >> SHIFT
    sector = torch.where(
        value == red,
        green - blue,
        torch.where(value == green, blue - red + 2 * spread, red - green + 4 * spread),
    )
    hue = (sector * _reciprocals(HUES / 6, spread) + (1 << SHIFT - 1)) >> SHIFT
    return torch.where(hue < 0, hue + HUES, hue), saturation, value


def _reciprocals(scale: float, divisors: Tensor) -> Tensor:
    """`scale / divisor` with `SHIFT` fraction bits, rounded; 0 for 0."""
    table = (scale * (1 << SHIFT) / torch.arange(256, dtype=torch.float64)).round()
    table[0] = 0
    return send(table.int(), divisors.device)[divisors.long()]


def _to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """OpenCV's HSV to RGB for 8 bits: float32, then cut off; `(N, 3, H, W)` uint8."""
    sixths = hue.float() * (6 / HUES)
    sector = sixths.floor()
    within = sixths - sector
    grey, top = saturation.float() * (1 / 255), value.float() * (1 / 255)
    # Again in one rounding.
    falling, rising = (1 - grey.double() * share.double() for share in (within, 1 - within))
    levels = torch.cat([top, top * (1 - grey), top * falling.float(), top * rising.float()], 1)
    # For each sixth of the circle, which level is red, green and blue.
    choice = torch.tensor([[0, 3, 1], [2, 0, 1], [1, 0, 3], [1, 2, 0], [3, 1, 0], [0, 1, 2]])
    channels = send(choice, hue.device)[sector.long().squeeze(1) % 6].permute(0, 3, 1, 2)
    return (levels.gather(1, channels) * 255).to(torch.uint8)
