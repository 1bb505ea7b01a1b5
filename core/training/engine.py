"""Training: numbers in, events out. No file is written and nothing is printed here."""

import hashlib
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.arrays import Array
from core.augmentation.pipeline import build_pipeline
from core.data.dataset import Dataset, Split
from core.data.splits import split_validation, take_balanced
from core.errors import RunError
from core.network.build import build_network, restore_network
from core.network.predict import predict
from core.training.events import EpochDone, EpochMetrics, StepDone
from core.training.optimiser import build_optimiser, optimiser_arrays, restore_optimiser, to_array
from core.training.recipe import RunSpec
from core.training.schedule import rate_at


@dataclass(frozen=True, eq=False, slots=True)
class Snapshot:
    """A training between two epochs: all that it needs to go on."""

    history: tuple[EpochMetrics, ...]
    """Of every epoch so far."""
    weights: Mapping[str, Array]
    """By their names in the `state_dict`."""
    optimiser: Mapping[str, Array]
    """See `core.training.optimiser`."""


def train(
    run_spec: RunSpec, dataset: Dataset, device: str, *, resume: Snapshot | None = None
) -> Iterator[StepDone | EpochDone]:
    """Train the network of `run_spec`, from the beginning or from `resume`, and tell every step and epoch.

    The same run spec, device, threads and versions give the same weights, interrupted or not. torch's
    global generator is seeded anew at every epoch. Raises `RunError` where the images are not those of the
    run spec, and where the loss or the weights are no longer numbers.
    """
    yield from Training(run_spec, dataset, device, resume=resume).events()


class Training:
    """`train` for those who want the weights too: `snapshot` gives them after every `EpochDone`."""

    def __init__(
        self, run_spec: RunSpec, dataset: Dataset, device: str, *, resume: Snapshot | None = None
    ) -> None:
        check_images(run_spec, dataset)
        self.run_spec, self.recipe, self.device = run_spec, run_spec.recipe, torch.device(device)
        self.images = dataset.train
        self.train_indices, self.validation = choose_images(run_spec, dataset)
        self.steps = count_steps(len(self.train_indices), self.recipe.batch_size)
        self.history = resume.history if resume else ()

        torch.manual_seed(seed_of(self.recipe.seed, epoch=0))
        spec = run_spec.network
        network = restore_network(spec, resume.weights) if resume else build_network(spec)
        # channels_last: 1.2 times the images a second on a CPU, for a network of 3x3 convolutions.
        self.network = network.to(self.device).to(memory_format=torch.channels_last)
        self.optimiser = build_optimiser(self.recipe, self.network)
        if resume:
            restore_optimiser(self.optimiser, resume.optimiser)

    def events(self) -> Iterator[StepDone | EpochDone]:
        """Every step and every epoch that is left."""
        first, begun = len(self.history) + 1, time.perf_counter()
        for epoch in range(first, self.recipe.epochs + 1):
            started = time.perf_counter()
            tally = Tally()
            for step, loss, rate in self._train_epoch(epoch, tally):
                done, total = (
                    (epoch - first) * self.steps + step,
                    (self.recipe.epochs - first + 1) * self.steps,
                )
                yield StepDone(
                    epoch=epoch,
                    step=step,
                    steps=self.steps,
                    loss=loss,
                    learning_rate=rate,
                    seconds_left=(time.perf_counter() - begun) / done * (total - done),
                )
            trained = time.perf_counter()
            validation_loss, validation_accuracy = self._validate(epoch)
            metrics = EpochMetrics(
                epoch=epoch,
                train_loss=tally.loss / tally.images,
                train_accuracy=tally.correct / tally.images,
                validation_loss=validation_loss,
                validation_accuracy=validation_accuracy,
                learning_rate=rate,
                seconds=time.perf_counter() - started,
                images_per_second=tally.images / (trained - started),
            )
            self.history = (*self.history, metrics)
            yield EpochDone(metrics=metrics, is_best=best_epoch(self.history) == epoch)

    def _train_epoch(self, epoch: int, tally: "Tally") -> Iterator[tuple[int, float, float]]:
        """One pass over the training images; after every step its number, its loss and its rate."""
        # All that is random follows from the run's seed and the epoch: a resumed run draws the same.
        seed = seed_of(self.recipe.seed, epoch)
        torch.manual_seed(seed)
        order = np.random.default_rng(seed).permutation(self.train_indices)
        pipeline = build_pipeline(self.run_spec.augmentation, seed)
        size = self.recipe.batch_size
        self.network.train()
        for step in range(1, self.steps + 1):
            batch = order[(step - 1) * size : step * size]
            inputs = torch.from_numpy(pipeline.apply(self.images.images[batch])).to(self.device)
            targets = torch.from_numpy(self.images.labels[batch]).to(self.device)
            rate = rate_at(self.recipe, (epoch - 1) * self.steps + step - 1, self.steps)
            scores, loss = self._take_step(inputs, targets, rate)
            if not math.isfinite(loss):
                raise self._diverged(epoch, step, f"the loss is {loss}")
            tally.add(scores, targets)
            yield step, loss, rate

    def _take_step(self, inputs: Tensor, targets: Tensor, rate: float) -> tuple[Tensor, float]:
        """One optimiser step on images (N, C, H, W): the scores (N, classes), and the loss that it lowers."""
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bfloat16"):
            scores = self.network(inputs).float()
        loss = functional.cross_entropy(scores, targets, label_smoothing=self.recipe.label_smoothing)
        if self.recipe.l1:
            loss = loss + self.recipe.l1 * sum(weights.abs().sum() for weights in self.network.parameters())
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return scores.detach(), loss.item()

    def _validate(self, epoch: int) -> tuple[float, float]:
        """Mean cross-entropy in nats, and accuracy, over the images that choose the best epoch."""
        if not all(bool(tensor.isfinite().all()) for tensor in self.network.state_dict().values()):
            raise self._diverged(epoch, self.steps, "the weights are no longer numbers")
        mean, std = self.run_spec.augmentation.mean, self.run_spec.augmentation.std
        probabilities = predict(self.network, self.validation.images, mean, std, self.device)
        labels = self.validation.labels
        of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
        # float32 can round a small probability down to 0.
        loss = float(-np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean())
        if not math.isfinite(loss):
            raise self._diverged(epoch, self.steps, f"the validation loss is {loss}")
        return loss, float((probabilities.argmax(axis=1) == labels).mean())

    def _diverged(self, epoch: int, step: int, sign: str) -> RunError:
        remedy = f"lower the learning rate, which was {self.recipe.learning_rate:g}"
        return RunError(f"the training diverged at epoch {epoch}, step {step}: {sign}; {remedy}")

    def snapshot(self) -> Snapshot:
        """Copies of the weights and of the optimiser's state; meant for the moments between two epochs."""
        weights = {name: to_array(tensor) for name, tensor in self.network.state_dict().items()}
        return Snapshot(self.history, weights, optimiser_arrays(self.optimiser))


@dataclass(slots=True)
class Tally:
    """What an epoch adds up to so far."""

    images: int = 0
    loss: float = 0.0
    """Summed cross-entropy, without smoothing and L1."""
    correct: int = 0

    def add(self, scores: Tensor, targets: Tensor) -> None:
        """Add a batch: scores (N, classes) and the true classes (N,)."""
        self.images += len(targets)
        self.loss += functional.cross_entropy(scores, targets, reduction="sum").item()
        self.correct += int((scores.argmax(dim=1) == targets).sum())


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


def seed_of(run_seed: int, epoch: int) -> int:
    """The seed of an epoch, 32 bits; epoch 0 draws the first weights."""
    return int.from_bytes(hashlib.sha256(f"{run_seed} {epoch}".encode()).digest()[:4])


def best_epoch(history: tuple[EpochMetrics, ...]) -> int:
    """The epoch with the highest validation accuracy; of equals the lowest loss, then the earliest."""
    return max(history, key=lambda epoch: (epoch.validation_accuracy, -epoch.validation_loss)).epoch
