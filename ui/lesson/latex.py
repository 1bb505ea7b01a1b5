"""The Convolutions page's arithmetic in LaTeX: one output unit, and what the layer costs."""

import math

from core.network import NetworkSizing
from core.network.lesson import Lesson, Unit, make_layers
from core.network.spec import LayerSpec

MAX_TERMS = 8


def unit_arithmetic(layer: LayerSpec, unit: Unit, shown: int) -> str:
    """How the unit's value comes about; `shown` is the input channel whose products are written out."""
    name = f"y_{{{unit.channel + 1}}}[{unit.row},{unit.column}]"
    if layer.op != "conv":
        return _pooling(layer, unit, name)
    assert unit.weights is not None
    if unit.values[0].size == 1 and len(unit.channels) > 1:
        products = [_product(v, w) for v, w in zip(unit.values.ravel(), unit.weights.ravel(), strict=True)]
        return _lines(name, _rows(_abbreviate(products), 4), unit.value)
    place = unit.channels.index(shown)
    kernel_rows = [
        " + ".join(_product(v, w) for v, w in zip(values, weights, strict=True))
        for values, weights in zip(unit.values[place], unit.weights[place], strict=True)
    ]
    if len(unit.channels) == 1:
        return _lines(name, kernel_rows, unit.value)
    partial = f"s_{{{shown + 1}}}"
    sums = [f"s_{{{channel + 1}}}" for channel in unit.channels]
    numbers = [_operand(value) for value in unit.sums]
    lines = _lines(partial, kernel_rows, unit.sums[place])
    total = f"{' + '.join(_abbreviate(sums))} = {' + '.join(_abbreviate(numbers))}"
    return lines.replace(
        r"\end{aligned}", rf"\\[4pt] {name} &= {total} = {_latex_number(unit.value)} \end{{aligned}}"
    )


def number(value: float) -> str:
    """`value` as written in a cell: whole where it is, else with two decimals."""
    if math.isinf(value):
        return "−∞" if value < 0 else "∞"
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


def _pooling(layer: LayerSpec, unit: Unit, name: str) -> str:
    if layer.op == "max_pool":
        window = r" \\ ".join(" & ".join(map(_latex_number, row)) for row in unit.values[0])
        return rf"{name} = \max \begin{{pmatrix}} {window} \end{{pmatrix}} = {_latex_number(unit.value)}"
    rows = [" + ".join(map(_operand, row)) for row in unit.values[0]]
    rows[0] = rf"\tfrac{{1}}{{{unit.values[0].size}}} \, \bigl( {rows[0]}"
    rows[-1] += r" \bigr)"
    return _lines(name, rows, unit.value)


def _product(value: float, weight: float) -> str:
    return rf"{_operand(value)} \cdot {_operand(weight)}"


def _operand(value: float) -> str:
    """A number as a term: in brackets where it is negative."""
    text = _latex_number(value)
    return f"({text})" if value < 0 else text


def _latex_number(value: float) -> str:
    return number(value).replace("−", "-").replace("∞", r"\infty")


def _abbreviate(terms: list[str]) -> list[str]:
    if len(terms) <= MAX_TERMS:
        return terms
    return [*terms[: MAX_TERMS - 2], r"\dots", terms[-1]]


def _rows(terms: list[str], length: int) -> list[str]:
    return [" + ".join(terms[start : start + length]) for start in range(0, len(terms), length)]


def _lines(name: str, rows: list[str], value: float) -> str:
    body = r" \\ &\quad + ".join(rows)
    return rf"\begin{{aligned}} {name} &= {body} \\ &= {_latex_number(value)} \end{{aligned}}"


def cost_formulas(lesson: Lesson, sizing: NetworkSizing) -> str:
    """The formulas with the lesson's own numbers, one a line; every result is what `size_network` says."""
    layers = make_layers(lesson)
    window, side = layers[0], sizing.layers[0].output_shape[1]
    assert window.kernel_size is not None
    k, s, p, d = window.kernel_size, window.stride, window.padding, window.dilation
    spare = rf"{lesson.size} + 2 \cdot {p} - {d} \cdot ({k} - 1) - 1"
    lines = {
        "H' = W'": (
            r"\left\lfloor \frac{H + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1",
            rf"\left\lfloor \frac{{{spare}}}{{{s}}} \right\rfloor + 1 = {side}",
        ),
        r"\text{receptive field}": (
            r"d\,(k - 1) + 1",
            rf"{d} \cdot ({k} - 1) + 1 = {sizing.layers[-2].receptive_field}",
        ),
    }
    if window.op == "conv":
        symbols, numbers = _weight_terms(lesson, layers)
        lines[r"\text{parameters}"] = symbols, f"{numbers} = {sizing.num_params}"
        lines[r"\text{multiply-adds}"] = (
            r"\text{parameters} \cdot H' \cdot W'",
            rf"{sizing.num_params} \cdot {side} \cdot {side} = {sizing.macs}",
        )
    rows = (rf"{what} &= {symbols} \\ &= {numbers}" for what, (symbols, numbers) in lines.items())
    return r"\begin{aligned} " + r" \\[8pt] ".join(rows) + r" \end{aligned}"


def _weight_terms(lesson: Lesson, layers: tuple[LayerSpec, ...]) -> tuple[str, str]:
    """How many weights `layers` have: in symbols and in numbers."""
    if len(layers) == 1:
        symbols = r"k^2 \cdot \frac{C_{in}}{g} \cdot C_{out}"
    else:
        symbols = r"k^2 \cdot C_{in} + C_{in} \cdot C_{out}"
    terms = []
    in_channels = lesson.in_channels
    for layer in layers:
        k, groups, out_channels = layer.kernel_size, layer.groups, layer.out_channels
        terms.append(rf"{k}^2 \cdot \frac{{{in_channels}}}{{{groups}}} \cdot {out_channels}")
        in_channels = out_channels or in_channels
    return symbols, " + ".join(terms)
