"""CoarseDropout on tensors."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.augmentation.tensor_step import Stage, TensorStep, scale_to, whole_between
from core.augmentation.transfer import send


@dataclass(frozen=True, eq=False, slots=True)
class Holes:
    """Rectangles, and what lies in them."""

    corners: Tensor
    """`(N, holes, 4)` int64: x1, y1, x2, y2 in pixels, x2 and y2 outside; all 0 where there is no hole."""
    paint: Tensor
    """What shows through: `(N or 1, 3, H or 1, W or 1)`, of the dtype of the images."""


class CoarseDropout(TensorStep[Holes]):
    """Rectangles, each wholly inside the image, filled with a colour or with noise."""

    def __init__(self, transform: Any, stage: Stage) -> None:
        self.stage, self.fill = stage, transform.fill
        self.fewest, self.most = transform.num_holes_range
        self.height_range, self.width_range = transform.hole_height_range, transform.hole_width_range
        self.dtype = torch.float32 if stage.is_normalised else torch.uint8
        self.num_noise = {"random": 3 * stage.height * stage.width, "random_uniform": 3 * self.most}.get(
            self.fill if isinstance(self.fill, str) else "", 0
        )
        self.num_uniforms = 1 + 4 * self.most + self.num_noise

    def draw(self, uniforms: Tensor) -> Holes:
        """How many holes, then for each its size and its place among those that keep it inside."""
        count = len(uniforms)
        num_holes = whole_between(uniforms[:, 0], self.fewest, self.most)
        places = uniforms[:, 1 : 1 + 4 * self.most].view(count, self.most, 4)
        heights = self._sizes(places[..., 0], self.height_range, self.stage.height)
        widths = self._sizes(places[..., 1], self.width_range, self.stage.width)
        top = whole_between(places[..., 2], 0, self.stage.height - heights)
        left = whole_between(places[..., 3], 0, self.stage.width - widths)
        corners = torch.stack([left, top, left + widths, top + heights], -1)
        corners *= (torch.arange(self.most) < num_holes[:, None])[..., None]
        return Holes(corners, self._paint(corners, uniforms[:, 1 + 4 * self.most :]))

    def _sizes(self, uniforms: Tensor, ends: tuple[float, float], side: int) -> Tensor:
        """Pixels. As in 2.0.8 the greatest height decides whether all ranges are pixels or shares."""
        if self.height_range[1] >= 1:
            return whole_between(uniforms, int(ends[0]), int(min(ends[1], side)))
        return (side * scale_to(uniforms, ends)).long()

    def _paint(self, corners: Tensor, noise: Tensor) -> Tensor:
        if not isinstance(self.fill, str):
            # Cut off rather than rounded, as NumPy casts.
            dtype = np.float32 if self.stage.is_normalised else np.uint8
            colour = np.broadcast_to(np.array(self.fill, dtype).ravel(), 3)
            return torch.from_numpy(colour.copy()).view(1, 3, 1, 1)
        levels = noise if self.stage.is_normalised else torch.floor(noise * 256)
        height, width = self.stage.height, self.stage.width
        if self.fill == "random":
            return levels.to(self.dtype).view(-1, 3, height, width)
        colours = levels.to(self.dtype).view(-1, self.most, 3, 1, 1)
        paint = colours.new_zeros((len(corners), 3, height, width))
        for hole in range(self.most):  # the later hole covers the earlier one
            inside = cover(corners[:, hole : hole + 1], height, width)
            paint = torch.where(inside, colours[:, hole], paint)
        return paint

    def apply(self, images: Tensor, drawn: Holes) -> Tensor:
        """The images with the paint where a hole is."""
        height, width = images.shape[2:]
        hidden = cover(send(drawn.corners, images.device), height, width)
        return torch.where(hidden, send(drawn.paint, images.device), images)


def cover(corners: Tensor, height: int, width: int) -> Tensor:
    """The pixels `(N, 1, H, W)` that lie in one of the holes `(N, holes, 4)`."""
    left, top, right, bottom = corners.unsqueeze(-1).unbind(2)
    rows = torch.arange(height, device=corners.device)
    columns = torch.arange(width, device=corners.device)
    is_row = (rows >= top) & (rows < bottom)
    is_column = (columns >= left) & (columns < right)
    return (is_row[..., :, None] & is_column[..., None, :]).any(1, keepdim=True)
