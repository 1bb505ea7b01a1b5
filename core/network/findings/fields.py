"""Findings about the receptive field: its holes, what comes after it has outgrown the image, and its size."""

from collections.abc import Iterator

from core.findings import Finding
from core.network.briefs import Brief
from core.network.findings.gridding import fill_holes, find_holes
from core.network.findings.report import report
from core.network.findings.words import conv_weights, counted, listed
from core.network.reading import Reading
from core.network.spec import NetworkSpec


def gridding(reading: Reading) -> Iterator[Finding[NetworkSpec]]:
    """Repeated dilations with holes between them that no later layer fills."""
    dilated = find_holes(reading)
    if not dilated:
        return
    layers, row = reading.spec.layers, reading.rows[reading.last_before_pooling]
    num_pixels = row.receptive_field**2
    names = [layers[index].name for index in dilated]
    dilations = [layers[index].dilation for index in dilated]
    filled = fill_holes(reading, dilated)
    remedy = f"use dilations that grow from 1, so that each window fits into the field before {listed(names)}"
    if filled:
        new_layers, new_row = filled.spec.layers, filled.rows[reading.last_before_pooling]
        changes = [f"{new_layers[index].dilation} for {layers[index].name}" for index in dilated]
        kept = "stays" if new_row.receptive_field == row.receptive_field else "becomes"
        remedy = f"use dilation {listed(changes)}; the field {kept} {new_row.receptive_field} pixels"
    yield report(
        reading,
        dilated[0],
        "gridding",
        "warning",
        f"the dilation of {listed(names)} leaves holes in the field that no later layer fills",
        f"with dilation {listed(dilations)}, the field of a unit of {row.name} is {row.receptive_field} ×"
        f" {row.receptive_field} = {num_pixels:,} pixels, and it sees {round(row.coverage * num_pixels):,}"
        f" of them, {row.coverage:.1%}",
        (remedy, filled),
    )


def outgrown_field(reading: Reading) -> Iterator[Finding[NetworkSpec]]:
    """Convolutions whose inputs see more than the whole image already, by every way that leads to them.

    Source: Richter, Schöning, Wiedenroth and Krumnack, "Should You Go Deeper? Optimizing Convolutional Neural
    Network Architectures without Training" (2021); here with dilations counted. What such a layer adds is
    new to units away from the centre alone.
    """
    image = max(reading.spec.input_shape[1:])
    fields = list(_narrowest_fields(reading))
    late = [
        index
        for index, (layer, row) in enumerate(zip(reading.spec.layers, reading.rows, strict=False))
        if layer.op == "conv"
        and (layer.kernel_size or 1) > 1
        and row.input_shape[1:] != (1, 1)
        and fields[index] > image
    ]
    if not late:
        return
    first = late[0]
    names = [reading.spec.layers[index].name for index in late]
    num_weights = sum(conv_weights(reading.spec.layers[index], reading.rows[index]) for index in late)
    all_params = sum(row.num_params for row in reading.rows)
    way = " by the narrowest way" if reading.sources else ""
    yield report(
        reading,
        first,
        "outgrown_field",
        "note",
        f"before {listed(names)} the field has outgrown the image, so hardly anything new comes into sight",
        f"what enters {names[0]} sees {fields[first]} pixels{way}, and the image has {image};"
        f" {num_weights:,} of the {counted(all_params, 'parameter')} are spent after that",
        ("do with fewer layers, downsample later, or use larger images", None),
    )


def _narrowest_fields(reading: Reading) -> Iterator[int]:
    """For every layer, the field that its inputs have by the way that sees least."""
    after: dict[str, int] = {}
    narrowest = 1
    for index, (layer, row) in enumerate(zip(reading.spec.layers, reading.rows, strict=False)):
        yield narrowest
        if layer.source is not None:
            narrowest = min(narrowest, after[layer.source])
        else:
            narrowest += row.receptive_field - reading.field_before(index)
        after[layer.name] = narrowest


def small_field(reading: Reading, brief: Brief) -> Iterator[Finding[NetworkSpec]]:
    """A field before pooling that is not above what the brief asks."""
    asked, last = brief.receptive_field_above, reading.last_before_pooling
    is_complete = reading.misfit is None or last < len(reading.rows) - 1
    if asked is None or last < 0 or not is_complete or reading.rows[last].receptive_field > asked:
        return
    row = reading.rows[last]
    missing = asked + 1 - row.receptive_field
    growth = 2 * reading.stride_before(last)
    num_more = -(-missing // growth)
    yield report(
        reading,
        last,
        "small_field",
        "warning",
        f"the field before pooling is {row.receptive_field} pixels, and the brief asks for more than {asked}",
        f"{missing} pixels are missing; at an effective stride of {growth // 2} a 3×3 convolution adds"
        f" (3 − 1) × {growth // 2} = {growth}, so that takes {num_more} more of them",
        ("add 3×3 convolutions, raise a dilation, or downsample earlier so that later layers add more", None),
    )
