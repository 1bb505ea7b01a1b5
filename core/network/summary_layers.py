"""The rows of a summary table as layers, each with every `LayerSpec` that fits it."""

from dataclasses import dataclass
from math import prod

from core.errors import SpecError
from core.network.spec import MAX_LAYERS, LayerSpec
from core.network.summary_candidates import Shape, list_convs, list_pools, list_whole_map_pools
from core.network.summary_rows import SummaryRow

STEPS = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "LeakyReLU": "leaky_relu",
    "SiLU": "silu",
    "GELU": "gelu",
    "Dropout": "dropout",
    "Dropout2d": "dropout2d",
    "LogSoftmax": "log_softmax",
}
POOLS = {"MaxPool2d": "max_pool", "AvgPool2d": "avg_pool"}
NOTHING = ("Identity", "Unflatten", "Sequential", "ModuleList")

# What torch.nn offers without parameters at any shape: no containers. A test asks torch.
UNSAID = frozenset(
    {
        *("AlphaDropout", "CELU", "ChannelShuffle", "CrossMapLRN2d", "Dropout1d", "Dropout3d", "ELU"),
        *(
            "FeatureAlphaDropout",
            "GLU",
            "Hardshrink",
            "Hardsigmoid",
            "Hardswish",
            "Hardtanh",
            "InstanceNorm2d",
        ),
        *(
            "LocalResponseNorm",
            "LogSigmoid",
            "Mish",
            "MultiheadAttention",
            "PReLU",
            "RReLU",
            "SELU",
            "Sigmoid",
        ),
        *("Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink"),
        *("Threshold", "InstanceNorm1d", "InstanceNorm3d", "GroupNorm", "LayerNorm", "RMSNorm"),
        *("BatchNorm3d", "SyncBatchNorm", "LPPool2d", "FractionalMaxPool2d", "AdaptiveMaxPool2d"),
    }
)


@dataclass(frozen=True, slots=True)
class ReadLayer:
    """One layer of a table."""

    row: SummaryRow
    candidates: tuple[LayerSpec, ...]
    """All that fit, the plainest first, without the steps."""
    output_shape: Shape
    is_listed: bool = True
    """False where the layer has no row, and only the next row shows that something is there."""
    steps: tuple[str, ...] = ()
    """What follows, as in `then` but without rates."""

    @property
    def has_weights(self) -> bool:
        """Whether it is a convolution or linear."""
        return self.candidates[0].op in ("conv", "linear")


def read_layers(
    rows: tuple[SummaryRow, ...], input_shape: Shape
) -> tuple[tuple[ReadLayer, ...], tuple[SummaryRow, ...]]:
    """The layers, and the rows that were taken for containers; `SpecError` at the row that nothing fits."""
    reader = _Reader(input_shape)
    for row in rows:
        reader.read(row)
        if len(reader.layers) > MAX_LAYERS:
            raise SpecError(f"{row.place}: a network has at most {MAX_LAYERS} layers")
    if not any(layer.has_weights for layer in reader.layers):
        raise SpecError(f"{rows[-1].place}: the table has no convolution and no linear layer")
    if reader.shape[1:] != (1, 1):
        reader.add(rows[-1], list_whole_map_pools(reader.shape), (reader.shape[0], 1, 1), is_listed=False)
    return tuple(reader.layers), tuple(reader.passed_over)


class _Reader:
    """Follows the map from row to row."""

    def __init__(self, input_shape: Shape) -> None:
        self.shape = input_shape
        self.layers: list[ReadLayer] = []
        self.passed_over: list[SummaryRow] = []

    def add(
        self, row: SummaryRow, candidates: tuple[LayerSpec, ...], shape: Shape, *, is_listed: bool = True
    ) -> None:
        """Let a layer follow."""
        self.layers.append(ReadLayer(row, candidates, shape, is_listed))
        self.shape = shape

    def read(self, row: SummaryRow) -> None:
        """Let a row follow."""
        kind, after = row.kind, _to_map(row.output_shape)
        if kind == "Conv2d":
            self._read_conv(row, after)
        elif kind == "Linear":
            self._read_linear(row, after)
        elif kind in POOLS:
            _need(row.num_params == 0, row, "a pool has no parameters")
            pools = list_pools(POOLS[kind], self.shape, after)
            _need(bool(pools), row, f"no pool of whole windows brings {_x(self.shape)} to {_x(after)}")
            self.add(row, pools, after)
        elif kind == "AdaptiveAvgPool2d":
            _need(after == (self.shape[0], 1, 1), row, "an adaptive pool must put out 1×1, as a spec has it")
            self.add(row, (LayerSpec(op="global_avg_pool"),), after)
        elif kind == "Flatten":
            _need(after == (prod(self.shape), 1, 1), row, f"a flatten of {_x(self.shape)} is another vector")
            if self.shape != after:
                self.add(row, (LayerSpec(op="flatten"),), after)
        else:
            self._read_step(row, after)

    def _read_conv(self, row: SummaryRow, after: Shape) -> None:
        convs = list_convs(self.shape, after, row.num_params)
        _need(
            bool(convs),
            row,
            f"no convolution from {_x(self.shape)} to {_x(after)} has {row.num_params:,} parameters;"
            " the network may have a second way, or a pool that has no row",
        )
        self.add(row, convs, after)

    def _read_linear(self, row: SummaryRow, after: Shape) -> None:
        """A linear layer; the flatten or pool before it may have no row."""
        channels, features = self.shape[0], prod(self.shape)
        per_output, rest = divmod(row.num_params, after[0])
        fits = {
            (in_features, bias): per_output == in_features + bias
            for in_features in (features, channels)
            for bias in (True, False)
        }
        found = [] if rest else [ends for ends, is_fit in fits.items() if is_fit]
        _need(
            bool(found) and after[1:] == (1, 1),
            row,
            f"no linear layer from {_x(self.shape)} to {_x(after)} has {row.num_params:,} parameters",
        )
        (in_features, bias), *_ = found
        if in_features != features:
            self.add(row, list_whole_map_pools(self.shape), (channels, 1, 1), is_listed=False)
        elif self.shape[1:] != (1, 1):
            self.add(row, (LayerSpec(op="flatten"),), (features, 1, 1), is_listed=False)
        self.add(row, (LayerSpec(op="linear", out_channels=after[0], bias=bias),), after)

    def _read_step(self, row: SummaryRow, after: Shape) -> None:
        """A row that leaves the map as it is: a step, or a container of the rows above."""
        kind, is_norm = row.kind, row.kind in ("BatchNorm1d", "BatchNorm2d")
        is_known = is_norm or kind in STEPS or kind in NOTHING
        _need(kind not in UNSAID, row, f"{kind} is not among what a network spec can say")
        if not is_known:
            is_idle = row.num_params == 0 and after == self.shape and bool(self.layers)
            _need(
                is_idle, row, f"{kind} is neither a layer that a spec can say nor a container of rows above"
            )
            self.passed_over.append(row)
            return
        _need(after == self.shape, row, f"it must keep {_x(self.shape)}, but puts out {_x(after)}")
        num_params = 2 * after[0] if is_norm else 0
        _need(row.num_params == num_params, row, f"it must have {num_params:,} parameters here")
        if kind in NOTHING:
            return
        _need(bool(self.layers), row, "it comes before the first layer, but a spec says it after one")
        last = self.layers[-1]
        step = "batch_norm" if is_norm else STEPS[kind]
        self.layers[-1] = ReadLayer(
            last.row, last.candidates, last.output_shape, last.is_listed, (*last.steps, step)
        )


def _need(is_met: bool, row: SummaryRow, rule: str) -> None:
    if not is_met:
        raise SpecError(f"{row.place}: {rule}")


def _to_map(shape: tuple[int, ...]) -> Shape:
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 else (shape[0], 1, 1)


def _x(shape: Shape) -> str:
    return "×".join(map(str, shape))
