"""Swapping one convolution changes that one, keeps what surrounds it, and counts as torch counts."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from core.errors import SizingError, SpecError
from core.network import LayerSpec, NetworkSpec, presets, size_network
from core.network.build import Network, build_network
from core.network.notation import add, conv, global_avg_pool, max_pool, network
from core.network.swap import KINDS, list_variants, swap_convolution
from tests.random_networks import draw_network

THEN = ("batch_norm", "relu", "dropout 0.1")
NETWORK = network(
    "to swap in",
    (
        conv("stem", 16, 3, padding=1, then=("relu",)),
        conv("wide", 16, 7, padding=3, bias=False, then=THEN),
        conv("middle", 24, 3, padding=1, then=THEN),
        max_pool("pool", 2),
        conv("last", 24, 3, padding=1),
        add("sum", "pool"),
        global_avg_pool("gap"),
        conv("classifier", 10, 1),
    ),
)


def layers_of(spec: NetworkSpec, *names: str) -> list[LayerSpec]:
    """The layers with these names, in this order."""
    return [next(layer for layer in spec.layers if layer.name == name) for name in names]


def count_in_torch(spec: NetworkSpec) -> tuple[int, int, dict[str, tuple[int, ...]]]:
    """Parameters, multiply-adds and output shapes of one image, from the module on torch's meta device."""
    shapes: dict[str, tuple[int, ...]] = {}
    with torch.device("meta"):
        module = build_network(spec).eval()
        for name, layer in module.named_children():
            layer.register_forward_hook(
                lambda _, __, given, name=name: shapes.update({name: given.shape[1:]})
            )
        with FlopCounterMode(display=False) as counter:
            module(torch.empty(1, *spec.input_shape))
    parameters = sum(tensor.numel() for tensor in module.parameters())
    return parameters, counter.get_total_flops() // 2, shapes


def given_in_torch(spec: NetworkSpec, layer: LayerSpec) -> tuple[int, ...]:
    return count_in_torch(spec)[2][layer.name]


@pytest.mark.parametrize("key", presets())
def test_every_variant_of_every_preset_counts_and_shapes_as_torch_does(key: str) -> None:
    spec = presets()[key]
    checked = 0
    for layer in spec.layers:
        for variant in list_variants(spec, layer.name) if layer.op == "conv" else ():
            if variant.network is None or variant.sizing is None:
                continue
            num_params, macs, shapes = count_in_torch(variant.network)
            assert (variant.sizing.num_params, variant.sizing.macs) == (num_params, macs)
            assert shapes == {sized.name: sized.output_shape for sized in variant.sizing.layers}
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("seed", range(40))
def test_all_kinds_but_strided_keep_the_shape_of_every_other_layer(seed: int) -> None:
    spec = draw_network(seed)
    before = {sized.name: sized.output_shape for sized in size_network(spec).layers}
    for layer in spec.layers:
        for variant in list_variants(spec, layer.name) if layer.op == "conv" else ():
            if variant.kind == "strided" or variant.network is None:
                continue
            assert variant.sizing is not None, variant.problem
            after = {sized.name: sized.output_shape for sized in variant.sizing.layers}
            shared = before.keys() & after.keys()
            assert {name: before[name] for name in shared} == {name: after[name] for name in shared}
            assert shared >= before.keys() - {layer.name}
            ends = [each for each in variant.network.layers if each not in spec.layers and each.op == "conv"]
            assert after[ends[-1].name] == before[layer.name]
            assert ends[-1].then == layer.then


def test_depthwise_separable_is_a_depthwise_and_a_pointwise() -> None:
    swapped = swap_convolution(NETWORK, "middle", "depthwise_separable")
    first, second = layers_of(swapped, "middle_depthwise", "middle_pointwise")
    assert (first.groups, first.out_channels, first.kernel_size, first.then) == (16, 16, 3, ())
    assert (second.groups, second.out_channels, second.kernel_size, second.then) == (1, 24, 1, THEN)
    saved = 16 * 24 * 9 + 24 - (16 * 9 + 16 * 24 + 24)
    assert size_network(NETWORK).num_params - size_network(swapped).num_params == saved


def test_grouped_takes_four_groups_or_what_divides_best() -> None:
    assert layers_of(swap_convolution(NETWORK, "middle", "grouped"), "middle")[0].groups == 4
    for channels, groups in ((6, 3), (10, 2), (35, 5), (4, 2)):
        spec = replace_layer(replace_layer(NETWORK, "wide", out_channels=channels), "middle", out_channels=70)
        spec = replace_layer(spec, "middle", out_channels=channels * 2)
        spec = replace(spec, layers=tuple(layer for layer in spec.layers if layer.op != "add"))
        assert layers_of(swap_convolution(spec, "middle", "grouped"), "middle")[0].groups == groups


def replace_layer(spec: NetworkSpec, layer_name: str, **changes: object) -> NetworkSpec:
    """`spec` with these fields of one layer changed."""
    layers = [replace(layer, **changes) if layer.name == layer_name else layer for layer in spec.layers]
    return replace(spec, layers=tuple(layers))


def test_dilated_and_back_to_standard_widens_the_field_and_gives_it_back() -> None:
    dilated = swap_convolution(NETWORK, "middle", "dilated")
    (layer,) = layers_of(dilated, "middle")
    assert (layer.dilation, layer.padding) == (2, 2)
    widths = [size_network(spec).layers[2].receptive_field for spec in (NETWORK, dilated)]
    assert widths[1] - widths[0] == 2
    assert swap_convolution(dilated, "middle", "standard") == NETWORK


def test_factorised_sees_as_much_through_three_by_three_kernels_with_activations_between() -> None:
    swapped = swap_convolution(NETWORK, "wide", "factorised")
    stack = layers_of(swapped, "wide_1", "wide_2", "wide_3")
    assert [layer.kernel_size for layer in stack] == [3, 3, 3]
    assert [layer.then for layer in stack] == [("batch_norm", "relu"), ("batch_norm", "relu"), THEN]
    assert gradient_extent(build_network(swapped), "wide_3") == gradient_extent(
        build_network(NETWORK), "wide"
    )
    assert gradient_extent(build_network(NETWORK), "wide") == 9


@pytest.mark.parametrize("stride, dilation, padding", [(2, 1, 2), (1, 2, 5), (3, 2, 0)])
def test_factorised_keeps_field_and_shape_with_stride_dilation_and_uneven_padding(
    stride: int, dilation: int, padding: int
) -> None:
    window = {"stride": stride, "dilation": dilation, "padding": padding}
    layers = (conv("conv", 4, 7, then=("relu",), **window), global_avg_pool("gap"), conv("end", 10, 1))
    spec = NetworkSpec(name="n", layers=layers)
    swapped = swap_convolution(spec, "conv", "factorised")
    assert given_in_torch(swapped, swapped.layers[2]) == given_in_torch(spec, spec.layers[0])
    extents = [
        gradient_extent(build_network(each), name) for each, name in ((swapped, "conv_3"), (spec, "conv"))
    ]
    assert extents[0] == extents[1]


def gradient_extent(module: Network, layer: str) -> int:
    """How many rows of the image have a gradient from the middle unit of `layer`; all weights positive."""
    kept: list[Tensor] = []
    module.eval().get_submodule(layer).register_forward_hook(lambda _, __, given: kept.append(given))
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.constant_(part.weight, 0.01)
    images = torch.ones(1, *module.spec.input_shape, requires_grad=True)
    module(images)
    rows = kept[0].shape[2]
    kept[0][0, :, rows // 2, rows // 2].sum().backward()
    assert images.grad is not None
    return int(images.grad[0].abs().sum((0, 2)).count_nonzero())


def test_strided_takes_the_place_of_the_pool_behind_it() -> None:
    swapped = swap_convolution(NETWORK, "middle", "strided")
    (layer,) = layers_of(swapped, "middle")
    assert (layer.stride, layer.then) == (2, THEN)
    assert [each.name for each in swapped.layers if each.op == "max_pool"] == []
    assert layers_of(swapped, "sum")[0].source == "middle"
    assert given_in_torch(swapped, layer) == (24, 16, 16)


def test_strided_keeps_a_pool_when_an_add_takes_what_comes_before_it() -> None:
    layers = (conv("a", 3, 1), max_pool("p", 2), conv("b", 10, 1), global_avg_pool("g"))
    plain = NetworkSpec(name="n", layers=layers)
    assert len(swap_convolution(plain, "a", "strided").layers) == 3
    held = (*layers[:1], max_pool("p", 1), add("s", "a"), conv("b", 10, 1), global_avg_pool("g"))
    kept = swap_convolution(NetworkSpec(name="n", layers=held), "a", "strided")
    assert [layer.op for layer in kept.layers] == [layer.op for layer in held]
    assert kept.layers[0].stride == 2


def test_an_add_goes_on_with_the_output_of_what_stands_there_now() -> None:
    spec = presets()["scope_net"]
    swapped = swap_convolution(spec, "strided1", "depthwise_separable")
    assert layers_of(swapped, "add1")[0].source == "strided1_pointwise"
    assert given_in_torch(swapped, layers_of(swapped, "add1")[0]) == (48, 16, 16)


def test_names_stay_unique_and_short_enough() -> None:
    long = "a" * 40
    spec = replace_layer(NETWORK, "middle", name=long)
    spec = replace_layer(spec, "stem", name="a" * 30 + "_depthwise")
    swapped = swap_convolution(spec, long, "depthwise_separable")
    names = [layer.name for layer in swapped.layers]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 40
    twice = swap_convolution(swapped, names[2], "dilated")
    assert [layer.name for layer in twice.layers] == names


@pytest.mark.parametrize(
    "layer, kind, reason",
    [
        ("middle", "standard", "middle: it is standard already"),
        ("classifier", "depthwise_separable", "a depthwise 1×1 would only scale its channels"),
        ("classifier", "dilated", "a 1×1 kernel has no gaps to widen"),
        ("classifier", "strided", "its map is 1×1"),
        ("middle", "factorised", "a 3×3 kernel is not larger than 3×3"),
        ("stem", "grouped", "no number of groups from 2 to below 3 divides both 3 input and 16 output"),
        ("pool", "dilated", "'pool' is none"),
        ("nothing", "dilated", "'nothing' is none"),
        ("middle", "magic", "kind must be one of standard, depthwise_separable"),
    ],
)
def test_a_kind_that_makes_no_sense_is_refused_with_the_reason(layer: str, kind: str, reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        swap_convolution(NETWORK, layer, kind)


@pytest.mark.parametrize(
    "changes, kind, reason",
    [
        ({"groups": 2}, "grouped", "it has 2 groups already"),
        ({"groups": 16, "out_channels": 16}, "depthwise_separable", "kernels of its own already"),
        ({"stride": 2}, "strided", "its stride is 2 already"),
        ({"dilation": 3, "padding": 3}, "dilated", "its dilation is 3 already"),
        ({"dilation": 2, "padding": 0}, "standard", "no padding keeps its map at 28×28: it would take -1"),
        ({"kernel_size": 2, "padding": 1}, "dilated", "it would take 1.5"),
        ({"kernel_size": 6, "padding": 2}, "factorised", "see 5, 7, 9, … pixels, never 6"),
    ],
)
def test_what_the_layer_has_already_or_cannot_have_is_refused(
    changes: dict[str, int], kind: str, reason: str
) -> None:
    layers = tuple(layer for layer in replace_layer(NETWORK, "middle", **changes).layers if layer.op != "add")
    with pytest.raises(SpecError, match=reason):
        swap_convolution(replace(NETWORK, layers=layers), "middle", kind)


def test_a_stride_that_breaks_a_later_layer_is_listed_with_the_arithmetic() -> None:
    variants = {variant.kind: variant for variant in list_variants(presets()["seed_000"], "conv1")}
    assert variants.keys() == KINDS.keys()
    strided = variants["strided"]
    assert strided.network is not None
    assert strided.sizing is None
    assert "(gap, avg_pool): a 1×1 map with padding 0, but kernel 3 needs 3" in strided.problem
    with pytest.raises(SizingError):
        size_network(strided.network)
