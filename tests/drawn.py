"""What albumentations drew, translated for the pipeline on tensors, so that both can do the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.augmentation.batched import BatchedPipeline, Drawn
from core.augmentation.check import active_steps, build_step
from core.augmentation.library import albumentations
from core.augmentation.spec import NORMALIZE, AugmentationSpec
from core.augmentation.tensor_colour import Stretch
from core.augmentation.tensor_dropout import Holes
from core.augmentation.tensor_geometry import Corners
from core.augmentation.tensor_jitter import Jitter

Applied = list[list[tuple[str, dict[str, Any]]]]


def by_albumentations(spec: AugmentationSpec, images: np.ndarray, seed: int) -> tuple[np.ndarray, Applied]:
    """Normalised images `(N, 3, 32, 32)`, and for each image the steps that acted with their parameters."""
    transforms = [build_step(spec, index) for index, _ in active_steps(spec)]
    if NORMALIZE not in {step.transform for step in spec.steps}:
        transforms.append(albumentations.Normalize(mean=spec.mean, std=spec.std))
    compose = albumentations.Compose(transforms, seed=seed, save_applied_params=True)
    outcomes = [compose(image=image) for image in images]
    pixels = np.stack([np.moveaxis(outcome["image"], -1, 0) for outcome in outcomes])
    return pixels, [outcome["applied_transforms"] for outcome in outcomes]


def noise_of(holes: np.ndarray, seed: int, is_uniform: bool, canvas: np.ndarray) -> np.ndarray:
    """What CoarseDropout paints from its own seed, hole after hole, `(H, W, 3)`."""
    generator = np.random.default_rng(seed)
    for x1, y1, x2, y2 in holes:
        shape = (1, 1, 3) if is_uniform else (y2 - y1, x2 - x1, 3)
        if canvas.dtype == np.uint8:
            canvas[y1:y2, x1:x2] = generator.integers(0, 256, size=shape, dtype=np.uint8)
        else:
            canvas[y1:y2, x1:x2] = generator.uniform(0, 1.0, size=shape)
    return canvas


def holes_of(params: list[dict[str, Any]], mine: Any) -> Holes:
    corners = torch.zeros(len(params), mine.most, 4, dtype=torch.int64)
    for row, one in zip(corners, params, strict=True):
        row[: len(one["holes"])] = torch.from_numpy(one["holes"])
    if not isinstance(mine.fill, str):
        return Holes(corners, mine.draw(torch.zeros(1, mine.num_uniforms)).paint)
    shape = (mine.stage.height, mine.stage.width, 3)
    dtype = np.float32 if mine.stage.is_normalised else np.uint8
    is_uniform = mine.fill == "random_uniform"
    paint = [noise_of(one["holes"], one["seed"], is_uniform, np.zeros(shape, dtype)) for one in params]
    return Holes(corners, torch.from_numpy(np.stack(paint)).permute(0, 3, 1, 2))


def column(params: list[dict[str, Any]], *names: str) -> Tensor:
    return torch.tensor([[one[name] for name in names] for one in params], dtype=torch.float64)


def matrices_of(params: list[dict[str, Any]], mine: Any) -> Tensor:
    return torch.from_numpy(np.stack([one["matrix"] for one in params]))


def jitter_of(params: list[dict[str, Any]], mine: Any) -> Jitter:
    order = torch.tensor([one["order"] for one in params])
    return Jitter(column(params, "brightness", "contrast", "saturation", "hue"), order)


TRANSLATE: dict[str, Callable[[list[dict[str, Any]], Any], object]] = {
    "Affine": matrices_of,
    "ShiftScaleRotate": matrices_of,
    "RandomCrop": lambda params, mine: Corners(
        left=torch.tensor([one["crop_coords"][0] for one in params]),
        top=torch.tensor([one["crop_coords"][1] for one in params]),
    ),
    "CoarseDropout": holes_of,
    "RandomBrightnessContrast": lambda params, mine: Stretch(*column(params, "alpha", "beta").unbind(1)),
    "ColorJitter": jitter_of,
}


def to_drawn(pipeline: BatchedPipeline, applied: Applied) -> list[Drawn]:
    """What albumentations drew, as the pipeline on tensors takes it; every transform at most once."""
    names = [step.transform for _, step in active_steps(pipeline.spec)]
    if len(names) < len(pipeline.steps):
        names.append(NORMALIZE)
    drawn = []
    for name, (_, mine) in zip(names, pipeline.steps, strict=True):
        acted = [dict(of_image).get(name) for of_image in applied]
        rows = [row for row, params in enumerate(acted) if params is not None]
        translate = TRANSLATE.get(name, lambda params, mine: None)
        parameters = translate([acted[row] for row in rows], mine) if rows else None
        is_all = len(rows) == len(applied)
        drawn.append(Drawn(None if is_all else torch.tensor(rows, dtype=torch.int64), parameters))
    return drawn
