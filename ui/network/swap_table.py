"""What swapping one convolution changes: a table, the ratios as a chart, and the conditions."""

from typing import Any

import streamlit as st

from core.network import LayerSpec, NetworkSizing, NetworkSpec
from core.network.measured import Measurement, Measurements
from core.network.swap import Variant
from ui.layout import count
from ui.text import plain

TITLES = {
    "standard": "Standard",
    "depthwise_separable": "Depthwise-separable",
    "grouped": "Grouped",
    "dilated": "Dilated",
    "strided": "Strided",
    "factorised": "Factorised",
}
PRESENT = "As it is"
RATIOS = ("parameters", "multiply-adds", "time of a step", "peak memory")


def title(variant: Variant) -> str:
    """What the kind of a variant is called."""
    return TITLES[variant.kind]


def variants_table(
    spec: NetworkSpec,
    layer: str,
    present: NetworkSizing,
    variants: list[Variant],
    measured: Measurements | None,
) -> None:
    """The present network in the first row, then every variant."""
    own = next(each for each in spec.layers if each.name == layer)
    rows = [_row(PRESENT, (own,), present, present)]
    for variant in variants:
        if variant.network and variant.sizing:
            new = tuple(
                each for each in variant.network.layers if each.op == "conv" and each not in spec.layers
            )
            rows.append(_row(title(variant), new, variant.sizing, present))
    for row, network in zip(rows, measured.networks if measured else (), strict=False):
        assert measured is not None
        row |= _measured_cells(network, measured.networks[0])
    st.dataframe(
        rows,
        column_config=_COLUMNS,
        column_order=[name for name in _COLUMNS if name in rows[0]],
        hide_index=True,
        height="content",
        key="network_swap_table",
        alt=f"The network with other kinds of convolution in place of {layer}: counts and measured times",
    )


def _row(
    label: str, layers: tuple[LayerSpec, ...], sizing: NetworkSizing, present: NetworkSizing
) -> dict[str, Any]:
    return {
        "variant": label,
        "num_params": _change(sizing.num_params, present.num_params, sizing is present),
        "macs": _change(sizing.macs, present.macs, sizing is present),
        "field": sizing.receptive_field_before_pooling,
        "coverage": sizing.coverage,
        "is": " + ".join(map(_describe, layers)),
    }


def _describe(layer: LayerSpec) -> str:
    """A convolution in short: 3×3, stride 2, 4 groups → 32."""
    words = [f"{layer.kernel_size}×{layer.kernel_size}"]
    words += [f"stride {layer.stride}"] if layer.stride > 1 else []
    words += [f"dilation {layer.dilation}"] if layer.dilation > 1 else []
    words += [f"{layer.groups} groups"] if layer.groups > 1 else []
    return f"{', '.join(words)} → {layer.out_channels}"


def _change(number: int, present: int, is_present: bool) -> str:
    """The number itself for the present network, the difference from it for a variant."""
    if is_present or number == present:
        return count(number) if is_present else "0"
    return f"{'+' if number > present else '−'}{count(abs(number - present))}"


def _measured_cells(network: Measurement, present: Measurement) -> dict[str, Any]:
    return {
        "forward": network.forward,
        "backward": network.backward,
        "ratio": network.times_slower(present),
        "peak": network.peak_bytes / 2**20,
    }


def ratios_chart(present: NetworkSizing, variants: list[Variant], measured: Measurements) -> None:
    """Every variant's counts and measurements as a multiple of the present network's."""
    values = []
    for variant, network in zip(variants, measured.networks[1:], strict=True):
        for of, ratio in zip(RATIOS, _ratios(variant, network, present, measured.networks[0]), strict=True):
            values.append({"variant": title(variant), "of": of, "ratio": round(ratio, 3)})
    order = [title(variant) for variant in variants]
    x = {
        "field": "variant",
        "type": "nominal",
        "sort": order,
        "title": None,
        "axis": {"labelAngle": 0, "labelLimit": 160},
    }
    y = {"field": "ratio", "type": "quantitative", "title": "times as it is"}
    color = {
        "field": "of",
        "type": "nominal",
        "sort": list(RATIOS),
        "legend": {"orient": "top", "title": None, "columns": 2, "labelLimit": 300},
    }
    bars = {
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {"x": x, "xOffset": {"field": "of", "sort": list(RATIOS)}, "y": y, "color": color},
    }
    rule = {"mark": {"type": "rule", "strokeDash": [6, 4], "color": "gray"}, "encoding": {"y": {"datum": 1}}}
    chart = {"data": {"values": values}, "height": 280, "layer": [bars, rule]}
    st.vega_lite_chart(
        chart, key="network_swap_chart", alt="Counts and measurements of each variant, as a multiple"
    )


def _ratios(
    variant: Variant, network: Measurement, present: NetworkSizing, first: Measurement
) -> tuple[float, float, float, float]:
    assert variant.sizing is not None  # only those that work are measured
    return (
        variant.sizing.num_params / present.num_params,
        variant.sizing.macs / present.macs,
        network.times_slower(first),
        network.peak_bytes / first.peak_bytes,
    )


def conditions(present: NetworkSizing, variants: list[Variant], measured: Measurements) -> None:
    """What the counts did not foretell, and the machine and settings that the times hold for."""
    first = measured.networks[0]
    for variant, network in zip(variants, measured.networks[1:], strict=True):
        _, macs, slower, _ = _ratios(variant, network, present, first)
        low, high = network.middle_half_slower(first)
        if macs < 1 < low:
            st.info(
                f"**{title(variant)}** has {macs:.2f} times the multiply-adds, and takes {slower:.2f} times"
                f" as long on this machine (the middle half of the steps: {low:.2f} to {high:.2f}).",
                icon=":material/lightbulb:",
            )
    settings, machine = measured.settings, measured.conditions
    threads = f"{settings.threads} thread{'s' if settings.threads > 1 else ''}"
    st.caption(
        f"Milliseconds of a whole network and batch: the median of {settings.repetitions} steps of "
        f"{settings.batch_size} images in float32, without the optimiser's, the networks in turn. "
        f"Measured on {plain(machine.hardware)}, {threads}, torch {plain(machine.torch)}. "
        "Peak memory is the most that tensors took at once in a step (weights, images, activations, "
        f"gradients), from {plain(machine.memory)}; memory inside the kernels is not in it."
    )


CHANGE = "The present network's, and below it by how much each variant differs"

_COLUMNS = {
    "variant": st.column_config.TextColumn("Variant", pinned=True, width=145),
    "num_params": st.column_config.TextColumn("Parameters", alignment="right", width=100, help=CHANGE),
    "macs": st.column_config.TextColumn("Multiply-adds", alignment="right", width=115, help=CHANGE),
    "field": st.column_config.NumberColumn(
        "Field", format="%d px", width=70, help="Receptive field before the pooling to 1×1"
    ),
    "coverage": st.column_config.NumberColumn(
        "Coverage", format="percent", width=85, help="Share of the field's pixels that any path reaches"
    ),
    "forward": st.column_config.NumberColumn("Forward", format="%.1f ms", width=80),
    "backward": st.column_config.NumberColumn("Backward", format="%.1f ms", width=85),
    "ratio": st.column_config.NumberColumn(
        "Time", format="×%.2f", width=60, help="Of forward and backward together, as it is: ×1"
    ),
    "peak": st.column_config.NumberColumn("Memory", format="%.1f MiB", width=80, help="Peak of a step"),
    "is": st.column_config.TextColumn("It is", help="Kernel, what is not at its default, → channels"),
}
