"""Findings name a fault where there is one, nothing on its nearest twin, and offer remedies that work."""

from dataclasses import replace
from time import perf_counter

import pytest

from core.findings import Finding
from core.network import Brief, LayerSpec, NetworkSpec, find_problems, presets, size_network
from core.network.notation import add, avg_pool, block, conv, global_avg_pool, max_pool, network
from tests.random_networks import draw_network

THEN = ("batch_norm", "relu")
RELU = ("relu",)
STEM = conv("stem", 8, 3, padding=1, then=RELU)
HEAD = (global_avg_pool("gap"), conv("classifier", 10, 1))

ASSIGNMENT = Brief(title="the seeds' assignment", receptive_field_above=44)


def found(spec: NetworkSpec, brief: Brief | None = None) -> set[tuple[str, str]]:
    return {(finding.kind, finding.name) for finding in find_problems(spec, brief)}


def put(*layers: LayerSpec, shape: tuple[int, int, int] = (3, 16, 16)) -> NetworkSpec:
    """A network of these layers behind a stem of eight channels and before a head."""
    return replace(network("test", (STEM, *layers, *HEAD)), input_shape=shape)


def dilations(*values: int) -> tuple[LayerSpec, ...]:
    return tuple(
        conv(f"dilated{turn}", 8, 3, padding=dilation, dilation=dilation, then=RELU)
        for turn, dilation in enumerate(values)
    )


def plain(number: int) -> tuple[LayerSpec, ...]:
    return tuple(conv(f"conv{turn}", 8, 3, padding=1, then=RELU) for turn in range(number))


def residual(number: int) -> tuple[LayerSpec, ...]:
    layers = [(layer, add(f"add_{layer.name}", source="stem")) for layer in plain(number)]
    return tuple(layer for pair in layers for layer in pair)


wide = conv("conv", 8, 3, padding=1, then=RELU)
point = conv("conv", 8, 1, then=RELU)
depthwise = conv("depthwise", 8, 3, padding=1, groups=8)
pointwise = conv("pointwise", 8, 1, then=RELU)
separable = block("depthwise separable", replace(wide, groups=8), pointwise)
TO_4 = max_pool("shrink", 4)
DILATED = conv("conv", 8, 3, padding=2, dilation=2, then=RELU)
SLANTED = conv("conv", 8, 3, stride=2, padding=3, dilation=3, then=RELU)

# kind: networks that have it, at the layer called `conv`, `depthwise` or as named, and their nearest twins
TWINS: list[tuple[str, str, tuple[LayerSpec, ...], tuple[LayerSpec, ...]]] = [
    ("false_depthwise", "depthwise", (replace(depthwise, groups=4), pointwise), (depthwise, pointwise)),
    ("false_depthwise", "dw1", (replace(wide, name="dw1"),), (replace(wide, name="dwell"),)),
    (
        "false_depthwise",
        "depthwise",
        (replace(depthwise, out_channels=12, groups=4), pointwise),
        (replace(depthwise, out_channels=16), pointwise),
    ),
    ("false_depthwise", "conv", block("depthwise separable", wide, pointwise), separable),
    ("scaling_depthwise", "conv", (replace(point, groups=8),), (replace(wide, groups=8),)),
    ("scaling_depthwise", "conv", (replace(point, groups=8),), (replace(point, groups=4),)),
    ("constant_outputs", "conv", (replace(point, padding=1),), (point,)),
    ("constant_outputs", "conv", (replace(wide, padding=3),), (replace(wide, padding=2),)),
    ("idle_taps", "conv", (max_pool("shrink", 8), DILATED), (max_pool("shrink", 8), wide)),
    ("idle_taps", "conv", (max_pool("shrink", 16), wide), (max_pool("shrink", 8), wide)),
    ("skipped_pixels", "conv", (replace(point, stride=2),), (replace(wide, stride=2),)),
    ("skipped_pixels", "conv", (replace(SLANTED, dilation=2, padding=2),), (SLANTED,)),
    ("skipped_pixels", "pool", (replace(max_pool("pool", 3), kernel_size=1),), (max_pool("pool", 4),)),
    ("dropped_rows", "pool", (TO_4, avg_pool("pool", 3)), (TO_4, avg_pool("pool", 4))),
    ("dropped_rows", "pool", (max_pool("pool", 5),), (max_pool("pool", 4),)),
    ("dropped_rows", "conv", (replace(wide, stride=2, padding=0),), (replace(wide, stride=2),)),
    ("shrinking_dilation", "conv", (replace(DILATED, padding=1),), (DILATED,)),
    ("shrinking_dilation", "conv", (replace(DILATED, padding=1),), (replace(DILATED, padding=0),)),
    ("gridding", "dilated0", dilations(4, 4), dilations(3, 5)),
    ("gridding", "dilated1", dilations(3, 10), dilations(3, 9)),
    ("gridding", "dilated0", dilations(5), (*dilations(5), *plain(2))),
    ("linear_run", "conv", (replace(wide, then=()), pointwise), (wide, pointwise)),
    (
        "linear_run",
        "conv",
        (replace(wide, then=("batch_norm",), bias=False), pointwise),
        (depthwise, pointwise),
    ),
    (
        "linear_run",
        "conv",
        (replace(wide, then=()), pointwise),
        (replace(wide, then=()), add("sum", source="stem"), pointwise),
    ),
    ("linear_run", "conv", (replace(wide, then=()), pointwise), (replace(wide, then=()), TO_4, pointwise)),
    ("bias_before_batch_norm", "conv", (replace(wide, then=THEN),), (replace(wide, then=THEN, bias=False),)),
    ("bias_before_batch_norm", "conv", (replace(wide, then=THEN),), (replace(wide, then=THEN[::-1]),)),
    (
        "dropout_before_batch_norm",
        "conv",
        (replace(wide, then=("relu", "dropout 0.1", "batch_norm")),),
        (replace(wide, then=("relu", "batch_norm", "dropout 0.1")),),
    ),
    (
        "dropout_before_batch_norm",
        "conv",
        (replace(wide, then=("dropout2d 0.1", "relu", "batch_norm")),),
        (replace(wide, then=("dropout2d 0", "relu", "batch_norm")),),
    ),
    ("outgrown_field", "conv7", plain(8), plain(7)),
    ("outgrown_field", "conv7", plain(8), residual(8)),
    ("idle_pool", "pool", (max_pool("pool", 1),), (max_pool("pool", 2),)),
]
CHOICES = {"outgrown_field"}
"""Kinds without a mechanical remedy."""


@pytest.mark.parametrize("kind, name, faulty, sound", TWINS)
def test_a_fault_is_found_and_its_nearest_twin_is_not_blamed(
    kind: str, name: str, faulty: tuple[LayerSpec, ...], sound: tuple[LayerSpec, ...]
) -> None:
    assert (kind, name) in found(put(*faulty))
    assert found(put(*sound)) == set()


@pytest.mark.parametrize("kind, name, faulty, _", TWINS)
def test_the_remedy_takes_that_fault_away(
    kind: str, name: str, faulty: tuple[LayerSpec, ...], _: tuple[LayerSpec, ...]
) -> None:
    spec = put(*faulty)
    (finding,) = (each for each in find_problems(spec) if (each.kind, each.name) == (kind, name))
    assert (finding.remedied is None) == (kind in CHOICES)
    assert_remedied(finding)


def assert_remedied(finding: Finding[NetworkSpec]) -> None:
    """With its remedy applied the network still works, and this layer has this fault no more."""
    if finding.remedied is not None:
        size_network(finding.remedied)
        assert (finding.kind, finding.name) not in found(finding.remedied)


def test_remedies_of_random_networks_work_and_no_layer_is_blamed_twice_for_the_same() -> None:
    for seed in range(120):
        findings = find_problems(draw_network(seed))
        assert len({(finding.kind, finding.name) for finding in findings}) == len(findings)
        for finding in findings:
            assert_remedied(finding)


# Gridding


def test_gridding_is_counted_and_dilations_of_the_same_field_are_offered() -> None:
    spec = network("three dilations", (*dilations(2, 2, 2), *HEAD))
    (finding,) = find_problems(spec)
    assert "13 × 13 = 169 pixels, and it sees 49 of them, 29.0%" in finding.arithmetic
    assert finding.remedy.endswith("the field stays 13 pixels.")
    assert finding.remedied is not None
    assert [layer.dilation for layer in finding.remedied.layers[:3]] == [1, 2, 3]
    assert [layer.padding for layer in finding.remedied.layers[:3]] == [1, 2, 3]
    assert size_network(finding.remedied).coverage == 1


def test_a_single_dilation_that_is_too_large_gives_up_field() -> None:
    spec = network("one dilation", (*plain(2), *dilations(6), *HEAD))
    (finding,) = find_problems(spec)
    assert finding.remedy == "Use dilation 5 for dilated0; the field becomes 15 pixels."


def test_holes_of_strides_alone_are_not_blamed_on_dilations() -> None:
    skipping = conv("skipping", 8, 1, stride=2, then=RELU)
    assert found(network("strided", (skipping, *dilations(2), *plain(2), *HEAD))) == {
        ("skipped_pixels", "skipping")
    }
    assert ("gridding", "dilated0") in found(network("both", (skipping, *dilations(2, 2), *HEAD)))


# Severity, and networks that do not work


def test_a_max_pool_of_nothing_but_padding_is_an_error() -> None:
    blind = LayerSpec(op="max_pool", name="pool", kernel_size=2, dilation=9, padding=1)
    (finding, *_) = find_problems(put(max_pool("half", 2), blind))
    assert (finding.kind, finding.severity) == ("constant_outputs", "error")
    assert finding.problem == "1 of its 1 outputs see nothing but padding and are minus infinity."
    assert finding.remedied is not None
    assert_remedied(finding)


def test_a_run_that_one_layer_could_replace_with_fewer_weights_is_worse_than_one_that_saves_some() -> None:
    def severity(channels: int) -> str:
        narrow = conv("narrow", channels, 1)
        (finding,) = find_problems(put(narrow, wide))
        return finding.severity

    # 8c + 9 * 8c weights against 9 * 8 * 8 = 576: seven channels take 560 and eight 640
    assert [severity(channels) for channels in (7, 8)] == ["note", "warning"]


def test_a_layer_that_cannot_work_is_an_error_and_what_comes_before_it_is_judged() -> None:
    too_large = conv("large", 8, 5, dilation=8, then=RELU)
    spec = put(replace(wide, then=THEN), too_large, replace(wide, name="after", then=THEN))
    findings = find_problems(spec)
    assert [(finding.kind, finding.name) for finding in findings] == [
        ("bias_before_batch_norm", "conv"),
        ("cannot_work", "large"),
    ]
    assert findings[0].remedied is not None
    error = findings[1]
    assert (error.severity, error.index, error.remedied) == ("error", 2, None)
    assert error.arithmetic == "A 16×16 map with padding 0, but kernel 5 at dilation 8 needs 33."
    assert error.remedy == "Raise the padding to at least 9 or lower the dilation."


def test_holes_and_fields_are_not_judged_before_the_network_is_complete() -> None:
    layers = (*dilations(4), conv("misfit", 8, 3, groups=3), *HEAD)
    assert found(network("torso", layers), ASSIGNMENT) == {("cannot_work", "misfit")}


def test_a_field_is_too_small_up_to_and_including_what_the_brief_names() -> None:
    spec = put(*plain(3))  # field 9

    def is_small(asked: int) -> bool:
        return ("small_field", "conv2") in found(spec, Brief(title="asks", receptive_field_above=asked))

    assert [is_small(asked) for asked in (8, 9, 10)] == [False, True, True]
    assert found(spec, Brief(title="asks nothing of it")) == set()


def test_texts_are_sentences() -> None:
    findings = [each for spec in presets().values() for each in find_problems(spec, ASSIGNMENT)]
    findings += [each for _, _, faulty, _ in TWINS for each in find_problems(put(*faulty))]
    for finding in findings:
        for text in (finding.problem, finding.arithmetic, finding.remedy):
            assert text[0].isupper() or text[0].isdigit()
            assert text.endswith(".")
            assert not text.endswith("..")
            first_word = text.split()[0].lower()
            assert first_word not in {layer.name for layer in presets()["seed_001"].layers}
        assert any(character.isdigit() for character in finding.arithmetic) or finding.kind == "idle_pool"


# Speed


def test_thirty_layers_are_sized_and_judged_within_five_milliseconds() -> None:
    """The body of seed 001, which has most findings of all seeds, repeated as far as thirty layers go."""
    body = presets()["seed_001"].layers[:7] + presets()["seed_001"].layers[10:12]
    body = tuple(layer for layer in body if layer.stride == 1)
    layers = [replace(layer, name=f"{layer.name}_{turn}") for turn in range(4) for layer in body][:28]
    layers = [replace(layer, padding=layer.padding or (layer.kernel_size or 1) // 2) for layer in layers]
    spec = network("thirty", (*layers, *HEAD))
    assert len(spec.layers) == 30
    assert len(find_problems(spec)) >= 10
    times = []
    for _ in range(15):
        start = perf_counter()
        size_network(spec)
        find_problems(spec, ASSIGNMENT)
        times.append(perf_counter() - start)
    assert min(times) < 0.005
