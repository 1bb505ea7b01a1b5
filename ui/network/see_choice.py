"""Which unit the view See looks at: its layer, row and column, and the test image; all in the link."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.network import LayerSizing
from core.network.sizing import count_before_pooling

LAYER, ROW, COLUMN, IMAGE = (f"network_see_{name}" for name in ("layer", "row", "column", "image"))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a layer, and the test image to see it on."""

    index: int
    """The layer, from 0."""
    row: int
    column: int
    image: int


def unit_choice(sized: Sequence[LayerSizing], num_images: int) -> Unit:
    """Choose a sized layer and its unit; from the start the middle of the last map before pooling."""
    names = [row.name for row in sized]
    start = max(count_before_pooling(sized) - 1, 0)
    if LAYER in st.session_state and st.session_state[LAYER] not in names:
        st.session_state[LAYER] = names[start]
    with st.grid(min_column_width=160, gap="small", vertical_alignment="bottom"):
        name = st.selectbox(
            "Layer to look at",
            names,
            index=start,
            key=LAYER,
            on_change=_go_to_middle,
            args=({row.name: row.output_shape[1:] for row in sized},),
            bind="query-params",
        )
        index = names.index(name)
        _, rows, columns = sized[index].output_shape
        row = _place("Unit: row", ROW, rows)
        column = _place("Unit: column", COLUMN, columns)
        image = 0
        if num_images:
            _keep_within(IMAGE, num_images - 1)
            image = st.number_input("Test image", 0, num_images - 1, value=0, key=IMAGE, bind="query-params")
    return Unit(index, row, column, image)


def _place(label: str, key: str, length: int) -> int:
    if length == 1:
        return 0
    _keep_within(key, length - 1)
    place: int = st.slider(label, 0, length - 1, length // 2, key=key, bind="query-params")
    return place


def _go_to_middle(maps: dict[str, tuple[int, int]]) -> None:
    """A new layer is looked at in the middle of its map (rows, columns)."""
    for key, length in zip((ROW, COLUMN), maps[st.session_state[LAYER]], strict=True):
        st.session_state[key] = length // 2


def _keep_within(key: str, most: int) -> None:
    """Bring a value that an earlier map allowed into what this one allows."""
    if key in st.session_state and st.session_state[key] > most:
        st.session_state[key] = most
