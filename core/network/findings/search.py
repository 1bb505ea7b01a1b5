"""Looking for every fault of a network, layer by layer and then as a whole."""

from collections.abc import Callable, Iterator

from core.errors import SizingError
from core.findings import Finding
from core.network.briefs import Brief
from core.network.findings.channels import false_depthwise, scaling_depthwise
from core.network.findings.fields import gridding, outgrown_field, small_field
from core.network.findings.padding import constant_outputs, idle_taps, shrinking_dilation
from core.network.findings.report import report
from core.network.findings.steps import bias_before_batch_norm, dropout_before_batch_norm, linear_runs
from core.network.findings.unread import idle_pool, unread_values
from core.network.reading import Reading, read_network
from core.network.sizing import LayerSizing
from core.network.spec import LayerSpec, NetworkSpec

LAYER_CHECKS: tuple[Callable[[Reading, int, LayerSpec, LayerSizing], Finding[NetworkSpec] | None], ...] = (
    scaling_depthwise,
    constant_outputs,
    idle_taps,
    shrinking_dilation,
    unread_values,
    idle_pool,
)
NETWORK_CHECKS: tuple[Callable[[Reading], Iterator[Finding[NetworkSpec]]], ...] = (
    false_depthwise,
    gridding,
    linear_runs,
    dropout_before_batch_norm,
    bias_before_batch_norm,
    outgrown_field,
)


def find_problems(spec: NetworkSpec, brief: Brief | None = None) -> tuple[Finding[NetworkSpec], ...]:
    """Every finding about the network, in the order of its layers.

    Of a network with a layer that cannot work, what comes before that layer is judged. With a `brief`, a
    receptive field that is too small for it is a finding too.
    """
    return tuple(sorted(_find_all(read_network(spec), brief), key=lambda finding: finding.index))


def _find_all(reading: Reading, brief: Brief | None) -> Iterator[Finding[NetworkSpec]]:
    if reading.misfit is not None:
        yield _misfit(reading, reading.misfit)
    for check_network in NETWORK_CHECKS:
        yield from check_network(reading)
    for index, (layer, row) in enumerate(zip(reading.spec.layers, reading.rows, strict=False)):
        for check_layer in LAYER_CHECKS:
            finding = check_layer(reading, index, layer, row)
            if finding is not None:
                yield finding
    if brief is not None:
        yield from small_field(reading, brief)


def _misfit(reading: Reading, misfit: SizingError) -> Finding[NetworkSpec]:
    """Why sizing stopped, from its message: where, the arithmetic, the remedy."""
    _, _, message = str(misfit).partition("): ")
    arithmetic, _, remedy = message.partition("; ")
    problem = "it cannot work on what it gets, so nothing after it can be sized"
    return report(reading, misfit.layer, "cannot_work", "error", problem, arithmetic, (remedy, None))
