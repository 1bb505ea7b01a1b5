"""On the seeds, findings name every fault that they are known for, with its numbers, and nothing else."""

import pytest

from core.network import find_problems, presets, size_network
from tests.test_findings import ASSIGNMENT, CHOICES, assert_remedied, found

# By seed: what is wrong with which layer, as published about these projects, and what else their tables show.
PUBLISHED = {
    "seed_000": {("shrinking_dilation", "dilated1"), ("shrinking_dilation", "dilated2")},
    "seed_001": {
        ("false_depthwise", "depthwise1"),
        ("false_depthwise", "depthwise2"),
        ("dropped_rows", "gap"),
        ("linear_run", "dilated1"),
        ("linear_run", "strided1"),
        ("linear_run", "strided2"),
        ("linear_run", "strided3"),
    },
    "seed_002": {
        ("false_depthwise", "depthwise1"),
        ("false_depthwise", "depthwise2"),
        ("false_depthwise", "depthwise3"),
        ("shrinking_dilation", "dilated1"),
        ("shrinking_dilation", "dilated2"),
    },
    "seed_003": {
        ("false_depthwise", "depthwise"),
        ("small_field", "classifier"),
        ("linear_run", "depthwise"),
        ("linear_run", "conv7"),
    },
    "seed_003_less_weighted": {
        ("false_depthwise", "depthwise"),
        ("small_field", "classifier"),
        ("idle_pool", "gap"),
        ("linear_run", "depthwise"),
        ("linear_run", "conv7"),
    },
    "seed_004": {("scaling_depthwise", "depthwise"), ("constant_outputs", "strided")},
    "scope_net": set(),
}
ALSO = {
    "seed_000": {
        ("linear_run", "transition1"),
        ("linear_run", "transition2"),
        ("linear_run", "transition3"),
        ("outgrown_field", "conv5"),
    },
    "seed_001": {("outgrown_field", "conv2")},
    "seed_002": {
        ("linear_run", "depthwise1"),
        ("linear_run", "depthwise2"),
        ("linear_run", "depthwise3"),
        ("outgrown_field", "depthwise2"),
    },
    "seed_003": {("bias_before_batch_norm", "conv1")},
    "seed_003_less_weighted": {("bias_before_batch_norm", "conv1")},
    "seed_004": {
        ("skipped_pixels", "dilated_strided1"),
        ("skipped_pixels", "dilated_strided2"),
        ("skipped_pixels", "strided"),
        ("outgrown_field", "conv7"),
    },
    "scope_net": set(),
}


@pytest.mark.parametrize("key", PUBLISHED)
def test_the_faults_of_a_seed_are_named_and_nothing_else(key: str) -> None:
    assert found(presets()[key], ASSIGNMENT) == PUBLISHED[key] | ALSO[key]


@pytest.mark.parametrize(
    "key, kind, name, words",
    [
        ("seed_000", "shrinking_dilation", "dilated1", "from 16×16 to 14×14"),
        ("seed_000", "shrinking_dilation", "dilated2", "from 14×14 to 12×12"),
        ("seed_001", "false_depthwise", "depthwise1", "1 group for 32 channels"),
        ("seed_001", "false_depthwise", "depthwise2", "48 × 48 × 3×3 = 20,736 weights"),
        ("seed_001", "dropped_rows", "gap", "leave out 7 of the 16 values"),
        ("seed_001", "dropped_rows", "gap", "3 of 4 rows and 3 of 4 columns are read"),
        ("seed_001", "linear_run", "strided3", "strided3, transition3 and conv3"),
        ("seed_001", "linear_run", "strided1", "36,864 + 2,048 = 38,912; a 3×3 convolution from 64 to 32"),
        ("seed_002", "false_depthwise", "depthwise2", "64 × 32 × 3×3 = 18,432 weights"),
        ("seed_003", "false_depthwise", "depthwise", "8 groups for 32 channels"),
        ("seed_003", "small_field", "classifier", "is 31 pixels, and the brief asks for more than 44"),
        ("seed_003", "bias_before_batch_norm", "conv1", "= 576 parameters for nothing"),
        ("seed_004", "scaling_depthwise", "depthwise", "= 64 weights"),
        ("seed_004", "constant_outputs", "strided", "12 of its 16 outputs see nothing but padding"),
        ("seed_004", "constant_outputs", "strided", "16 − 2 × 2 = 12"),
        ("seed_004", "skipped_pixels", "dilated_strided1", "256 of 1,024 values"),
    ],
)
def test_a_finding_of_a_seed_carries_the_published_numbers(
    key: str, kind: str, name: str, words: str
) -> None:
    (finding,) = (
        finding
        for finding in find_problems(presets()[key], ASSIGNMENT)
        if (finding.kind, finding.name) == (kind, name)
    )
    assert words in f"{finding.problem} {finding.arithmetic}"
    assert presets()[key].layers[finding.index].name == name


@pytest.mark.parametrize("key", presets())
def test_every_remedy_of_a_seed_works(key: str) -> None:
    findings = find_problems(presets()[key], ASSIGNMENT)
    for finding in findings:
        assert_remedied(finding)
        has_remedy = finding.kind not in {*CHOICES, "small_field"}
        assert (finding.remedied is not None) == has_remedy


def test_our_own_network_has_nothing_to_find() -> None:
    assert find_problems(presets()["scope_net"]) == ()


def test_a_remedy_that_changes_the_map_keeps_the_pool_over_all_of_it() -> None:
    strided = next(
        finding for finding in find_problems(presets()["seed_004"]) if finding.kind == "constant_outputs"
    )
    assert strided.remedy == "Set padding to 0; gap then has to be a global_avg_pool."
    assert strided.remedied is not None
    assert strided.remedied.layers[-1].op == "global_avg_pool"
    assert strided.remedied.layers[-1].then == ("log_softmax",)
    assert size_network(strided.remedied).layers[-1].input_shape == (10, 3, 3)


def test_remedy_after_remedy_leaves_a_seed_without_any_that_is_mechanical() -> None:
    spec = presets()["seed_001"]
    for _ in range(30):
        spec = next((finding.remedied for finding in find_problems(spec) if finding.remedied), spec)
    assert {kind for kind, _ in found(spec)} <= CHOICES
    assert "depthwise1" in {layer.name for layer in spec.layers if layer.groups == 32}
