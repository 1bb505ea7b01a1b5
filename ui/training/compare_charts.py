"""The curves of several runs in one picture, each group of seeds as its mean in a band."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from core.training import Run
from core.training.groups import Spread, spread

UNITS = {"accuracy": "validation accuracy", "loss": "validation loss (nats)"}

EPOCH_AXIS = {
    "tickMinStep": 1,
    "format": "d",
    "title": "epoch",
    "labelExpr": "datum.value % 1 ? '' : datum.label",  # in pictures the least step is not kept
}


class Group(NamedTuple):
    """Runs that are told as one: of one run, or of several that differ in their seed alone."""

    label: str
    runs: tuple[Run, ...]


def curve_rows(groups: Sequence[Group], measure: str) -> list[dict[str, Any]]:
    """The mean of the validation's `measure` at every epoch, with mean ± deviation where there are several.

    An epoch counts the runs that have come to it.
    """
    rows = []
    for group in groups:
        by_epoch: dict[int, list[float]] = {}
        for run in group.runs:
            for row in run.history:
                by_epoch.setdefault(row.epoch, []).append(getattr(row, f"validation_{measure}"))
        for epoch in sorted(by_epoch):
            rows.append(_row(group.label, epoch, measure, spread(by_epoch[epoch])))
    return rows


def _row(label: str, epoch: int, measure: str, found: Spread | None) -> dict[str, Any]:
    assert found is not None
    half = found.deviation or 0.0
    return {
        "epoch": epoch,
        "run": label,
        measure: found.mean,
        "low": found.mean - half,
        "high": found.mean + half,
        "runs": found.count,
    }


def curves(groups: Sequence[Group], measure: str) -> dict[str, Any]:
    """A Vega-Lite specification of the validation's `measure`, "accuracy" or "loss", one colour a group."""
    axis = {"title": UNITS[measure], "format": ".1%" if measure == "accuracy" else ".4~g"}
    legend = {"orient": "top", "title": None, "columns": 1, "labelLimit": 300, "symbolType": "stroke"}
    domain = [group.label for group in groups]
    y = {"type": "quantitative", "axis": axis, "scale": {"zero": False}}
    line = {
        "mark": {"type": "line", "point": True, "tooltip": True},
        "encoding": {"y": {"field": measure, **y}},
    }
    band = {
        "mark": {"type": "area", "opacity": 0.2},
        "encoding": {"y": {"field": "low", **y}, "y2": {"field": "high"}},
    }
    return {
        "data": {"values": curve_rows(groups, measure)},
        "height": 320,
        "encoding": {
            "x": {
                "field": "epoch",
                "type": "quantitative",
                "axis": EPOCH_AXIS,
            },
            "color": {"field": "run", "type": "nominal", "scale": {"domain": domain}, "legend": legend},
        },
        "layer": [band, line] if any(len(group.runs) > 1 for group in groups) else [line],
    }
