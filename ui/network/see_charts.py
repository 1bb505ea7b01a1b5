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
MAX_CELLS = 12_000
"""Pixels of a heat map: every one is an element of the page, and more would slow the browser down."""
CHART_SIZE = 320
"""Pixels on the screen that the longer side of a heat map does not exceed."""

MAPS = "maps"
MAPS_HEIGHT, FLAT_HEIGHT = 390, 310
MAPS_SPAN = 80, 220
"""The rows of the chart that the largest map takes up; labels lie above and names below."""
NAME_LIMIT = 110
FLAT_LABELS = 8
"""Up to so many maps have labels that lie flat."""
OPS = ["input", "conv", "max_pool", "avg_pool", "global_avg_pool", "add", "flatten", "linear"]


def heat_map(
    values: np.ndarray, at: Box, field: Box, image: Box, title: str, is_log: bool = False
) -> dict[str, Any]:
    """`values` (height, width) as colours where `at` says, 0 left blank; `field` and `image` are framed."""
    rows, columns = np.nonzero(values)
    cells = pd.DataFrame({"row": rows + at.top, "column": columns + at.left, "value": values[rows, columns]})
    frames = pd.DataFrame(
        [
            {
                "of": of,
                "frame": "frame",
                "row": b.top,
                "column": b.left,
                "row2": b.bottom + 1,
                "column2": b.right + 1,
            }
            for of, b in ((FIELD, field), (IMAGE, image))
        ]
    )
    height = max(field.bottom, image.bottom) + 1 - min(field.top, image.top)
    width = max(field.right, image.right) + 1 - min(field.left, image.left)
    size = max(1, CHART_SIZE // max(height, width))  # whole pixels on the screen leave no seams
    most = float(values.max()) if is_log else None
    spec: dict[str, Any] = json.loads(_heat_spec(width * size, height * size, title, most))
    return spec | {"datasets": {CELLS: cells, FRAMES: frames}}


@lru_cache(maxsize=64)
def _heat_spec(width: int, height: int, title: str, most: float | None) -> str:
    """The drawing of a heat map, as JSON: Altair takes 100 ms over it. Logarithmic up to `most` if given."""
    is_log = most is not None
    axis = alt.Axis(grid=False, tickMinStep=1, tickCount=6, format="d")
    x_scale = alt.Scale(nice=False, zero=False)
    y_scale = alt.Scale(nice=False, zero=False, reverse=True)
    place: dict[str, Any] = {
        "x": alt.X("column:Q", scale=x_scale, axis=axis, title="column"),
        "x2": "column2:Q",
        "y": alt.Y("row:Q", scale=y_scale, axis=axis, title="row"),
        "y2": "row2:Q",
    }
    color_scale = alt.Scale(type="log", domain=[1, max(most or 0, 10)]) if is_log else alt.Scale(zero=True)
    legend = alt.Legend(
        title=title,
        orient="bottom",
        gradientLength=min(width, 300),
        tickCount=4,
        format="~s" if is_log else "~g",
        titleLimit=400,
    )
    cells = (
        alt.Chart(alt.NamedData(CELLS))
        .transform_calculate(row2="datum.row + 1", column2="datum.column + 1")
        .mark_rect(aria=False, strokeWidth=0)
        .encode(
            **place,
            color=alt.Color("value:Q", scale=color_scale, legend=legend),
            tooltip=[
                alt.Tooltip("row:Q"),
                alt.Tooltip("column:Q"),
                alt.Tooltip("value:Q", title=title, format=",.7~g" if is_log else ".2e"),
            ],
        )
    )
    # The second colour of the theme stands out from its scale of colours.
    second: dict[str, Any] = {"scale": alt.Scale(domain=["", "frame"]), "legend": None}
    frames = alt.Chart(alt.NamedData(FRAMES))
    field, image = (frames.transform_filter(alt.datum.of == of) for of in (FIELD, IMAGE))
    ground = field.mark_rect(fillOpacity=0.3, aria=False).encode(**place, fill=alt.Fill("frame:N", **second))
    edges = [
        frame.mark_rect(fillOpacity=0, strokeWidth=2.5, strokeDash=dash, aria=False).encode(
            **place, stroke=alt.Stroke("frame:N", **second)
        )
        for frame, dash in ((field, [1, 0]), (image, [6, 4]))
    ]
    chart = alt.LayerChart(layer=[ground, cells, *edges], width=width, height=height, autosize="pad")
    return str(chart.to_json())


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
    drawn: dict[str, Any] = json.loads(
        _shapes_spec(len(shapes) <= FLAT_LABELS, tuple(dict.fromkeys(table["op"])))
    )
    return drawn | {"datasets": {MAPS: table}}


@lru_cache(maxsize=64)
def _shapes_spec(is_flat: bool, ops: tuple[str, ...]) -> str:
    """The drawing of the maps, as JSON; `ops` are those that the legend names."""
    base = alt.Chart(alt.NamedData(MAPS))
    x = alt.X("left:Q", axis=None, scale=alt.Scale(nice=False, zero=False, padding=6))
    y = alt.Y("top:Q", axis=None, scale=alt.Scale(nice=False, range=list(reversed(MAPS_SPAN))))
    is_chosen = "datum.is_chosen"
    blocks = base.mark_rect(minBandSize=3, cornerRadius=1, stroke="currentColor").encode(
        x=x,
        x2="right:Q",
        y=y,
        y2="bottom:Q",
        color=alt.Color(
            "op:N", scale=alt.Scale(domain=OPS), legend=alt.Legend(title=None, orient="top", values=list(ops))
        ),
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
    return str(
        alt.LayerChart(layer=[blocks, *texts], height=FLAT_HEIGHT if is_flat else MAPS_HEIGHT).to_json()
    )
