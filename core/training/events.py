"""What a training tells: the events that `train` yields and that a run folder keeps, one JSON line each."""

from typing import Literal

from pydantic import Field

from core.spec import describe


@describe
class EpochMetrics:
    """One finished epoch. Losses are mean cross-entropy in nats an image; accuracies are fractions."""

    epoch: int = Field(ge=1)
    """From 1."""
    train_loss: float
    train_accuracy: float = Field(ge=0, le=1)
    """Over the augmented training images, as they were trained on."""
    validation_loss: float
    validation_accuracy: float = Field(ge=0, le=1)
    """Over the images that choose the best epoch; see `Recipe.validation` for which those are."""
    learning_rate: float
    """At the last step of the epoch."""
    seconds: float
    """Training and validation together."""
    images_per_second: float
    """Training only."""


@describe
class StepDone:
    """One optimiser step. `train` yields every one; a run folder keeps at most two a second."""

    kind: Literal["step"] = "step"
    epoch: int
    step: int
    """From 1, in this epoch."""
    steps: int
    """In a whole epoch."""
    loss: float
    """Of this step's images, with smoothing and L1 if the recipe has them."""
    learning_rate: float
    seconds_left: float | None = None
    """To the end of the last epoch, from the pace so far."""


@describe
class Validating:
    """Some of the images that choose the best epoch are done; a sign of life, which no folder keeps."""

    epoch: int
    done: int
    images: int


@describe
class EpochDone:
    """One epoch, and whether it is the best so far."""

    kind: Literal["epoch"] = "epoch"
    metrics: EpochMetrics
    is_best: bool


@describe
class RateChanged:
    """Somebody changed the learning rate during the run; kept, so that whoever resumes it does the same."""

    kind: Literal["rate"] = "rate"
    epoch: int
    step: int
    """The first step with the other rate, from 1, in its epoch."""
    factor: float = Field(gt=0, le=1000)
    """From there on, the rate is that of the schedule times this."""


@describe
class BatchSeen:
    """What the network saw at a step, so that `core.training.replay` can show that it is the same."""

    kind: Literal["batch"] = "batch"
    epoch: int
    step: int
    sha256: str
    """Over the bytes of the inputs (N, C, H, W) float32 as they enter the network."""
    losses: tuple[float, ...]
    """Cross-entropy in nats of each image before the step, without smoothing and L1."""


@describe
class StateChanged:
    """A run has gone into another state."""

    kind: Literal["state"] = "state"
    state: Literal[
        "queued", "running", "stopped", "finished", "diverged", "out of memory", "disk full", "failed"
    ]
    time: str
    """ISO 8601, UTC, to the microsecond."""
    epoch: int = Field(default=0, ge=0)
    """Epochs that are safe in `last/`; what was told about later ones no longer counts."""
    reason: str | None = None
    """Why it failed, in plain words."""
    test_accuracy: float | None = None
    """Of a finished run's best epoch, measured once."""


Event = StepDone | EpochDone | RateChanged | BatchSeen | StateChanged
