"""What measuring networks on a machine gives: milliseconds, peak memory, and the conditions they hold for."""

from statistics import median, quantiles
from typing import Literal

from pydantic import Field

from core.spec import describe


@describe
class MeasureSettings:
    """How networks are measured; any change may change the milliseconds."""

    batch_size: int = Field(default=32, ge=2, le=1024)
    """Images a step; batch normalisation needs two."""
    repetitions: int = Field(default=7, ge=1, le=100)
    """Measured steps of every network, after one that is not counted."""
    threads: int = Field(default=1, ge=1, le=1024)
    """CPU threads."""
    device: str = Field(default="cpu", pattern=r"^(cpu|cuda(:[0-9]{1,2})?)$")
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Of the weights and of the images, which are noise."""


@describe
class Measurement:
    """One network: a training step in float32 without the optimiser's, and what it was found to hold."""

    name: str
    num_params: int
    """Counted in the built module."""
    macs: int
    """Of one image, from PyTorch's own counter of floating-point operations."""
    forward_ms: tuple[float, ...] = Field(min_length=1)
    """Of one batch, one a repetition."""
    backward_ms: tuple[float, ...] = Field(min_length=1)
    peak_bytes: int
    """The most that tensors took at once in a step: weights, images, activations and gradients."""

    @property
    def forward(self) -> float:
        """The median forward time of a batch, in milliseconds."""
        return median(self.forward_ms)

    @property
    def backward(self) -> float:
        """The median backward time of a batch, in milliseconds."""
        return median(self.backward_ms)

    def times_slower(self, other: "Measurement") -> float:
        """The median, over the repetitions, of this step's time over that of `other` measured beside it."""
        return median(self._ratios(other))

    def middle_half_slower(self, other: "Measurement") -> tuple[float, float]:
        """Between which ratios, as in `times_slower`, the middle half of the repetitions lies."""
        ratios = self._ratios(other)
        low, _, high = quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else 3 * ratios
        return low, high

    def _ratios(self, other: "Measurement") -> list[float]:
        own = map(sum, zip(self.forward_ms, self.backward_ms, strict=True))
        theirs = map(sum, zip(other.forward_ms, other.backward_ms, strict=True))
        return [one / another for one, another in zip(own, theirs, strict=True)]


@describe
class Conditions:
    """The machine that a measurement holds for."""

    hardware: str
    torch: str
    """Its version."""
    memory: Literal["torch profiler", "torch.cuda.max_memory_allocated"]
    """Where `peak_bytes` comes from."""


@describe
class Measurements:
    """Networks measured in turn, so that they shared whatever else the machine did."""

    settings: MeasureSettings
    conditions: Conditions
    networks: tuple[Measurement, ...]
