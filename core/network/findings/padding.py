"""Findings about padding: so much that outputs or weights see nothing else, or too little for a dilation."""

from core.findings import Finding
from core.network.findings import words
from core.network.findings.axis import Axis, axes
from core.network.findings.remedies import first_remedy
from core.network.findings.report import report
from core.network.reading import Reading
from core.network.sizing import LayerSizing
from core.network.spec import WINDOW_OPS, LayerSpec, NetworkSpec


def constant_outputs(
    reading: Reading, index: int, layer: LayerSpec, row: LayerSizing
) -> Finding[NetworkSpec] | None:
    """Outputs whose whole window lies in the padding."""
    if not layer.padding or layer.op not in WINDOW_OPS:
        return None
    rows, columns = axes(layer, row)
    num_rows, num_columns = rows.meet()[0].bit_count(), columns.meet()[0].bit_count()
    num_outputs = rows.outputs * columns.outputs
    num_blind = num_outputs - num_rows * num_columns
    if not num_blind:
        return None
    enough = (rows.kernel - 1) * layer.dilation // 2
    candidates = [{"padding": enough}] if enough < layer.padding else []
    candidates += [*_nearer_taps(layer, rows, columns), {"padding": 0}]
    is_max = layer.op == "max_pool"
    effect = "minus infinity" if is_max else "the same for every image"
    return report(
        reading,
        index,
        "constant_outputs",
        "error" if is_max else "warning",
        f"{num_blind} of its {num_outputs} outputs see nothing but padding and are {effect}",
        f"{words.window(layer)} on a {words.map_size(row.input_shape)} map: {num_rows} of {rows.outputs} rows"
        f" and {num_columns} of {columns.outputs} columns of windows meet the map,"
        f" so {num_outputs} − {num_rows} × {num_columns} = {num_blind} do not",
        first_remedy(reading, index, candidates, _has_blind_outputs, "lower the padding"),
    )


def _has_blind_outputs(axis: Axis) -> bool:
    return axis.meet()[0].bit_count() < axis.outputs


def idle_taps(
    reading: Reading, index: int, layer: LayerSpec, row: LayerSizing
) -> Finding[NetworkSpec] | None:
    """Weights that only ever multiply padding, because kernel or dilation are too large for the map."""
    if not layer.padding or layer.op != "conv":
        return None
    rows, columns = axes(layer, row)
    kernel, num_rows, num_columns = rows.kernel, rows.meet()[1], columns.meet()[1]
    num_idle = kernel * kernel - num_rows * num_columns
    if not num_idle:
        return None
    smaller = [
        {"kernel_size": kernel - cut, "padding": max(0, layer.padding - (cut * layer.dilation + 1) // 2)}
        for cut in (2, 4, kernel - 1)
        if cut < kernel
    ]
    return report(
        reading,
        index,
        "idle_taps",
        "warning",
        f"{num_idle} of the {kernel * kernel} weights of its {kernel}×{kernel} kernel only ever meet padding",
        f"{words.window(layer)} on a {words.map_size(row.input_shape)} map: {num_rows} of {kernel} rows and"
        f" {num_columns} of {kernel} columns of the kernel ever meet the map,"
        f" so {kernel * kernel} − {num_rows} × {num_columns} = {num_idle} weights do not",
        first_remedy(
            reading,
            index,
            [*_nearer_taps(layer, rows, columns), *smaller],
            _has_idle_taps,
            "lower the dilation or use a smaller kernel",
        ),
    )


def _nearer_taps(layer: LayerSpec, rows: Axis, columns: Axis) -> list[dict[str, int]]:
    """The two largest dilations with which no tap misses the map, if they are smaller ones."""
    span, places = max(1, rows.kernel - 1), min(rows.places, columns.places)
    largest = min(places, 2 * (places - 1) // span, layer.dilation - 1)
    most = rows.kernel // 2 if layer.op == "max_pool" else span * largest  # torch pads a pool by no more
    return [{"dilation": d, "padding": min(span * d // 2, most)} for d in (largest, largest - 1) if d > 0]


def _has_idle_taps(axis: Axis) -> bool:
    return axis.meet()[1] < axis.kernel


def shrinking_dilation(
    reading: Reading, index: int, layer: LayerSpec, row: LayerSizing
) -> Finding[NetworkSpec] | None:
    """A dilated convolution that is padded, but not by as much as its dilation takes away.

    One without any padding is taken to be meant so, like an undilated one.
    """
    if layer.op != "conv" or layer.dilation == 1 or not layer.padding:
        return None
    rows, columns = axes(layer, row)
    if not (_shrinks(rows) or _shrinks(columns)):
        return None
    kernel, dilation, padding = rows.kernel, layer.dilation, layer.padding
    span = (kernel - 1) * dilation
    before, after = words.map_size(row.input_shape), words.map_size(row.output_shape)
    return report(
        reading,
        index,
        "shrinking_dilation",
        "warning",
        f"it is padded too little for its dilation, so that the map shrinks from {before} to {after}",
        f"kernel {kernel} at dilation {dilation} takes ({kernel} − 1) × {dilation} = {span} from the"
        f" {rows.places} rows, and padding {padding} gives 2 × {padding} = {2 * padding} back;"
        f" padding {span // 2} would give back {span // 2 * 2}",
        first_remedy(reading, index, [{"padding": span // 2}], _shrinks, "raise the padding"),
    )


def _shrinks(axis: Axis) -> bool:
    """Whether it is padded by too little to give an output for every place, or for every stride of them."""
    is_short = axis.padding < (axis.kernel - 1) * axis.dilation // 2
    return is_short and axis.outputs < -(-axis.places // axis.stride)
