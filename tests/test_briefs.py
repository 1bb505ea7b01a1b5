"""The verdicts of the assignments on every network, worked out by hand from the tables of the seeds."""

from dataclasses import replace

import pytest

from core.errors import SpecError
from core.network import Brief, LayerSpec, NetworkSpec, Verdict, briefs, check_brief, presets, size_network
from core.network.notation import avg_pool, conv, global_avg_pool, max_pool, network
from core.spec import from_json, from_link, to_json, to_link

PARAMS, FIELD, POOLS = "fewer than 200,000 parameters", "above 44 pixels", "no max pooling"
DOWN, SEPARABLE, DILATED, GLOBAL = "stride or dilation", "depthwise", "dilated", "whole map"
STRIDED = (PARAMS, FIELD, POOLS, DOWN, SEPARABLE, DILATED, GLOBAL)
THREE_POOLS = ("fewer than 1,000,000 parameters", "exactly 3 max pools", SEPARABLE, DILATED)

# By seed, the rules of each brief that it breaks.
BROKEN = {
    "seed_000": {"seeds_001_003_004": {POOLS, DOWN}, "seed_002": set(), "seed_000": set()},
    "seed_001": {
        "seeds_001_003_004": {SEPARABLE, GLOBAL},
        "seed_002": {THREE_POOLS[1], SEPARABLE},
        "seed_000": {SEPARABLE},
    },
    "seed_002": {
        "seeds_001_003_004": {PARAMS, POOLS, DOWN, SEPARABLE},
        "seed_002": {SEPARABLE},
        "seed_000": {SEPARABLE},
    },
    "seed_003": {
        "seeds_001_003_004": {FIELD, SEPARABLE},
        "seed_002": {THREE_POOLS[1], SEPARABLE},
        "seed_000": {SEPARABLE},
    },
    "seed_003_less_weighted": {
        "seeds_001_003_004": {FIELD, SEPARABLE, GLOBAL},
        "seed_002": {THREE_POOLS[1], SEPARABLE},
        "seed_000": {SEPARABLE},
    },
    "seed_004": {
        "seeds_001_003_004": {SEPARABLE},
        "seed_002": {THREE_POOLS[1], SEPARABLE},
        "seed_000": {SEPARABLE},
    },
    "scope_net": {"seeds_001_003_004": set(), "seed_002": {THREE_POOLS[1]}, "seed_000": set()},
}
RULES = {"seeds_001_003_004": STRIDED, "seed_002": THREE_POOLS, "seed_000": (SEPARABLE, DILATED)}


@pytest.mark.parametrize("brief_key", RULES)
@pytest.mark.parametrize("key", BROKEN)
def test_the_verdicts_are_those_worked_out_by_hand(key: str, brief_key: str) -> None:
    verdicts = [
        verdict for verdict in check_brief(presets()[key], briefs()[brief_key]) if verdict.is_met is not None
    ]
    broken = BROKEN[key][brief_key]
    assert len(verdicts) == len(RULES[brief_key])
    for verdict, rule in zip(verdicts, RULES[brief_key], strict=True):
        assert rule in verdict.rule
        assert verdict.is_met == (rule not in broken), verdict


def test_every_preset_and_every_brief_is_judged_above() -> None:
    assert list(BROKEN) == list(presets())
    assert list(RULES) == list(briefs())


def reason(key: str, rule: str) -> str:
    verdicts = check_brief(presets()[key], briefs()["seeds_001_003_004"])
    (verdict,) = (verdict for verdict in verdicts if rule in verdict.rule)
    return verdict.reason


@pytest.mark.parametrize(
    "key, rule, words",
    [
        ("seed_001", PARAMS, "174,378 parameters, asked fewer than 200,000"),
        ("seed_001", SEPARABLE, "depthwise1 has 1 group for 32 channels"),
        ("seed_001", GLOBAL, "gap averages 3×3 of a 4×4 map"),
        ("seed_002", POOLS, "3 max pools: pool1, pool2, pool3"),
        ("seed_002", SEPARABLE, "depthwise1 has 2 groups for 32 channels"),
        ("seed_003", FIELD, "receptive field 31, asked more than 44"),
        ("seed_003", SEPARABLE, "depthwise has 8 groups for 32 channels"),
        ("seed_003", DOWN, "strided has stride 2 and takes 22×22 to 11×11"),
        ("seed_003_less_weighted", GLOBAL, "gap takes in a 1×1 map, so there is nothing to average"),
        ("seed_004", SEPARABLE, "depthwise has a group for every channel, but a 1×1 kernel"),
        ("seed_004", DILATED, "dilated_strided1 has dilation 2"),
        ("scope_net", SEPARABLE, "depthwise1 has a group for each of 64 channels, pointwise1 is 1×1"),
    ],
)
def test_a_verdict_gives_its_reason_in_numbers_and_layers(key: str, rule: str, words: str) -> None:
    assert reason(key, rule) == words


def judge(brief: Brief, spec: NetworkSpec) -> Verdict:
    """The only verdict of a brief of one rule."""
    (verdict,) = check_brief(spec, brief)
    return verdict


def test_numbers_of_a_brief_are_strict_bounds() -> None:
    spec = presets()["seed_004"]  # 162,296 parameters, field 67

    def has_params_below(bound: int) -> bool | None:
        return judge(Brief(title="few", num_params_below=bound), spec).is_met

    def has_field_above(bound: int) -> bool | None:
        return judge(Brief(title="wide", receptive_field_above=bound), spec).is_met

    assert [has_params_below(bound) for bound in (162_296, 162_297)] == [False, True]
    assert [has_field_above(bound) for bound in (66, 67)] == [True, False]


def test_44_is_not_above_44_and_200_000_is_not_under_200_000() -> None:
    brief = Brief(title="edge", num_params_below=200_000, receptive_field_above=44)

    def judge_edge(dilation: int, channels: int) -> list[bool | None]:
        wide = conv("wide", 820, 1, bias=False)  # 3 * 820 weights
        far = conv("far", 820, 2, dilation=dilation, groups=820, padding=22, bias=False)  # 4 * 820
        narrow = conv("narrow", channels, 1, bias=False)  # 820 * channels
        layers = (wide, far, global_avg_pool("gap"), narrow, conv("last", 10, 1, bias=False))
        return [verdict.is_met for verdict in check_brief(network("edge", layers), brief)]

    # 5,740 + 830 * 234 = 199,960 and with one channel more 200,790; the field is 1 + the dilation
    assert judge_edge(dilation=44, channels=234) == [True, True]
    assert judge_edge(dilation=43, channels=235) == [False, False]
    exact = (conv("a", 820, 1, bias=False), conv("b", 238, 1, bias=False), conv("c", 10, 1, bias=False))
    spec = network("exact", (global_avg_pool("gap"), *exact))
    assert size_network(spec).num_params == 200_000
    assert check_brief(spec, brief)[0].is_met is False


@pytest.mark.parametrize("number, is_met", [(0, False), (1, False), (2, True), (3, False)])
def test_max_pools_are_counted_exactly(number: int, is_met: bool) -> None:
    layers = (max_pool("pool1", 2), max_pool("pool2", 2), avg_pool("pool3", 2), global_avg_pool("gap"))
    spec = network("pools", (*layers, conv("classifier", 10, 1)))
    verdict = judge(Brief(title="pools", num_max_pools=number), spec)
    assert verdict.is_met is is_met
    assert verdict.reason == "2 max pools: pool1, pool2"


HEAD = (global_avg_pool("gap"), conv("classifier", 10, 1))
DEPTHWISE = conv("depthwise", 3, 3, padding=1, groups=3)
POINTWISE = conv("pointwise", 8, 1)


@pytest.mark.parametrize(
    "layers, is_met",
    [
        ((DEPTHWISE, POINTWISE), True),
        ((replace(DEPTHWISE, out_channels=6), POINTWISE), True),
        ((DEPTHWISE, replace(POINTWISE, kernel_size=3)), False),
        ((DEPTHWISE, max_pool("pool", 2), POINTWISE), False),
        ((DEPTHWISE, replace(POINTWISE, out_channels=9, groups=3)), False),
        ((replace(DEPTHWISE, kernel_size=1), POINTWISE), False),
        ((replace(DEPTHWISE, groups=1), POINTWISE), False),
        ((POINTWISE, replace(DEPTHWISE, out_channels=8, groups=8)), False),
    ],
)
def test_depthwise_separable_is_a_group_for_every_channel_larger_than_1x1_and_then_a_1x1(
    layers: tuple[LayerSpec, ...], is_met: bool
) -> None:
    spec = network("separable", (*layers, *HEAD))
    assert judge(Brief(title="separable", required=("depthwise_separable",)), spec).is_met is is_met


def test_with_a_single_channel_nothing_is_depthwise() -> None:
    layers = (conv("depthwise", 4, 3), POINTWISE, *HEAD)
    spec = replace(network("grey", layers), input_shape=(1, 32, 32))
    assert judge(Brief(title="separable", required=("depthwise_separable",)), spec).is_met is False


@pytest.mark.parametrize(
    "layer, is_met",
    [
        (conv("down", 8, 3, stride=2), True),
        (conv("down", 8, 3, dilation=8), True),  # 32 to 16
        (conv("down", 8, 3, dilation=7), False),  # 32 to 18
        (conv("down", 8, 17), False),  # 32 to 16, but by its size alone
        (max_pool("down", 2), False),
    ],
)
def test_downsampling_is_by_a_stride_or_by_a_dilation_that_halves_the_map(
    layer: LayerSpec, is_met: bool
) -> None:
    spec = network("down", (layer, *HEAD))
    assert judge(Brief(title="down", required=("downsampling_conv",)), spec).is_met is is_met


@pytest.mark.parametrize(
    "pool, is_met", [(avg_pool("gap", 4), True), (avg_pool("gap", 3), False), (HEAD[0], True)]
)
def test_global_pooling_takes_in_the_whole_map(pool: LayerSpec, is_met: bool) -> None:
    spec = network("global", (max_pool("pool", 8), pool, HEAD[1]))
    assert judge(Brief(title="global", required=("global_avg_pool",)), spec).is_met is is_met


def test_rules_in_words_are_shown_but_not_judged() -> None:
    verdict = judge(Brief(title="words", also=("at least 85 % right",)), presets()["scope_net"])
    assert (verdict.rule, verdict.is_met) == ("at least 85 % right", None)


def test_a_network_that_cannot_be_sized_keeps_no_rule_that_needs_its_sizing() -> None:
    layers = (conv("dilated", 8, 3, dilation=2), conv("misfit", 8, 3, groups=3), *HEAD)
    verdicts = check_brief(network("broken", layers), briefs()["seeds_001_003_004"])
    met = {rule: verdict.is_met for rule, verdict in zip(STRIDED, verdicts, strict=False)}
    assert met == {
        PARAMS: False,
        FIELD: False,
        POOLS: True,
        DOWN: False,
        SEPARABLE: False,
        DILATED: True,
        GLOBAL: False,
    }
    assert "layer 2 (misfit, conv): groups 3 do not divide its 8 input channels" in verdicts[0].reason


def test_a_brief_can_be_written_as_json_and_sent_in_a_link() -> None:
    for brief in briefs().values():
        assert from_json(Brief, to_json(brief)) == brief
        assert from_link(Brief, to_link(brief)) == brief
    written = from_json(Brief, '{"title": "Mine", "receptive_field_above": 20, "required": ["dilated_conv"]}')
    assert written == Brief(title="Mine", receptive_field_above=20, required=("dilated_conv",))


@pytest.mark.parametrize(
    "text, reason",
    [
        ('{"title": ""}', "title"),
        ('{"title": "x", "num_params_below": 0}', "num_params_below"),
        ('{"title": "x", "num_max_pools": -1}', "num_max_pools"),
        ('{"title": "x", "required": ["attention"]}', "must be 'downsampling_conv'"),
        ('{"title": "x", "min_field": 3}', "min_field: there is no such field"),
    ],
)
def test_a_brief_that_makes_no_sense_is_refused(text: str, reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        from_json(Brief, text)
