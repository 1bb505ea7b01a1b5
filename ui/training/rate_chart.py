"""The chart of a sweep over learning rates, as a plain Vega-Lite specification."""

from collections.abc import Mapping
from typing import Any

from core.training.rate_finder import RateSweep


def rate_chart(sweep: RateSweep, marks: Mapping[str, float]) -> dict[str, Any]:
    """The loss and its moving average by rate, and a rule at every rate in `marks`, by its name."""
    marked = [{"rate": rate, "rule": name} for name, rate in marks.items()]
    rows = [
        {"rate": point.rate, "loss": point.loss, "average": average}
        for point, average in zip(sweep.points, sweep.smoothed, strict=True)
        if point.loss is not None
    ]
    averages = [average for average in sweep.smoothed if average is not None]
    start, least = averages[0], min(averages)
    # Where training blows up, the loss would flatten the descent that is to be seen.
    top = start + (start - least) + 0.1 * start
    x = {
        "field": "rate",
        "type": "quantitative",
        "scale": {"type": "log"},
        "axis": {"title": "learning rate", "format": "~g", "tickCount": 7, "grid": False},
    }
    scale = {"zero": False, "domainMax": top}
    y = {"type": "quantitative", "axis": {"title": "loss (nats)"}, "scale": scale}
    legend = {"orient": "top", "title": None}
    return {
        "data": {"values": rows},
        "height": 260,
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 1, "opacity": 0.45, "clip": True},
                "encoding": {"x": x, "y": {**y, "field": "loss"}},
            },
            {
                "mark": {"type": "line", "strokeWidth": 3, "clip": True, "tooltip": True},
                "encoding": {"x": x, "y": {**y, "field": "average"}},
            },
            {
                "data": {"values": marked},
                "mark": {"type": "rule", "strokeWidth": 2, "tooltip": True},
                "encoding": {
                    "x": x,
                    "color": {"field": "rule", "type": "nominal", "legend": legend},
                    "strokeDash": {"field": "rule", "type": "nominal", "legend": legend},
                },
            },
        ],
    }
