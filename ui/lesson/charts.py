"""The grids of the Convolutions page, with their numbers printed, as specs for `st.vega_lite_chart`."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from core.network.lesson import Unit
from core.network.spec import LayerSpec
from ui.lesson.latex import number

CLICK = "unit"
"""The selection of the output grid; it holds the `position` of the clicked cell."""

DATA = "rows"
"""The name under which a chart finds its table."""

ROW_WIDTH = 700
"""Pixels for the cells of input and output beside each other."""
MIN_CELL, MAX_CELL = 22, 40
MOST_SHADE = 0.6
ROLES = ["plus", "read", "minus"]
"""What the theme's first three colours stand for: values above 0, what the unit reads, values below 0."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of a grid."""

    at: tuple[int, ...]
    """Row and column."""
    value: float | None
    """None where there is none: a hole of the kernel."""
    weight: float | None = None
    """What the value is multiplied with, where the unit reads it."""
    is_outside: bool = False
    """Padding, or a hole: drawn with a dashed edge and never shaded."""
    is_read: bool = False
    is_struck: bool = False
    """Read by no unit at all."""


def cell_size(cells: int) -> int:
    """Pixels of one cell where the grids beside each other have that many cells in a row."""
    return max(MIN_CELL, min(MAX_CELL, ROW_WIDTH // cells))


def input_chart(
    grid: np.ndarray, layer: LayerSpec, unit: Unit, shown: int, reads: np.ndarray, size: int
) -> dict[str, Any]:
    """One input channel (H, W) with its padding; what `unit` reads is framed, each with its weight.

    `reads` (H, W) says by how many units each pixel is read; a pixel that none reads is struck through.
    """
    place = unit.channels.index(shown)
    weights: dict[tuple[int, int], float | None] = {
        (int(row), int(column)): None if unit.weights is None else float(unit.weights[place, i, j])
        for i, row in enumerate(unit.rows)
        for j, column in enumerate(unit.columns)
    }
    edge, fill = layer.padding, -np.inf if layer.op == "max_pool" else 0.0
    cells = []
    for (row, column), value in np.ndenumerate(np.pad(grid.astype(float), edge, constant_values=fill)):
        at = row - edge, column - edge
        is_outside = not all(0 <= place < len(grid) for place in at)
        is_struck = not is_outside and reads[at] == 0
        cells.append(Cell(at, value, weights.get(at), is_outside, at in weights, is_struck))
    return _grid_chart(cells, size)


def kernel_chart(kernel: np.ndarray, dilation: int, size: int) -> dict[str, Any]:
    """A kernel (k, k), spread by its dilation; the cells in between are holes."""
    span = (len(kernel) - 1) * dilation + 1
    spread = np.full((span, span), np.nan)
    spread[::dilation, ::dilation] = kernel
    return _grid_chart(
        [
            Cell(at, None if np.isnan(value) else value, is_outside=bool(np.isnan(value)))
            for at, value in np.ndenumerate(spread)
        ],
        size,
    )


def output_chart(grid: np.ndarray, unit: Unit, size: int) -> dict[str, Any]:
    """One output channel (H', W'), the unit framed; a click on a cell is kept in the selection `CLICK`."""
    cells = [
        Cell(at, float(value), is_read=at == (unit.row, unit.column)) for at, value in np.ndenumerate(grid)
    ]
    return _grid_chart(cells, size, is_clickable=True)


def _grid_chart(cells: list[Cell], size: int, is_clickable: bool = False) -> dict[str, Any]:
    table = _table(cells)
    has_weights = any(cell.weight is not None for cell in cells)
    spec: dict[str, Any] = json.loads(_spec(size, _font_size(table["text"], size), has_weights, is_clickable))
    return spec | {"datasets": {DATA: table}}


@lru_cache(maxsize=128)
def _spec(size: int, font_size: int, has_weights: bool, is_clickable: bool) -> str:
    """The drawing of a grid whose cells are `size` pixels wide, as JSON: Altair takes 100 ms over it."""
    band = alt.Scale(paddingInner=0.1, paddingOuter=0.05)
    base = alt.Chart(alt.NamedData(DATA)).encode(
        x=alt.X("column:O", axis=_axis("top"), scale=band), y=alt.Y("row:O", axis=_axis("left"), scale=band)
    )
    layers = [
        *_squares(base, is_clickable),
        _strokes(base, size),
        *_numbers(base, size, font_size, has_weights),
    ]
    chart = alt.LayerChart(layer=layers).properties(width=alt.Step(size), height=alt.Step(size))
    return str(chart.to_json())


def _squares(base: alt.Chart, is_clickable: bool) -> list[alt.Chart]:
    """Padding and holes with a dashed edge, the others shaded, what is read framed."""
    scale, words = alt.Scale(domain=ROLES), alt.Tooltip("words:N", title=" ")
    outside = (
        base.transform_filter("datum.is_outside")
        .mark_rect(fillOpacity=0, stroke="currentColor", strokeOpacity=0.5, strokeDash=[2, 3], cornerRadius=2)
        .encode(tooltip=words, description="words:N")
    )
    inside = (
        base.transform_filter("!datum.is_outside")
        .mark_rect(stroke="currentColor", strokeOpacity=0.25, cornerRadius=2)
        .encode(
            fill=alt.Fill("sign:N", scale=scale, legend=None),
            fillOpacity=alt.FillOpacity("shade:Q", scale=None),
            tooltip=words,
            description="words:N",
        )
    )
    if is_clickable:
        inside = inside.add_params(alt.selection_point(name=CLICK, fields=["position"], toggle=False))
    frame = (
        base.transform_filter("datum.is_read")
        .mark_rect(fillOpacity=0, strokeWidth=2.5, cornerRadius=2, aria=False)
        .encode(stroke=alt.Stroke("frame:N", scale=scale, legend=None))
    )
    return [outside, inside, frame]


def _strokes(base: alt.Chart, size: int) -> alt.Chart:
    """A line through each pixel that no unit reads."""
    line: alt.Chart = base.transform_filter("datum.is_struck").mark_point(
        shape="M-1,1L1,-1", size=(0.7 * size) ** 2, stroke="currentColor", opacity=0.6, aria=False
    )
    return line


def _numbers(base: alt.Chart, size: int, font_size: int, has_weights: bool) -> list[alt.Chart]:
    """The values, and in the corner what the unit multiplies them with."""
    dy = 0.14 * size if has_weights else 0
    values = base.mark_text(aria=False, fill="currentColor", fontSize=font_size, dy=dy).encode(
        text="text:N", opacity=alt.condition("datum.is_outside", alt.value(0.65), alt.value(1))
    )
    weights = base.mark_text(
        aria=False,
        fill="currentColor",
        fontSize=max(8.0, 0.31 * size),
        dx=-0.37 * size,
        dy=-0.25 * size,
        align="left",
    )
    return [values, weights.encode(text="weight:N")]


def _table(cells: list[Cell]) -> pd.DataFrame:
    inside = [abs(cell.value) for cell in cells if cell.value is not None and not cell.is_outside]
    strongest = max(inside) or 1
    return pd.DataFrame(
        {
            "position": position,
            "row": cell.at[0],
            "column": cell.at[1],
            "text": "" if cell.value is None else number(cell.value),
            "weight": "" if cell.weight is None else f"×{number(cell.weight)}",
            "sign": "minus" if (cell.value or 0) < 0 else "plus",
            "shade": 0 if cell.is_outside else abs(cell.value or 0) / strongest * MOST_SHADE,
            "frame": "read",
            "words": _words(cell),
            "is_outside": cell.is_outside,
            "is_read": cell.is_read,
            "is_struck": cell.is_struck,
        }
        for position, cell in enumerate(cells)
    )


def _words(cell: Cell) -> str:
    """The cell for the tooltip and the screen reader."""
    place = f"row {cell.at[0]}, column {cell.at[1]}"
    if cell.value is None:
        return f"{place}: a hole"
    kind = "padding " if cell.is_outside else ""
    weight = "" if cell.weight is None else f" × weight {number(cell.weight)}"
    state = " (read)" if cell.is_read and not weight else " (read by no unit)" if cell.is_struck else ""
    return f"{place}: {kind}{number(cell.value)}{weight}{state}"


def _axis(orient: Literal["top", "left"]) -> alt.Axis:
    return alt.Axis(title=None, orient=orient, labelAngle=0, ticks=False, domain=False, grid=False)


def _font_size(texts: pd.Series, size: int) -> int:
    """Points, so that the longest of `texts` fits into a cell of `size` pixels."""
    return int(min(0.44 * size, 1.5 * size / max(texts.map(len).max(), 1)))
