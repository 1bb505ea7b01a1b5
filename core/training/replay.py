"""A batch that a run trained on, made again: its pictures, and the loss of each. Needs torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core import checkpoint
from core.augmentation.normalise import denormalise
from core.data.dataset import Dataset
from core.network.build import restore_network
from core.training.batches import Batch, Batches
from core.training.run import Run


@dataclass(frozen=True, eq=False, slots=True)
class Replay:
    """A batch of N images as the network saw it."""

    epoch: int
    step: int
    pictures: NDArray[np.uint8]
    """`(N, H, W, 3)` RGB: the inputs with the normalisation undone, cut off at 0 and 255."""
    indices: NDArray[np.int64]
    """Of the training images, `(N,)`."""
    labels: NDArray[np.int64]
    """`(N,)`."""
    others: NDArray[np.int64]
    """The labels of what was mixed in, `(N,)`; the images' own where nothing was."""
    share: float
    """Of the image's own label; 1 where nothing was mixed."""
    sha256: str
    """Over the bytes of the inputs, as `core.training.events.BatchSeen` has it."""
    device: str
    """Where it was made again: that of the run, or "cpu" where torch finds that one no longer."""


@dataclass(frozen=True, eq=False, slots=True)
class CheckpointLosses:
    """What a checkpoint makes of a batch, in evaluation mode: no dropout, and the statistics that it kept."""

    epoch: int
    """Of the checkpoint."""
    losses: NDArray[np.float64]
    """Cross-entropy in nats of each image `(N,)`, with the mixed labels, without smoothing."""


def count_steps_of(run: Run, dataset: Dataset) -> int:
    """Steps in an epoch of the run; `RunError` where `dataset` is not what it trained on."""
    return Batches(run.spec, dataset, "cpu").steps


def replay(run: Run, dataset: Dataset, epoch: int, step: int) -> Replay:
    """Make the batch of that place again, both from 1, on the run's own device if torch finds it.

    `RunError` where the run has no such place, or `dataset` is not what it trained on.
    """
    device = _device(run)
    batch = Batches(run.spec, dataset, device).at(epoch, step)
    augmentation = run.spec.augmentation
    return Replay(
        epoch=epoch,
        step=step,
        pictures=denormalise(batch.inputs.cpu().numpy(), augmentation.mean, augmentation.std),
        indices=batch.indices,
        labels=batch.labels.cpu().numpy(),
        others=batch.others.cpu().numpy(),
        share=batch.share,
        sha256=batch.sha256(),
        device=device,
    )


def losses_under(run: Run, dataset: Dataset, epoch: int, step: int, folder: Path) -> CheckpointLosses:
    """The loss that the checkpoint in `folder` has on each image of the batch, in float32."""
    record = checkpoint.load(folder)
    device = _device(run)
    network = restore_network(record.run_spec.network, checkpoint.load_weights(folder)).to(device).eval()
    batch = Batches(run.spec, dataset, device).at(epoch, step)
    with torch.no_grad(), torch.autocast(torch.device(device).type, enabled=False):
        losses = _losses(batch, network(batch.inputs))
    return CheckpointLosses(record.epoch, losses)


def _losses(batch: Batch, scores: torch.Tensor) -> NDArray[np.float64]:
    losses: NDArray[np.float64] = batch.losses(scores).double().cpu().numpy()
    return losses


def _device(run: Run) -> str:
    kind, _, index = run.device.partition(":")
    is_here = kind == "cuda" and int(index or 0) < torch.cuda.device_count()
    return run.device if is_here else "cpu"
