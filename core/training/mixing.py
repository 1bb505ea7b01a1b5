"""Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019): every image with a share of another one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from core.arrays import Array

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False, slots=True)
class Mix:
    """What is mixed with what in one batch; one share for the whole batch, as in both papers' code."""

    order: Array
    """The image that is mixed into each, `(N,)` int64."""
    share: float
    """Of an image's own pixels."""
    box: Box | None
    """CutMix: where the other image is pasted, `(x1, y1, x2, y2)` in pixels, x2 and y2 outside."""

    def apply(self, inputs: Tensor, order: Tensor) -> Tensor:
        """The batch `(N, C, H, W)` mixed; `order` is its own on the device of the inputs."""
        if self.box is None:
            return inputs.mul(self.share).add_(inputs[order], alpha=1 - self.share)
        x1, y1, x2, y2 = self.box
        mixed = inputs.clone()
        mixed[:, :, y1:y2, x1:x2] = inputs[order, :, y1:y2, x1:x2]
        return mixed


def draw_mix(
    kind: Literal["mixup", "cutmix"], alpha: float, count: int, height: int, width: int, seed: int
) -> Mix:
    """What to do with a batch of `count` images; the share is drawn from Beta(alpha, alpha).

    A box is centred anywhere and cut off at the edges; the share is then that of the pixels really kept.
    """
    generator = np.random.default_rng(seed)
    order, share = generator.permutation(count), float(generator.beta(alpha, alpha))
    if kind == "mixup":
        return Mix(order, share, None)
    half_height, half_width = (round(side * (1 - share) ** 0.5) // 2 for side in (height, width))
    y, x = int(generator.integers(height)), int(generator.integers(width))
    x1, x2 = max(0, x - half_width), min(width, x + half_width)
    y1, y2 = max(0, y - half_height), min(height, y + half_height)
    return Mix(order, 1 - (x2 - x1) * (y2 - y1) / (height * width), (x1, y1, x2, y2))
