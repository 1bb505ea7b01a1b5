"""A bad network cannot be described, and a good one survives every way of writing it down."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from core.errors import SpecError
from core.network import LayerSpec, NetworkSpec, presets
from core.network.spec import MAX_LAYERS, parse_step
from core.spec import from_dict, from_json, from_link, to_dict, to_json, to_link

POOL = LayerSpec(op="global_avg_pool")


@pytest.mark.parametrize("key", presets())
def test_every_preset_survives_json_and_link(key: str) -> None:
    spec = presets()[key]
    assert from_json(NetworkSpec, to_json(spec)) == spec
    assert from_link(NetworkSpec, to_link(spec)) == spec
    assert from_dict(NetworkSpec, to_dict(spec)) == spec


def test_equal_networks_are_one_cache_key_and_a_changed_one_is_another() -> None:
    one, two = (NetworkSpec(name="n", layers=(POOL,), num_classes=3) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert replace(one, num_classes=4) != one


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        POOL.stride = 2  # type: ignore[misc]


def test_unnamed_layers_get_their_op_and_turn_and_never_a_name_that_is_taken() -> None:
    conv = LayerSpec(op="conv", out_channels=3, kernel_size=1)
    layers = (conv, replace(conv, name="conv3"), conv, POOL)
    spec = NetworkSpec(name="n", layers=layers, num_classes=3)
    assert [layer.name for layer in spec.layers] == ["conv1", "conv3", "conv3_", "global_avg_pool1"]


@pytest.mark.parametrize(
    "step, meaning",
    [("relu", ("relu", None)), ("batch_norm", ("batch_norm", None)), ("dropout2d 0.01", ("dropout2d", 0.01))],
)
def test_a_step_is_its_kind_and_rate(step: str, meaning: tuple[str, float | None]) -> None:
    assert parse_step(step) == meaning


@pytest.mark.parametrize(
    "step, reason",
    [
        ("swish", "must be made of relu, relu6"),
        ("", "must be made of"),
        ("relu 0.1", "relu takes no number"),
        ("batch_norm ", "batch_norm takes no number"),
        ("dropout", "needs a rate"),
        ("dropout half", "needs a rate"),
        ("dropout 1", "at least 0 and below 1, got 1"),
        ("dropout -0.1", "at least 0 and below 1"),
        ("dropout nan", "at least 0 and below 1"),
    ],
)
def test_a_step_that_breaks_a_rule_is_refused(step: str, reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        parse_step(step)
    with pytest.raises(SpecError, match=reason):
        LayerSpec(op="global_avg_pool", then=(step,))


@pytest.mark.parametrize(
    "values, reason",
    [
        ({"op": "conv2d"}, "op: must be 'conv'"),
        ({"op": "conv", "kernel_size": 3}, "conv needs out_channels"),
        ({"op": "conv", "out_channels": 3}, "conv needs kernel_size"),
        ({"op": "max_pool"}, "max_pool needs kernel_size"),
        ({"op": "linear"}, "linear needs out_channels"),
        ({"op": "add"}, "add needs source"),
        ({"op": "flatten", "kernel_size": 3}, "kernel_size has no meaning for flatten"),
        ({"op": "flatten", "source": "stem"}, "source has no meaning for flatten"),
        ({"op": "global_avg_pool", "out_channels": 3}, "out_channels has no meaning"),
        ({"op": "global_avg_pool", "stride": 2}, "stride has no meaning for global_avg_pool, got 2"),
        ({"op": "linear", "out_channels": 3, "padding": 1}, "padding has no meaning for linear, got 1"),
        ({"op": "avg_pool", "kernel_size": 2, "dilation": 2}, "dilation has no meaning for avg_pool"),
        ({"op": "max_pool", "kernel_size": 2, "groups": 2}, "groups has no meaning for max_pool"),
        ({"op": "conv", "kernel_size": 3, "out_channels": 10**6}, "out_channels: must be less than or equal"),
        ({"op": "conv", "kernel_size": 0, "out_channels": 3}, "kernel_size: must be greater than"),
        ({"op": "conv", "kernel_size": 3, "out_channels": 3, "padding": -1}, "padding: must be greater than"),
        ({"op": "conv", "kernel_size": 3, "out_channels": 3, "stride": 0}, "stride: must be greater than"),
        ({"op": "conv", "kernel_size": 3, "out_channels": 3, "groups": 0}, "groups: must be greater than"),
        ({"op": "flatten", "kernal": 3}, "kernal: there is no such field"),
        ({"op": "flatten", "name": "two words"}, "name must start with a letter"),
        ({"op": "flatten", "name": "a.b"}, "name must start with a letter"),
        ({"op": "flatten", "name": "training"}, "torch keeps"),
        ({"op": "flatten", "then": ("relu",) * 9}, "then: "),
    ],
)
def test_a_layer_that_breaks_a_rule_is_refused_by_its_field(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        LayerSpec(**values)
    with pytest.raises(SpecError, match=reason):
        from_dict(NetworkSpec, {"name": "n", "layers": [values]})


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"layers": ()}, "layers: "),
        ({"layers": (POOL,) * (MAX_LAYERS + 1)}, "layers: "),
        ({"layers": (replace(POOL, name="a"), replace(POOL, name="a"))}, "layer 2: the name 'a' is taken"),
        (
            {"layers": (POOL, LayerSpec(op="add", source="later"))},
            r"layer 2 \(add1\): source must be an earlier",
        ),
        ({"name": ""}, "name: "),
        ({"input_shape": (3, 32)}, "input_shape"),
        ({"input_shape": (3, 0, 32)}, r"input_shape\[2\]: must be greater than"),
        ({"input_shape": (3, 32, 10**6)}, r"input_shape\[3\]: must be less than"),
        ({"num_classes": 0}, "num_classes: must be greater than"),
    ],
)
def test_a_network_that_breaks_a_rule_is_refused_by_its_field(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        NetworkSpec(**({"name": "n", "layers": (POOL,)} | changes))


def test_a_fault_that_a_layer_finds_in_itself_names_the_layer() -> None:
    layers = [{"op": "flatten"}, {"op": "conv"}]
    with pytest.raises(SpecError, match="^layer 2: conv needs out_channels$"):
        from_dict(NetworkSpec, {"name": "x", "layers": layers})
    layers[0]["op"] = "unknown"
    with pytest.raises(SpecError, match="^layer 2: conv needs out_channels$"):
        from_dict(NetworkSpec, {"name": "x", "layers": layers})
