"""Which learning rate to train at: the range test, its formulas and its verdict. Light: needs no torch.

The rate rises exponentially from step to step, η_i = η_low (η_high / η_low)^(i / (n - 1)), and the loss of
every step is kept: the range test of Smith 2017, "Cyclical learning rates for training neural networks",
section 3.3, with the exponential rise of Gugger 2018, "How do you find a good learning rate". The losses are
smoothed by a moving average, s_i = β s_{i-1} + (1 - β) l_i, divided by 1 - β^(i+1) to correct for its start.
The sweep ends where the smoothed loss is 4 times its least, or no longer a number: there training blows up.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from pydantic import Field

from core.spec import describe

LOW, HIGH, STEPS = 1e-5, 10.0, 100
BETA = 0.9
BLOWN_UP = 4.0
"""Times the least smoothed loss."""
BELOW_LEAST = 10.0
"""How far below the rate of the least loss a rate is safe, by Gugger's rule of thumb."""
REACH = 8
"""Points to either side over which a slope is taken: over fewer, the noise of the batches is steeper."""


@describe
class RatePoint:
    """One step of the sweep."""

    rate: float
    loss: float | None
    """Of this step's images, before the step; None where it was no longer a number."""


@describe
class RateSweep:
    """A sweep that is over, and what follows from it."""

    points: tuple[RatePoint, ...] = Field(min_length=1)
    smoothed: tuple[float | None, ...]
    """The loss of every point, smoothed."""
    steepest: float | None
    """The rate at which the smoothed loss falls fastest, per power of ten."""
    tenth_of_least: float | None
    """A tenth of the rate with the least smoothed loss."""
    blew_up_at: float | None
    """The rate at which the sweep ended early."""

    @property
    def suggestion(self) -> float | None:
        """The tenth of the least, which noise moves less; None where the loss never fell."""
        return self.tenth_of_least


def rates(low: float, high: float, steps: int) -> tuple[float, ...]:
    """So many rates from `low` to `high`, each the same number of times the one before."""
    return tuple(low * (high / low) ** (turn / (steps - 1)) for turn in range(steps))


def sweep(
    step: Callable[[float], float], low: float = LOW, high: float = HIGH, steps: int = STEPS
) -> Iterator[RatePoint]:
    """Take a step at every rate in turn, until training blows up.

    `step` trains one step at the rate that it is given, and returns the loss before it.
    """
    losses: list[float] = []
    for rate in rates(low, high, steps):
        loss = step(rate)
        if not math.isfinite(loss):
            yield RatePoint(rate=rate, loss=None)
            return
        yield RatePoint(rate=rate, loss=loss)
        losses.append(loss)
        averages = smooth(losses)
        if averages[-1] > BLOWN_UP * min(averages):
            return


def smooth(losses: Sequence[float], beta: float = BETA) -> tuple[float, ...]:
    """The moving average of `losses`, corrected for its start."""
    averages, average = [], 0.0
    for turn, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        averages.append(average / (1 - beta**turn))
    return tuple(averages)


def judge(points: Sequence[RatePoint], last_rate: float) -> RateSweep:
    """What follows from the points of a sweep that was to go on to `last_rate`."""
    finite = [point for point in points if point.loss is not None]
    averages = smooth([point.loss for point in finite if point.loss is not None])
    found = [point.rate for point in finite]
    steepest, tenth = None, None
    if len(averages) > 2 * REACH:
        least = min(range(REACH, len(averages)), key=averages.__getitem__)
        slopes = {
            turn: (averages[turn + REACH] - averages[turn - REACH])
            / math.log10(found[turn + REACH] / found[turn - REACH])
            for turn in range(REACH, min(least + 1, len(averages) - REACH))
        }
        if averages[least] < averages[REACH]:
            tenth = found[least] / BELOW_LEAST
        if slopes and min(slopes.values()) < 0:
            steepest = found[min(slopes, key=slopes.__getitem__)]
    has_ended_early = points[-1].rate < last_rate * (1 - 1e-9) or points[-1].loss is None
    return RateSweep(
        points=tuple(points),
        smoothed=averages + (None,) * (len(points) - len(averages)),
        steepest=steepest,
        tenth_of_least=tenth,
        blew_up_at=points[-1].rate if has_ended_early else None,
    )
