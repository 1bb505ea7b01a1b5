"""The view that sets the network in hand beside another: totals, growth of the field, and every layer."""

from collections.abc import Callable

import streamlit as st

from core.errors import SizingError
from core.network import LayerSizing, NetworkSpec
from core.network.reading import Reading, read_network
from ui import layout, widgets
from ui.network import charts, saved, session
from ui.network.words import kibibytes, millions, pixels, shape_text
from ui.text import plain


def show(spec: NetworkSpec, sized: tuple[LayerSizing, ...], misfit: SizingError | None) -> None:
    """Draw the view; a network that cannot work is compared as far as it does."""
    other = _choose_other()
    pair = Reading(spec, sized, misfit), read_network(other)
    for reading in pair:
        if reading.misfit:
            st.warning(plain(f"{reading.spec.name}: {reading.misfit}"), icon=":material/warning:")
    if other == spec:
        st.info("This is the network in hand itself; choose another.", icon=":material/info:")
    st.subheader("In all", anchor="totals")
    st.dataframe(
        _totals(*pair),
        column_config=_TOTAL_COLUMNS,
        hide_index=True,
        height="content",
        key="network_compare_totals",
        alt=f"Totals of the network in hand and of {other.name}, with their differences",
    )
    _growth(*pair)
    st.subheader("Layer by layer", anchor="layers")
    own_side, other_side = st.columns(2)
    with own_side:
        _layer_table("own", "In hand", pair[0])
    with other_side:
        _layer_table("other", other.name, pair[1])


def _choose_other() -> NetworkSpec:
    """The other network, which the link brings by its key; at first the one that this was started from."""
    known = saved.known_networks()
    wanted = st.session_state.get("network_other", st.query_params.get("network_other"))
    widgets.hold("network_other", wanted if wanted in known else session.present().start_key())
    key = st.selectbox(
        "Compare with",
        list(known),
        key="network_other",
        format_func=lambda key: saved.title(key, known[key]),
        persist_state="session",
    )
    st.query_params["network_other"] = key
    return known[key]


def _totals(own: Reading, other: Reading) -> list[dict[str, str]]:
    """A row for each total: what it is, of the one, of the other, and by how much the first differs."""
    mine, theirs = _sums(own), _sums(other)
    rows = []
    for label, text in _TEXTS.items():
        before, now = theirs[label], mine[label]
        rows.append(
            {
                "what": label,
                "own": "–" if now is None else text(now),
                "other": "–" if before is None else text(before),
                "change": _change(now, before, text),
            }
        )
    return rows


def _sums(reading: Reading) -> dict[str, int | None]:
    """The totals of a network; None where it cannot be sized to its end."""
    rows, last = reading.rows, reading.last_before_pooling
    is_whole = reading.misfit is None
    totals: dict[str, int | None] = {
        "Layers": len(reading.spec.layers),
        "Parameters": sum(row.num_params for row in rows),
        "Multiply-adds": sum(row.macs for row in rows),
        "Activations": sum(row.activation_bytes for row in rows),
        "Field before pooling": reading.field_before(last + 1),
        "Pooled field": rows[-1].receptive_field if rows else None,
    }
    return {label: value if is_whole or label == "Layers" else None for label, value in totals.items()}


_TEXTS: dict[str, Callable[[int], str]] = {
    "Layers": layout.count,
    "Parameters": layout.count,
    "Multiply-adds": millions,
    "Activations": kibibytes,
    "Field before pooling": pixels,
    "Pooled field": pixels,
}


def _change(now: int | None, before: int | None, text: Callable[[int], str]) -> str:
    """By how much `now` differs from `before`, absolute and as a share."""
    if now is None or before is None or now == before:
        return ""
    sign = "+" if now > before else "−"
    share = f" ({sign}{layout.percent(abs(now - before) / before, 0)})" if before else ""
    return f"{sign}{text(abs(now - before))}{share}"


def _growth(own: Reading, other: Reading) -> None:
    if not own.rows or not other.rows:
        return
    st.subheader("How far each layer sees", anchor="field")
    fields = own.rows[-1].receptive_field, other.rows[-1].receptive_field
    st.vega_lite_chart(
        charts.field_comparison(
            {"in hand": own.rows, "the other": other.rows}, max(own.spec.input_shape[1:])
        ),
        key="network_compare_field",
        alt=f"Receptive field by layer: in hand up to {fields[0]} pixels, the other up to {fields[1]}",
    )


def _layer_table(side: str, title: str, reading: Reading) -> None:
    st.markdown(f"**{plain(title)}**")
    st.dataframe(
        {
            "#": list(range(1, len(reading.rows) + 1)),
            "layer": [row.name for row in reading.rows],
            "output": [shape_text(row.output_shape) for row in reading.rows],
            "num_params": [row.num_params for row in reading.rows],
            "receptive_field": [row.receptive_field for row in reading.rows],
        },
        column_config=_LAYER_COLUMNS,
        hide_index=True,
        height="content",
        key=f"network_compare_{side}",
        alt=f"Layers of {reading.spec.name}: output, parameters and receptive field of each",
    )


_TOTAL_COLUMNS = {
    "what": st.column_config.TextColumn(""),
    "own": st.column_config.TextColumn("In hand", alignment="right"),
    "other": st.column_config.TextColumn("The other", alignment="right"),
    "change": st.column_config.TextColumn("In hand against the other", alignment="right"),
}
_LAYER_COLUMNS = {
    "#": st.column_config.NumberColumn("#", width=40),
    "layer": st.column_config.TextColumn("Layer"),
    "output": st.column_config.TextColumn("Output"),
    "num_params": st.column_config.NumberColumn("Parameters", format="localized"),
    "receptive_field": st.column_config.NumberColumn("Field, px"),
}
