"""What an ablation found: for every value the accuracies of its runs, with their interval and spread."""

from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from core import checkpoint
from core.errors import CheckpointError
from core.evaluation.metrics import Accuracy
from core.training import Run, knobs
from core.training.ablation import Ablation, AblationRun
from core.training.groups import best_accuracy, spread
from core.training.knobs import Value

Members = dict[AblationRun, Run | None]


class ValueRow(NamedTuple):
    """One value of the knob, over its seeds; accuracies are fractions."""

    value: str
    done: int
    """Finished runs,"""
    planned: int
    """of so many."""
    validation: float | None
    validation_deviation: float | None
    test: float | None
    """The mean of the finished runs."""
    test_deviation: float | None
    low: float | None
    high: float | None
    """The 95 % interval after Wilson of the mean, for so many test images."""
    test_images: int | None
    states: str


def value_rows(members: Members) -> list[ValueRow]:
    """The table, a row for each value in the order of the grid."""
    values: dict[Value, list[Run | None]] = {}
    for each, run in members.items():
        values.setdefault(each.value, []).append(run)
    return [_row(value, found) for value, found in values.items()]


def _row(value: Value, found: list[Run | None]) -> ValueRow:
    there = [run for run in found if run is not None]
    finished = [run for run in there if run.state == "finished"]
    validation = spread(map(best_accuracy, there))
    test = spread(run.test_accuracy for run in finished)
    images = tested_images(str(finished[0].folder)) if finished else None
    low, high = None, None
    if test is not None and images:
        low, high = Accuracy(round(test.mean * images), images).interval
    states = dict.fromkeys("deleted" if run is None else str(run.state) for run in found)
    return ValueRow(
        value=knobs.value_text(value),
        done=len(finished),
        planned=len(found),
        validation=validation.mean if validation else None,
        validation_deviation=validation.deviation if validation else None,
        test=test.mean if test else None,
        test_deviation=test.deviation if test else None,
        low=low,
        high=high,
        test_images=images,
        states=", ".join(states),
    )


@st.cache_data(max_entries=512, show_spinner=False)
def tested_images(run_folder: str) -> int | None:
    """How many test images a finished run was measured on; None where its record is gone."""
    try:
        return checkpoint.load(Path(run_folder) / "best").test_images
    except CheckpointError:
        return None


def chart(rows: list[ValueRow], members: Members, found: Ablation) -> dict[str, Any]:
    """A Vega-Lite specification: a point for every run, the mean of each value, and its interval."""
    seeds = [
        {"value": knobs.value_text(each.value), "seed": each.seed, "accuracy": run.test_accuracy}
        for each, run in members.items()
        if run is not None and run.test_accuracy is not None
    ]
    means = [
        {"value": row.value, "mean": row.test, "low": row.low, "high": row.high}
        for row in rows
        if row.test is not None
    ]
    axis = {"title": "test accuracy", "format": ".1%"}
    y = {"type": "quantitative", "axis": axis, "scale": {"zero": False}}
    is_mean = [{"filter": "isValid(datum.mean)"}]
    return {
        "data": {"values": means + seeds},
        "height": 320,
        "encoding": {
            "x": {
                "field": "value",
                "type": "nominal",
                "scale": {"domain": [row.value for row in rows]},
                "axis": {"title": knobs.knob_titles().get(found.knob, found.knob), "labelAngle": 0},
            }
        },
        "layer": [
            {
                "transform": is_mean,
                "mark": {"type": "rule", "strokeWidth": 2, "color": "gray"},
                "encoding": {"y": {"field": "low", **y}, "y2": {"field": "high"}},
            },
            {
                "transform": [{"filter": "isValid(datum.accuracy)"}],
                "mark": {"type": "point", "opacity": 0.7, "size": 40, "tooltip": True},
                "encoding": {"y": {"field": "accuracy", **y}},
            },
            {
                "transform": is_mean,
                "mark": {"type": "point", "filled": True, "size": 120, "tooltip": True},
                "encoding": {"y": {"field": "mean", **y}},
            },
        ],
    }
