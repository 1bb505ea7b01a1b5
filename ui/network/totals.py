"""The totals of a network, pinned to the bottom of the page, beside those of the preset it started from."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.network import NetworkSizing, NetworkSpec
from ui import layout
from ui.network.table import shape_text

DASH = "–"


def pinned_totals(
    spec: NetworkSpec, sizing: NetworkSizing | None, start: NetworkSizing, start_name: str
) -> None:
    """Show what the whole network costs and sees, always in sight."""
    rows, columns = spec.input_shape[1:]
    with st.bottom, st.container(horizontal=True, gap="small", key="network_totals"):
        for label, field, text, help in (
            ("Parameters", "num_params", layout.count, f"Changes are against {start_name}"),
            ("Multiply-adds", "macs", millions, None),
            ("Memory", "activation_bytes", kibibytes, "float32 activations of one image, all kept"),
            (f"Field, image {rows}×{columns}", "receptive_field_before_pooling", pixels, BEFORE_POOLING),
            ("Field with pooling", "receptive_field", pixels, None),
            ("Output", "output_shape", shape_text, None),
        ):
            _total(label, sizing and getattr(sizing, field), getattr(start, field), text, help)


BEFORE_POOLING = "Receptive field, in input pixels, before the pooling or flatten that leaves a 1×1 map"


def millions(number: int) -> str:
    """Multiply-adds in millions, as in 23.57 M."""
    return f"{number / 1e6:,.2f} M"


def kibibytes(number: int) -> str:
    """Bytes in KiB."""
    return f"{number / 1024:,.0f} KiB"


def pixels(number: int) -> str:
    """A length in input pixels."""
    return f"{number} px"


def _total(label: str, value: Any, before: Any, text: Callable[[Any], str], help: str | None) -> None:
    """A label over a value, and the change where the value is a number and differs."""
    shown = DASH if value is None else text(value)
    change = ""
    if isinstance(value, int) and value != before:
        change = f" :gray[{'+' if value > before else '−'}{text(abs(value - before))}]"
    st.markdown(f":small[{label}]  \n**{shown}**{change}", help=help, width="content")
