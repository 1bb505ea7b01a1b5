"""Blocks in the table of layers: whole ones put in, and those that are done folded out of the way."""

from typing import Any

import streamlit as st

from core.network import LayerSizing, NetworkSpec
from core.network.blocks import BLOCKS
from core.network.spec import MAX_CHANNELS
from ui.network import actions, session
from ui.network.words import shape_text


def insert_block_popover(chosen: str) -> None:
    """The ready-made blocks, each a button that puts it in beside the layer called `chosen`."""
    with st.popover("Insert block", icon=":material/add_box:", key="network_insert_block", on_change="rerun"):
        st.segmented_control(
            "Where",
            ["below", "above"],
            default="below",
            required=True,
            format_func=lambda side: f"{side.capitalize()} {chosen}",
            key="network_block_side",
        )
        st.number_input(
            "Channels it puts out",
            min_value=1,
            max_value=MAX_CHANNELS,
            value=None,
            step=1,
            placeholder="as many as it gets",
            key="network_block_channels",
        )
        with st.container(horizontal=True, gap="xsmall"):
            for kind, block in BLOCKS.items():
                st.button(
                    block.title.capitalize(),
                    key=f"network_block_{kind}",
                    help=block.summary,
                    on_click=actions.insert_block,
                    args=(kind,),
                )


def fold_choice(spec: NetworkSpec) -> None:
    """The blocks whose layers are left out of the table."""
    st.multiselect(
        "Fold blocks",
        session.block_labels(spec),
        key="network_folded",
        placeholder="Fold blocks",
        label_visibility="collapsed",
        width=300,
        persist_state="session",
    )


def folded_table(spec: NetworkSpec, sized: tuple[LayerSizing, ...], shown: tuple[int, ...]) -> None:
    """One row for each folded block, in place of the layers that are not `shown`."""
    runs = _folded_runs(spec, shown)
    if not runs:
        return
    st.dataframe(
        [_summary(spec, sized, first, end) for first, end in runs],
        column_config=_COLUMNS,
        hide_index=True,
        height="content",
        key="network_folded_blocks",
        alt="Folded blocks, one a row, with what each holds, puts out, costs and sees",
    )


def _folded_runs(spec: NetworkSpec, shown: tuple[int, ...]) -> list[tuple[int, int]]:
    """The stretches of layers that are not shown, from the first to before the end, one for each block."""
    runs: list[tuple[int, int]] = []
    for index in sorted(set(range(len(spec.layers))) - set(shown)):
        first, end = runs[-1] if runs else (0, -1)
        if end == index and spec.layers[first].block == spec.layers[index].block:
            runs[-1] = first, index + 1
        else:
            runs.append((index, index + 1))
    return runs


def _summary(spec: NetworkSpec, sized: tuple[LayerSizing, ...], first: int, end: int) -> dict[str, Any]:
    inside, is_whole = sized[first:end], end <= len(sized)
    return {
        "layers": str(end) if end == first + 1 else f"{first + 1}–{end}",
        "block": f"▸ {spec.layers[first].block}",
        "num_layers": end - first,
        "output": shape_text(inside[-1].output_shape) if is_whole else "–",
        "num_params": sum(layer.num_params for layer in inside) if is_whole else None,
        "macs": sum(layer.macs for layer in inside) if is_whole else None,
        "receptive_field": inside[-1].receptive_field if is_whole else None,
    }


_COLUMNS = {
    "layers": st.column_config.TextColumn("#", width=60),
    "block": st.column_config.TextColumn("Folded block"),
    "num_layers": st.column_config.NumberColumn("Layers"),
    "output": st.column_config.TextColumn("Output"),
    "num_params": st.column_config.NumberColumn("Parameters", format="localized"),
    "macs": st.column_config.NumberColumn("Multiply-adds", format="localized"),
    "receptive_field": st.column_config.NumberColumn("Field, px"),
}
