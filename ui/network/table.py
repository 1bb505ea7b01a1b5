"""The table of layers: typed cells, actions on rows, and what every layer costs and sees."""

from typing import Any

import numpy as np
import streamlit as st

from core.errors import SizingError
from core.network import LayerSizing, LayerSpec, NetworkSpec
from core.network.spec import MAX_LAYERS
from ui.network import actions, session
from ui.network.blocks import fold_choice, insert_block_popover
from ui.network.edit import USED
from ui.network.inspector import NUMBERS, SOURCE_HELP, THEN_HELP, step_options
from ui.network.words import shape_text

ROW_ACTIONS = {
    "insert_above": ("Insert above", ":material/add_row_above:"),
    "insert_below": ("Insert below", ":material/add_row_below:"),
    "duplicate": ("Duplicate", ":material/content_copy:"),
    "move_up": ("Up", ":material/arrow_upward:"),
    "move_down": ("Down", ":material/arrow_downward:"),
    "delete": ("Delete", ":material/delete:"),
}
ADDING = ("insert_above", "insert_below", "duplicate")

ROW_HEIGHT = 36
ROWS_SHOWN = 14


def row_toolbar(spec: NetworkSpec) -> None:
    """The choice of a layer, and what can be done to it."""
    names = [layer.name for layer in spec.layers]
    if st.session_state.get("network_layer") not in names:
        st.session_state["network_layer"] = names[0]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        chosen = st.selectbox(
            "Layer",
            names,
            key="network_layer",
            width=160,
            help="The layer that the buttons act on; the ⋮ menu in a row does the same.",
        )
        index = names.index(chosen)
        for action, (label, icon) in ROW_ACTIONS.items():
            st.button(
                label,
                key=f"network_{action}",
                icon=icon,
                on_click=actions.change_chosen,
                args=(action,),
                disabled=not _is_possible(action, index, len(names)),
            )
        insert_block_popover(chosen)
        fold_choice(spec)


def layer_editor(spec: NetworkSpec, sized: tuple[LayerSizing, ...], error: SizingError | None) -> None:
    """The layers as typed cells; `session.open_draft` takes in what is typed, on the next run."""
    shown = list(session.shown_rows())
    if not shown:
        return
    st.data_editor(
        {name: column[shown] for name, column in _cells(spec, sized, error).items()},
        key=session.editor_key(),
        column_config=_columns(spec, error),
        disabled=["#", "output"],
        hide_index=True,
        height=ROW_HEIGHT * (1 + min(len(shown), ROWS_SHOWN)) + 3,
        row_height=ROW_HEIGHT,
        placeholder="",
        alt=f"Layers of {spec.name}, one a row, with editable cells",
    )


def sizing_table(sized: tuple[LayerSizing, ...]) -> None:
    """What every layer puts out, costs and sees."""
    st.dataframe(
        {
            "#": list(range(1, len(sized) + 1)),
            "layer": [layer.name for layer in sized],
            "output": [shape_text(layer.output_shape) for layer in sized],
            "num_params": [layer.num_params for layer in sized],
            "macs": [layer.macs for layer in sized],
            "activation_bytes": [layer.activation_bytes / 1024 for layer in sized],
            "receptive_field": [layer.receptive_field for layer in sized],
            "effective_stride": [layer.effective_stride for layer in sized],
            "effective_padding": [layer.effective_padding for layer in sized],
            "coverage": [layer.coverage for layer in sized],
        },
        column_config=_SIZING_COLUMNS,
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        key="network_sizing",
        alt="Shapes, parameters, multiply-adds, memory, receptive field and coverage of every layer",
    )


def misfit_text(error: SizingError, spec: NetworkSpec) -> str:
    """The arithmetic of a layer that cannot work, without its place and the remedy."""
    layer = spec.layers[error.layer]
    reason = str(error).removeprefix(f"layer {error.layer + 1} ({layer.name}, {layer.op}): ")
    return reason.partition("; ")[0]


def _is_possible(action: str, index: int, length: int) -> bool:
    if action in ADDING:
        return length < MAX_LAYERS
    return {"move_up": index > 0, "move_down": index < length - 1, "delete": length > 1}[action]


def _take_menu() -> None:
    """Do what was clicked in the ⋮ menu of a row."""
    click = st.session_state["network_row_menu"]
    labels = {f"{icon} {label}": action for action, (label, icon) in ROW_ACTIONS.items()}
    shown = session.shown_rows()
    if click["row"] < len(shown):
        actions.change_rows(labels[click["label"]], shown[int(click["row"])])


def _cells(
    spec: NetworkSpec, sized: tuple[LayerSizing, ...], error: SizingError | None
) -> dict[str, np.ndarray]:
    """The editor's columns; their types stay the same whatever they hold, or the editor would start anew."""
    layers = spec.layers
    outputs = [shape_text(layer.output_shape) for layer in sized]
    if error is not None:
        outputs.append(f"⚠ {misfit_text(error, spec)}")
    return {
        "menu": _objects([_menu(index, len(layers)) for index in range(len(layers))]),
        "#": np.arange(1, len(layers) + 1),
        "name": _objects([layer.name for layer in layers]),
        "output": _objects(outputs + ["–"] * (len(layers) - len(outputs))),
        "op": _objects([layer.op for layer in layers]),
        **{name: _numbers(layers, name) for name in NUMBERS},
        "bias": _objects([layer.bias if "bias" in USED[layer.op] else None for layer in layers]),
        "then": _objects([list(layer.then) for layer in layers]),
        "block": _objects([layer.block for layer in layers]),
        "source": _objects([layer.source or "" for layer in layers]),
    }


def _menu(index: int, length: int) -> list[str]:
    return [
        f"{icon} {label}"
        for action, (label, icon) in ROW_ACTIONS.items()
        if _is_possible(action, index, length)
    ]


def _numbers(layers: tuple[LayerSpec, ...], name: str) -> np.ndarray:
    """A column of integers as float64, with NaN where the op makes no use of it."""
    return np.array([getattr(layer, name) if name in USED[layer.op] else np.nan for layer in layers], float)


def _objects(values: list[Any]) -> np.ndarray:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _columns(spec: NetworkSpec, error: SizingError | None) -> dict[str, Any]:
    column = st.column_config
    numbers = {
        name: column.NumberColumn(label, step=1, format="%d", help=help, width=_width(label))
        for name, (label, help) in NUMBERS.items()
    }
    return {
        "menu": column.ButtonColumn(
            "", key="network_row_menu", on_click=_take_menu, width=46, pinned=True, help="Actions on this row"
        ),
        "#": column.NumberColumn("#", width=40, pinned=True),
        "name": column.TextColumn("Layer", max_chars=40, pinned=True, width=110),
        "output": column.TextColumn(
            "Output",
            width=94 if error is None else 340,
            help="Channels × height × width that the layer puts out",
        ),
        "op": column.SelectboxColumn("Op", options=list(USED), required=True, width=118),
        **numbers,
        "bias": column.CheckboxColumn("Bias", width=68),
        "then": column.MultiselectColumn(
            "Then",
            options=step_options(spec),
            accept_new_options=True,
            color="auto",
            help=THEN_HELP,
        ),
        "block": column.TextColumn("Block", max_chars=60, width=130),
        "source": column.SelectboxColumn(
            "Source",
            options=["", *(layer.name for layer in spec.layers)],
            help=SOURCE_HELP,
        ),
    }


def _width(label: str) -> int:
    return 44 + 7 * len(label)


_SIZING_COLUMNS = {
    "#": st.column_config.NumberColumn("#", width=40, pinned=True),
    "layer": st.column_config.TextColumn("Layer", pinned=True),
    "output": st.column_config.TextColumn("Output"),
    "num_params": st.column_config.NumberColumn("Parameters", format="localized"),
    "macs": st.column_config.NumberColumn("Multiply-adds", format="localized"),
    "activation_bytes": st.column_config.NumberColumn(
        "Memory, KiB", format="%.1f", help="float32 activations of one image"
    ),
    "receptive_field": st.column_config.NumberColumn(
        "Field, px", help="Receptive field: input pixels that one unit sees"
    ),
    "effective_stride": st.column_config.NumberColumn(
        "Stride, px", help="Input pixels between neighbouring units"
    ),
    "effective_padding": st.column_config.NumberColumn(
        "Padding, px", help="Input pixels that the first unit sees outside"
    ),
    "coverage": st.column_config.NumberColumn(
        "Coverage", format="percent", help="Share of the field's pixels that any path reaches"
    ),
}
