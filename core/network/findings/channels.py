"""Findings about depthwise convolutions: what is called so but is not, and what is but sees no neighbours."""

from collections.abc import Iterator

from core.findings import Finding
from core.network.findings.report import report
from core.network.findings.words import conv_weights, counted
from core.network.reading import Reading, is_called_depthwise, is_depthwise, says_depthwise
from core.network.sizing import LayerSizing
from core.network.spec import LayerSpec, NetworkSpec


def false_depthwise(reading: Reading) -> Iterator[Finding[NetworkSpec]]:
    """Layers that are called depthwise, but whose groups are not their channels."""
    for index in sorted({*_called_by_name(reading), *_called_by_block(reading)}):
        layer, row = reading.spec.layers[index], reading.rows[index]
        channels, out_channels = row.input_shape[0], row.output_shape[0]
        if layer.groups == channels:
            continue
        fits = out_channels % channels == 0
        fields = {"groups": channels} if fits else {"groups": channels, "out_channels": channels}
        remedied = reading.change({index: fields})
        seen, square = channels // layer.groups, f"{layer.kernel_size}×{layer.kernel_size}"
        weights = conv_weights(layer, row)
        kept = out_channels if fits else channels
        yield report(
            reading,
            index,
            "false_depthwise",
            "warning",
            f"it is called depthwise, but has {counted(layer.groups, 'group')} for {channels} channels",
            f"every filter sees {channels} / {layer.groups} = {seen} channels, where a depthwise one sees 1:"
            f" {out_channels} × {seen} × {square} = {weights:,} weights"
            f" instead of {kept} × 1 × {square} = {kept * weights // (out_channels * seen):,}",
            (f"set groups to {channels}" + ("" if fits else f" and out_channels to {channels}"), remedied),
        )


def _called_by_name(reading: Reading) -> list[int]:
    return [
        index
        for index, (layer, _) in enumerate(zip(reading.spec.layers, reading.rows, strict=False))
        if is_called_depthwise(layer)
    ]


def _called_by_block(reading: Reading) -> list[int]:
    """The first convolution of every block that is labelled depthwise and has none, real or by name."""
    blocks: dict[str, list[int]] = {}
    for index, (layer, _) in enumerate(zip(reading.spec.layers, reading.rows, strict=False)):
        if layer.op == "conv" and says_depthwise(layer.block):
            blocks.setdefault(layer.block, []).append(index)
    return [
        min(members, key=lambda index: reading.spec.layers[index].kernel_size == 1)
        for members in blocks.values()
        if not any(
            is_called_depthwise(reading.spec.layers[index]) or _is_one(reading, index) for index in members
        )
    ]


def _is_one(reading: Reading, index: int) -> bool:
    return is_depthwise(reading.spec.layers[index], reading.rows[index].input_shape[0])


def scaling_depthwise(
    reading: Reading, index: int, layer: LayerSpec, row: LayerSizing
) -> Finding[NetworkSpec] | None:
    """A convolution of single pixels of single channels: it only multiplies every channel by a number."""
    channels, out_channels = row.input_shape[0], row.output_shape[0]
    if layer.op != "conv" or layer.kernel_size != 1 or not 1 < channels == layer.groups:
        return None
    padding = layer.padding + layer.dilation
    remedied = reading.change({index: {"kernel_size": 3, "padding": padding}})
    return report(
        reading,
        index,
        "scaling_depthwise",
        "warning",
        "it is depthwise with a 1×1 kernel, so it only multiplies every channel by a number",
        f"{channels} groups for {channels} channels and a 1×1 kernel leave {out_channels} × 1 × 1×1 ="
        f" {counted(out_channels, 'weight')}: no output sees a neighbouring pixel or another channel",
        (f"set kernel_size to 3 and padding to {padding}, or remove the layer", remedied),
    )
