"""The curves of one run as plain Vega-Lite: Altair costs 40 to 70 ms a chart, too much for forty viewers.

All that a redraw changes is in the rows: the browser keeps a chart whose specification stays, and does not
flicker.
"""

from collections.abc import Sequence
from typing import Any

from core.training import Recipe, Run
from core.training.events import RateChanged
from core.training.schedule import rate_at
from ui.training.compare_charts import EPOCH_AXIS

RATE_POINTS = 200


def validation_name(recipe: Recipe) -> str:
    """What the curve of the choosing images is called: the seeds' protocol is labelled wherever it shows."""
    return "validation" if recipe.validation == "split" else "test (chooses the epoch)"


def curve(run: Run, measure: str) -> dict[str, Any]:
    """`measure`, "accuracy" or "loss", by epoch, with a mark where the rate was changed by hand."""
    choosing = validation_name(run.spec.recipe)
    rows = [
        {"epoch": row.epoch, "images": images, measure: getattr(row, f"{split}_{measure}")}
        for row in run.history
        for images, split in (("training", "train"), (choosing, "validation"))
    ]
    axis = {"format": "%"} if measure == "accuracy" else {}
    order = ["training", choosing]
    line = {
        "transform": [{"filter": "isValid(datum.images)"}],
        "mark": {"type": "line", "point": True, "tooltip": True},
        "encoding": {
            "y": {
                "field": measure,
                "type": "quantitative",
                "axis": {"title": f"{measure} (nats)" if measure == "loss" else measure, **axis},
                "scale": {"zero": False},
            },
            "color": {"field": "images", "type": "nominal", "scale": {"domain": order}, "legend": LEGEND},
            "strokeDash": {"field": "images", "type": "nominal", "sort": order, "legend": None},
        },
    }
    return {
        "data": {"values": rows + _changes(run)},
        "height": 260,
        "encoding": {"x": _epoch_axis(run)},
        "layer": [line, *_change_marks()],
    }


def rate_curve(run: Run) -> dict[str, Any]:
    """The learning rate over the whole training: what was, and what the schedule has in store."""
    rows = [
        {"epoch": at, "rate": rate, "when": when}
        for at, rate, is_past in _rates(run)
        for when in (("so far",) if is_past else ("to come",))
    ]
    order = ["so far", "to come"]
    line = {
        "transform": [{"filter": "isValid(datum.when)"}],
        "mark": {"type": "line", "tooltip": True, "interpolate": "step-after"},
        "encoding": {
            "y": {
                "field": "rate",
                "type": "quantitative",
                "axis": {"title": "learning rate", "tickCount": 4},
            },
            "color": {"field": "when", "type": "nominal", "scale": {"domain": order}, "legend": LEGEND},
            "strokeDash": {"field": "when", "type": "nominal", "sort": order, "legend": None},
        },
    }
    return {
        "data": {"values": rows + _changes(run)},
        "height": 220,
        "encoding": {"x": _epoch_axis(run)},
        "layer": [line, *_change_marks()],
    }


def _rates(run: Run) -> list[tuple[float, float, bool]]:
    """Epochs done, the rate there, and whether the run has been there; empty before the first step."""
    if run.last_step is None:
        return []
    recipe, steps = run.spec.recipe, run.last_step.steps
    total = recipe.epochs * steps
    done = max(len(run.history) * steps, (run.last_step.epoch - 1) * steps + run.last_step.step)
    stride = max(1, total // RATE_POINTS)
    changed = [_step_of(change, steps) for change in run.rate_changes]
    places = sorted({*range(0, total, stride), *changed, min(done, total) - 1, total - 1})
    return [
        (step / steps, rate_at(recipe, step, steps) * _factor(run.rate_changes, step, steps), step < done)
        for step in places
    ]


def _factor(changes: Sequence[RateChanged], step: int, steps: int) -> float:
    made = [change.factor for change in changes if _step_of(change, steps) <= step]
    return made[-1] if made else 1.0


def _step_of(change: RateChanged, steps: int) -> int:
    """The first step at the new rate, from 0 over the whole training."""
    return (change.epoch - 1) * steps + change.step - 1


def _changes(run: Run) -> list[dict[str, Any]]:
    if run.last_step is None:
        return []
    steps = run.last_step.steps
    return [
        {"epoch": _step_of(change, steps) / steps, "change": f"rate ×{change.factor:g}"}
        for change in run.rate_changes
    ]


def _change_marks() -> list[dict[str, Any]]:
    """A rule where the rate was changed by hand, and its factor at the top."""
    where = [{"filter": "isValid(datum.change)"}]
    text = {"type": "text", "align": "left", "baseline": "top", "dx": 4, "fontSize": 12}
    return [
        {"transform": where, "mark": {"type": "rule", "strokeDash": [4, 3], "color": "gray"}},
        {
            "transform": where,
            "mark": text,
            "encoding": {"y": {"value": 0}, "text": {"field": "change", "type": "nominal"}},
        },
    ]


def _epoch_axis(run: Run) -> dict[str, Any]:
    """From the start to the last epoch planned, so that the curve grows into its frame."""
    return {
        "field": "epoch",
        "type": "quantitative",
        "axis": EPOCH_AXIS,
        "scale": {"domain": [0, run.spec.recipe.epochs], "nice": False},
    }


LEGEND = {"orient": "top", "title": None, "symbolType": "stroke"}
