"""What a run will take, judged from a few of its steps: seconds and memory. Light: needs no torch."""

import os
from dataclasses import dataclass

import psutil
from pydantic import Field

from core.network import size_network
from core.spec import describe
from core.training.recipe import RunSpec

STEP_COPIES = 3
"""Activations, their gradients and workspace: a step takes at most about so many times its activations."""
FLOAT_BYTES = 4
WEIGHT_COPIES = {"sgd": 3, "muon": 3, "adamw": 4}
"""The weights, their gradients, and what the optimiser remembers of each."""
BUSY_CORES = 0.25
"""What others may use of the cores that the training has threads for, before it counts as busy."""


@describe
class Estimate:
    """Measured on this machine, with the engine itself, in a process of its own."""

    epochs: int = Field(ge=1)
    steps: int = Field(ge=1)
    """In an epoch."""
    batch_size: int = Field(ge=1)
    step_seconds: tuple[float, ...] = Field(min_length=1)
    """Of every step that was timed, with the making of its batch; warm-up is left out."""
    training_images: int
    """In an epoch."""
    validation_seconds: float
    """After every epoch, from the pace of some of the images."""
    peak_bytes: int
    """The most that the process held at once; on a GPU the most that torch held of its memory."""
    free_bytes: int
    """What was free before."""
    device: str
    hardware: str
    threads: int
    cores: int
    """Of the machine."""
    others_cores: float
    """How many of them other processes used meanwhile."""

    @property
    def training_seconds(self) -> float:
        """Of an epoch, without validation."""
        return self.steps * sum(self.step_seconds) / len(self.step_seconds)

    @property
    def epoch_seconds(self) -> float:
        """Training and validation together."""
        return self.training_seconds + self.validation_seconds

    @property
    def seconds(self) -> float:
        """Of the whole run."""
        return self.epochs * self.epoch_seconds

    @property
    def images_per_second(self) -> float:
        """While training."""
        return self.training_images / self.training_seconds

    @property
    def fits(self) -> bool:
        """Whether the memory that was free is enough."""
        return self.peak_bytes <= self.free_bytes

    @property
    def is_busy(self) -> bool:
        """Whether others wanted the cores that the training ran on, so that it may be quicker later."""
        return self.others_cores > self.cores - self.threads + BUSY_CORES


@dataclass(frozen=True, slots=True)
class EstimateProgress:
    """How far an estimate is, in steps."""

    done: int
    total: int


def step_bytes(run_spec: RunSpec) -> int:
    """About what a step of this run holds at once, by arithmetic; torch itself is not counted."""
    sizing = size_network(run_spec.network)
    channels, height, width = run_spec.network.input_shape
    image = sizing.activation_bytes + channels * height * width * FLOAT_BYTES
    weights = WEIGHT_COPIES[run_spec.recipe.optimiser] * sizing.num_params * FLOAT_BYTES
    return STEP_COPIES * run_spec.recipe.batch_size * image + weights


def memory_warning(run_spec: RunSpec, free_bytes: int) -> str | None:
    """Why a step of this run may not fit into so many bytes, and what to do; None where it does."""
    needed = step_bytes(run_spec)
    if needed <= free_bytes:
        return None
    return (
        f"a step of {run_spec.recipe.batch_size:,} images may take {needed / 2**30:.1f} GiB, "
        f"but {free_bytes / 2**30:.1f} GiB are free; take fewer images a step, or a smaller network"
    )


def free_memory() -> int:
    """Bytes of the machine's memory that a new process can have."""
    return int(psutil.virtual_memory().available)


def default_threads() -> int:
    """As many as a run takes: all cores but one, which is left to the app."""
    return max(1, (os.cpu_count() or 1) - 1)
