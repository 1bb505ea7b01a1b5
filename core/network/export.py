"""A network to take away: as PyTorch source and as a table of its layers. JSON is `core.spec.to_json`."""

from collections.abc import Iterator
from itertools import groupby
from math import prod
from typing import NamedTuple

from core.network.export_names import Names, name_class, to_plain_text
from core.network.parts import LayerParts, Part, list_parts
from core.network.sizing import FLOAT_BYTES, size_network
from core.network.spec import NetworkSpec

WIDTH = 88
"""Columns of the source: what `ruff format` and `black` keep to."""
INDENT = " " * 8

Shape = tuple[int, ...]


class _Group(NamedTuple):
    """Layers that become one attribute of the module."""

    label: str
    """Of the block that begins here; empty within one and outside of any."""
    block_output: tuple[int, ...]
    layers: tuple[LayerParts, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for layer in self.layers for part in layer.parts)


def to_python(spec: NetworkSpec) -> str:
    """The network as the source of a module that depends on torch alone.

    The module takes (N, C, H, W) float32 and puts out (N, num_classes) scores. Its `state_dict` holds the
    tensors of `build_network(spec)` in the same order, under the names of its own attributes. Blocks that
    hold no add become one `nn.Sequential`, adds are written out in `forward`. Names and labels of the
    network only ever reach comments, docstrings and checked identifiers. Raises `SizingError` where a layer
    cannot work.
    """
    layers = list_parts(spec)
    class_name = name_class(spec.name)
    sources = {layer.source for layer in spec.layers if layer.source}
    groups = list(_group(layers, sources))
    names = Names()
    attributes = [_name(group, names) for group in groups]
    init = [line for group, name in zip(groups, attributes, strict=True) for line in _write_init(group, name)]
    forward = _write_forward(groups, attributes, sources)
    shape = ", ".join(map(str, spec.input_shape))
    title = to_plain_text(spec.name) or class_name
    return "\n".join(
        (
            '"""A network exported from ConvScope. It needs torch and nothing else."""',
            "",
            "from torch import Tensor, nn",
            "",
            "",
            f"class {class_name}(nn.Module):",
            *_write_docstring(spec, title),
            "",
            "    def __init__(self) -> None:",
            "        super().__init__()",
            *init,
            "",
            "    def forward(self, x: Tensor) -> Tensor:",
            f'        """Scores (N, {spec.num_classes}) of images (N, {shape})."""',
            *forward,
            "",
        )
    )


def _write_docstring(spec: NetworkSpec, title: str) -> list[str]:
    sizing = size_network(spec)
    before, after = sizing.receptive_field_before_pooling, sizing.receptive_field
    field = f"{after} pixels" if before == after else f"{before} pixels before pooling, {after} with it"
    return [
        f'    """{title}{"" if title.endswith((".", "!", "?")) else "."}',
        "",
        f"    Input: {spec.input_shape}, float32. Output: {spec.num_classes} scores an image.",
        f"    Parameters: {sizing.num_params:,}. Multiply-adds an image: {sizing.macs:,}.",
        f"    Receptive field: {field}.",
        '    """',
    ]


def _group(layers: tuple[LayerParts, ...], sources: set[str]) -> Iterator[_Group]:
    """Each block as one group; layer by layer where an add is in it, or begins within it."""
    for label, run in groupby(layers, key=lambda layer: layer.layer.block):
        block = tuple(run)
        if [layer.layer.name for layer in block] == [label]:
            label = ""
        has_add = any(layer.layer.op == "add" for layer in block)
        is_tapped = any(layer.layer.name in sources for layer in block[:-1])
        output = _output_shape(block[-1])
        if label and not has_add and not is_tapped:
            yield _Group(label, output, block)
        else:
            yield from (_Group("" if turn else label, output, (layer,)) for turn, layer in enumerate(block))


def _output_shape(layer: LayerParts) -> tuple[int, ...]:
    return layer.sizing.output_shape[: 1 if layer.is_vector else 3]


def _name(group: _Group, names: Names) -> str:
    """The attribute that the group gets; for an add without steps, what its sum is called."""
    if len(group.layers) > 1:
        return names.take(group.label.lower(), "block")
    return names.take(group.layers[0].layer.name, "layer")


def _write_init(group: _Group, name: str) -> Iterator[str]:
    """The lines of `__init__` that make the group."""
    layers, parts = group.layers, group.parts
    if group.label:
        shapes = f"{layers[0].sizing.input_shape} to {group.block_output}"
        yield f"{INDENT}# {to_plain_text(group.label)}: {shapes}"
    if not parts:
        return
    if len(layers) == 1:
        yield f"{INDENT}{_describe(layers[0])}"
    if len(parts) == 1:
        yield from _write_call(parts[0], INDENT, f"self.{name} = ", "")
        return
    yield f"{INDENT}self.{name} = nn.Sequential("
    for layer in layers:
        if len(layers) > 1:
            yield f"{INDENT}    {_describe(layer)}"
        for part in layer.parts:
            yield from _write_call(part, INDENT + "    ", "", ",")
    yield f"{INDENT})"


def _describe(layer: LayerParts) -> str:
    """The comment over a layer: its name and what it puts out."""
    return f"# {to_plain_text(layer.layer.name)}: {_output_shape(layer)}"


def _write_call(part: Part, indent: str, before: str, after: str) -> Iterator[str]:
    """The call that makes a module, broken where it is too wide."""
    arguments = [f"{name}={value!r}" for name, value in part.arguments]
    line = f"{indent}{before}nn.{part.kind}({', '.join(arguments)}){after}"
    inner = f"{indent}    {', '.join(arguments)}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"{indent}{before}nn.{part.kind}("
    if len(inner) <= WIDTH:
        yield inner
    else:
        yield from (f"{indent}    {argument}," for argument in arguments)
    yield f"{indent}){after}"


def _write_forward(groups: list[_Group], attributes: list[str], sources: set[str]) -> Iterator[str]:
    """The lines of `forward`. What a later add needs keeps a name of its own, all else is `x`."""
    current, is_vector = "x", False
    kept: dict[str, tuple[str, bool]] = {}
    for group, name in zip(groups, attributes, strict=True):
        last = group.layers[-1]
        value = current
        if last.layer.source is not None:
            other, other_is_vector = kept[last.layer.source]
            if is_vector != other_is_vector:
                yield f"{INDENT}flat = {_flatten(other if is_vector else value, False)}"
                value, other = (value, "flat") if is_vector else ("flat", other)
            value = f"{value} + {other}"
        current, is_vector = "x", last.is_vector
        if last.layer.name in sources:
            current = name
            kept[last.layer.name] = name, is_vector
        yield from _write_assignment(current, f"self.{name}" if group.parts else "", value)
    yield f"{INDENT}return {_flatten(current, is_vector)}"


def _flatten(value: str, is_vector: bool) -> str:
    return value if is_vector else f"{value}.flatten(start_dim=1)"


def _write_assignment(target: str, called: str, value: str) -> Iterator[str]:
    """`target = called(value)`, or `target = value` where nothing is called; broken where it is too wide."""
    line = f"{INDENT}{target} = {called}({value})" if called else f"{INDENT}{target} = {value}"
    if len(line) <= WIDTH:
        yield line
    else:
        yield from (f"{INDENT}{target} = {called}(", f"{INDENT}    {value}", f"{INDENT})")


RULE = "=" * 64
THIN_RULE = "-" * 64


def to_summary_table(spec: NetworkSpec) -> str:
    """The table that torchsummary prints of the exported module, (C, H, W) after a batch of -1.

    As there, an add is no module and has no row; the sizes are of one image as float32, in MB of 2**20
    bytes, and the forward/backward pass holds every row's output twice. Raises `SizingError` where a layer
    cannot work.
    """
    parts = [part for layer in list_parts(spec) for part in layer.parts]
    num_params = sum(part.num_params for part in parts)
    megabytes = [
        size * FLOAT_BYTES / 2**20
        for size in (prod(spec.input_shape), 2 * sum(prod(part.output_shape) for part in parts), num_params)
    ]
    return "\n".join(
        (
            THIN_RULE,
            _row("Layer (type)", "Output Shape", "Param #"),
            RULE,
            *(
                _row(f"{part.kind}-{number}", str([-1, *part.output_shape]), f"{part.num_params:,}")
                for number, part in enumerate(parts, 1)
            ),
            RULE,
            f"Total params: {num_params:,}",
            f"Trainable params: {num_params:,}",
            "Non-trainable params: 0",
            THIN_RULE,
            f"Input size (MB): {megabytes[0]:.2f}",
            f"Forward/backward pass size (MB): {megabytes[1]:.2f}",
            f"Params size (MB): {megabytes[2]:.2f}",
            f"Estimated Total Size (MB): {sum(megabytes):.2f}",
            THIN_RULE,
            "",
        )
    )


def _row(layer: str, shape: str, params: str) -> str:
    return f"{layer:>20}  {shape:>25} {params:>15}"
