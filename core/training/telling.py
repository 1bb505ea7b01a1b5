"""What happens in a run, as lines for its log and for the command line."""

from core.training.events import EpochDone, RateChanged, StateChanged, StepDone
from core.training.recipe import Recipe


def epoch_line(event: EpochDone, recipe: Recipe) -> str:
    """One finished epoch with its figures."""
    metrics = event.metrics
    chooser = "validation" if recipe.validation == "split" else "test (chooses the epoch)"
    return (
        f"epoch {metrics.epoch}/{recipe.epochs}"
        f"  train {metrics.train_loss:.3f} {metrics.train_accuracy:.2%}"
        f"  {chooser} {metrics.validation_loss:.3f} {metrics.validation_accuracy:.2%}"
        f"{' (best)' if event.is_best else ''}  rate {metrics.learning_rate:.2g}"
        f"  {metrics.seconds:.1f} s, {metrics.images_per_second:,.0f} images/s"
    )


def step_line(event: StepDone) -> str:
    """How far the epoch is."""
    left = f", {event.seconds_left:.0f} s left" if event.seconds_left is not None else ""
    return f"epoch {event.epoch}, step {event.step} of {event.steps}: loss {event.loss:.3f}{left}"


def rate_line(event: RateChanged) -> str:
    """A change of the learning rate by hand."""
    return f"epoch {event.epoch}, step {event.step}: {event.factor:g} times the schedule's rate from here on"


def state_line(event: StateChanged) -> str:
    """The state that the run has gone into, and why."""
    if event.state == "finished" and event.test_accuracy is not None:
        return f"finished: test accuracy {event.test_accuracy:.2%}"
    begun = f" from epoch {event.epoch + 1}" if event.state == "running" else ""
    return f"{event.state}{begun}{f': {event.reason}' if event.reason else ''}"
