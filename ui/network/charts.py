"""Pictures of a network's sizing, layer by layer along the depth."""

from typing import Any

import altair as alt
import pandas as pd

from core.network import LayerSizing

FIELD = "receptive field"
HEIGHT = 320


def field_growth(sized: tuple[LayerSizing, ...], image: int) -> alt.LayerChart:
    """The receptive field of every layer, against the size of the image, in input pixels."""
    whole = f"image, {image} px"
    rows = [
        {
            "layer": layer.name,
            "field": layer.receptive_field,
            "stride": layer.effective_stride,
            "coverage": layer.coverage,
            "of": FIELD,
        }
        for layer in sized
    ]
    color = alt.Color(
        "of:N", scale=alt.Scale(domain=[FIELD, whole]), legend=alt.Legend(title=None, orient="top")
    )
    line = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point={"size": 70, "filled": True}, strokeWidth=3)
        .encode(
            x=_depth(sized),
            y=alt.Y("field:Q", title="input pixels"),
            color=color,
            tooltip=[
                alt.Tooltip("layer:N"),
                alt.Tooltip("field:Q", title="receptive field, px"),
                alt.Tooltip("stride:Q", title="effective stride, px"),
                alt.Tooltip("coverage:Q", title="coverage", format=".1%"),
            ],
        )
    )
    rule = (
        alt.Chart(pd.DataFrame([{"field": image, "of": whole}]))
        .mark_rule(strokeDash=[8, 5], strokeWidth=2.5)
        .encode(y="field:Q", color=color)
    )
    return alt.LayerChart(layer=[line, rule], height=HEIGHT)


def cost_by_layer(sized: tuple[LayerSizing, ...]) -> alt.Chart:
    """Each layer's share of all parameters and of all multiply-adds."""
    rows = [
        *_shares("parameters", sized, [layer.num_params for layer in sized]),
        *_shares("multiply-adds", sized, [layer.macs for layer in sized]),
    ]
    scale = alt.Scale(domain=[0, max(row["share"] for row in rows) or 1])
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            x=_depth(sized),
            xOffset=alt.XOffset("of:N", sort=None),
            y=alt.Y(
                "share:Q",
                title="share of the whole",
                scale=scale,
                stack=False,
                axis=alt.Axis(format="%", tickCount=5),
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
    return chart


def _shares(of: str, sized: tuple[LayerSizing, ...], counts: list[int]) -> list[dict[str, Any]]:
    total = sum(counts) or 1
    return [
        {"layer": layer.name, "of": of, "count": count, "share": count / total}
        for layer, count in zip(sized, counts, strict=True)
    ]


def _depth(sized: tuple[LayerSizing, ...]) -> alt.X:
    names = [layer.name for layer in sized]
    angle = -40 if len(names) <= 24 else -90
    return alt.X(
        "layer:N", sort=names, title=None, axis=alt.Axis(labelAngle=angle, labelLimit=120, labelOverlap=False)
    )
