"""A network spec from a pasted summary table, with the choices that the table leaves open.

A table tells output shapes and parameter counts. It does not tell stride from dilation from padding, nor
always the kernel from groups and bias, nor any rate, and a function that `forward` calls has no row: neither
an activation nor a sum. What is open is listed with all that fits, and nothing is chosen here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

from core.errors import SpecError
from core.network.sizing import FLOAT_BYTES, size_network
from core.network.spec import LayerSpec, NetworkSpec
from core.network.summary_layers import ReadLayer, read_layers
from core.network.summary_rows import SummaryRow, SummaryText, read_rows

AS_LISTED = "as listed"
BEFORE_NORM = "relu before every batch_norm"
AFTER_NORM = "relu after every batch_norm"
AFTER_LAYER = "relu after every conv and linear but the last"
LOG_SOFTMAX = "log_softmax at the end"

ACTIVATIONS = ("relu", "relu6", "leaky_relu", "silu", "gelu")


@dataclass(frozen=True, slots=True)
class SummaryReading:
    """A table as read: its rows, and each layer with all that fits."""

    rows: tuple[SummaryRow, ...]
    layers: tuple[ReadLayer, ...]
    input_shape: tuple[int, int, int]
    num_classes: int
    activations: tuple[str, ...]
    """Where activations may be that have no row; one answer where rows tell."""
    endings: tuple[str, ...]
    """What may follow the last layer without a row."""
    passed_over: tuple[SummaryRow, ...]
    """Rows taken for containers, because they hold nothing and change nothing."""

    @property
    def open_layers(self) -> tuple[int, ...]:
        """The indices of the layers with more than one candidate."""
        return tuple(index for index, layer in enumerate(self.layers) if len(layer.candidates) > 1)

    @property
    def needs_dropout_rate(self) -> bool:
        """Whether there is dropout, whose rate no table tells."""
        return any(step.startswith("dropout") for layer in self.layers for step in layer.steps)

    @property
    def num_combinations(self) -> int:
        """Networks that fit the table, dropout rates apart."""
        layers = prod(len(layer.candidates) for layer in self.layers)
        return layers * len(self.activations) * len(self.endings)

    def plainest(self) -> dict[int, int]:
        """The first candidate of every open layer: a place to start from, not an answer."""
        return dict.fromkeys(self.open_layers, 0)


def read_summary_table(text: str, input_shape: tuple[int, int, int] = (3, 32, 32)) -> SummaryReading:
    """The table in `text`, printed for images of `input_shape` (C, H, W).

    Raises `SpecError` at the line that cannot be understood, and where the totals disagree with the rows.
    """
    table = read_rows(text)
    _check_totals(table, input_shape)
    layers, passed_over = read_layers(table.rows, input_shape)
    steps = {step for layer in layers for step in layer.steps}
    activations = [AS_LISTED]
    if not steps.intersection(ACTIVATIONS):
        activations += [BEFORE_NORM, AFTER_NORM] if "batch_norm" in steps else []
        activations += [AFTER_LAYER]
    return SummaryReading(
        rows=table.rows,
        layers=layers,
        input_shape=input_shape,
        num_classes=layers[-1].output_shape[0],
        activations=tuple(activations),
        endings=(AS_LISTED,) if "log_softmax" in layers[-1].steps else (AS_LISTED, LOG_SOFTMAX),
        passed_over=passed_over,
    )


def resolve(
    reading: SummaryReading,
    choices: Mapping[int, int],
    *,
    activation: str,
    ending: str,
    dropout_rate: float | None = None,
    name: str = "From a summary table",
) -> NetworkSpec:
    """The network of a reading, with an answer to everything that the table leaves open.

    `choices` has for every open layer, by index, the index of its candidate. Raises `SpecError` for what is
    not answered and for an answer that is not among those that fit.
    """
    _check_answer("activation", activation, reading.activations)
    _check_answer("ending", ending, reading.endings)
    if reading.needs_dropout_rate and dropout_rate is None:
        raise SpecError(
            "dropout_rate: the table has dropout, but no table tells its rate; give one, as in 0.1"
        )
    layers = []
    last = max(index for index, layer in enumerate(reading.layers) if layer.has_weights)
    for index, layer in enumerate(reading.layers):
        steps = _activate(layer, activation, is_last=index == last)
        then = tuple(f"{step} {dropout_rate}" if step.startswith("dropout") else step for step in steps)
        layers.append(replace(_choose(layer, index, choices), then=then))
    if ending == LOG_SOFTMAX:
        layers[-1] = replace(layers[-1], then=(*layers[-1].then, "log_softmax"))
    spec = NetworkSpec(
        name=name, layers=tuple(layers), input_shape=reading.input_shape, num_classes=reading.num_classes
    )
    size_network(spec)
    return spec


def _check_totals(table: SummaryText, input_shape: tuple[int, int, int]) -> None:
    num_params = sum(row.num_params for row in table.rows)
    if table.num_params is not None and num_params != table.num_params:
        raise SpecError(
            f"the rows add up to {num_params:,} parameters, but the table says {table.num_params:,} in all;"
            " paste the whole table"
        )
    if table.input_megabytes is None:
        return
    size = prod(input_shape) * FLOAT_BYTES * table.batch
    # torchsummary counts in 2**20 bytes and torchinfo in 10**6, both to two places.
    if all(abs(size / unit - table.input_megabytes) > 0.0051 for unit in (2**20, 10**6)):
        raise SpecError(
            f"the table says that its images take {table.input_megabytes} MB, but {input_shape} takes"
            f" {size / 2**20:.2f} MB; give the images' channels, height and width"
        )


def _check_answer(field: str, answer: str, answers: tuple[str, ...]) -> None:
    if answer not in answers:
        raise SpecError(f"{field} must be one of {', '.join(map(repr, answers))}, got {answer!r}")


def _choose(layer: ReadLayer, index: int, choices: Mapping[int, int]) -> LayerSpec:
    candidates = layer.candidates
    choice = choices.get(index, 0 if len(candidates) == 1 else None)
    if choice is None:
        raise SpecError(
            f"{layer.row.place}: {len(candidates)} layers fit, and the table does not tell which; choose one"
        )
    if not 0 <= choice < len(candidates):
        raise SpecError(f"{layer.row.place}: the choice must be 0 to {len(candidates) - 1}, got {choice}")
    return candidates[choice]


def _activate(layer: ReadLayer, activation: str, *, is_last: bool) -> tuple[str, ...]:
    """The steps with the activations that have no row."""
    if activation == AFTER_LAYER:
        return ("relu", *layer.steps) if layer.has_weights and not is_last else layer.steps
    around = {BEFORE_NORM: ("relu", "batch_norm"), AFTER_NORM: ("batch_norm", "relu")}.get(activation)
    if around is None:
        return layer.steps
    return tuple(part for step in layer.steps for part in (around if step == "batch_norm" else (step,)))
