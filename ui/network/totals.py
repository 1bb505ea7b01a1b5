"""The totals of a network, pinned to the bottom of the page, beside those of the network it started from."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.network import NetworkSizing, NetworkSpec
from ui import layout
from ui.network.judge import Judgement, brief_text, findings_marks
from ui.network.words import kibibytes, millions, pixels, shape_text
from ui.text import plain

DASH = "–"


def pinned_totals(
    spec: NetworkSpec,
    sizing: NetworkSizing | None,
    start: NetworkSizing | None,
    start_name: str,
    judgement: Judgement,
) -> None:
    """Show what the whole network costs, sees and breaks, always in sight."""
    rows, columns = spec.input_shape[1:]
    with st.bottom, st.container(horizontal=True, gap="small", key="network_totals"):
        for label, field, text, help in (
            ("Parameters", "num_params", layout.count, f"Changes are against {plain(start_name)}"),
            ("Multiply-adds", "macs", millions, None),
            ("Activations", "activation_bytes", kibibytes, None),
            (f"Field, image {rows}×{columns}", "receptive_field_before_pooling", pixels, BEFORE_POOLING),
            ("Pooled field", "receptive_field", pixels, None),
            ("Output", "output_shape", shape_text, None),
        ):
            before = start and getattr(start, field)
            _total(label, sizing and getattr(sizing, field), before, text, help)
        _item("Findings", findings_marks(judgement.findings), None)
        if judgement.brief:
            _item("Brief", brief_text(judgement), plain(judgement.brief.title))


BEFORE_POOLING = "Receptive field, in input pixels, before the pooling or flatten that leaves a 1×1 map"


def _total(label: str, value: Any, before: Any, text: Callable[[Any], str], help: str | None) -> None:
    """A total, and its change where it is a number and differs."""
    change = ""
    if isinstance(value, int) and isinstance(before, int) and value != before:
        change = f" :gray[{'+' if value > before else '−'}{text(abs(value - before))}]"
    _item(label, DASH if value is None else text(value), help, change)


def _item(label: str, text: str, help: str | None, change: str = "") -> None:
    """A label over a value."""
    st.markdown(f":small[{label}]  \n**{text}**{change}", help=help, width="content")
