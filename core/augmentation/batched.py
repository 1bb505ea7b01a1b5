"""The same pipelines on tensors: a whole batch at once, on CPU or GPU, with its own draw for every image.

What albumentations 2.0.8 does to one image is the rule: shifts of whole pixels, holes wholly inside, uint8
between the steps until Normalize, its rounding and its cutting off.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.augmentation import tensor_colour, tensor_geometry
from core.augmentation.batched_support import supports
from core.augmentation.check import IMAGE_SIDE, active_steps, build_step, check
from core.augmentation.library import albumentations
from core.augmentation.spec import NORMALIZE, AugmentationSpec
from core.augmentation.tensor_dropout import CoarseDropout
from core.augmentation.tensor_jitter import ColorJitter
from core.augmentation.tensor_step import Stage, TensorStep
from core.augmentation.transfer import send
from core.errors import SpecError

STEPS: Mapping[str, Callable[[Any, Stage], TensorStep[Any]]] = {
    "HorizontalFlip": tensor_geometry.HorizontalFlip,
    "VerticalFlip": tensor_geometry.VerticalFlip,
    "Affine": tensor_geometry.Affine,
    "ShiftScaleRotate": tensor_geometry.Affine,
    "Pad": tensor_geometry.Pad,
    "RandomCrop": tensor_geometry.RandomCrop,
    "CoarseDropout": CoarseDropout,
    "ToGray": tensor_colour.ToGray,
    "ColorJitter": ColorJitter,
    "RandomBrightnessContrast": tensor_colour.RandomBrightnessContrast,
    NORMALIZE: tensor_colour.Normalize,
}


@dataclass(frozen=True, eq=False, slots=True)
class Drawn:
    """What one step drew for a batch."""

    rows: Tensor | None
    """The images on which it acts, `(n,)` int64 in ascending order; None for all of them."""
    parameters: Any
    """For those images, in the form that the step draws; None where it draws nothing."""


class BatchedPipeline:
    """The steps of a spec that are on, over a batch.

    Deterministic: the same spec, seed and images in the same order give the same result, in however many
    calls they come, and the same draws on every device. They are other draws than those that the pipeline
    of albumentations makes with this seed, from the same distributions.
    """

    def __init__(self, spec: AugmentationSpec, seed: int, device: str | torch.device) -> None:
        is_supported, reason = supports(spec)
        if not is_supported:
            raise SpecError(f"{reason}; use the pipeline of albumentations for it")
        check(spec)
        self.spec, self.device = spec, torch.device(device)
        self.steps: list[tuple[float, TensorStep[Any]]] = []
        """The probability with which each step acts, and the step."""
        stage = Stage(IMAGE_SIDE, IMAGE_SIDE, is_normalised=False)
        for index, step in active_steps(spec):
            self.steps.append((step.probability, STEPS[step.transform](build_step(spec, index), stage)))
            stage = _after(self.steps[-1][1], stage)
        if not stage.is_normalised:
            last = albumentations.Normalize(mean=spec.mean, std=spec.std)
            self.steps.append((1.0, tensor_colour.Normalize(last, stage)))
        # Drawn on the CPU: a few numbers an image, and how many images a step acts on is known without
        # waiting for the device.
        self._generator = torch.Generator().manual_seed(seed)
        self._num_uniforms = sum(step.num_uniforms + (chance < 1) for chance, step in self.steps)

    def reseed(self, seed: int) -> None:
        """Draw from here on as a new pipeline with this seed would."""
        self._generator.manual_seed(seed)

    def draw(self, count: int) -> list[Drawn]:
        """What every step, Normalize at the end included, will do to the next `count` images."""
        uniforms = torch.rand(count, self._num_uniforms, generator=self._generator, dtype=torch.float64)
        drawn = []
        for chance, step in self.steps:
            rows = None
            mine, uniforms = uniforms[:, : step.num_uniforms], uniforms[:, step.num_uniforms :]
            if chance < 1:
                acts, uniforms = uniforms[:, 0] < chance, uniforms[:, 1:]
                rows = acts.nonzero()[:, 0]
                mine = mine[rows]
            drawn.append(Drawn(rows, step.draw(mine)))
        return drawn

    def replay(self, images: Tensor, drawn: list[Drawn]) -> Tensor:
        """What `apply` makes of the images with these draws."""
        batch = _to_planes(send(images, self.device))
        for (_, step), draw in zip(self.steps, drawn, strict=True):
            if draw.rows is None:
                batch = step.apply(batch, draw.parameters)
            elif len(draw.rows):
                rows = send(draw.rows, self.device)
                batch[rows] = step.apply(batch[rows], draw.parameters)
        return batch

    def apply(self, images: Tensor) -> Tensor:
        """Augment and normalise `(N, 32, 32, 3)` or `(N, 3, 32, 32)` uint8 RGB: `(N, 3, 32, 32)` float32.

        `images` may lie on any device and stay as they are; the result lies on the device of the pipeline.
        `ValueError` for another shape or dtype.
        """
        return self.replay(images, self.draw(len(images)))


def _after(step: TensorStep[Any], stage: Stage) -> Stage:
    """The images that a step leaves."""
    if isinstance(step, tensor_colour.Normalize):
        return Stage(stage.height, stage.width, is_normalised=True)
    if isinstance(step, tensor_geometry.Pad):
        height, width = stage.height + step.top + step.bottom, stage.width + step.left + step.right
        return Stage(height, width, stage.is_normalised)
    if isinstance(step, tensor_geometry.RandomCrop):
        return Stage(step.height, step.width, stage.is_normalised)
    return stage


def _to_planes(images: Tensor) -> Tensor:
    """A copy of the images as `(N, 3, H, W)`."""
    side = IMAGE_SIDE
    if images.dtype == torch.uint8 and images.shape[1:] == (side, side, 3):
        return images.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)
    if images.dtype == torch.uint8 and images.shape[1:] == (3, side, side):
        return images.clone(memory_format=torch.contiguous_format)
    raise ValueError(
        f"images are (N, {side}, {side}, 3) or (N, 3, {side}, {side}) of torch.uint8, "
        f"got {tuple(images.shape)} of {images.dtype}"
    )


def build_batched(spec: AugmentationSpec, seed: int, device: str | torch.device) -> BatchedPipeline:
    """The pipeline of `spec` on tensors; `SpecError` where `supports` or `check` finds a fault."""
    return BatchedPipeline(spec, seed, device)
