"""The seed networks are the published ones to the unit, and our own keeps the assignment's rules."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.network import NetworkSpec, presets, size_network
from core.network.spec import parse_step

# key: parameters, receptive field before and with pooling, multiply-adds of one 32×32 image
SEEDS = {
    "seed_000": (77_056, 78, 94, 28_757_936),
    "seed_001": (174_378, 49, 65, 30_309_952),
    "seed_002": (338_656, 54, 70, 115_737_088),
    "seed_003": (187_418, 31, 35, 73_159_328),
    "seed_003_less_weighted": (191_514, 35, 35, 76_862_880),
    "seed_004": (162_296, 67, 91, 23_565_632),
}
TYPES = {"conv": "conv2d", "max_pool": "maxpool2d", "avg_pool": "avgpool2d", "batch_norm": "batchnorm2d"}


def test_the_presets_are_the_six_seed_networks_and_one_of_our_own() -> None:
    assert list(presets()) == [*SEEDS, "scope_net"]
    assert len({spec.name for spec in presets().values()}) == len(presets())


@pytest.mark.parametrize("key", SEEDS)
def test_a_seed_has_its_published_parameters_receptive_fields_and_multiply_adds(key: str) -> None:
    sizing = size_network(presets()[key])
    fields = sizing.receptive_field_before_pooling, sizing.receptive_field
    assert (sizing.num_params, *fields, sizing.macs) == SEEDS[key]


def flatten_spec(spec: NetworkSpec) -> list[dict[str, object]]:
    """The spec as `seeds/networks.json` lists it: one row an op and one a step, each sized."""
    rows: list[dict[str, object]] = []
    for layer, sized in zip(spec.layers, size_network(spec).layers, strict=True):
        norm_params = 2 * sized.output_shape[0] * layer.then.count("batch_norm")
        row: dict[str, object] = {
            "type": TYPES[layer.op],
            "block": layer.block,
            "kernel": layer.kernel_size,
            "stride": layer.stride,
            "padding": layer.padding,
            "params": sized.num_params - norm_params,
            "out_shape": list(sized.output_shape),
            "rf": sized.receptive_field,
            "jump": sized.effective_stride,
        }
        if layer.op == "conv":
            row |= {
                "in_channels": sized.input_shape[0],
                "out_channels": layer.out_channels,
                "macs": sized.macs,
            }
            row |= {"dilation": layer.dilation, "groups": layer.groups, "bias": layer.bias}
        rows.append(row)
        for step in layer.then:
            kind, rate = parse_step(step)
            rows.append({"type": TYPES.get(kind, kind)} | ({} if rate is None else {"p": rate}))
    return rows


@pytest.mark.parametrize("key", SEEDS)
def test_a_seed_equals_its_facts_layer_by_layer(key: str, project: Path) -> None:
    facts = project.parent / "shared" / "seeds" / "networks.json"
    if not facts.is_file():
        pytest.skip("the facts about the seeds are not beside the project; the totals are tested above")
    network = json.loads(facts.read_text())["networks"][key.removeprefix("seed_")]
    published = [layer for layer in network["layers"] if layer["type"] != "flatten"]
    ours = flatten_spec(presets()[key])
    assert len(ours) == len(published)
    for row, layer in zip(ours, published, strict=True):
        for field, value in row.items():
            expected = layer[field]
            if field == "out_shape" and len(expected) == 1:
                expected = [*expected, 1, 1]
            assert value == expected, (layer["n"], field)


def test_our_own_network_keeps_the_rules_of_the_assignment() -> None:
    spec = presets()["scope_net"]
    sizing = size_network(spec)
    assert sizing.num_params < 200_000
    assert sizing.receptive_field_before_pooling > 44
    assert sizing.coverage == 1
    ops = [layer.op for layer in spec.layers]
    assert "max_pool" not in ops
    assert ops[-2:] == ["global_avg_pool", "conv"]
    convs = [
        (layer, sized) for layer, sized in zip(spec.layers, sizing.layers, strict=True) if layer.op == "conv"
    ]
    assert any(layer.stride == 2 for layer, _ in convs)
    assert any(layer.dilation > 1 for layer, _ in convs)
    for layer, sized in convs:
        if layer.stride == 1:
            assert sized.output_shape[1:] == sized.input_shape[1:], f"{layer.name} shrinks the map"
        else:
            assert layer.kernel_size is not None
            assert layer.kernel_size >= layer.stride, f"{layer.name} skips pixels"
        assert not (layer.bias and "batch_norm" in layer.then), f"{layer.name} has a bias before batch norm"


def test_the_layers_called_depthwise_in_our_own_network_are_and_have_their_pointwise_partner() -> None:
    spec = presets()["scope_net"]
    layers, sized = spec.layers, size_network(spec).layers
    depthwise = [index for index, layer in enumerate(layers) if layer.name.startswith("depthwise")]
    assert depthwise
    for index in depthwise:
        assert layers[index].groups == sized[index].input_shape[0] == layers[index].out_channels
        assert layers[index].kernel_size == 3
        assert layers[index + 1].kernel_size == 1
        assert layers[index + 1].groups == 1


def test_describing_and_sizing_every_preset_needs_neither_torch_nor_numpy(project: Path) -> None:
    program = (
        "import sys; from core.network import presets, size_network;"
        "[size_network(spec) for spec in presets().values()];"
        "print(sorted({'torch', 'numpy', 'streamlit', 'albumentations'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
