"""Charts of the view See, as specs for `st.vega_lite_chart`: heat maps of pixels, and the shapes of maps."""

import json
from functools import lru_cache
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from core.network import LayerSizing, NetworkSpec
from core.network.coverage import Box

CELLS, FRAMES = "cells", "frames"
"""The names under which a heat map finds its tables."""
FIELD, IMAGE = "receptive field", "image"
MAX_CELLS = 40_000
"""Pixels of a heat map: more are not told apart, and slow the browser down."""
CHART_SIZE = 400

MAPS = "maps"
MAPS_HEIGHT = 340
MAPS_SPAN = 90, 230
"""The rows of the chart that the largest map takes up; labels lie above and names below."""
FLAT_LABELS = 10
"""Up to so many layers have labels that lie flat."""
OPS = ["input", "conv", "max_pool", "avg_pool", "global_avg_pool", "add", "flatten", "linear"]


def heat_map(
    values: np.ndarray, at: Box, field: Box, image: Box, title: str, is_log: bool = False
) -> dict[str, Any]:
    """`values` (height, width) as colours where `at` says, 0 left blank; `field` and `image` are framed."""
    rows, columns = np.nonzero(values)
    cells = pd.DataFrame({"row": rows + at.top, "column": columns + at.left, "value": values[rows, columns]})
    frames = pd.DataFrame(
        [
            {"of": of, "row": b.top, "column": b.left, "row2": b.bottom + 1, "column2": b.right + 1}
            for of, b in ((FIELD, field), (IMAGE, image))
        ]
    )
    height = max(field.bottom, image.bottom) + 1 - min(field.top, image.top)
    width = max(field.right, image.right) + 1 - min(field.left, image.left)
    scale = CHART_SIZE / max(height, width)
    most = float(values.max())
    spec: dict[str, Any] = json.loads(
        _heat_spec(round(width * scale), round(height * scale), title, is_log, most if is_log else None)
    )
    return spec | {"datasets": {CELLS: cells, FRAMES: frames}}


@lru_cache(maxsize=64)
def _heat_spec(width: int, height: int, title: str, is_log: bool, most: float | None) -> str:
    """The drawing of a heat map, as JSON: Altair takes 100 ms over it."""
    axis = alt.Axis(grid=False, tickMinStep=1, format="d")
    scale = alt.Scale(nice=False, zero=False)
    flipped = alt.Scale(nice=False, zero=False, reverse=True)
    color_scale = alt.Scale(type="log", domain=[1, max(most or 0, 10)]) if is_log else alt.Scale(zero=True)
    legend = alt.Legend(
        title=title,
        orient="bottom",
        gradientLength=min(width, 300),
        tickCount=4,
        format="~s" if is_log else ".1e",
        titleLimit=400,
    )
    cells = (
        alt.Chart(alt.NamedData(CELLS))
        .transform_calculate(row2="datum.row + 1", column2="datum.column + 1")
        .mark_rect(aria=False, strokeWidth=0)
        .encode(
            x=alt.X("column:Q", scale=scale, axis=axis, title="column"),
            x2="column2:Q",
            y=alt.Y("row:Q", scale=flipped, axis=axis, title="row"),
            y2="row2:Q",
            color=alt.Color("value:Q", scale=color_scale, legend=legend),
            tooltip=[
                alt.Tooltip("row:Q"),
                alt.Tooltip("column:Q"),
                alt.Tooltip("value:Q", title=title, format=",.6~g" if is_log else ".2e"),
            ],
        )
    )
    of = alt.Scale(domain=[IMAGE, FIELD])
    frames = (
        alt.Chart(alt.NamedData(FRAMES))
        .mark_rect(fillOpacity=0, strokeWidth=2.5, aria=False, tooltip=None)
        .encode(
            x="column:Q",
            x2="column2:Q",
            y="row:Q",
            y2="row2:Q",
            stroke=alt.Stroke("of:N", scale=of, legend=alt.Legend(title=None, orient="top")),
            strokeDash=alt.StrokeDash("of:N", scale=alt.Scale(domain=[IMAGE, FIELD], range=[[6, 4], [1, 0]])),
        )
    )
    chart = alt.LayerChart(layer=[cells, frames]).resolve_scale(color="independent")
    return str(chart.properties(width=width, height=height).to_json())


def shapes_chart(spec: NetworkSpec, sized: tuple[LayerSizing, ...], chosen: int) -> dict[str, Any]:
    """Every map through the network as a block: its height the map's, its width the channels."""
    shapes = [("input", "input", spec.input_shape), *((row.name, row.op, row.output_shape) for row in sized)]
    most = max(channels for _, _, (channels, rows, _) in shapes if rows > 1 or len(sized) == 1)
    table = pd.DataFrame(
        [
            {
                "place": place,
                "left": place - 0.45 * min(1, shape[0] / most),
                "right": place + 0.45 * min(1, shape[0] / most),
                "top": shape[1] / 2,
                "bottom": -shape[1] / 2,
                "name": name,
                "op": op,
                "shape": "×".join(map(str, shape)),
                "is_chosen": place == chosen + 1,
            }
            for place, (name, op, shape) in enumerate(shapes)
        ]
    )
    drawn: dict[str, Any] = json.loads(_shapes_spec(len(shapes) <= FLAT_LABELS))
    return drawn | {"datasets": {MAPS: table}}


@lru_cache(maxsize=2)
def _shapes_spec(is_flat: bool) -> str:
    base = alt.Chart(alt.NamedData(MAPS))
    x = alt.X("left:Q", axis=None, scale=alt.Scale(nice=False, zero=False, padding=6))
    y = alt.Y("top:Q", axis=None, scale=alt.Scale(nice=False, range=list(reversed(MAPS_SPAN))))
    is_chosen = "datum.is_chosen"
    blocks = base.mark_rect(minBandSize=3, cornerRadius=1, stroke="currentColor").encode(
        x=x,
        x2="right:Q",
        y=y,
        y2="bottom:Q",
        color=alt.Color("op:N", scale=alt.Scale(domain=OPS), legend=alt.Legend(title=None, orient="top")),
        fillOpacity=alt.condition(is_chosen, alt.value(1), alt.value(0.6)),
        strokeWidth=alt.condition(is_chosen, alt.value(2.5), alt.value(1)),
        tooltip=[alt.Tooltip("name:N", title="layer"), alt.Tooltip("op:N"), alt.Tooltip("shape:N")],
    )
    above: Literal["left", "center"] = "center" if is_flat else "left"
    below: Literal["right", "center"] = "center" if is_flat else "right"
    texts = [
        base.mark_text(
            angle=0 if is_flat else 270,
            align=align,
            baseline="middle",
            fill="currentColor",
            fontSize=12,
            aria=False,
        ).encode(
            x="place:Q",
            y=alt.value(MAPS_SPAN[0] - 12 if label == "shape" else MAPS_SPAN[1] + 14),
            text=f"{label}:N",
            opacity=alt.condition(is_chosen, alt.value(1), alt.value(0.75)),
        )
        for label, align in (("shape", above), ("name", below))
    ]
    return str(alt.LayerChart(layer=[blocks, *texts], height=MAPS_HEIGHT).to_json())
