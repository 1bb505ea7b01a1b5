"""Steps on tensors that move pixels: flips, shift with scale and rotation, padding, crop."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.augmentation.tensor_step import FixedStep, Stage, TensorStep, scale_to, to_pixels, whole_between
from core.augmentation.transfer import send

# OpenCV's numbers of the border modes.
CONSTANT, REPLICATE, REFLECT, WRAP, REFLECT_101 = range(5)
NUMPY_MODES: Mapping[int, str] = MappingProxyType(
    {REPLICATE: "edge", REFLECT: "symmetric", WRAP: "wrap", REFLECT_101: "reflect"}
)
# torch reflects about the outermost pixels' centres with align_corners, else about their edges. Elsewhere
# align_corners only says what -1 and 1 mean.
TORCH_MODES: Mapping[int, tuple[str, bool]] = MappingProxyType(
    {
        CONSTANT: ("zeros", True),
        REPLICATE: ("border", True),
        REFLECT: ("reflection", False),
        REFLECT_101: ("reflection", True),
    }
)


class HorizontalFlip(FixedStep):
    """Left becomes right."""

    def apply(self, images: Tensor, drawn: None) -> Tensor:
        """The images, mirrored."""
        return images.flip(-1)


class VerticalFlip(FixedStep):
    """Top becomes bottom."""

    def apply(self, images: Tensor, drawn: None) -> Tensor:
        """The images, on their heads."""
        return images.flip(-2)


class Affine(TensorStep[Tensor]):
    """Shift, scale, rotation and shear; what is drawn is a matrix `(N, 3, 3)` float64.

    The matrix takes pixel centres `(x, y, 1)` of the image to where they end up, as albumentations' own.
    """

    num_uniforms = 7  # shift x, shift y, shear x, shear y, scale x, scale y, angle

    def __init__(self, transform: Any, stage: Stage) -> None:
        self.stage, self.border_mode = stage, transform.border_mode
        self.translate_px, self.translate_percent = transform.translate_px, transform.translate_percent
        self.shear, self.rotate = transform.shear, transform.rotate
        self.scale, self.keep_ratio = transform.scale, transform.keep_ratio
        self.fill = _channels(transform.fill, torch.float32)

    def draw(self, uniforms: Tensor) -> Tensor:
        """Matrices; shifts in percent come to whole pixels, cut off towards 0, as 2.0.8 has it."""
        shift = torch.stack([self._shift(uniforms[:, axis], axis) for axis in (0, 1)], 1)
        # A positive angle of shear is negative in the matrix.
        shear = torch.stack([-scale_to(uniforms[:, 2 + axis], self.shear[key]) for axis, key in AXES], 1)
        scale = torch.stack([scale_to(uniforms[:, 4 + axis], self.scale[key]) for axis, key in AXES], 1)
        if self.keep_ratio:
            scale[:, 1] = scale[:, 0]
        return self._compose(shift, shear.deg2rad(), scale, scale_to(uniforms[:, 6], self.rotate).deg2rad())

    def _shift(self, uniforms: Tensor, axis: int) -> Tensor:
        key, side = "xy"[axis], (self.stage.width, self.stage.height)[axis]
        if self.translate_px is not None:
            low, high = (int(end) for end in self.translate_px[key])
            return whole_between(uniforms, low, high).double()
        if self.translate_percent is not None:
            return torch.trunc(scale_to(uniforms, self.translate_percent[key]) * side)
        return torch.zeros_like(uniforms)

    def _compose(self, shift: Tensor, shear: Tensor, scale: Tensor, angle: Tensor) -> Tensor:
        """Scale, rotate and shear about the middle of the image, then shift; angles in radians."""
        count, one = len(shift), torch.ones_like(angle)
        cosine, sine = angle.cos(), angle.sin()
        rotation = torch.stack([cosine, sine, -sine, cosine], 1).view(count, 2, 2)
        slant = torch.stack([one, shear[:, 0].tan(), shear[:, 1].tan(), one], 1).view(count, 2, 2)
        linear = slant @ rotation * scale[:, None, :]
        middle = torch.tensor([self.stage.width - 1, self.stage.height - 1], dtype=torch.float64) / 2
        matrices = torch.eye(3, dtype=torch.float64).repeat(count, 1, 1)
        matrices[:, :2, :2] = linear
        matrices[:, :2, 2] = shift + middle - linear @ middle
        return matrices

    def apply(self, images: Tensor, drawn: Tensor) -> Tensor:
        """The images as the matrices leave them, interpolated linearly, of the same size."""
        inverse = torch.linalg.inv(drawn)[:, :2]
        pixels = images.float()
        if self.border_mode == WRAP:
            return to_pixels(_sample_wrapped(pixels, self._sources(inverse, images.device)), self.stage)
        mode, is_aligned = TORCH_MODES[self.border_mode]
        grid = self._sources(_to_grid(inverse, self.stage, is_aligned), images.device)
        if self.border_mode != CONSTANT or not self.fill.any():
            return to_pixels(_sample(pixels, grid, mode, is_aligned), self.stage)
        fill = send(self.fill, images.device)
        return to_pixels(_sample(pixels - fill, grid, mode, is_aligned) + fill, self.stage)

    def _sources(self, matrices: Tensor, device: torch.device) -> Tensor:
        """What matrices `(N, 2, 3)` make of every pixel's x and y: `(N, H, W, 2)` float32."""
        across, down, start = send(matrices.float(), device)[:, None, None].unbind(-1)
        columns = torch.arange(self.stage.width, device=device)[:, None]
        rows = torch.arange(self.stage.height, device=device)[:, None, None]
        # Half the time of functional.affine_grid on a CPU.
        return columns * across + (rows * down + start)


AXES = ((0, "x"), (1, "y"))


def _to_grid(matrices: Tensor, stage: Stage, is_aligned: bool) -> Tensor:
    """Matrices `(N, 2, 3)` whose result is not in pixels but in grid_sample's -1 to 1."""
    sides = torch.tensor([stage.width, stage.height], dtype=torch.float64)
    scale, offset = (2 / (sides - 1), -1.0) if is_aligned else (2 / sides, 1 / sides - 1)
    scaled = matrices * scale[:, None]
    scaled[:, :, 2] += offset
    return scaled


def _sample(pixels: Tensor, grid: Tensor, mode: str, is_aligned: bool) -> Tensor:
    return functional.grid_sample(pixels, grid, "bilinear", mode, align_corners=is_aligned)


def _sample_wrapped(pixels: Tensor, sources: Tensor) -> Tensor:
    """Beyond the right edge the left one follows: one more column and row, and sources modulo the sides."""
    height, width = pixels.shape[2:]
    sides = send(torch.tensor([width, height]), sources.device)
    larger = torch.cat([pixels, pixels[:, :, :1]], 2)
    larger = torch.cat([larger, larger[:, :, :, :1]], 3)
    grid = torch.remainder(sources, sides) * (2 / sides) - 1
    return _sample(larger, grid, "border", True)


class Pad(FixedStep):
    """A margin around every image."""

    def __init__(self, transform: Any, stage: Stage) -> None:
        sides = transform.get_params_dependent_on_data({"shape": (stage.height, stage.width)}, {})
        self.top, self.bottom, self.left, self.right = (
            int(sides[f"pad_{side}"]) for side in ("top", "bottom", "left", "right")
        )
        self.border_mode = transform.border_mode
        self.fill = _channels(transform.fill, torch.float32 if stage.is_normalised else torch.uint8)

    def apply(self, images: Tensor, drawn: None) -> Tensor:
        """The images with their margin, `(N, 3, top + H + bottom, left + W + right)`."""
        count, channels, height, width = images.shape
        if self.border_mode == CONSTANT:
            larger = images.new_empty(
                (count, channels, self.top + height + self.bottom, self.left + width + self.right)
            )
            larger[:] = send(self.fill, images.device)
            larger[:, :, self.top : self.top + height, self.left : self.left + width] = images
            return larger
        mode = NUMPY_MODES[self.border_mode]
        rows = send(_border_indices(height, self.top, self.bottom, mode), images.device)
        columns = send(_border_indices(width, self.left, self.right, mode), images.device)
        return images.index_select(2, rows).index_select(3, columns)


def _border_indices(side: int, before: int, after: int, mode: str) -> Tensor:
    """Of the padded side, which row or column of the image each one is."""
    return torch.from_numpy(np.pad(np.arange(side), (before, after), mode=mode))  # type: ignore[call-overload]


@dataclass(frozen=True, eq=False, slots=True)
class Corners:
    """The upper left corners of windows, `(N,)` int64, in pixels of the image that is cropped."""

    left: Tensor
    top: Tensor


class RandomCrop(TensorStep[Corners]):
    """A window of fixed size; what is drawn is its corner."""

    num_uniforms = 2

    def __init__(self, transform: Any, stage: Stage) -> None:
        self.stage, self.height, self.width = stage, transform.height, transform.width

    def draw(self, uniforms: Tensor) -> Corners:
        """Corners, each place as likely as any other."""
        return Corners(
            top=whole_between(uniforms[:, 0], 0, self.stage.height - self.height),
            left=whole_between(uniforms[:, 1], 0, self.stage.width - self.width),
        )

    def apply(self, images: Tensor, drawn: Corners) -> Tensor:
        """The windows, `(N, 3, height, width)`."""
        count, channels, _, width = images.shape
        device = images.device
        rows = send(drawn.top, device)[:, None] + torch.arange(self.height, device=device)
        columns = send(drawn.left, device)[:, None] + torch.arange(self.width, device=device)
        places = (rows[:, :, None] * width + columns[:, None, :]).view(count, 1, -1)
        # 4 times faster on a CPU than one pass for each place of the rows, then of the columns.
        windows = images.reshape(count, channels, -1).gather(2, places.expand(-1, channels, -1))
        return windows.view(count, channels, self.height, self.width)


def _channels(fill: Any, dtype: torch.dtype) -> Tensor:
    """A fill as albumentations gives it to OpenCV, `(3, 1, 1)`."""
    values = np.broadcast_to(np.asarray(fill, np.float64).ravel(), 3)
    if dtype == torch.uint8:
        values = np.clip(np.rint(values), 0, 255)
    return torch.tensor(values.copy(), dtype=dtype).view(3, 1, 1)
