"""What the operation costs and sees, beside the standard convolution, and the formulas behind the numbers."""

import streamlit as st

from core.network import NetworkSizing, size_network
from core.network.lesson import Lesson, make_network, standard_counterpart
from ui.layout import count
from ui.lesson.latex import cost_formulas
from ui.lesson.text import counterpart_words, ratio_words


def show_costs(lesson: Lesson, sizing: NetworkSizing) -> None:
    """The operation's numbers beside the standard convolution's, and the formulas behind them."""
    last = sizing.layers[-2]  # behind it stands only the pooling that ends every network
    ratios: dict[str, str | None] = {"Parameters": None, "Multiply-adds": None}
    counterpart = standard_counterpart(lesson)
    if counterpart is not None:
        other = size_network(make_network(lesson, (counterpart,)))
        ratios = {
            "Parameters": ratio_words(sizing.num_params, other.num_params),
            "Multiply-adds": ratio_words(sizing.macs, other.macs),
        }
    numbers = {
        "Parameters": count(sizing.num_params),
        "Multiply-adds": count(sizing.macs),
        "Output shape": "×".join(map(str, last.output_shape)),
        "Receptive field": f"{last.receptive_field} px",
        "Effective stride": f"{last.effective_stride} px",
    }
    with st.grid(min_column_width=140, gap="small"):
        for label, value in numbers.items():
            st.metric(
                label,
                value,
                ratios.get(label),
                delta_color="off",
                delta_arrow="off",
                border=True,
                height="stretch",
            )
    if counterpart is not None:
        st.caption(
            f"The small figures are beside {counterpart_words(lesson, counterpart)}. No biases are counted."
        )
    st.latex(cost_formulas(lesson, sizing))
