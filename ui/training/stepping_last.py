"""What the last step changed: the layers, one kernel as a picture, and one weight with its numbers."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.arrays import Array
from ui.gallery import gallery
from ui.layout import count

if TYPE_CHECKING:
    from core.training.stepping import StepTaken, Walk


def show(walk: "Walk", least_width: int) -> None:
    """Draw the three parts in columns of at least so many pixels, or say that there was no step yet."""
    st.markdown("##### What the last step changed")
    if walk.last is None:
        st.caption("Nothing yet: take a step.")
        return
    with st.grid(columns=2, min_column_width=least_width, gap="large"):
        with st.container():
            _layers(walk)
            _weight(walk, walk.last)
        with st.container():
            _kernel(walk, walk.last)


def _layers(walk: "Walk") -> None:
    from core.training.stepping import layer_changes

    rows = layer_changes(walk)
    st.dataframe(
        {
            "layer": [row.layer for row in rows],
            "parameters": [row.num_params for row in rows],
            "weights": [row.weights for row in rows],
            "gradient": [row.gradient for row in rows],
            "change": [row.change for row in rows],
        },
        column_config={
            "layer": st.column_config.TextColumn("Layer"),
            "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
            "weights": st.column_config.NumberColumn("‖w‖", format="%.4f", help="After the step."),
            "gradient": st.column_config.NumberColumn("‖∇L‖", format="%.4f"),
            "change": st.column_config.NumberColumn("‖Δw‖", format="%.5f", help="η times ‖∇L‖."),
        },
        hide_index=True,
        height="content",
        key="train_step_layers",
        alt="Norms of the weights, of the gradient and of the change of every layer",
    )


def _weight(walk: "Walk", taken: "StepTaken") -> None:
    """The rule with the numbers of one weight."""
    names = list(taken.before)
    if st.session_state.get("train_step_parameter") not in names:
        st.session_state["train_step_parameter"] = names[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name: str = st.selectbox("One weight of", names, key="train_step_parameter", width=260)
        size = taken.before[name].size
        key = "train_step_place"
        st.session_state[key] = min(max(st.session_state.get(key, 1), 1), size)
        place = st.number_input(
            f"Its number, of {count(size)}", min_value=1, max_value=size, key=key, width=180
        )
    st.latex(weight_rule(walk, taken, name, int(place) - 1))


def weight_rule(walk: "Walk", taken: "StepTaken", name: str, place: int) -> str:
    """w ← w − η ∇L in LaTeX, with the numbers of the weight at `place` of the flattened parameter."""
    indices = np.unravel_index(place, taken.before[name].shape)
    symbol = f"w_{{{','.join(str(index + 1) for index in indices)}}}"
    old, slope, new = (
        float(arrays[name].ravel()[place]) for arrays in (taken.before, taken.gradients, walk.weights)
    )
    return (
        r"\begin{aligned}"
        rf"{symbol} &\leftarrow {symbol} - \eta \, \frac{{\partial L}}{{\partial {symbol}}} \\"
        rf"&= {_number(old)} - {taken.rate:g} \cdot {_operand(slope)} \\"
        rf"&= {_number(new)}"
        r"\end{aligned}"
    )


def _number(value: float) -> str:
    """Six decimals, or powers of ten where those would show nothing."""
    if value == 0 or abs(value) >= 1e-3:
        return f"{value:.6f}"
    mantissa, _, exponent = f"{value:.4e}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def _operand(value: float) -> str:
    return rf"\left({_number(value)}\right)" if value < 0 or "cdot" in _number(value) else _number(value)


def _kernel(walk: "Walk", taken: "StepTaken") -> None:
    """One kernel of the first layer: at the beginning, before and after the step, and what the step did."""
    name = next(name for name, array in taken.before.items() if array.ndim == 4)
    kernels = len(taken.before[name])
    key = "train_step_kernel"
    st.session_state[key] = min(max(st.session_state.get(key, 1), 1), kernels)
    layer = name.partition(".")[0]
    chosen = st.number_input(
        f"Kernel of {layer}, of {count(kernels)}", min_value=1, max_value=kernels, key=key, width=200
    )
    start, before, after = (
        arrays[name][int(chosen) - 1] for arrays in (walk.start, taken.before, walk.weights)
    )
    scale = max(float(np.abs(each).max()) for each in (start, before, after))
    change = after - before
    largest = float(np.abs(change).max())
    side = "×".join(map(str, start.shape[1:]))
    titles = {
        "untrained": picture(start, scale),
        "before": picture(before, scale),
        "after": picture(after, scale),
        "change": picture(change, largest),
    }
    alts = [f"Kernel {chosen} of {layer}, {side}: {title}" for title in titles]
    gallery(list(titles.values()), list(titles), alts, size=80)
    times = f"shown {scale / largest:,.0f} times stronger" if largest else "nothing"
    st.caption(
        f"Grey is 0; red, green and blue are the weights of the three input channels. The change is {times}."
    )


def picture(kernel: Array, scale: float) -> np.ndarray:
    """A kernel (C, H, W) as a picture (H, W, 3) uint8: -scale is 0, 0 is grey, +scale is 255.

    Of other than three channels the first one, in grey.
    """
    shown = kernel if len(kernel) == 3 else np.repeat(kernel[:1], 3, axis=0)
    levels = np.rint(127.5 * (1 + np.moveaxis(shown, 0, -1) / (scale or 1.0)))
    pixels: np.ndarray = np.clip(levels, 0, 255).astype(np.uint8)
    return pixels
