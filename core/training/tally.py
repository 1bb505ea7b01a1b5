"""What an epoch adds up to, and how long the rest of a training will take."""

import time
from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.training.batches import Batch
from core.training.peers import Alone


@dataclass(slots=True)
class Tally:
    """What an epoch adds up to so far; on the device, so that nothing waits for it."""

    images: int = 0
    loss: Tensor | float = 0.0
    """Summed cross-entropy, without smoothing and L1."""
    correct: Tensor | int = 0

    @torch.no_grad()
    def add(self, scores: Tensor, batch: Batch) -> None:
        """Add a batch with its scores (N, classes)."""
        self.images += len(scores)
        self.loss += batch.losses(scores).sum()
        self.correct += (scores.argmax(dim=1) == batch.labels).sum()

    def read(self, peers: Alone) -> tuple[int, float, float]:
        """How many images all processes trained on, their mean loss in nats, and the accuracy."""
        images, loss, correct = peers.sum(self.images, float(self.loss), float(self.correct))
        return int(images), loss / images, correct / images


@dataclass(slots=True)
class Clock:
    """How long the rest will take, from the pace so far."""

    first: int
    """The epoch with which this process began."""
    epochs: int
    steps: int
    begun: float = field(default_factory=time.perf_counter)

    def seconds_left(self, epoch: int, step: int) -> float:
        """To the end of the last epoch."""
        done = (epoch - self.first) * self.steps + step
        total = (self.epochs - self.first + 1) * self.steps
        return (time.perf_counter() - self.begun) / done * (total - done)
