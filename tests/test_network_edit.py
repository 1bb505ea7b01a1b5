"""Rows and cells are changed as the person meant it, and what cannot be is refused by name."""

from dataclasses import replace

import pytest

from core.errors import SizingError, SpecError
from core.network import LayerSpec, NetworkSpec, presets, size_network
from core.network.spec import MAX_LAYERS
from ui.network.edit import (
    USED,
    change_cells,
    change_classes,
    delete_layer,
    duplicate_layer,
    insert_layer,
    move_layer,
)

EVERY_PRESET = pytest.mark.parametrize("key", presets())


@pytest.fixture
def tiny() -> NetworkSpec:
    """Three 3×3 convolutions with a residual add, then a classifier."""
    conv = LayerSpec(op="conv", out_channels=8, kernel_size=3, padding=1)
    return NetworkSpec(
        name="tiny",
        layers=(
            replace(conv, name="stem", block="one"),
            replace(conv, name="conv2"),
            LayerSpec(op="add", name="join", source="stem"),
            LayerSpec(op="conv", name="score", out_channels=10, kernel_size=1),
            LayerSpec(op="global_avg_pool", name="gap"),
        ),
    )


def names(spec: NetworkSpec) -> list[str]:
    return [layer.name for layer in spec.layers]


@EVERY_PRESET
def test_an_inserted_layer_leaves_every_shape_as_it_was(key: str) -> None:
    spec = presets()[key]
    shapes = [layer.output_shape for layer in size_network(spec).layers]
    for index in range(len(spec.layers) + 1):
        sized = list(size_network(insert_layer(spec, index, "mine")).layers)
        assert sized.pop(index).input_shape == ((3, 32, 32), *shapes)[index]
        assert [layer.output_shape for layer in sized] == shapes


def test_an_inserted_layer_behind_flatten_is_linear() -> None:
    flat = LayerSpec(op="flatten")
    spec = NetworkSpec(name="flat", layers=(flat, LayerSpec(op="linear", out_channels=10)))
    assert insert_layer(spec, 2, "").layers[2].op == "linear"
    assert size_network(insert_layer(spec, 2, "")).output_shape == (10, 1, 1)


def test_a_copy_stands_behind_its_original_under_a_new_name(tiny: NetworkSpec) -> None:
    copied = duplicate_layer(tiny, 0)
    assert names(copied) == ["stem", "stem2", "conv2", "join", "score", "gap"]
    assert replace(copied.layers[1], name="stem") == tiny.layers[0]


def test_a_layer_moves_and_stops_at_the_ends(tiny: NetworkSpec) -> None:
    assert names(move_layer(tiny, 3, 1)) == ["stem", "conv2", "join", "gap", "score"]
    assert move_layer(tiny, 4, 1) == tiny
    assert move_layer(tiny, 0, -1) == tiny
    assert move_layer(move_layer(tiny, 3, 1), 4, -1) == tiny


def test_a_layer_that_an_add_needs_stays_before_it(tiny: NetworkSpec) -> None:
    with pytest.raises(SpecError, match="source must be an earlier layer, got 'stem'"):
        delete_layer(tiny, 0)
    with pytest.raises(SpecError, match="source must be an earlier layer"):
        move_layer(move_layer(tiny, 2, -1), 1, -1)
    assert names(delete_layer(tiny, 1)) == ["stem", "join", "score", "gap"]


def test_the_last_layer_left_is_not_deleted() -> None:
    spec = NetworkSpec(name="one", layers=(LayerSpec(op="flatten"),))
    with pytest.raises(SpecError, match="a network needs a layer"):
        delete_layer(spec, 0)


def test_more_layers_than_allowed_are_refused(tiny: NetworkSpec) -> None:
    layers = tuple(LayerSpec(op="conv", out_channels=4, kernel_size=1) for _ in range(MAX_LAYERS))
    with pytest.raises(SpecError, match="at most 60"):
        insert_layer(NetworkSpec(name="full", layers=layers), 0, "")


@EVERY_PRESET
def test_the_classifier_follows_the_number_of_classes(key: str) -> None:
    spec = change_classes(presets()[key], 7)
    assert spec.num_classes == 7
    assert size_network(spec).output_shape[0] == 7
    assert change_classes(spec, 10) == presets()[key]


def test_typed_cells_become_fields(tiny: NetworkSpec) -> None:
    spec, refused = change_cells(
        tiny,
        {1: {"kernel_size": 5.0, "padding": 2, "then": ["batch_norm", "dropout 0.07"]}, 3: {"bias": False}},
    )
    assert refused == ()
    assert (spec.layers[1].kernel_size, spec.layers[1].padding) == (5, 2)
    assert spec.layers[1].then == ("batch_norm", "dropout 0.07")
    assert not spec.layers[3].bias


def test_an_emptied_cell_is_the_default(tiny: NetworkSpec) -> None:
    spec, refused = change_cells(tiny, {1: {"padding": None, "block": None, "then": None}})
    assert (spec.layers[1].padding, spec.layers[1].then, refused) == (0, (), ())


@pytest.mark.parametrize(
    "cells, rule",
    [
        ({"kernel_size": 0}, "kernel_size: must be greater than or equal to 1, got 0"),
        ({"padding": -1}, "padding: must be greater than or equal to 0, got -1"),
        ({"out_channels": 1_000_000}, "out_channels: must be less than or equal to 4096, got 1000000"),
        ({"out_channels": None}, "conv needs out_channels"),
        ({"stride": 1.5}, "stride: must be a valid integer"),
        ({"then": ["dropout"]}, "dropout needs a rate"),
        ({"then": ["drop table"]}, "then must be made of"),
        ({"name": "stem"}, "the name 'stem' is taken"),
        ({"source": "stem"}, "source has no meaning for conv"),
        ({"op": "pool"}, "op: must be"),
        ({"op": None}, "op: must be"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_and_the_others_are_taken(
    tiny: NetworkSpec, cells: dict[str, object], rule: str
) -> None:
    spec, refused = change_cells(tiny, {1: cells, 3: {"bias": False}})
    assert spec.layers[1] == tiny.layers[1]
    assert not spec.layers[3].bias
    assert len(refused) == 1
    assert refused[0].startswith("layer 2 (conv2): ")
    assert rule in refused[0]


def test_cells_that_no_table_could_send_change_nothing(tiny: NetworkSpec) -> None:
    assert change_cells(tiny, {99: {"stride": 2}, 0: {"__class__": "x", "output": "1×1×1"}}) == (tiny, ())


def test_a_new_name_is_followed_by_the_add_that_uses_it(tiny: NetworkSpec) -> None:
    spec, refused = change_cells(tiny, {0: {"name": "entry"}})
    assert (spec.layers[2].source, refused) == ("entry", ())


@EVERY_PRESET
@pytest.mark.parametrize("op", USED)
def test_a_changed_op_brings_what_it_needs_and_drops_the_rest(key: str, op: str) -> None:
    preset = presets()[key]
    for index in range(1, len(preset.layers)):
        spec, refused = change_cells(preset, {index: {"op": op}})
        assert refused == ()
        assert spec.layers[index].op == op
        assert spec.layers[index].block == preset.layers[index].block


def test_a_convolution_turned_into_a_pool_keeps_its_window(tiny: NetworkSpec) -> None:
    spec, _ = change_cells(tiny, {1: {"op": "max_pool"}})
    pool = spec.layers[1]
    assert (pool.name, pool.kernel_size, pool.padding, pool.out_channels) == ("max_pool1", 3, 1, None)


def test_a_layer_turned_into_an_add_takes_an_earlier_map_of_its_shape(tiny: NetworkSpec) -> None:
    spec, _ = change_cells(tiny, {3: {"op": "add"}})
    assert spec.layers[3].source == "conv2"
    with pytest.raises(SizingError, match="layer 5"):  # 8 channels instead of 10 classes: marked, not refused
        size_network(spec)
    assert change_cells(tiny, {0: {"op": "add"}})[1] == (
        "layer 1 (stem): add needs an earlier layer to sum its input with; move this layer down first",
    )


def test_a_free_name_fits_where_names_are_kept() -> None:
    long = NetworkSpec(name="long", layers=(LayerSpec(op="flatten", name="x" * 40),))
    assert len(names(duplicate_layer(long, 0))[1]) <= 40
