"""A pasted summary table is read with everything that fits it, and nothing is guessed."""

from dataclasses import replace
from itertools import product
from time import perf_counter

import pytest
import torchinfo
from torch import nn
from torch.nn.modules import activation, dropout, normalization

from core.errors import SpecError
from core.network import LayerSpec, NetworkSpec, presets, size_network
from core.network.export import to_python, to_summary_table
from core.network.summary_candidates import list_convs, list_pools
from core.network.summary_layers import STEPS
from core.network.summary_rows import MAX_ROWS, MAX_TEXT
from core.network.summary_table import (
    AFTER_LAYER,
    AFTER_NORM,
    AS_LISTED,
    BEFORE_NORM,
    LOG_SOFTMAX,
    SummaryReading,
    read_summary_table,
    resolve,
)
from tests.random_networks import draw_network
from tests.test_export import README_004, SEED_004, run_source

HEADER = "        Layer (type)               Output Shape         Param #\n" + "=" * 64 + "\n"
SMALL = HEADER + "            Conv2d-1             [-1, 8, 30, 30]             224\n"
END = """\
            Conv2d-1           [-1, 10, 32, 32]             280
 AdaptiveAvgPool2d-2             [-1, 10, 1, 1]               0
"""


def find_choices(reading: SummaryReading, spec: NetworkSpec) -> dict[int, int]:
    """The choices that give the layers of the spec; fails where one is not among the candidates."""
    choices = {}
    for index, (layer, true) in enumerate(zip(reading.layers, spec.layers, strict=True)):
        choices[index] = layer.candidates.index(replace(true, name="", block="", then=()))
    return choices


def bare(spec: NetworkSpec) -> list[LayerSpec]:
    """The layers without names and blocks."""
    return [replace(layer, name="", block="") for layer in spec.layers]


def test_seed_004_is_among_the_networks_that_fit_its_readme() -> None:
    reading = read_summary_table(README_004)
    true = presets()["seed_004"]
    spec = resolve(
        reading,
        find_choices(reading, true),
        activation=BEFORE_NORM,
        ending=LOG_SOFTMAX,
        dropout_rate=0.01,
        name=true.name,
    )
    assert bare(spec) == bare(true)
    assert (spec.name, spec.input_shape, spec.num_classes) == (true.name, true.input_shape, true.num_classes)
    assert size_network(spec).num_params == 162_296
    assert size_network(spec).receptive_field_before_pooling == 67


def test_what_the_table_of_seed_004_leaves_open_is_offered() -> None:
    reading = read_summary_table(f"# Model\n\n```\n{README_004}```\nResults\n")
    assert reading.rows[0].line == 7
    assert len(reading.layers) == 13
    assert reading.layers[0].steps == ("batch_norm", "dropout2d")
    assert 7 not in reading.open_layers  # 64 parameters for 64 channels: only a 1×1 for each
    strided = [
        (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
        for layer in reading.layers[3].candidates
    ]
    assert {(3, 2, 0, 2), (3, 2, 1, 3)} <= set(strided)  # stride against dilation against padding
    assert (3, 2, 1, 1) not in strided  # would give 16×16
    kernels = {(layer.kernel_size, layer.groups) for layer in reading.layers[9].candidates}
    assert {(1, 1), (2, 4), (4, 16), (8, 64)} == kernels  # all with 4,096 parameters
    assert reading.layers[12].candidates[0] == LayerSpec(op="avg_pool", kernel_size=4, stride=4)
    assert reading.activations == (AS_LISTED, BEFORE_NORM, AFTER_NORM, AFTER_LAYER)
    assert reading.endings == (AS_LISTED, LOG_SOFTMAX)
    assert reading.needs_dropout_rate


def test_nothing_open_is_decided_silently() -> None:
    reading = read_summary_table(README_004)
    answers = {"activation": AS_LISTED, "ending": AS_LISTED, "dropout_rate": 0.1}
    whole = reading.plainest()
    assert size_network(resolve(reading, whole, **answers)).num_params == 162_296
    for index in reading.open_layers:
        without = {key: choice for key, choice in whole.items() if key != index}
        with pytest.raises(SpecError, match=r"line \d+ \(\w+-\d+\): \d+ layers fit"):
            resolve(reading, without, **answers)
    with pytest.raises(SpecError, match="dropout_rate"):
        resolve(reading, whole, activation=AS_LISTED, ending=AS_LISTED)
    for wrong in ({"activation": "tanh"}, {"ending": ""}, {"dropout_rate": 1.5}):
        with pytest.raises(SpecError):
            resolve(reading, whole, **{**answers, **wrong})
    for choice in (-1, 99):
        with pytest.raises(SpecError, match=f"got {choice}"):
            resolve(reading, {**whole, 0: choice}, **answers)


def test_every_candidate_gives_the_row_that_it_was_read_from() -> None:
    """Each is sized on its own, and each one that was left out does not fit."""
    before, after, num_params = (64, 5, 5), (64, 4, 4), 4096
    found = list_convs(before, after, num_params)

    def fits(layer: LayerSpec) -> bool:
        layers = (layer, LayerSpec(op="global_avg_pool"))
        try:
            row = size_network(
                NetworkSpec(name="one", layers=layers, input_shape=before, num_classes=64)
            ).layers[0]
        except SpecError:
            return False
        return (row.output_shape, row.num_params) == (after, num_params)

    tried = [
        LayerSpec(
            op="conv", out_channels=64, kernel_size=k, stride=s, padding=p, dilation=d, groups=g, bias=b
        )
        for k, s, d, g, b in product(
            range(1, 12), range(1, 5), range(1, 5), (1, 2, 4, 8, 16, 32, 64), (False, True)
        )
        for p in range(max(1, ((k - 1) * d + 1) // 2) + 1)
        if k > 1 or d == 1
    ]
    assert set(found) == {layer for layer in tried if fits(layer)}
    assert len(found) == len(set(found))


def test_pools_that_fit_are_all_listed() -> None:
    found = {
        (layer.kernel_size, layer.stride, layer.padding)
        for layer in list_pools("max_pool", (4, 9, 9), (4, 4, 4))
    }
    tried = product(range(1, 12), range(1, 12), range(6))
    expected = {
        (k, s, p)
        for k, s, p in tried
        if p <= k // 2 and (s <= 4 or s == k) and k <= 9 + 2 * p and (9 + 2 * p - k) // s + 1 == 4
    }
    assert found == expected
    assert list_pools("avg_pool", (4, 14, 14), (4, 1, 1))[0].kernel_size == 14
    assert list_pools("avg_pool", (4, 14, 14), (8, 1, 1)) == ()


@pytest.mark.parametrize("key", presets())
def test_every_preset_without_adds_is_among_the_networks_that_fit_its_own_table(key: str) -> None:
    true = presets()[key]
    reading = read_summary_table(to_summary_table(true))
    if any(layer.op == "add" for layer in true.layers):
        assert len(reading.layers) == sum(layer.op != "add" for layer in true.layers)
        return
    assert reading.activations == (AS_LISTED,)  # its activations have rows
    rates = {
        step.partition(" ")[2] for layer in true.layers for step in layer.then if step.startswith("drop")
    }
    rate = float(rates.pop()) if rates else None
    choices = find_choices(reading, true)
    assert bare(resolve(reading, choices, activation=AS_LISTED, ending=AS_LISTED, dropout_rate=rate)) == bare(
        true
    )


def test_random_tables_are_read_or_refused_and_what_is_read_has_their_totals() -> None:
    num_read = 0
    for seed in range(150):
        spec = draw_network(seed)
        table = to_summary_table(spec)
        try:
            reading = read_summary_table(table, spec.input_shape)
            answers = {"activation": reading.activations[0], "ending": AS_LISTED, "dropout_rate": 0.1}
            read = resolve(reading, reading.plainest(), **answers)
        except SpecError:
            continue
        num_read += 1
        assert size_network(read).num_params == size_network(spec).num_params
        assert read.num_classes == spec.num_classes
    assert num_read > 100


def is_told_by_rows(spec: NetworkSpec) -> bool:
    """Whether each layer has one row, and lies within what is looked at."""
    rows = size_network(spec).layers
    return all(
        layer.op != "add"
        and (layer.op != "flatten" or row.input_shape[1:] != (1, 1))
        and layer.dilation <= (4 if layer.op == "conv" and layer.kernel_size != 1 else 1)
        and (layer.op != "avg_pool" or row.output_shape[1:] != (1, 1) or layer.stride == layer.kernel_size)
        and (layer.op != "max_pool" or row.output_shape[1:] != (1, 1) or layer.stride == layer.kernel_size)
        for layer, row in zip(spec.layers, rows, strict=True)
    )


def test_random_networks_are_among_those_that_fit_their_own_tables() -> None:
    told = [spec for spec in map(draw_network, range(600)) if is_told_by_rows(spec)]
    assert len(told) > 60
    for spec in told:
        reading = read_summary_table(to_summary_table(spec), spec.input_shape)
        choices = find_choices(reading, spec)
        read = resolve(
            reading, choices, activation=reading.activations[0], ending=AS_LISTED, dropout_rate=0.1
        )
        kinds = [[step.partition(" ")[0] for step in layer.then] for layer in read.layers]
        listed = [[step.partition(" ")[0] for step in layer.then] for layer in spec.layers]
        on_vector = {"dropout2d": "dropout"}  # as the exported module has it, because it is the same there
        assert [[on_vector.get(kind, kind) for kind in then] for then in kinds] == [
            [on_vector.get(kind, kind) for kind in then] for then in listed
        ]
        assert [replace(layer, then=()) for layer in bare(read)] == [
            replace(layer, then=()) for layer in bare(spec)
        ]


def test_what_torchinfo_prints_of_a_built_network_is_read() -> None:
    for key in ("seed_000", "seed_003"):
        true = presets()[key]
        text = str(
            torchinfo.summary(run_source(to_python(true)), (1, *true.input_shape), verbose=0, device="cpu")
        )
        reading = read_summary_table(text)
        rate = 0.1
        spec = resolve(
            reading, find_choices(reading, true), activation=AS_LISTED, ending=AS_LISTED, dropout_rate=rate
        )
        assert bare(spec) == bare(true)


@pytest.mark.skipif(not SEED_004.exists(), reason="the seeds' READMEs are not here")
def test_the_whole_readme_of_seed_004_may_be_pasted() -> None:
    reading = read_summary_table(SEED_004.read_text(encoding="utf-8"))
    assert len(reading.rows) == 35
    assert reading.num_classes == 10


TORCHINFO = """\
==========================================================================================
Layer (type:depth-idx)                   Output Shape              Param #
==========================================================================================
Net                                      [1, 10]                   --
├─Sequential: 1-1                        [1, 16, 15, 15]           --
│    └─Conv2d: 2-1                       [1, 16, 30, 30]           448
│    └─BatchNorm2d: 2-2                  [1, 16, 30, 30]           32
│    └─MaxPool2d: 2-3                    [1, 16, 15, 15]           --
├─Dropout (drop): 1-2                    [1, 16, 15, 15]           --
├─Linear: 1-3                            [1, 10]                   36,010
==========================================================================================
Total params: 36,490
Trainable params: 36,490
Non-trainable params: 0
Total mult-adds (M): 0.44
==========================================================================================
Input size (MB): 0.01
Forward/backward pass size (MB): 0.23
Params size (MB): 0.15
Estimated Total Size (MB): 0.39
==========================================================================================
"""


def test_a_table_of_torchinfo_is_read_and_a_flatten_without_a_row_is_seen() -> None:
    reading = read_summary_table(TORCHINFO)
    assert [(layer.candidates[0].op, layer.steps, layer.is_listed) for layer in reading.layers] == [
        ("conv", ("batch_norm",), True),
        ("max_pool", ("dropout",), True),
        ("flatten", (), False),
        ("linear", (), True),
    ]
    spec = resolve(reading, reading.plainest(), activation=AFTER_NORM, ending=AS_LISTED, dropout_rate=0.25)
    assert [layer.then for layer in spec.layers] == [("batch_norm", "relu"), ("dropout 0.25",), (), ()]
    assert size_network(spec).num_params == 36_490


def test_pools_without_a_row_are_offered_where_the_next_row_shows_them() -> None:
    conv = "            Conv2d-1             [-1, 8, 30, 30]             224\n"
    before_linear = read_summary_table(
        HEADER + conv + "            Linear-2                   [-1, 10]              90\n"
    )
    at_the_end = read_summary_table(HEADER + conv)
    for reading, index in ((before_linear, 1), (at_the_end, 1)):
        assert not reading.layers[index].is_listed
        assert [layer.op for layer in reading.layers[index].candidates] == ["global_avg_pool", "max_pool"]
        assert index in reading.open_layers
    assert (before_linear.num_classes, at_the_end.num_classes) == (10, 8)
    spec = resolve(before_linear, before_linear.plainest(), activation=AFTER_LAYER, ending=AS_LISTED)
    assert [layer.then for layer in spec.layers] == [("relu",), (), ()]


def test_a_container_is_passed_over_and_said() -> None:
    container = "   Conv2d_BasicBlock-2           [-1, 10, 32, 32]               0\n"
    lines = END.splitlines(keepends=True)
    reading = read_summary_table(HEADER + lines[0] + container + lines[1])
    assert [row.kind for row in reading.passed_over] == ["Conv2d_BasicBlock"]
    assert len(reading.layers) == 2


def parameterless_names() -> list[str]:
    """The activations, dropouts and norms of torch.nn that a spec cannot say."""
    names = {*activation.__all__, *dropout.__all__, *normalization.__all__}
    known = {"MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", *STEPS}
    return sorted(name for name in names if hasattr(nn, name) and name not in known)


@pytest.mark.parametrize("name", parameterless_names())
def test_a_module_of_torch_that_a_spec_cannot_say_is_not_taken_for_a_container(name: str) -> None:
    row = f"{name + '-2':>20}           [-1, 10, 32, 32]               0\n"
    lines = END.splitlines(keepends=True)
    with pytest.raises(SpecError, match=rf"line 4 \({name}-2\): {name} is not among"):
        read_summary_table(HEADER + lines[0] + row + lines[1])


def change(old: str, new: str) -> str:
    """The README's table with one change."""
    assert old in README_004
    return README_004.replace(old, new, 1)


REFUSED = {
    "there is no table": "nothing",
    "line 1: no rows follow it": HEADER,
    "the rows add up to 162,296 parameters, but the table says 162,297": change(
        "params: 162,296", "params: 162,297"
    ),
    "the table says that its images take 0.57 MB": change("size (MB): 0.01", "size (MB): 0.57"),
    "line 5 (BatchNorm2d-2): it must keep 16×32×32, but puts out 16×31×32": change(
        "BatchNorm2d-2           [-1, 16, 32, 32]", "BatchNorm2d-2           [-1, 16, 31, 32]"
    ),
    "line 4 (Conv2d-1): no convolution from 3×32×32 to 16×32×32 has 433 parameters": change(
        "432\n", "433\n"
    ).replace("162,296", "162,297"),
    "line 38 (AvgPool2d-35): no pool of whole windows brings 10×4×4 to 10×9×9": change(
        "[-1, 10, 1, 1]", "[-1, 10, 9, 9]"
    ),
    "line 6: a row must be a module": change("Dropout2d-3 ", "Dropout2d 3 "),
    "line 3 (Conv2d-1): height and width must be 1 to 512": SMALL.replace("30, 30", "30, 9999"),
    "line 3 (Conv2d-1): [-1, 99999, 30, 30] is neither": SMALL.replace(" 8, 30", " 99999, 30"),
    "line 3 (Conv2d-1): [-1, 0, 30, 30] is neither": SMALL.replace(" 8, 30", " 0, 30"),
    "line 3 (Conv2d-1): [-1, 8, 30] is neither": SMALL.replace("8, 30, 30", "8, 30"),
    "line 3: a row must be a module, [-1, channels, height, width]": SMALL.replace("30, 30", "9" * 30),
    "line 3 (BatchNorm2d-1): it comes before the first layer": HEADER
    + "       BatchNorm2d-1            [-1, 3, 32, 32]               6\n",
    "line 4 (BatchNorm2d-2): it must have 20 parameters here": HEADER
    + END.replace(
        "AdaptiveAvgPool2d-2             [-1, 10, 1, 1] ", "BatchNorm2d-2         [-1, 10, 32, 32] "
    ),
    "line 4 (ConvTranspose2d-2): ConvTranspose2d is neither": HEADER
    + END.replace(
        "AdaptiveAvgPool2d-2             [-1, 10, 1, 1] ", "ConvTranspose2d-2     [-1, 10, 64, 64] "
    ),
    "line 4 (AdaptiveAvgPool2d-2): an adaptive pool must put out 1×1": HEADER
    + END.replace("[-1, 10, 1, 1]", "[-1, 10, 2, 2]"),
    "line 4 (Linear-2): no linear layer from 8×30×30 to 10×1×1 has 91": SMALL
    + "            Linear-2                   [-1, 10]              91\n",
    "line 4 (Flatten-2): a flatten of 8×30×30 is another vector": SMALL
    + "           Flatten-2                   [-1, 10]               0\n",
    "line 3 (MaxPool2d-1): the table has no convolution": HEADER
    + "         MaxPool2d-1            [-1, 3, 16, 16]               0\n",
    "it is called again with the same weights": TORCHINFO.replace("36,010", "(recursive)"),
    "at most 200,000 are read": "x" * (MAX_TEXT + 1),
    f"the table has more than {MAX_ROWS} rows": SMALL
    + "              ReLU-2             [-1, 8, 30, 30]               0\n" * MAX_ROWS,
    "at most 400 are read": HEADER + " " * 10_000,
    "a network has at most 60 layers": SMALL
    + "            Conv2d-2             [-1, 8, 30, 30]             584\n" * 61,
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_understood_is_refused_at_its_line(reason: str) -> None:
    with pytest.raises(SpecError) as refusal:
        read_summary_table(REFUSED[reason])
    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    "line",
    [
        "            Conv2d-1      [-1, 4096, 512, 512]             999,999,999,999",
        "            Conv2d-1      [-1, 4096, 512, 512]             37,748,736",
        "            Conv2d-1      [-1" + ", 9" * 100 + "] 1",
        "│" * 390,
        "a" * 399,
        "            Linear-1      [-1, 999999999]             3,072,000,000",
    ],
)
def test_hostile_rows_cost_no_time(line: str) -> None:
    started = perf_counter()
    with pytest.raises(SpecError):
        read_summary_table(HEADER + (line + "\n") * 400, (4096, 512, 512))
    assert perf_counter() - started < 2
