"""The stage of the Convolutions page: input, kernel and output beside each other, and the sum of one unit."""

import numpy as np
import streamlit as st

from core.network.lesson import Unit, count_reads
from core.network.spec import LayerSpec
from ui.lesson.charts import CLICK, cell_size, input_chart, kernel_chart, output_chart
from ui.lesson.form import go_to
from ui.lesson.latex import number, unit_arithmetic

CLICKS = "convolutions_clicks"


def show_stage(layer: LayerSpec, maps: np.ndarray, output: np.ndarray, unit: Unit, shown: int) -> None:
    """Input channel `shown` of `maps` (C, H, W), its kernel, the sum of `unit`, and `output` (H', W')."""
    size = maps.shape[1]
    cell = cell_size(size + 2 * layer.padding + len(output))
    with st.container(horizontal=True, gap="medium"):
        with st.container(width="content"):
            st.markdown(f"**Input**, channel {shown + 1} of {len(maps)}")
            st.vega_lite_chart(
                spec=input_chart(maps[shown], layer, unit, shown, count_reads(layer, size), cell),
                width="content",
                key="convolutions_input_chart",
                alt=f"Input channel {shown + 1}, {size}×{size}; what the unit reads is framed",
            )
        with st.container(width="content"):
            st.markdown(f"**Output**, channel {unit.channel + 1}")
            st.vega_lite_chart(
                spec=output_chart(output, unit, cell),
                width="content",
                key=_output_key(),
                on_select=_go_to_clicked,
                alt=f"Output channel {unit.channel + 1}, {len(output)}×{len(output)}; its unit is framed",
            )
    with st.container(horizontal=True, gap="large", vertical_alignment="center"):
        if unit.weights is not None:
            _show_kernel(unit.weights[unit.channels.index(shown)], layer.dilation, cell, shown)
        st.latex(unit_arithmetic(layer, unit, shown), width="content")


def _show_kernel(kernel: np.ndarray, dilation: int, cell: int, shown: int) -> None:
    with st.container(width="content"):
        st.markdown(f"**Kernel** for input channel {shown + 1}, sum {number(kernel.sum())}")
        st.vega_lite_chart(
            spec=kernel_chart(kernel, dilation, cell),
            width="content",
            key="convolutions_kernel_chart",
            alt=f"Kernel, row by row: {'; '.join(' '.join(map(number, row)) for row in kernel)}",
        )


def _output_key() -> str:
    """A new key after each click: a chart keeps its selection, so that a cell could not be clicked again."""
    return f"convolutions_output_chart_{st.session_state.get(CLICKS, 0)}"


def _go_to_clicked() -> None:
    clicked = st.session_state[_output_key()].selection.get(CLICK)
    if clicked:
        go_to(clicked[0]["position"])
        st.session_state[CLICKS] = st.session_state.get(CLICKS, 0) + 1
