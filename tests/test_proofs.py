"""The formulas of a layer, worked out from their own text, give what sizing says and what torch counts."""

import ast
import operator
import re
from collections.abc import Callable
from math import floor, prod
from typing import Any

import pytest

from core.network import LayerSpec, NetworkSpec, presets, size_network
from core.network.proofs import Formula, explain_layer
from tests.random_networks import draw_network

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def work_out(latex: str) -> float:
    """The value of a formula with numbers in it."""
    text = latex.replace("{,}", "").replace(r"\cdot", "*").replace("^", "**").replace(r"\ ", "")
    text = text.replace(r"\max", "max").replace(r"\left\lfloor", "floor(").replace(r"\right\rfloor", ")")
    text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1) / (\2))", text)
    return _value(ast.parse(text, mode="eval").body)


def _value(node: ast.AST) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.BinOp():
            return OPERATORS[type(node.op)](_value(node.left), _value(node.right))
        case ast.Call(func=ast.Name(id="floor")):
            return floor(_value(node.args[0]))
        case ast.Call(func=ast.Name(id="max")):
            return max(map(_value, node.args))
        case _:
            raise AssertionError(ast.dump(node))


def assert_explained(spec: NetworkSpec) -> None:
    """Every number of every layer has its formula, except a shape that needs no arithmetic."""
    sized = size_network(spec).layers
    for index, row in enumerate(sized):
        formulas = explain_layer(spec, sized, index)
        for formula in formulas:
            assert work_out(formula.numbers) == pytest.approx(formula.value, abs=1e-12), (row.name, formula)
        said = {formula.of: formula.value for formula in formulas if formula.of != "output_shape"}
        assert said == {name: getattr(row, name) for name in NUMBERS}
        sides = [formula.value for formula in formulas if formula.of == "output_shape"]
        if row.op in ("conv", "max_pool", "avg_pool"):
            assert sides == list(row.output_shape[1:] if len(sides) == 2 else row.output_shape[1:2])
            assert len(set(row.output_shape[1:])) <= len(sides)
        assert row.op != "flatten" or sides == [prod(row.input_shape)]


NUMBERS = (
    "num_params",
    "macs",
    "activation_bytes",
    "receptive_field",
    "effective_stride",
    "effective_padding",
    "coverage",
)


@pytest.mark.parametrize("key", presets())
def test_every_number_of_a_preset_follows_from_its_formula(key: str) -> None:
    assert_explained(presets()[key])


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_every_number_of_random_networks_follows_from_its_formula(first: int) -> None:
    for seed in range(first, first + 100):
        assert_explained(draw_network(seed))


def explain(*layers: LayerSpec) -> dict[str, Formula]:
    """The formulas of the last of `layers`, before a head."""
    head = (LayerSpec(op="global_avg_pool", name="gap"), LayerSpec(op="linear", name="head", out_channels=2))
    spec = NetworkSpec(name="test", layers=(*layers, *head), num_classes=2)
    return {f.of: f for f in explain_layer(spec, size_network(spec).layers, len(layers) - 1)}


def test_a_formula_shows_symbols_values_and_result() -> None:
    formulas = explain(
        LayerSpec(op="conv", kernel_size=3, out_channels=16, stride=2, padding=1),
        LayerSpec(op="conv", kernel_size=3, out_channels=32, dilation=2, groups=4, then=("batch_norm",)),
    )
    assert formulas["num_params"].latex == (
        r"\begin{aligned} \text{parameters} &= k^2 \cdot \frac{C}{g} \cdot C' + C' + 2\,C' \\ &= "
        r"3^2 \cdot \frac{16}{4} \cdot 32 + 32 + 2 \cdot 32 = 1{,}248 \end{aligned}"
    )
    assert formulas["receptive_field"].latex == (
        r"\begin{aligned} r' &= r + (k - 1) \cdot d \cdot j \\ &= "
        r"3 + (3 - 1) \cdot 2 \cdot 2 = 11 \end{aligned}"
    )
    assert formulas["coverage"].latex.endswith(r"&= \frac{81}{11 \cdot 11} \approx 66.9\,\% \end{aligned}")


def test_what_a_layer_does_not_have_is_plainly_nought() -> None:
    formulas = explain(LayerSpec(op="max_pool", kernel_size=2, stride=2))
    assert formulas["num_params"].latex == r"\begin{aligned} \text{parameters} &= 0 \end{aligned}"
    assert formulas["macs"].latex == r"\begin{aligned} \text{multiply-adds} &= 0 \end{aligned}"
