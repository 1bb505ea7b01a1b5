"""Findings about what follows the layers: steps in the wrong order, and nothing nonlinear where it is due."""

from collections import Counter
from collections.abc import Iterator

from core.findings import Finding
from core.network.findings.linear import Link, compare_weights, find_links
from core.network.findings.report import Remedy, report
from core.network.findings.words import listed
from core.network.reading import Reading
from core.network.spec import STEPS_WITH_RATE, NetworkSpec, parse_step

ACTIVATIONS = ("relu", "relu6", "leaky_relu", "silu", "gelu")


def bias_before_batch_norm(reading: Reading) -> Iterator[Finding[NetworkSpec]]:
    """Biases that batch normalisation takes away again, those of all layers in one finding."""
    indices = [
        index
        for index, layer in enumerate(reading.spec.layers[: len(reading.rows)])
        if layer.op in ("conv", "linear") and layer.bias and layer.then[:1] == ("batch_norm",)
    ]
    if not indices:
        return
    names = listed(reading.spec.layers[index].name for index in indices)
    channels = [reading.rows[index].output_shape[0] for index in indices]
    terms = " + ".join(f"{number:,}" for number in channels)
    total = f"{terms} = {sum(channels):,}" if len(channels) > 1 else terms
    yield report(
        reading,
        indices[0],
        "bias_before_batch_norm",
        "note",
        f"the bias of {names} does nothing, because batch_norm follows",
        "the mean of every channel, bias included, is taken off by batch_norm, which then adds its own shift:"
        f" {total} parameters for nothing",
        (f"set bias of {names} to false", reading.change({index: {"bias": False} for index in indices})),
    )


def dropout_before_batch_norm(reading: Reading) -> Iterator[Finding[NetworkSpec]]:
    """Dropout in front of batch normalisation, which then learns statistics that hold in training alone.

    All layers with it are one finding. Source: Li, Chen, Hu and Yang, "Understanding the Disharmony between
    Dropout and Batch Normalization by Variance Shift" (2018).
    """
    layers = reading.spec.layers[: len(reading.rows)]
    early = {index: step for index, layer in enumerate(layers) if (step := _early_dropout(layer.then))}
    if not early:
        return
    names = listed(layers[index].name for index in early)
    first, step = next(iter(early.items()))
    rate = parse_step(step)[1] or 0.0
    changes = {index: {"then": _move_dropout_back(layers[index].then)} for index in early}
    yield report(
        reading,
        first,
        "dropout_before_batch_norm",
        "warning",
        f"the dropout of {names} stands before batch_norm, which then learns what holds in training alone",
        f"in training, {step} raises the mean square of what it hands on by 1 / (1 − {rate:g}) ="
        f" {1 / (1 - rate):.2f}; in use it does not, but batch_norm still divides by what it has learnt",
        (f"move the dropout of {names} behind batch_norm", reading.change(changes)),
    )


def _early_dropout(then: tuple[str, ...]) -> str | None:
    """The first dropout with a batch norm behind it, unless it drops nothing."""
    for place, step in enumerate(then):
        if (parse_step(step)[1] or 0) > 0 and "batch_norm" in then[place:]:
            return step
    return None


def _move_dropout_back(then: tuple[str, ...]) -> tuple[str, ...]:
    """The same steps, with dropout after all others, or before the scores become probabilities."""
    drops = [step for step in then if parse_step(step)[0] in STEPS_WITH_RATE]
    others = [step for step in then if parse_step(step)[0] not in STEPS_WITH_RATE]
    end = len(others) - (others[-1] == "log_softmax")
    return (*others[:end], *drops, *others[end:])


def linear_runs(reading: Reading) -> Iterator[Finding[NetworkSpec]]:
    """Runs of `conv` and `linear` with nothing nonlinear between, one finding a run.

    A depthwise and a pointwise convolution are the separable pair that they are meant to be, and no finding.
    """
    for run in _find_runs(reading):
        names = [reading.spec.layers[index].name for index in (run[0].first, *(link.second for link in run))]
        comparisons = [compare_weights(reading, link) for link in run]
        wasteful = [comparison for comparison in comparisons if comparison.is_wasteful]
        shown = (wasteful or comparisons)[0]
        has_norm = any("batch_norm" in reading.spec.layers[link.first].then for link in run)
        norm = " (batch_norm only scales and shifts)" if has_norm else ""
        yield report(
            reading,
            run[0].first,
            "linear_run",
            "warning" if wasteful else "note",
            f"there is nothing nonlinear between {listed(names)}{norm}: together they are one linear layer",
            shown.words,
            _activate(reading, [link.first for link in run]),
        )


def _find_runs(reading: Reading) -> list[list[Link]]:
    """The links between linear layers, those that share a layer in one list."""
    runs: list[list[Link]] = []
    for link in find_links(reading):
        if runs and runs[-1][-1].second == link.first:
            runs[-1].append(link)
        else:
            runs.append([link])
    return runs


def _activate(reading: Reading, indices: list[int]) -> Remedy:
    """The network's usual activation behind each of these layers, in front of any dropout."""
    steps = Counter(step for layer in reading.spec.layers for step in layer.then if step in ACTIVATIONS)
    activation = steps.most_common(1)[0][0] if steps else "relu"
    changes = {}
    for index in indices:
        then = reading.spec.layers[index].then
        drops = (place for place, step in enumerate(then) if parse_step(step)[0] in STEPS_WITH_RATE)
        place = next(drops, len(then))
        changes[index] = {"then": (*then[:place], activation, *then[place:])}
    names = listed(reading.spec.layers[index].name for index in indices)
    return f"put {activation} behind {names}", reading.change(changes)
