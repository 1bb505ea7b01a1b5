"""The augmentation that runs: what the preview shows is what the training gets, drawn by the same code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.augmentation.check import IMAGE_SIDE, active_steps, build_step, check
from core.augmentation.hiding import DROPOUTS, Hole, drawn_holes, hidden_pixels
from core.augmentation.library import albumentations
from core.augmentation.normalise import denormalise, normalise
from core.augmentation.spec import NORMALIZE, AugmentationSpec, step_seed

__all__ = [
    "Begun",
    "Pipeline",
    "Preview",
    "Stage",
    "Trace",
    "begin",
    "build_pipeline",
    "check",
    "finish",
    "normalise",
    "preview",
    "stages",
]


@dataclass(frozen=True, eq=False, slots=True)
class Begun:
    """N images on their way through a pipeline, and what was done to each so far."""

    images: tuple[NDArray[Any], ...]
    """Each `(H, W, 3)`, of whatever size the steps so far leave it."""
    masks: tuple[NDArray[np.uint8], ...]
    """Of each image `(H, W)`: 1 where it lies in a hole."""
    holes: tuple[tuple[Hole, ...], ...]
    acted: tuple[tuple[int, ...], ...]
    count: int = 0
    """How many of `spec.steps` they have been through."""


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
    """A Compose whose masks show single pixels that are hidden, as they show holes.

    It lets someone look at the data behind every transform.
    """

    watcher: Callable[[Any, dict[str, Any]], None] | None = None

    def _track_transform_params(self, transform: Any, data: dict[str, Any]) -> None:
        if "mask" in data and (hidden := hidden_pixels(transform)) is not None:
            data["mask"] = data["mask"] | hidden  # a new one: the old one may be kept for another run
        if self.watcher:
            self.watcher(transform, data)


class Pipeline:
    """An `albumentations.Compose` over the steps that are on, with its own draw for every image.

    Deterministic: the same spec, seed and images in the same order give the same result, in however many
    calls they come. For the same draws again, build it again.
    """

    def __init__(self, spec: AugmentationSpec, seed: int, part: range | None = None) -> None:
        """All of it, or of `spec.steps` only `part`, which draws what it draws as a part of the whole."""
        check(spec)
        self.spec = spec
        self._part = range(len(spec.steps)) if part is None else part
        steps = active_steps(spec)
        # At the end, its usual place, Normalize costs 26 us an image in the Compose and 4 us in one batch, of
        # 123 us in all (flip, affine, one hole, each at 0.5; 2,000 images of 32x32, one thread, best of 4).
        self._normalises_last = NORMALIZE not in {step.transform for _, step in steps[:-1]}
        if steps and self._normalises_last and steps[-1][1].transform == NORMALIZE:
            steps = steps[:-1]
        numbers = {index: number for number, (index, _) in enumerate(steps) if index in self._part}
        self._transforms = {index: build_step(spec, index) for index in numbers}
        self._compose = _Watched(list(self._transforms.values()), seed=seed)
        for index, transform in self._transforms.items():
            if isinstance(transform, DROPOUTS):
                transform.fill_mask = 1  # so that a mask shows where the holes end up
            # Compose gives all its transforms the same seed, so that two flips would always go together.
            transform.set_random_seed(step_seed(seed, numbers[index]))

    def apply(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Augmented and normalised: `(N, H, W, 3)` uint8 RGB to `(N, 3, H, W)` float32."""
        return self._normalised([self._compose(image=image)["image"] for image in images])

    def preview(self, images: NDArray[np.uint8]) -> Preview:
        """What `apply` would make of the same `(N, H, W, 3)` images, and what was done to each."""
        return self._developed(self.trace(images))

    def trace(self, images: NDArray[np.uint8]) -> Trace:
        """What `apply` would give for the same `(N, H, W, 3)` images, and what was done to each."""
        return self._traced(self.go_on(_untouched(images)))

    def finish(self, begun: Begun) -> Preview:
        """The preview of images that have been through all steps before this part of the pipeline."""
        return self._developed(self._traced(self.go_on(begun)))

    def go_on(self, begun: Begun) -> Begun:
        """The images behind the steps of this part of the pipeline, which they have not been through."""
        images, masks, holes, acted = [], [], [], []
        for image, mask, had, did in zip(begun.images, begun.masks, begun.holes, begun.acted, strict=True):
            outcome = self._compose(image=image, mask=mask)
            images.append(outcome["image"])
            masks.append(outcome["mask"])
            # A transform forgets its parameters with every image and draws new ones only when it acts.
            drawn = {number: step.get_applied_params() for number, step in self._transforms.items()}
            holes.append((*had, *(hole for step in self._transforms.values() for hole in drawn_holes(step))))
            acted.append((*did, *(number for number, params in drawn.items() if params)))
        return Begun(tuple(images), tuple(masks), tuple(holes), tuple(acted), self._part.stop)

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

    def _traced(self, begun: Begun) -> Trace:
        hidden = np.empty((len(begun.masks), IMAGE_SIDE, IMAGE_SIDE), np.bool_)
        for place, mask in zip(hidden, begun.masks, strict=True):
            place[...] = mask
        return Trace(self._normalised(begun.images), begun.holes, hidden, begun.acted)

    def _developed(self, traced: Trace) -> Preview:
        pictures = denormalise(traced.normalised, self.spec.mean, self.spec.std)
        return Preview(pictures, traced.holes, traced.hidden, traced.acted)

    def _normalised(self, images: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        shape = (len(images), IMAGE_SIDE, IMAGE_SIDE, 3)
        augmented = np.empty(shape, np.uint8 if self._normalises_last else np.float32)
        for place, image in zip(augmented, images, strict=True):
            place[...] = image
        if self._normalises_last:
            return normalise(augmented, self.spec.mean, self.spec.std)
        return np.ascontiguousarray(np.moveaxis(augmented, -1, 1))


def _untouched(images: NDArray[np.uint8]) -> Begun:
    masks = np.zeros(images.shape[:3], np.uint8)
    nothing: tuple[tuple[Any, ...], ...] = ((),) * len(images)
    return Begun(tuple(images), tuple(masks), nothing, nothing)


def build_pipeline(spec: AugmentationSpec, seed: int) -> Pipeline:
    """The pipeline of `spec`; `SpecError` where `check` finds a fault."""
    return Pipeline(spec, seed)


def preview(spec: AugmentationSpec, images: NDArray[np.uint8], seed: int) -> Preview:
    """What a pipeline of this spec and seed makes first of `(N, H, W, 3)` uint8 images."""
    return build_pipeline(spec, seed).preview(images)


def begin(spec: AugmentationSpec, images: NDArray[np.uint8], seed: int, count: int) -> Begun:
    """The images of `preview(spec, images, seed)` behind the first `count` steps of `spec`.

    Each step draws by itself, image by image, so these stay as they are whatever the steps behind them do.
    """
    return Pipeline(spec, seed, range(count)).go_on(_untouched(images))


def finish(spec: AugmentationSpec, begun: Begun, seed: int) -> Preview:
    """`preview(spec, images, seed)`, from what `begin` made of the images."""
    return Pipeline(spec, seed, range(begun.count, len(spec.steps))).finish(begun)


def stages(spec: AugmentationSpec, images: NDArray[np.uint8], seed: int, index: int) -> tuple[Stage, ...]:
    """How the picture `index` of `preview(spec, images, seed)` came about, step by step.

    Each image is drawn behind the ones before it, so those are drawn first.
    """
    pipeline = build_pipeline(spec, seed)
    pipeline.apply(images[:index])
    return pipeline.stages(images[index])
