"""Training: numbers in, events out. No file is written and nothing is printed here."""

import math
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from core.arrays import Array
from core.data.dataset import Dataset
from core.errors import DivergedError
from core.network.build import build_network, restore_network
from core.network.exact import make_exact
from core.network.predict import predict
from core.training.averaging import WeightAverage
from core.training.batches import Batch, Batches, seed_of
from core.training.events import BatchSeen, EpochDone, EpochMetrics, RateChanged, StepDone, Validating
from core.training.optimiser import build_optimiser, optimiser_arrays, restore_optimiser, set_rate, to_array
from core.training.peers import ALONE, Alone
from core.training.recipe import RunSpec
from core.training.schedule import momentum_at, rate_at
from core.training.tally import Clock, Tally

TrainingEvent = StepDone | BatchSeen | RateChanged | Validating | EpochDone

MEMORY_FORMAT = torch.channels_last
"""The order of the axes in memory in which convolutions are quickest."""
SEEN_EVERY = 50
"""Steps from one batch whose hash is kept to the next; the first of every epoch is one of them."""
TOLD_EVERY = {"cpu": 1, "cuda": 16}
"""Steps from one that is told to the next: to tell a loss means to wait for the GPU."""
VALIDATED_AT_ONCE = {"cpu": 250, "cuda": 2000}
"""Images, by every process."""
RAW = "raw."
"""Before the names of the weights themselves, where the average of the weights is what is saved."""


@dataclass(frozen=True, eq=False, slots=True)
class Snapshot:
    """A training between two epochs: all that it needs to go on."""

    history: tuple[EpochMetrics, ...]
    """Of every epoch so far."""
    weights: Mapping[str, Array]
    """By their names in the `state_dict`; the average, where the recipe keeps one."""
    optimiser: Mapping[str, Array]
    """See `core.training.optimiser`; with the weights themselves, where the recipe keeps an average."""


def train(
    run_spec: RunSpec, dataset: Dataset, device: str, *, resume: Snapshot | None = None
) -> Iterator[TrainingEvent]:
    """Train the network of `run_spec`, from the beginning or from `resume`, and tell every step and epoch.

    The same run spec, device, threads and versions give the same weights, interrupted or not. torch's
    global generator is seeded anew at every epoch. Raises `RunError` where the images are not those of the
    run spec, and `DivergedError` where the loss or the weights are no longer numbers.
    """
    yield from Training(run_spec, dataset, device, resume=resume).events()


class Training:
    """`train` for those who want the weights too: `snapshot` gives them after every `EpochDone`.

    `rate_changes` are those that were made before, so that whoever resumes does them again at the same steps.
    `peers` are the processes that train the same run in step with this one, each on its part of every batch.
    """

    def __init__(
        self,
        run_spec: RunSpec,
        dataset: Dataset,
        device: str,
        *,
        resume: Snapshot | None = None,
        rate_changes: Sequence[RateChanged] = (),
        peers: Alone = ALONE,
    ) -> None:
        self.run_spec, self.recipe, self.device = run_spec, run_spec.recipe, torch.device(device)
        self.peers = peers
        make_exact(self.device)
        self.batches = Batches(run_spec, dataset, device)
        self.history = resume.history if resume else ()
        self._changes = deque(sorted(rate_changes, key=lambda change: (change.epoch, change.step)))
        self.told_every = TOLD_EVERY[self.device.type]
        self._factor = 1.0
        self._asked: float | None = None

        torch.manual_seed(seed_of(self.recipe.seed, 0))
        self.network = self._place(run_spec, resume.weights if resume else None)
        self.average: WeightAverage | None = None
        if self.recipe.averaging:
            self._start_average(resume)
        self.optimiser = build_optimiser(self.recipe, self.network)
        if resume:
            restore_optimiser(self.optimiser, resume.optimiser)

    def _place(self, run_spec: RunSpec, weights: Mapping[str, Array] | None) -> nn.Module:
        spec = run_spec.network
        network = build_network(spec) if weights is None else restore_network(spec, weights)
        return self.peers.share_norms(network.to(self.device).to(memory_format=MEMORY_FORMAT))

    def _start_average(self, resume: Snapshot | None) -> None:
        average = self._place(self.run_spec, resume.weights if resume else self._weights(self.network))
        if resume:
            raw = {
                key.removeprefix(RAW): array for key, array in resume.optimiser.items() if key.startswith(RAW)
            }
            self.network = self._place(self.run_spec, raw)
        self.average = WeightAverage(self.network, average, self.recipe.averaging)

    @property
    def evaluated(self) -> nn.Module:
        """The network that is validated and saved: the average, where the recipe keeps one."""
        return self.average.average if self.average else self.network

    def change_rate(self, factor: float) -> None:
        """From the next step on, train at the schedule's rate times `factor`."""
        self._asked = factor

    def events(self) -> Generator[TrainingEvent]:
        """Every step and every epoch that is left; whoever has peers closes this before it lets go of it."""
        is_going_on, self._asked = self.peers.agree(self._asked)
        for event in self._tell() if is_going_on else ():
            try:
                yield event
            except GeneratorExit:
                self.peers.leave()
                raise
            # All processes tell the same events, and whoever reads them may leave at each.
            is_going_on, self._asked = self.peers.agree(self._asked)
            if not is_going_on:
                return

    def _tell(self) -> Iterator[TrainingEvent]:
        first = len(self.history) + 1
        clock = Clock(first, self.recipe.epochs, self.batches.steps)
        for epoch in range(first, self.recipe.epochs + 1):
            started, tally = time.perf_counter(), Tally()
            yield from self._train_epoch(epoch, tally, clock)
            images, loss, accuracy = tally.read(self.peers)
            trained = time.perf_counter()
            validation_loss, validation_accuracy = yield from self._validate(epoch)
            metrics = EpochMetrics(
                epoch=epoch,
                train_loss=loss,
                train_accuracy=accuracy,
                validation_loss=validation_loss,
                validation_accuracy=validation_accuracy,
                learning_rate=self._rate(epoch, self.batches.steps),
                seconds=time.perf_counter() - started,
                images_per_second=images / (trained - started),
            )
            self.history = (*self.history, metrics)
            yield EpochDone(metrics=metrics, is_best=best_epoch(self.history) == epoch)

    def _train_epoch(self, epoch: int, tally: Tally, clock: Clock) -> Iterator[TrainingEvent]:
        """One pass over the training images."""
        # All that is random follows from the run's seed and the epoch: a resumed run draws the same.
        # Peers have parts of their own to drop from, so their masks are others.
        ours = ("peer", self.peers.rank) if self.peers.rank else ()
        torch.manual_seed(seed_of(self.recipe.seed, epoch, *ours))
        if self.recipe.fresh_optimiser:
            self.optimiser = build_optimiser(self.recipe, self.network)
        self.network.train()
        for step, batch in enumerate(self.batches.epoch(epoch), start=1):
            yield from self._take_changes(epoch, step)
            part = self.peers.share(batch)
            scores, loss = self._take_step(part, len(batch.indices), epoch, step)
            tally.add(scores, part)
            is_last = step == self.batches.steps
            if step % self.told_every == 0 or is_last:
                self._refuse_divergence(epoch, step, loss)
                yield StepDone(
                    epoch=epoch,
                    step=step,
                    steps=self.batches.steps,
                    loss=loss.item(),
                    learning_rate=self._rate(epoch, step),
                    seconds_left=clock.seconds_left(epoch, step),
                )
            if step % SEEN_EVERY == 1:
                losses = self.peers.join(part.losses(scores).cpu().numpy(), len(batch.indices))
                yield BatchSeen(epoch=epoch, step=step, sha256=batch.sha256(), losses=tuple(losses.tolist()))

    def _take_changes(self, epoch: int, step: int) -> Iterator[RateChanged]:
        while self._changes and (self._changes[0].epoch, self._changes[0].step) <= (epoch, step):
            self._factor = self._changes.popleft().factor
        if self._asked is not None:
            self._factor, self._asked = self._asked, None
            yield RateChanged(epoch=epoch, step=step, factor=self._factor)

    def _rate(self, epoch: int, step: int) -> float:
        steps = self.batches.steps
        return self._factor * rate_at(self.recipe, (epoch - 1) * steps + step - 1, steps)

    def _take_step(self, part: Batch, images: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """One optimiser step: the scores (n, classes) of our part of all `images`, and the loss of all."""
        steps, done = self.batches.steps, (epoch - 1) * self.batches.steps + step
        inputs = part.inputs.contiguous(memory_format=MEMORY_FORMAT)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bfloat16"):
            scores = self.network(inputs).float()
        loss = part.losses(scores, self.recipe.label_smoothing).sum() / images
        if self.recipe.l1 and self.peers.rank == 0:
            loss = loss + self.recipe.l1 * sum(weights.abs().sum() for weights in self.network.parameters())
        set_rate(self.optimiser, self._rate(epoch, step), momentum_at(self.recipe, done - 1, steps))
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        loss = self.peers.sum_gradients(self.network, loss)
        self.optimiser.step()
        if self.average:
            self.average.update(done)
        return scores.detach(), loss.detach()

    def _refuse_divergence(self, epoch: int, step: int, loss: Tensor) -> None:
        if not math.isfinite(loss.item()):
            raise self._diverged(epoch, step, f"the loss is {loss.item()}")
        floats = [tensor for tensor in self.network.state_dict().values() if tensor.dtype.is_floating_point]
        # One number a tensor and one answer for all: a NaN or an infinity anywhere stays one in the norm.
        if not math.isfinite(torch.stack(torch._foreach_norm(floats, math.inf)).sum().item()):
            raise self._diverged(epoch, step, "the weights are no longer numbers")

    def _validate(self, epoch: int) -> Generator[Validating, None, tuple[float, float]]:
        """Mean cross-entropy in nats, and accuracy, over the images that choose the best epoch."""
        mean, std = self.run_spec.augmentation.mean, self.run_spec.augmentation.std
        images, labels = self.batches.validation.images, self.batches.validation.labels
        told: list[Array] = []
        at_once = VALIDATED_AT_ONCE[self.device.type]
        for start in range(0, len(labels), at_once * self.peers.count):
            chunk = images[start : start + at_once * self.peers.count]
            mine = chunk[self.peers.mine(len(chunk))]
            probabilities = predict(self.evaluated, mine, mean, std, self.device, at_once)
            told.append(self.peers.join(probabilities, len(chunk)))
            yield Validating(epoch=epoch, done=start + len(chunk), images=len(labels))
        every = np.concatenate(told)
        of_truth = every[np.arange(len(labels)), labels].astype(np.float64)
        # float32 can round a small probability down to 0.
        loss = float(-np.log(np.maximum(of_truth, np.finfo(np.float32).tiny)).mean())
        if not math.isfinite(loss):
            raise self._diverged(epoch, self.batches.steps, f"the validation loss is {loss}")
        return loss, float((every.argmax(axis=1) == labels).mean())

    def _diverged(self, epoch: int, step: int, sign: str) -> DivergedError:
        remedy = f"lower the learning rate, which was {self._rate(epoch, step):.3g}"
        return DivergedError(f"the training diverged at epoch {epoch}, step {step}: {sign}; {remedy}")

    def snapshot(self) -> Snapshot:
        """Copies of the weights and of the optimiser's state; meant for the moments between two epochs."""
        optimiser = optimiser_arrays(self.optimiser)
        if self.average:
            optimiser |= {f"{RAW}{name}": array for name, array in self._weights(self.network).items()}
        return Snapshot(self.history, self._weights(self.evaluated), optimiser)

    @staticmethod
    def _weights(network: nn.Module) -> dict[str, Array]:
        return {name: to_array(tensor) for name, tensor in network.state_dict().items()}


def best_epoch(history: tuple[EpochMetrics, ...]) -> int:
    """The epoch with the highest validation accuracy; of equals the lowest loss, then the earliest."""
    return max(history, key=lambda epoch: (epoch.validation_accuracy, -epoch.validation_loss)).epoch
