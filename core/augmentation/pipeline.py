"""The augmentation that runs: what the preview shows is what the training gets, drawn by the same code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.augmentation.check import active_steps, build_step, check
from core.augmentation.library import albumentations
from core.augmentation.normalise import denormalise, normalise
from core.augmentation.spec import NORMALIZE, AugmentationSpec, step_seed

__all__ = [
    "Pipeline",
    "Preview",
    "Stage",
    "Trace",
    "build_pipeline",
    "check",
    "normalise",
    "preview",
    "stages",
]

Hole = tuple[int, int, int, int]
DROPOUTS = (
    albumentations.CoarseDropout,
    albumentations.ConstrainedCoarseDropout,
    albumentations.Erasing,
    albumentations.GridDropout,
    albumentations.XYMasking,
)


@dataclass(frozen=True, eq=False, slots=True)
class Trace:
    """What the network gets, and what was done to each image; see `Preview` for the last three."""

    normalised: NDArray[np.float32]
    """`(N, 3, H, W)`."""
    holes: tuple[tuple[Hole, ...], ...]
    hidden: NDArray[np.bool_]
    acted: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Preview:
    """Pictures as a network would be trained on them, and what was done to each."""

    images: NDArray[np.uint8]
    """`(N, H, W, 3)` RGB: what training gets, with the normalisation undone and cut off at 0 and 255."""
    holes: tuple[tuple[Hole, ...], ...]
    """For each image the holes as they were drawn, `(x1, y1, x2, y2)` in pixels, x2 and y2 outside.

    A step behind the dropout can still move or turn them: `hidden` is where they ended up.
    """
    hidden: NDArray[np.bool_]
    """`(N, H, W)`: the pixels of the finished picture that lie in a hole."""
    acted: tuple[tuple[int, ...], ...]
    """For each image the indices in `spec.steps` of the steps that acted on it."""


@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """One image behind one step."""

    index: int
    """Of the step, in `spec.steps`."""
    image: NDArray[np.uint8]
    """`(H, W, 3)` RGB; behind a Normalize step it is undone again. Padding makes images larger."""
    hidden: NDArray[np.bool_]
    """`(H, W)`: what lies in a hole by now."""
    drawn: dict[str, Any]
    """The parameters that the step drew, as albumentations names them; empty where it did not act."""


class _Watched(albumentations.Compose):  # type: ignore[misc]
    """A Compose that lets someone look at the data behind every transform."""

    watcher: Callable[[Any, dict[str, Any]], None] | None = None

    def _track_transform_params(self, transform: Any, data: dict[str, Any]) -> None:
        if self.watcher:
            self.watcher(transform, data)


class Pipeline:
    """An `albumentations.Compose` over the steps that are on, with its own draw for every image.

    Deterministic: the same spec, seed and images in the same order give the same result, in however many
    calls they come. For the same draws again, build it again.
    """

    def __init__(self, spec: AugmentationSpec, seed: int) -> None:
        check(spec)
        self.spec = spec
        steps = active_steps(spec)
        # At the end, its usual place, Normalize costs 26 us an image in the Compose and 4 us in one batch, of
        # 123 us in all (flip, affine, one hole, each at 0.5; 2,000 images of 32x32, one thread, best of 4).
        self._normalises_last = NORMALIZE not in {step.transform for _, step in steps[:-1]}
        if steps and self._normalises_last and steps[-1][1].transform == NORMALIZE:
            steps = steps[:-1]
        self._transforms = {index: build_step(spec, index) for index, _ in steps}
        for transform in self._transforms.values():
            if isinstance(transform, DROPOUTS):
                transform.fill_mask = 1  # so that a mask shows where the holes end up
        self._compose = _Watched(list(self._transforms.values()), seed=seed)
        # Compose gives all its transforms the same seed, so that two flips would always go together.
        for number, transform in enumerate(self._transforms.values()):
            transform.set_random_seed(step_seed(seed, number))

    def apply(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Augmented and normalised: `(N, H, W, 3)` uint8 RGB to `(N, 3, H, W)` float32."""
        return self._finish(images, lambda index, image: self._compose(image=image)["image"])

    def preview(self, images: NDArray[np.uint8]) -> Preview:
        """What `apply` would make of the same `(N, H, W, 3)` images, and what was done to each."""
        traced = self.trace(images)
        pictures = denormalise(traced.normalised, self.spec.mean, self.spec.std)
        return Preview(pictures, traced.holes, traced.hidden, traced.acted)

    def trace(self, images: NDArray[np.uint8]) -> Trace:
        """What `apply` would give for the same `(N, H, W, 3)` images, and what was done to each."""
        hidden = np.zeros(images.shape[:3], np.uint8)
        holes: list[tuple[Hole, ...]] = []
        acted: list[tuple[int, ...]] = []

        def augment(index: int, image: NDArray[np.uint8]) -> NDArray[Any]:
            outcome = self._compose(image=image, mask=hidden[index])
            hidden[index] = outcome["mask"]
            # A transform forgets its parameters with every image and draws new ones only when it acts.
            drawn = {number: step.get_applied_params() for number, step in self._transforms.items()}
            holes.append(tuple(_hole(hole) for params in drawn.values() for hole in params.get("holes", ())))
            acted.append(tuple(number for number, params in drawn.items() if params))
            return outcome["image"]  # type: ignore[no-any-return]

        normalised = self._finish(images, augment)
        return Trace(normalised, tuple(holes), hidden.astype(bool), tuple(acted))

    def stages(self, image: NDArray[np.uint8]) -> tuple[Stage, ...]:
        """The next image `(H, W, 3)`, as `apply` would change it, behind every step that can act."""
        numbers = {id(transform): number for number, transform in self._transforms.items()}
        seen: list[Stage] = []

        def watch(transform: Any, data: dict[str, Any]) -> None:
            picture = data["image"]
            if picture.dtype != np.uint8:
                planes = np.moveaxis(picture, -1, 0)[None]
                picture = denormalise(planes, self.spec.mean, self.spec.std)[0]
            drawn = dict(transform.get_applied_params())
            seen.append(Stage(numbers[id(transform)], picture.copy(), data["mask"].astype(bool), drawn))

        self._compose.watcher = watch
        try:
            self._compose(image=image, mask=np.zeros(image.shape[:2], np.uint8))
        finally:
            self._compose.watcher = None
        return tuple(seen)

    def _finish(
        self, images: NDArray[np.uint8], augment: Callable[[int, NDArray[np.uint8]], NDArray[Any]]
    ) -> NDArray[np.float32]:
        augmented = np.empty(images.shape, np.uint8 if self._normalises_last else np.float32)
        for index, image in enumerate(images):
            augmented[index] = augment(index, image)
        if self._normalises_last:
            return normalise(augmented, self.spec.mean, self.spec.std)
        return np.ascontiguousarray(np.moveaxis(augmented, -1, 1))


def _hole(corners: NDArray[np.int64]) -> Hole:
    x1, y1, x2, y2 = (int(corner) for corner in corners)
    return x1, y1, x2, y2


def build_pipeline(spec: AugmentationSpec, seed: int) -> Pipeline:
    """The pipeline of `spec`; `SpecError` where `check` finds a fault."""
    return Pipeline(spec, seed)


def preview(spec: AugmentationSpec, images: NDArray[np.uint8], seed: int) -> Preview:
    """What a pipeline of this spec and seed makes first of `(N, H, W, 3)` uint8 images."""
    return build_pipeline(spec, seed).preview(images)


def stages(spec: AugmentationSpec, images: NDArray[np.uint8], seed: int, index: int) -> tuple[Stage, ...]:
    """How the picture `index` of `preview(spec, images, seed)` came about, step by step.

    Each image is drawn behind the ones before it, so those are drawn first.
    """
    pipeline = build_pipeline(spec, seed)
    pipeline.apply(images[:index])
    return pipeline.stages(images[index])
