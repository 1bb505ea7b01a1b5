"""How the numbers of one layer come about: each formula in LaTeX, in symbols and with the layer's own values.

Primed letters are the layer's output, plain ones its input: C channels, H and W rows and columns, j effective
stride, P effective padding and r receptive field, the latter three in input pixels.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from core.network.coverage import IMAGE, follow_fields
from core.network.receptive_field import Field
from core.network.sizing import FLOAT_BYTES, LayerSizing
from core.network.spec import WINDOW_OPS, LayerSpec, NetworkSpec

MAX_LINE = 60
"""Characters of LaTeX behind which the result gets a line of its own."""


class Formula(NamedTuple):
    """One number of a layer."""

    of: str
    """The field of `LayerSizing` that it explains."""
    name: str
    """What it gives, in LaTeX."""
    symbols: str
    """In LaTeX; empty where there is nothing to compute."""
    numbers: str
    """The same with the layer's values, in LaTeX."""
    value: float
    """What comes out."""

    @property
    def latex(self) -> str:
        """All of it, over two or three lines."""
        is_share = self.of == "coverage"
        value = rf"{100 * self.value:.1f}\,\%" if is_share else _number(int(self.value))
        sign = r"\approx" if is_share and self.value < 1 else "="
        before = r" \\ &" if len(self.numbers) > MAX_LINE else " "
        result = "" if self.numbers == value else f"{before}{sign} {value}"
        lines = r" \\ &= ".join(line for line in (self.symbols, self.numbers + result) if line)
        return rf"\begin{{aligned}} {self.name} &= {lines} \end{{aligned}}"


def explain_layer(spec: NetworkSpec, sized: Sequence[LayerSizing], index: int) -> tuple[Formula, ...]:
    """The formulas of the sized layer `index`, in the order of the fields of `LayerSizing`."""
    layer, row = spec.layers[index], sized[index]
    fields = follow_fields(spec, sized[: index + 1])
    return (
        *_output_size(layer, row),
        _num_params(layer, row),
        _macs(layer, row),
        _memory(layer, row),
        *_sight(spec, index, row, fields),
        _coverage(fields[layer.name], row),
    )


def _output_size(layer: LayerSpec, row: LayerSizing) -> Iterator[Formula]:
    channels, *sides = row.input_shape
    if layer.op == "flatten":
        numbers = _times(channels, *sides)
        yield Formula("output_shape", "C'", r"C \cdot H \cdot W", numbers, row.output_shape[0])
    if layer.op in WINDOW_OPS:
        k, s, p, d = layer.kernel_size or 1, layer.stride, layer.padding, layer.dilation
        is_square = sides[0] == sides[1]
        for letter, side, after in zip("HW", sides, row.output_shape[1:], strict=True):
            if letter == "W" and is_square:
                return
            name = "H' = W'" if is_square else f"{letter}'"
            symbols = rf"\left\lfloor \frac{{{letter} + 2p - d\,(k - 1) - 1}}{{s}} \right\rfloor + 1"
            spare = rf"{side} + 2 \cdot {p} - {d} \cdot ({k} - 1) - 1"
            numbers = rf"\left\lfloor \frac{{{spare}}}{{{s}}} \right\rfloor + 1"
            yield Formula("output_shape", name, symbols, numbers, after)


def _num_params(layer: LayerSpec, row: LayerSizing) -> Formula:
    terms = []
    if weights := _weights(layer, row):
        terms.append(weights)
        if layer.bias:
            terms.append(("C'", _number(row.output_shape[0])))
    if norms := layer.then.count("batch_norm"):
        count = f"{norms} \\cdot " if norms > 1 else ""
        terms.append((rf"{count}2\,C'", rf"{count}2 \cdot {_number(row.output_shape[0])}"))
    symbols, numbers = (" + ".join(part) for part in zip(*terms, strict=True)) if terms else ("", "0")
    return Formula("num_params", r"\text{parameters}", symbols, numbers, row.num_params)


def _macs(layer: LayerSpec, row: LayerSizing) -> Formula:
    name = r"\text{multiply-adds}"
    weights = _weights(layer, row)
    if weights is None:
        return Formula("macs", name, "", "0", row.macs)
    sides = _times(*row.output_shape[1:])
    return Formula("macs", name, rf"{weights[0]} \cdot H' \cdot W'", rf"{weights[1]} \cdot {sides}", row.macs)


def _weights(layer: LayerSpec, row: LayerSizing) -> tuple[str, str] | None:
    """How many weights the layer has, in symbols and in numbers; None where it has none."""
    before, after = _number(row.input_shape[0]), _number(row.output_shape[0])
    if layer.op == "linear":
        return r"C \cdot C'", rf"{before} \cdot {after}"
    if layer.op == "conv":
        numbers = rf"{layer.kernel_size}^2 \cdot \frac{{{before}}}{{{layer.groups}}} \cdot {after}"
        return r"k^2 \cdot \frac{C}{g} \cdot C'", numbers
    return None


def _memory(layer: LayerSpec, row: LayerSizing) -> Formula:
    kept = len(layer.then) + (layer.op != "flatten")
    symbols = r"C' \cdot H' \cdot W' \cdot \text{outputs} \cdot 4"
    numbers = _times(*row.output_shape, kept, FLOAT_BYTES)
    return Formula("activation_bytes", r"\text{bytes}", symbols, numbers, row.activation_bytes)


def _sight(
    spec: NetworkSpec, index: int, row: LayerSizing, fields: Mapping[str, Field]
) -> tuple[Formula, Formula, Formula]:
    """Receptive field, effective stride and effective padding, on the axis on which the field is longer."""
    layer, own = spec.layers[index], fields[spec.layers[index].name]
    before = fields[spec.layers[index - 1].name if index else IMAGE]
    axis = 1 if own[1] >= own[2] else 2
    start, extent, j = before[0], before[axis], before[3]
    field, stride, padding = ("", str(extent)), ("j", str(j)), ("P", str(-start))
    if layer.source is not None:
        other = fields[layer.source]
        ends = rf"\max({extent} - {-start},\ {other[axis]} - {-other[0]})"
        starts = rf"\max({-start},\ {-other[0]})"
        field = r"\max(r_1 - P_1,\ r_2 - P_2) + \max(P_1,\ P_2)", f"{ends} + {starts}"
        padding = r"\max(P_1,\ P_2)", starts
    elif layer.op in WINDOW_OPS:
        k, s, p, d = layer.kernel_size or 1, layer.stride, layer.padding, layer.dilation
        field = r"r + (k - 1) \cdot d \cdot j", rf"{extent} + ({k} - 1) \cdot {d} \cdot {j}"
        stride = r"j \cdot s", rf"{j} \cdot {s}"
        padding = r"P + p \cdot j", rf"{-start} + {p} \cdot {j}"
    elif layer.op == "linear":
        field = "r", str(extent)
    else:
        side = "HW"[axis - 1]
        field = rf"r + ({side} - 1) \cdot j", rf"{extent} + ({row.input_shape[axis]} - 1) \cdot {j}"
    return (
        Formula("receptive_field", "r'", *field, row.receptive_field),
        Formula("effective_stride", "j'", *stride, row.effective_stride),
        Formula("effective_padding", "P'", *padding, row.effective_padding),
    )


def _coverage(field: Field, row: LayerSizing) -> Formula:
    _, height, width, _, _ = field
    reached = round(row.coverage * height * width)
    symbols = r"\frac{\text{pixels that a path reaches}}{\text{pixels of the field}}"
    numbers = rf"\frac{{{_number(reached)}}}{{{_times(height, width)}}}"
    return Formula("coverage", r"\text{coverage}", symbols, numbers, row.coverage)


def _times(*numbers: int) -> str:
    return r" \cdot ".join(map(_number, numbers))


def _number(number: int) -> str:
    """With thousands set apart, and without the space that LaTeX puts behind a comma."""
    return f"{number:,}".replace(",", "{,}")
