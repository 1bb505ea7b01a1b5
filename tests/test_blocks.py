"""A ready-made block works wherever it is put, leaves the rest as it was, and is what its name says."""

import pytest

from core.errors import SpecError
from core.network import LayerSpec, NetworkSpec, find_problems, presets, size_network
from core.network.blocks import BLOCKS, free_name, insert_block, shape_before
from core.network.spec import MAX_LAYERS

EVERY_PRESET = pytest.mark.parametrize("key", presets())
EVERY_KIND = pytest.mark.parametrize("kind", BLOCKS)
KEEPING = ("conv_block", "depthwise_separable", "transition", "residual")


def is_place(spec: NetworkSpec, index: int, kind: str) -> bool:
    """Whether a block of this kind has neighbours to look at there."""
    return not BLOCKS[kind].needs_map or max(shape_before(spec, index)[1:]) > 1


def inserted(spec: NetworkSpec, index: int, kind: str, channels: int | None = None) -> tuple[LayerSpec, ...]:
    """The layers of the block, cut out of the network that has it."""
    bigger = insert_block(spec, index, kind, channels)
    return bigger.layers[index : index + len(bigger.layers) - len(spec.layers)]


@EVERY_PRESET
@EVERY_KIND
@pytest.mark.parametrize("channels", [None, 24])
def test_a_block_works_at_every_place_and_puts_out_the_channels_asked(
    key: str, kind: str, channels: int | None
) -> None:
    spec = presets()[key]
    places = [index for index in range(len(spec.layers) + 1) if is_place(spec, index, kind)]
    assert places
    for index in places:
        bigger = insert_block(spec, index, kind, channels)
        end = index + len(bigger.layers) - len(spec.layers)
        given = shape_before(spec, index)
        assert shape_before(bigger, end)[0] == (channels or given[0])  # whatever becomes of what follows
        assert bigger.layers[:index] + bigger.layers[end:] == spec.layers


@EVERY_PRESET
@pytest.mark.parametrize("kind", KEEPING)
def test_a_block_that_keeps_the_shape_leaves_every_other_layer_as_it_was(key: str, kind: str) -> None:
    spec = presets()[key]
    shapes = [layer.output_shape for layer in size_network(spec).layers]
    for index in range(len(spec.layers) + 1):
        if is_place(spec, index, kind):
            bigger = insert_block(spec, index, kind)
            end = index + len(bigger.layers) - len(spec.layers)
            sized = [layer.output_shape for layer in size_network(bigger).layers]
            assert sized[:index] + sized[end:] == shapes


@EVERY_KIND
def test_a_block_carries_one_label_and_names_that_are_new(kind: str) -> None:
    spec = presets()["seed_000"]
    labels = {layer.block for layer in spec.layers}
    for turn in range(3):
        new = inserted(spec, 5, kind)
        (label,) = {layer.block for layer in new}
        assert label not in labels
        labels.add(label)
        spec = insert_block(spec, 5, kind)
        assert len({layer.name for layer in spec.layers}) == len(spec.layers), turn


def test_a_residual_adds_what_entered_it() -> None:
    spec = presets()["seed_004"]
    first, second, join = inserted(spec, 5, "residual")
    assert join.source == spec.layers[4].name
    assert (first.then, second.then, join.then) == (("batch_norm", "relu"), ("batch_norm",), ("relu",))


@pytest.mark.parametrize("index, channels", [(5, 24), (0, None)])
def test_a_residual_that_changes_channels_or_starts_the_network_begins_with_a_pointwise(
    index: int, channels: int | None
) -> None:
    projection, first, _, join = inserted(presets()["seed_004"], index, "residual", channels)
    assert projection.kernel_size == 1
    assert join.source == projection.name
    assert projection.out_channels == first.out_channels == (channels or 3)


def test_a_second_residual_follows_the_first() -> None:
    spec = insert_block(presets()["seed_004"], 5, "residual")
    assert inserted(spec, 8, "residual")[-1].source == spec.layers[7].name


def test_depthwise_separable_is_one_group_a_channel_and_then_a_pointwise() -> None:
    depthwise, pointwise = inserted(presets()["seed_004"], 5, "depthwise_separable", 48)
    assert (depthwise.groups, depthwise.out_channels, depthwise.kernel_size) == (32, 32, 3)
    assert (pointwise.groups, pointwise.out_channels, pointwise.kernel_size) == (1, 48, 1)


@pytest.mark.parametrize("kind", ["strided", "dilated_strided"])
@pytest.mark.parametrize("side", [32, 31, 9, 8])
def test_downsampling_halves_the_map(kind: str, side: int) -> None:
    spec = NetworkSpec(
        name="one", layers=(LayerSpec(op="global_avg_pool"),), input_shape=(3, side, side), num_classes=3
    )
    row = size_network(insert_block(spec, 0, kind)).layers[0]
    assert row.output_shape == (3, (side + 1) // 2, (side + 1) // 2)


@EVERY_KIND
def test_a_block_has_no_fault_that_would_be_found(kind: str) -> None:
    stem = LayerSpec(op="conv", out_channels=16, kernel_size=3, padding=1, then=("relu",))
    spec = NetworkSpec(name="two", layers=(stem, LayerSpec(op="global_avg_pool")), num_classes=16)
    assert find_problems(insert_block(spec, 1, kind)) == find_problems(spec) == ()


@EVERY_KIND
def test_a_map_of_one_pixel_is_no_place_for_a_window(kind: str) -> None:
    spec = presets()["scope_net"]
    end = len(spec.layers)
    if BLOCKS[kind].needs_map:
        with pytest.raises(SpecError, match=r"before layer 18 is 1×1; insert it before the pooling"):
            insert_block(spec, end - 1, kind)
    else:
        assert inserted(spec, end - 1, kind)[0].out_channels == 96


def test_behind_a_layer_that_cannot_work_nothing_is_guessed() -> None:
    broken = LayerSpec(op="conv", out_channels=8, kernel_size=64)
    spec = NetworkSpec(name="broken", layers=(broken, LayerSpec(op="global_avg_pool")), num_classes=8)
    with pytest.raises(SpecError, match=r"what layer 2 gets is not known: layer 1 \(conv1, conv\)"):
        insert_block(spec, 1, "conv_block")


def test_a_network_without_its_scores_yet_goes_on_at_its_end() -> None:
    spec = NetworkSpec(name="begun", layers=(LayerSpec(op="conv", out_channels=8, kernel_size=3),))
    assert [layer.out_channels for layer in inserted(spec, 1, "depthwise_separable")] == [8, 8]


def test_a_full_network_takes_no_more() -> None:
    layers = tuple(LayerSpec(op="conv", out_channels=4, kernel_size=1) for _ in range(MAX_LAYERS - 1))
    with pytest.raises(SpecError, match="at most 60"):
        insert_block(NetworkSpec(name="full", layers=layers), 0, "residual")


@pytest.mark.parametrize(
    "name, free",
    [("conv", "conv1"), ("conv2", "conv1"), ("stem", "stem2"), ("gap", "gap2"), ("3x3", "3x3_1")],
)
def test_a_free_name_is_new_and_alike(name: str, free: str) -> None:
    assert free_name({"stem", "conv2", "join", "score", "gap"}, name) == free
