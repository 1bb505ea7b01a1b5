"""Who feeds whom: the channels of the lesson's layers and the groups that connect them."""

import json
from functools import lru_cache
from itertools import pairwise, product
from typing import Any

import altair as alt
import pandas as pd

from core.network.lesson import Group
from core.network.spec import LayerSpec
from ui.lesson.charts import DATA

MAX_LINES_CHANNELS = 16
"""Up to so many channels each connection is a line; beyond, each group is a band."""
CHANNEL_HEIGHT, MIN_HEIGHT, MAX_HEIGHT = 30, 90, 420
LAYER_WIDTH, MAX_WIDTH = 300, 460
COLOURS = 10


def connection_chart(
    layers: tuple[LayerSpec, ...], groups: tuple[Group, ...], shown: int, channel: int
) -> dict[str, Any]:
    """Input channels left, output channels right, every group in its colour and with its number.

    What output channel `channel` of layer `shown` reads stands out.
    """
    counts = channel_counts(groups)
    marks = _titles(layers, counts)
    if max(counts) <= MAX_LINES_CHANNELS:
        marks += _lines(groups, counts, (shown, channel)) + _nodes(counts) + _group_names(groups, counts)
    else:
        marks += _bands(groups, counts)
    spec: dict[str, Any] = json.loads(_spec(len(layers), max(counts)))
    return spec | {"datasets": {DATA: pd.DataFrame(marks)}}


def connection_words(groups: tuple[Group, ...]) -> str:
    """The chart in words."""
    sentences = []
    for layer, (reads, gives) in enumerate(pairwise(channel_counts(groups))):
        own = [group for group in groups if group.layer == layer]
        sizes = f"{len(own[0].inputs)} to {len(own[0].outputs)}"
        kind = "all with all" if len(own) == 1 else f"in {len(own)} groups, each {sizes}, that share nothing"
        sentences.append(f"{reads} {'channel feeds' if reads == 1 else 'channels feed'} {gives}, {kind}")
    return "; then ".join(sentences)


def channel_counts(groups: tuple[Group, ...]) -> list[int]:
    """Channels before the first layer and after each."""
    first = max(group.inputs.stop for group in groups if group.layer == 0)
    after = [
        max(group.outputs.stop for group in groups if group.layer == layer)
        for layer in range(groups[-1].layer + 1)
    ]
    return [first, *after]


@lru_cache(maxsize=64)
def _spec(num_layers: int, tallest: int) -> str:
    """The drawing as JSON; each mark takes its own rows of the one table."""
    reach = tallest / 2
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.2, num_layers + 0.3], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-reach - 1, reach], reverse=True, nice=False))
    colour = alt.Color("colour:N", scale=alt.Scale(domain=list(range(COLOURS))), legend=None)
    base = alt.Chart(alt.NamedData(DATA)).encode(x=x, y=y)

    def rows(mark: str) -> alt.Chart:
        return base.transform_filter(f"datum.mark == '{mark}'")

    lines = (
        rows("line")
        .mark_line(aria=False)
        .encode(
            color=colour,
            detail="path:N",
            strokeWidth=alt.condition("datum.is_chosen", alt.value(4), alt.value(1.5)),
            opacity=alt.condition("datum.is_chosen", alt.value(1), alt.value(0.55)),
        )
    )
    bands = rows("band").mark_area(aria=False, opacity=0.6, strokeWidth=0)
    layers = [
        lines,
        bands.encode(y2="y2:Q", color=colour, detail="path:N"),
        rows("node").mark_circle(size=380, opacity=1, fill="#6b7680", aria=False),
        rows("node").mark_text(fill="white", fontWeight="bold", aria=False).encode(text="text:N"),
        rows("group").mark_text(align="left", dx=16, fill="currentColor", aria=False).encode(text="text:N"),
        rows("title").mark_text(fontSize=14, fill="currentColor", aria=False).encode(text="text:N"),
    ]
    width = min(MAX_WIDTH, LAYER_WIDTH * num_layers)
    height = min(MAX_HEIGHT, max(MIN_HEIGHT, CHANNEL_HEIGHT * (tallest + 1)))
    return str(alt.LayerChart(layer=layers).properties(width=width, height=height).to_json())


def _height(channel: float, count: int) -> float:
    """Where a channel stands: columns of channels are centred on 0."""
    return channel - (count - 1) / 2


def _lines(groups: tuple[Group, ...], counts: list[int], chosen: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {
            "mark": "line",
            "x": x,
            "y": _height(channel, counts[x]),
            "path": f"{turn} {source} {target}",
            "colour": turn % COLOURS,
            "is_chosen": (group.layer, target) == chosen,
        }
        for turn, group in enumerate(groups)
        for source, target in product(group.inputs, group.outputs)
        for x, channel in ((group.layer, source), (group.layer + 1, target))
    ]


def _bands(groups: tuple[Group, ...], counts: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "mark": "band",
            "x": x,
            "y": _height(channels.start - 0.5, counts[x]),
            "y2": _height(channels.stop - 0.5, counts[x]),
            "path": f"{turn}",
            "colour": turn % COLOURS,
        }
        for turn, group in enumerate(groups)
        for x, channels in ((group.layer, group.inputs), (group.layer + 1, group.outputs))
    ]


def _nodes(counts: list[int]) -> list[dict[str, Any]]:
    return [
        {"mark": "node", "x": x, "y": _height(channel, count), "text": f"{channel + 1}"}
        for x, count in enumerate(counts)
        for channel in range(count)
    ]


def _group_names(groups: tuple[Group, ...], counts: list[int]) -> list[dict[str, Any]]:
    """The number of each group of the last layer, beside its output channels, where there are several."""
    last = [group for group in groups if group.layer == groups[-1].layer]
    middles = [_height((group.outputs[0] + group.outputs[-1]) / 2, counts[-1]) for group in last]
    return [
        {"mark": "group", "x": len(counts) - 1, "y": middle, "text": f"group {turn}"}
        for turn, middle in enumerate(middles, 1)
        if len(last) > 1
    ]


def _titles(layers: tuple[LayerSpec, ...], counts: list[int]) -> list[dict[str, Any]]:
    names = ["input", *(f"after {layer.name}" for layer in layers[:-1]), "output"]
    return [
        {"mark": "title", "x": x, "y": -max(counts) / 2 - 0.6, "text": f"{name}: {count}"}
        for x, (name, count) in enumerate(zip(names, counts, strict=True))
    ]
