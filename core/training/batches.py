"""The batches of a training: any of them can be made again, bit by bit, from the run spec and its place.

All that is random in a batch follows from (the run's seed, its epoch, its step), and from nothing before it.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from core.arrays import Array
from core.augmentation import AugmentationSpec
from core.augmentation.batched import build_batched
from core.augmentation.batched_support import supports
from core.augmentation.pipeline import build_pipeline
from core.augmentation.transfer import send
from core.data.dataset import Dataset, Split
from core.data.splits import split_validation, take_balanced
from core.errors import RunError
from core.training.mixing import draw_mix
from core.training.recipe import RunSpec

FLIP = "HorizontalFlip"
MOST_WORKERS = 4


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """What the network is given at one step."""

    indices: Array
    """Of the training images, `(N,)`."""
    inputs: Tensor
    """`(N, C, H, W)` float32, augmented and normalised."""
    labels: Tensor
    """`(N,)` int64."""
    others: Tensor
    """The labels of what was mixed in, `(N,)`; those of the images themselves where nothing was."""
    share: float
    """Of the image's own label."""

    def part(self, rows: slice) -> "Batch":
        """Some of the images, with all that belongs to them."""
        return Batch(self.indices[rows], self.inputs[rows], self.labels[rows], self.others[rows], self.share)

    def losses(self, scores: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """The cross-entropy of each image `(N,)`, in nats, of `scores` (N, classes)."""
        own = functional.cross_entropy(scores, self.labels, label_smoothing=label_smoothing, reduction="none")
        if self.share == 1:
            return own
        other = functional.cross_entropy(
            scores, self.others, label_smoothing=label_smoothing, reduction="none"
        )
        return self.share * own + (1 - self.share) * other

    def sha256(self) -> str:
        """Over the bytes of the inputs, in the order of their axes."""
        return hashlib.sha256(self.inputs.contiguous().cpu().numpy().tobytes()).hexdigest()


class Batches:
    """Every batch of a run, by epoch and step, both from 1."""

    def __init__(self, run_spec: RunSpec, dataset: Dataset, device: str | torch.device) -> None:
        check_images(run_spec, dataset)
        self.spec, self.recipe, self.device = run_spec, run_spec.recipe, torch.device(device)
        self.train_indices, self.validation = choose_images(run_spec, dataset)
        self.steps = count_steps(len(self.train_indices), self.recipe.batch_size)
        self._images, self._labels = dataset.train.images, dataset.train.labels
        self._ordered: tuple[int, Array] = (0, self.train_indices)  # epochs count from 1
        self._augmentation, self._flips = self._split_flips()
        # On tensors an image costs 32 us of a core, one by one through albumentations 126 us (seed 001's
        # steps); the network takes about 1000 us (benchmarks/augmentation.py, benchmarks/training.py).
        self.is_on_tensors = supports(self._augmentation)[0]
        self._pipeline = build_batched(self._augmentation, 0, self.device) if self.is_on_tensors else None
        # The pixels as they are, uint8: 150 MB for CIFAR-10, so that a GPU never waits for them.
        self._resident: Tensor | None = None
        if self.is_on_tensors and self.device.type != "cpu":
            self._resident = torch.from_numpy(np.array(self._images)).to(self.device)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """All batches of an epoch in order."""
        if self.is_on_tensors or self.device.type == "cpu":
            yield from (self.at(epoch, step) for step in range(1, self.steps + 1))
            return
        workers = min(MOST_WORKERS, max(1, (os.cpu_count() or 1) - 1))
        loader = DataLoader(_Inputs(self, epoch), batch_size=None, num_workers=workers, pin_memory=True)
        for step, inputs in enumerate(loader, start=1):
            yield self._finish(epoch, step, inputs.to(self.device, non_blocking=True))

    def at(self, epoch: int, step: int) -> Batch:
        """One batch, whatever was asked for before."""
        if not 1 <= step <= self.steps or not 1 <= epoch <= self.recipe.epochs:
            given = f"epoch {epoch}, step {step}"
            raise RunError(
                f"the run has epochs 1 to {self.recipe.epochs} of {self.steps} steps, got {given};"
                " choose one of them"
            )
        return self._finish(epoch, step, self.augment(epoch, step))

    def augment(self, epoch: int, step: int) -> Tensor:
        """The inputs of a batch before they are mixed, `(N, C, H, W)` float32."""
        indices = self._indices(epoch, step)
        seed = seed_of(self.recipe.seed, epoch, step)
        if self._pipeline is None:
            pipeline = build_pipeline(self._augmentation, seed)
            return torch.from_numpy(pipeline.apply(self._flip(self._images[indices], indices, epoch)))
        self._pipeline.reseed(seed)
        if self._resident is None:
            return self._pipeline.apply(torch.from_numpy(self._flip(self._images[indices], indices, epoch)))
        images = self._resident[send(torch.from_numpy(indices), self.device)]
        if self._flips is not None:
            is_mirrored = send(torch.from_numpy(self._is_mirrored(indices, epoch)), self.device)
            images = torch.where(is_mirrored[:, None, None, None], images.flip(2), images)
        return self._pipeline.apply(images)

    def _finish(self, epoch: int, step: int, inputs: Tensor) -> Batch:
        indices = self._indices(epoch, step)
        inputs = send(inputs, self.device)
        labels = send(torch.from_numpy(self._labels[indices]), self.device)
        batch = Batch(indices, inputs, labels, labels, 1.0)
        if self.recipe.mix == "none":
            return batch
        height, width = inputs.shape[2:]
        seed = seed_of(self.recipe.seed, epoch, step, "mix")
        mix = draw_mix(self.recipe.mix, self.recipe.mix_alpha, len(indices), height, width, seed)
        order = send(torch.from_numpy(mix.order), self.device)
        return replace(batch, inputs=mix.apply(inputs, order), others=labels[order], share=mix.share)

    def _indices(self, epoch: int, step: int) -> Array:
        size = self.recipe.batch_size
        return self._order(epoch)[(step - 1) * size : step * size]

    def _order(self, epoch: int) -> Array:
        """The training images in the order of an epoch; that of the last one asked for is kept."""
        if self._ordered[0] != epoch:
            draws = np.random.default_rng(seed_of(self.recipe.seed, epoch))
            self._ordered = epoch, draws.permutation(self.train_indices)
        return self._ordered[1]

    def _split_flips(self) -> tuple[AugmentationSpec, Array | None]:
        """The augmentation without flips, and which images the first epoch mirrors, if flips alternate."""
        spec = self.spec.augmentation
        flips = [step for step in spec.steps if step.transform == FLIP and step.is_on]
        if not self.recipe.alternate_flips or not flips:
            return spec, None
        others = tuple(step for step in spec.steps if step.transform != FLIP)
        draws = np.random.default_rng(seed_of(self.recipe.seed, 0, "flips"))
        return replace(spec, steps=others), draws.random(len(self._labels)) < flips[0].probability

    def _is_mirrored(self, indices: Array, epoch: int) -> Array:
        assert self._flips is not None
        return self._flips[indices] ^ bool((epoch - 1) % 2)

    def _flip(self, images: Array, indices: Array, epoch: int) -> Array:
        """The images `(N, H, W, 3)` with those mirrored whose turn it is."""
        if self._flips is None:
            return images
        is_mirrored = self._is_mirrored(indices, epoch)
        return np.where(is_mirrored[:, None, None, None], images[:, :, ::-1], images)


class _Inputs(TorchDataset[Tensor]):
    """The inputs of an epoch's batches, for the workers of a `DataLoader`."""

    def __init__(self, batches: Batches, epoch: int) -> None:
        self.batches, self.of_epoch = batches, epoch

    def __len__(self) -> int:
        return self.batches.steps

    def __getitem__(self, index: int) -> Tensor:
        return self.batches.augment(self.of_epoch, index + 1)


def check_images(run_spec: RunSpec, dataset: Dataset) -> None:
    """`RunError` where the network or the run was made for other images than these."""
    network, (_, height, width, channels) = run_spec.network, dataset.train.images.shape
    if dataset.fingerprint != run_spec.fingerprint:
        given = f"the run was made for {run_spec.fingerprint[:8]}…, got {dataset.fingerprint[:8]}…"
        raise RunError(f"{dataset.title} holds other images than it did: {given}; start a new run")
    if network.num_classes != len(dataset.classes):
        given = f"{network.num_classes} classes, {dataset.title} has {len(dataset.classes)}"
        raise RunError(f"{network.name} tells apart {given}; set num_classes to {len(dataset.classes)}")
    if network.input_shape != (channels, height, width):
        given = f"{network.input_shape}, the images are {(channels, height, width)}"
        raise RunError(f"{network.name} takes images (C, H, W) of {given}; set its input_shape to that")


def choose_images(run_spec: RunSpec, dataset: Dataset) -> tuple[Array, Split]:
    """The indices of the training images, and the images that choose the best epoch."""
    recipe, images, labels = run_spec.recipe, dataset.train.images, dataset.train.labels
    indices = np.arange(len(labels))
    if run_spec.train_images is not None:
        indices = take_balanced(labels, run_spec.train_images, recipe.seed)
    if recipe.validation == "test":
        return indices, dataset.test
    kept, held_out = split_validation(labels[indices], recipe.validation_fraction, recipe.seed)
    chosen = indices[held_out]
    return indices[kept], Split(images=images[chosen], labels=labels[chosen])


def count_steps(num_images: int, batch_size: int) -> int:
    """Steps in an epoch. A last batch of one image is left out: one value has no variance to normalise by."""
    whole, rest = divmod(num_images, batch_size)
    return max(1, whole + (rest > 1))


def seed_of(run_seed: int, *place: int | str) -> int:
    """The seed of an epoch, or of a step in it, 32 bits; epoch 0 draws the first weights."""
    text = " ".join(str(part) for part in (run_seed, *place))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
