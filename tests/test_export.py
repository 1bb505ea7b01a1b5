"""An exported network is a plain torch module that computes what the network computes."""

import ast
import io
import json
import keyword
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import replace
from math import prod
from pathlib import Path

import pytest
import torch
from torch import nn

from core.network import LayerSpec, NetworkSpec, presets, size_network
from core.network.build import build_network
from core.network.export import to_python, to_summary_table
from core.network.export_names import TAKEN
from tests.random_networks import draw_network

SEED_004 = Path(__file__).parents[2] / "shared/seeds/004_b7464361a51ceea4.txt"
# As the README of that seed prints it; activations and log_softmax are functional there and have no row.
README_004 = """\
----------------------------------------------------------------
        Layer (type)               Output Shape         Param #
================================================================
            Conv2d-1           [-1, 16, 32, 32]             432
       BatchNorm2d-2           [-1, 16, 32, 32]              32
         Dropout2d-3           [-1, 16, 32, 32]               0
            Conv2d-4           [-1, 32, 32, 32]           4,608
       BatchNorm2d-5           [-1, 32, 32, 32]              64
         Dropout2d-6           [-1, 32, 32, 32]               0
            Conv2d-7           [-1, 32, 32, 32]           9,216
       BatchNorm2d-8           [-1, 32, 32, 32]              64
         Dropout2d-9           [-1, 32, 32, 32]               0
           Conv2d-10           [-1, 32, 14, 14]           9,216
      BatchNorm2d-11           [-1, 32, 14, 14]              64
        Dropout2d-12           [-1, 32, 14, 14]               0
           Conv2d-13           [-1, 32, 14, 14]           9,216
      BatchNorm2d-14           [-1, 32, 14, 14]              64
        Dropout2d-15           [-1, 32, 14, 14]               0
           Conv2d-16           [-1, 52, 14, 14]          14,976
      BatchNorm2d-17           [-1, 52, 14, 14]             104
        Dropout2d-18           [-1, 52, 14, 14]               0
           Conv2d-19             [-1, 64, 5, 5]          29,952
      BatchNorm2d-20             [-1, 64, 5, 5]             128
        Dropout2d-21             [-1, 64, 5, 5]               0
           Conv2d-22             [-1, 64, 5, 5]              64
      BatchNorm2d-23             [-1, 64, 5, 5]             128
        Dropout2d-24             [-1, 64, 5, 5]               0
           Conv2d-25             [-1, 64, 5, 5]          36,864
      BatchNorm2d-26             [-1, 64, 5, 5]             128
        Dropout2d-27             [-1, 64, 5, 5]               0
           Conv2d-28             [-1, 64, 4, 4]           4,096
      BatchNorm2d-29             [-1, 64, 4, 4]             128
        Dropout2d-30             [-1, 64, 4, 4]               0
           Conv2d-31             [-1, 64, 4, 4]          36,864
      BatchNorm2d-32             [-1, 64, 4, 4]             128
        Dropout2d-33             [-1, 64, 4, 4]               0
           Conv2d-34             [-1, 10, 4, 4]           5,760
        AvgPool2d-35             [-1, 10, 1, 1]               0
================================================================
Total params: 162,296
Trainable params: 162,296
Non-trainable params: 0
----------------------------------------------------------------
Input size (MB): 0.01
Forward/backward pass size (MB): 2.55
Params size (MB): 0.62
Estimated Total Size (MB): 3.18
----------------------------------------------------------------
"""
AWKWARD = ("type", "train", "forward", "zero_grad", "x", "flat", "nn", "self", "class_", "größe", "groesse")
NAMED = NetworkSpec(
    name="names",
    num_classes=2,
    layers=(
        *(LayerSpec(op="conv", name=name, out_channels=2, kernel_size=1, then=("relu",)) for name in AWKWARD),
        LayerSpec(op="global_avg_pool", name="_modules"),
    ),
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These networks are so small that threads only wait for each other."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


def run_source(source: str) -> nn.Module:
    """The module of an exported file, made from nothing but its source."""
    names: dict[str, object] = {"__name__": "exported"}
    exec(compile(source, "<exported>", "exec"), names)
    (made,) = [
        value for value in names.values() if isinstance(value, type) and value.__module__ == "exported"
    ]
    module = made()
    assert isinstance(module, nn.Module)
    return module


def assert_computes_the_same(spec: NetworkSpec) -> None:
    source = to_python(spec)
    assert_only_torch_is_called(source)
    exported, built = run_source(source).eval(), build_network(spec).eval()
    theirs, ours = exported.state_dict(), built.state_dict()
    assert [tensor.shape for tensor in theirs.values()] == [tensor.shape for tensor in ours.values()]
    assert len(list(exported.parameters())) == len(list(built.parameters()))
    generator = torch.Generator().manual_seed(7)
    for their_tensor, our_tensor in zip(theirs.values(), ours.values(), strict=True):
        if our_tensor.is_floating_point():
            our_tensor.copy_(torch.rand(our_tensor.shape, generator=generator) - 0.3).abs_()
        their_tensor.copy_(our_tensor)
    images = torch.randn(3, *spec.input_shape, generator=generator)
    with torch.no_grad():
        scores, expected = exported(images), built(images)
    assert scores.shape == (3, spec.num_classes)
    assert torch.allclose(scores, expected, rtol=1e-6, atol=1e-6), spec.name


def assert_only_torch_is_called(source: str) -> None:
    """The source imports torch, makes `nn` modules and calls its own attributes and `flatten`: no more."""
    tree = ast.parse(source)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["from torch import Tensor, nn"]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            is_ours = name.startswith("self.") and name.count(".") == 1
            is_flatten = isinstance(node.func, ast.Attribute) and node.func.attr == "flatten"
            assert name in ("super", "super().__init__") or name.startswith("nn.") or is_ours or is_flatten, (
                name
            )
            if name.startswith("nn."):
                assert hasattr(nn, name.removeprefix("nn."))
                assert not node.args or name == "nn.Sequential", "arguments are given by keyword"
    assert [type(node) for node in tree.body] == [ast.Expr, ast.ImportFrom, ast.ClassDef]


@pytest.mark.parametrize("key", presets())
def test_the_exported_module_computes_what_the_preset_computes(key: str) -> None:
    assert_computes_the_same(presets()[key])


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_the_exported_module_computes_what_random_networks_compute(first: int) -> None:
    for seed in range(first, first + 25):
        assert_computes_the_same(draw_network(seed))


def test_maps_and_vectors_meet_in_adds_and_convolutions() -> None:
    layers = (
        LayerSpec(op="global_avg_pool", name="gap"),
        LayerSpec(op="linear", name="fc1", out_channels=3, then=("batch_norm", "dropout2d 0.5")),
        LayerSpec(op="add", name="sum1", source="gap"),
        LayerSpec(op="conv", name="conv1", out_channels=3, kernel_size=3, padding=1, then=("batch_norm",)),
        LayerSpec(op="add", name="sum2", source="sum1", then=("batch_norm", "relu")),
        LayerSpec(op="flatten", name="flat"),
        LayerSpec(op="add", name="sum3", source="sum2"),
        LayerSpec(op="add", name="sum4", source="sum3"),
    )
    assert_computes_the_same(NetworkSpec(name="mixed", layers=layers, num_classes=3))


def test_the_exported_file_runs_with_torch_alone(tmp_path: Path) -> None:
    (tmp_path / "network.py").write_text(to_python(presets()["scope_net"]), encoding="utf-8")
    script = (
        "import sys, json; before = set(sys.modules); import torch\n"
        "torch.set_num_threads(1); with_torch = set(sys.modules)\n"
        "from network import ScopeNet\n"
        "scores = ScopeNet()(torch.rand(2, 3, 32, 32))\n"
        "extra = {name.partition('.')[0] for name in set(sys.modules) - with_torch} - {'torch'}\n"
        "print(json.dumps([list(scores.shape), sorted(extra & {'core', 'pydantic', 'numpy'})]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert json.loads(result.stdout) == [[2, 10], []]


def test_the_source_is_in_the_form_that_ruff_gives(tmp_path: Path) -> None:
    long = LayerSpec(op="conv", name="a" * 40, out_channels=3, kernel_size=1)
    sums = [LayerSpec(op="add", name=char * 40, source="a" * 40, then=("relu",)) for char in "bcd"]
    chain = (
        LayerSpec(op="add", name="e" * 40, source="d" * 40),
        LayerSpec(op="global_avg_pool", name="f" * 40),
    )
    fc = LayerSpec(op="linear", name="g" * 40, out_channels=3)
    rest = (
        LayerSpec(op="add", name="h" * 40, source="f" * 40),
        LayerSpec(op="add", name="i" * 40, source="g" * 40),
    )
    wide = NetworkSpec(name="wide", num_classes=3, layers=(long, *sums, *chain, fc, *rest))
    assert_computes_the_same(wide)
    specs = [*presets().values(), *map(draw_network, range(60)), hostile_network(), NAMED, wide]
    for number, spec in enumerate(specs):
        (tmp_path / f"network_{number}.py").write_text(to_python(spec), encoding="utf-8")
    for command in (["format", "--isolated", "--diff"], ["check", "--isolated", "--select", "F,E7,E9,I,N80"]):
        result = subprocess.run(
            [Path(sys.executable).parent / "ruff", *command, "--no-cache", tmp_path],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stdout[:2000]


HOSTILE = (
    '"""\nimport os\nos.system("true")\n"""',
    "'''); import os #",
    "\\",
    'a\\"""',
    "x\rimport os",
    "x\x0cimport os\x85import os\u2028import os",
    "\u202eimport os",
    "{__import__('os')}",
    "# -*- coding: utf-7 -*-",
    "fmt: off",
    "中文 ✓ größe",
    "   ",
    '"',
    "None",
    "__init__",
)


def hostile_network() -> NetworkSpec:
    """Labels that try to get out of a comment, on blocks with and without an add."""
    layers = []
    for number, text in enumerate(HOSTILE):
        name = f"l{number}"
        layers.append(LayerSpec(op="conv", name=name, out_channels=3, kernel_size=1, block=text))
        layers.append(LayerSpec(op="max_pool", kernel_size=1, block=text))
        if number % 2:
            layers.append(LayerSpec(op="add", source=name, then=("relu",), block=text))
    layers.append(LayerSpec(op="global_avg_pool"))
    return NetworkSpec(name=HOSTILE[0], layers=tuple(layers), num_classes=3)


def test_hostile_labels_stay_within_their_comments() -> None:
    spec = hostile_network()
    source = to_python(spec)
    assert_only_torch_is_called(source)
    source.encode()
    assert_computes_the_same(spec)


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_stay_within_the_docstring(title: str) -> None:
    spec = replace(presets()["seed_003"], name=title)
    source = to_python(spec)
    assert_only_torch_is_called(source)
    source.encode()
    strings = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == 3]
    assert len(strings) == 3  # of the file, of the class and of forward
    run_source(source)


def test_names_are_identifiers_that_torch_does_not_use() -> None:
    module = run_source(to_python(NAMED))
    names = [name for name, _ in module.named_children()]
    assert len(names) == len(NAMED.layers)
    assert all(name.isidentifier() and name.isascii() and not keyword.iskeyword(name) for name in names)
    assert not set(names) & set(dir(nn.Module()))
    assert_computes_the_same(NAMED)


def test_every_name_that_torch_keeps_for_itself_is_known() -> None:
    kept = {name for name in dir(nn.Module()) if not name.startswith("_")}
    assert kept <= TAKEN


def test_a_block_without_an_add_is_one_sequential() -> None:
    module = run_source(to_python(presets()["seed_004"]))
    assert [name for name, _ in module.named_children()] == [
        "block_1",
        "block_2",
        "block_3",
        "block_4",
        "gap",
    ]


def measure_table(
    module: nn.Module, shape: tuple[int, ...]
) -> tuple[list[tuple[str, list[int], int]], float]:
    """What torchsummary does: a row for every leaf that is called, and MB of the outputs, twice."""
    rows: list[tuple[str, list[int], int]] = []

    def note(part: nn.Module, _: object, output: torch.Tensor) -> None:
        num_params = sum(parameter.numel() for parameter in part.parameters())
        rows.append((f"{type(part).__name__}-{len(rows) + 1}", [-1, *output.shape[1:]], num_params))

    for part in module.modules():
        if not list(part.children()):
            part.register_forward_hook(note)
    with torch.no_grad():
        module.eval()(torch.rand(2, *shape))
    return rows, abs(2.0 * sum(prod(shape) for _, shape, _ in rows) * 4 / 1024**2)


@pytest.mark.parametrize(
    "spec", [*presets().values(), *map(draw_network, range(20))], ids=lambda spec: spec.name
)
def test_the_table_is_what_hooks_on_the_exported_module_count(spec: NetworkSpec) -> None:
    module = run_source(to_python(spec))
    rows, megabytes = measure_table(module, spec.input_shape)
    lines = to_summary_table(spec).splitlines()
    read = [line.split(maxsplit=1) for line in lines[3 : 3 + len(rows)]]
    assert [(name, rest.rpartition("]")[0] + "]") for name, rest in read] == [
        (name, str(shape)) for name, shape, _ in rows
    ]
    assert [int(rest.rpartition("]")[2].replace(",", "")) for _, rest in read] == [
        params for *_, params in rows
    ]
    num_params = sum(parameter.numel() for parameter in module.parameters())
    assert lines[4 + len(rows)] == f"Total params: {num_params:,}"
    assert num_params == size_network(spec).num_params
    assert f"Forward/backward pass size (MB): {megabytes:.2f}" in lines
    assert f"Params size (MB): {num_params * 4 / 2**20:.2f}" in lines
    assert f"Input size (MB): {prod(spec.input_shape) * 4 / 2**20:.2f}" in lines


def without_functional_steps(spec: NetworkSpec) -> NetworkSpec:
    """The network with those steps alone that are modules in that seed."""
    functional = ("relu", "log_softmax")
    layers = [
        replace(layer, then=tuple(step for step in layer.then if step not in functional))
        for layer in spec.layers
    ]
    return replace(spec, layers=tuple(layers))


def test_the_table_of_seed_004_is_that_of_its_readme_to_the_letter() -> None:
    assert to_summary_table(without_functional_steps(presets()["seed_004"])) == README_004


@pytest.mark.skipif(not SEED_004.exists(), reason="the seeds' READMEs are not here")
def test_the_table_quoted_here_is_in_the_readme_of_seed_004() -> None:
    assert README_004 in SEED_004.read_text(encoding="utf-8")
