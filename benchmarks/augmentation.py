"""How many images a second augmentation makes: course-style loader, our pipelines and kornia, on one thread.

    make bench                          # or: python benchmarks/augmentation.py

Every way starts from uint8 images in memory and ends with normalised float32 batches, and takes its turn over
the same images within one process. The recipe is seed 001's: flip, affine, one 16x16 hole, each at 0.5, then
Normalize. kornia comes close but does not do quite the same: its shifts are not of whole pixels.
"""

import importlib.util
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.course_loop import course_loader
from benchmarks.machine import describe_machine
from core.augmentation import AugmentationSpec, presets
from core.augmentation.batched import build_batched
from core.augmentation.pipeline import build_pipeline

PRESET = "seed_001_as_intended"
BATCH_SIZE = 128
COURSE, PIPELINE, BATCHED, KORNIA = (
    "albumentations in a DataLoader",
    "build_pipeline",
    "build_batched",
    "kornia",
)

Images = NDArray[np.uint8]
Way = Callable[[], int]


def run_course(images: Images, spec: AugmentationSpec) -> int:
    """One pass of the loader of the course projects; the images that came out."""
    loader = course_loader(images, np.zeros(len(images), np.int64), spec, BATCH_SIZE)
    return sum(len(inputs) for inputs, _ in loader)


def batches(images: Images) -> Iterator[Images]:
    """The images in random order."""
    order = np.random.default_rng(0).permutation(len(images))
    for first in range(0, len(images), BATCH_SIZE):
        yield images[order[first : first + BATCH_SIZE]]


def run_batches(images: Images, augment: Callable[[Images], Any]) -> int:
    """One pass in batches; the images that came out."""
    return sum(len(augment(batch)) for batch in batches(images))


def build_kornia(spec: AugmentationSpec) -> Callable[[Images], Tensor] | None:
    """kornia's nearest to the recipe, or None where it is not installed."""
    if importlib.util.find_spec("kornia") is None:
        return None
    from kornia import augmentation

    chain = augmentation.AugmentationSequential(
        augmentation.RandomHorizontalFlip(p=0.5),
        augmentation.RandomAffine(
            degrees=45, translate=(0.0625, 0.0625), scale=(0.9, 1.1), padding_mode="reflection", p=0.5
        ),
        augmentation.RandomErasing(scale=(0.25, 0.25), ratio=(1.0, 1.0), value=0.48, p=0.5),
        augmentation.Normalize(mean=torch.tensor(spec.mean), std=torch.tensor(spec.std)),
    )

    def augment(batch: Images) -> Tensor:
        pixels = torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous().float().div_(255)
        return chain(pixels)  # type: ignore[no-any-return]

    return augment


def ways(images: Images, spec: AugmentationSpec) -> dict[str, Way]:
    """What takes turns, by the name under which it is printed."""
    pipeline, batched = build_pipeline(spec, 0), build_batched(spec, 0, "cpu")
    found: dict[str, Way] = {
        COURSE: partial(run_course, images, spec),
        PIPELINE: partial(run_batches, images, pipeline.apply),
        BATCHED: partial(run_batches, images, lambda batch: batched.apply(torch.from_numpy(batch))),
    }
    kornia = build_kornia(spec)
    if kornia is not None:
        found[KORNIA] = partial(run_batches, images, kornia)
    return found


@dataclass(frozen=True, slots=True)
class Speed:
    """Over all turns."""

    median: float
    """Images a second."""
    best: float
    """Images a second."""
    processor_us: float
    """The median turn's time on the processor, microseconds an image: what else is running counts less."""


def compare(images: Images, rounds: int) -> dict[str, Speed]:
    """Let all ways take `rounds` turns, one after the other, after one that is not counted."""
    found = ways(images, presets()[PRESET])
    turns = [{name: time_pass(way) for name, way in found.items()} for _ in range(rounds + 1)][1:]
    speeds = {}
    for name in found:
        seconds, processor_seconds = zip(*(turn[name] for turn in turns), strict=True)
        count = len(images)
        speeds[name] = Speed(
            count / median(seconds), count / min(seconds), median(processor_seconds) / count * 1e6
        )
    return speeds


def time_pass(way: Way) -> tuple[float, float]:
    """Seconds that one pass takes, by the clock and on the processor."""
    start, processor_start = time.perf_counter(), time.process_time()
    way()
    return time.perf_counter() - start, time.process_time() - processor_start


def noise(count: int) -> Images:
    """Random pixels: no way is faster or slower for what is on them."""
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")  # kornia's, about torch
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    count, rounds = 2048, 11
    speeds = compare(noise(count), rounds)
    print(f"{presets()[PRESET].name}: {count} images of 32x32 in batches of {BATCH_SIZE}, one thread,")
    print(f"medians of {rounds} turns (best in brackets)")
    print(describe_machine())
    for name, speed in speeds.items():
        ratio = speed.median / speeds[COURSE].median
        processor = f"{speed.processor_us:6.1f} us/image on the processor"
        print(f"  {name:32s} {speed.median:8,.0f} images/s ({speed.best:8,.0f}) {ratio:5.1f} x  {processor}")
    if KORNIA not in speeds:
        print(f"  {KORNIA:32s} not installed")


if __name__ == "__main__":
    main()
