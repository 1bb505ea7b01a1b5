"""Pictures of a network's sizing, layer by layer along the depth, as specs for `st.vega_lite_chart`.

Altair takes 30 ms over a chart, more than the whole page beside it: each drawing is made once, and finds its
table by name.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import altair as alt
import pandas as pd

from core.network import LayerSizing

Chart = dict[str, Any]

FIELD = "receptive field"
DATA, IMAGE = "layers", "image"
"""The names under which a chart finds its tables."""
HEIGHT = 320
MANY = 24
"""Beyond so many layers their names stand upright."""


def field_growth(sized: tuple[LayerSizing, ...], image: int) -> Chart:
    """The receptive field of every layer, against the size of the image, in input pixels."""
    rows = [_growth_row(FIELD, turn, layer) for turn, layer in enumerate(sized, start=1)]
    spec = _growth_spec((FIELD, _image_name(image)), len(sized) > MANY)
    return _with_tables(spec, rows, [{"field": image, "of": _image_name(image)}])


def field_comparison(networks: Mapping[str, tuple[LayerSizing, ...]], image: int) -> Chart:
    """The same of several networks, by what each is called, over the number of the layer."""
    rows = [
        _growth_row(title, turn, layer)
        for title, sized in networks.items()
        for turn, layer in enumerate(sized, start=1)
    ]
    spec = _growth_spec((*networks, _image_name(image)), False, by_number=True)
    return _with_tables(spec, rows, [{"field": image, "of": _image_name(image)}])


def cost_by_layer(sized: tuple[LayerSizing, ...]) -> Chart:
    """Each layer's share of all parameters and of all multiply-adds."""
    rows = [
        *_shares("parameters", sized, [layer.num_params for layer in sized]),
        *_shares("multiply-adds", sized, [layer.macs for layer in sized]),
    ]
    return _with_tables(_cost_spec(len(sized) > MANY), rows)


def _with_tables(spec: str, rows: list[dict[str, Any]], image: list[dict[str, Any]] | None = None) -> Chart:
    tables = {DATA: pd.DataFrame(rows)} | ({IMAGE: pd.DataFrame(image)} if image else {})
    drawing: Chart = json.loads(spec)
    return drawing | {"datasets": tables}


def _image_name(image: int) -> str:
    return f"image, {image} px"


def _growth_row(of: str, turn: int, layer: LayerSizing) -> dict[str, Any]:
    return {
        "of": of,
        "turn": turn,
        "layer": layer.name,
        "field": layer.receptive_field,
        "stride": layer.effective_stride,
        "coverage": layer.coverage,
    }


def _shares(of: str, sized: tuple[LayerSizing, ...], counts: list[int]) -> list[dict[str, Any]]:
    total = sum(counts) or 1
    return [
        {"layer": layer.name, "of": of, "count": count, "share": count / total}
        for layer, count in zip(sized, counts, strict=True)
    ]


@lru_cache(maxsize=32)
def _growth_spec(series: tuple[str, ...], is_crowded: bool, by_number: bool = False) -> str:
    """Lines over the depth, and the image as a rule; the last of `series` names the image."""
    color = alt.Color(
        "of:N",
        scale=alt.Scale(domain=list(series)),
        legend=alt.Legend(title=None, orient="top", labelLimit=400),
    )
    number = alt.X("turn:Q", title="layer", axis=alt.Axis(tickMinStep=1))
    line = (
        alt.Chart(alt.NamedData(DATA))
        .mark_line(point={"size": 70, "filled": True}, strokeWidth=3)
        .encode(
            x=number if by_number else _depth(is_crowded),
            y=alt.Y("field:Q", title="input pixels"),
            color=color,
            tooltip=[
                *([alt.Tooltip("of:N", title="network")] if by_number else []),
                alt.Tooltip("layer:N"),
                alt.Tooltip("field:Q", title="receptive field, px"),
                alt.Tooltip("stride:Q", title="effective stride, px"),
                alt.Tooltip("coverage:Q", title="coverage", format=".1%"),
            ],
        )
    )
    rule = (
        alt.Chart(alt.NamedData(IMAGE))
        .mark_rule(strokeDash=[8, 5], strokeWidth=2.5)
        .encode(y="field:Q", color=color)
    )
    return str(alt.LayerChart(layer=[line, rule], height=HEIGHT).to_json())


@lru_cache(maxsize=2)
def _cost_spec(is_crowded: bool) -> str:
    chart = (
        alt.Chart(alt.NamedData(DATA))
        .mark_bar()
        .encode(
            x=_depth(is_crowded),
            xOffset=alt.XOffset("of:N", sort=None),
            y=alt.Y(
                "share:Q", title="share of the whole", stack=False, axis=alt.Axis(format="%", tickCount=5)
            ),
            color=alt.Color("of:N", sort=None, legend=alt.Legend(title=None, orient="top")),
            tooltip=[
                alt.Tooltip("layer:N"),
                alt.Tooltip("of:N", title="counted"),
                alt.Tooltip("count:Q", format=","),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
        .properties(height=HEIGHT)
    )
    return str(chart.to_json())


def _depth(is_crowded: bool) -> alt.X:
    """The layers by name, in the order of the table."""
    angle = -90 if is_crowded else -40
    return alt.X(
        "layer:N", sort=None, title=None, axis=alt.Axis(labelAngle=angle, labelLimit=120, labelOverlap=False)
    )
