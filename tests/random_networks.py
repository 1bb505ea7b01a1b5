"""Valid networks drawn at random: every op, dilation, groups, strides, padding, steps and residual adds."""

from dataclasses import dataclass, field
from random import Random

from core.network import LayerSpec, NetworkSpec

STEPS = (
    "relu",
    "relu6",
    "leaky_relu",
    "silu",
    "gelu",
    "batch_norm",
    "dropout 0.1",
    "dropout2d 0.2",
    "log_softmax",
)
MAX_JUMP = 8
"""The largest effective stride that is drawn."""


def draw_network(seed: int) -> NetworkSpec:
    """The network of this seed, of 3 to about 15 layers on an image of 8 to 30 pixels a side."""
    draft = _Draft(Random(seed))
    for _ in range(draft.random.randint(3, 8)):
        draft.add_window()
        draft.maybe_add_residual()
    draft.add_head()
    return NetworkSpec(
        name=f"random {seed}",
        layers=tuple(draft.layers),
        input_shape=draft.input_shape,
        num_classes=draft.num_classes,
    )


@dataclass
class _Draft:
    random: Random
    layers: list[LayerSpec] = field(default_factory=list)
    seen: list[tuple[str, tuple[int, int, int], int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        sides = self.random.randint(8, 30), self.random.randint(8, 30)
        rows, columns = sides if self.random.random() < 0.5 else (sides[0], sides[0])
        self.input_shape = self.shape = (self.random.choice((1, 3, 4)), rows, columns)
        self.jump = 1
        self.num_classes = self.random.randint(2, 7)

    def put(self, op: str, shape: tuple[int, int, int], **arguments: object) -> None:
        then = tuple(self.random.choices(STEPS, k=self.random.randint(0, 3)))
        name = f"layer{len(self.layers) + 1}"
        self.layers.append(LayerSpec(op=op, name=name, then=then, **arguments))
        self.shape = shape
        self.seen.append((name, shape, self.jump))

    def add_window(self) -> None:
        """A convolution or pool that fits; about half of the convolutions keep the map's size."""
        channels, rows, columns = self.shape
        op = self.random.choice(("conv", "conv", "conv", "max_pool", "avg_pool"))
        kernel = self.random.randint(1, min(5, rows, columns))
        dilation = self.random.choice((1, 1, 2, 3)) if op != "avg_pool" else 1
        if op == "conv" and self.random.random() < 0.3:
            kernel, dilation = 2, self.random.choice((2, 4, 6))  # four corners: a residual fills the centre
        span = (kernel - 1) * dilation + 1
        stride = self.random.choice((1, 1, 1, 2, 3))
        padding = self.random.randint(0, kernel // 2)
        if op == "conv" and span % 2 and self.random.random() < 0.6:
            stride, padding = 1, span // 2
        if span > min(rows, columns) + 2 * padding or self.jump * stride > MAX_JUMP:
            return
        arguments: dict[str, object] = {"kernel_size": kernel, "stride": stride, "padding": padding}
        if op != "avg_pool":
            arguments["dilation"] = dilation
        if op == "conv":
            groups = self.random.choice([g for g in range(1, channels + 1) if channels % g == 0])
            keeps = self.random.random() < 0.5
            channels = channels if keeps else groups * self.random.randint(1, max(1, 8 // groups))
            arguments |= {"groups": groups, "out_channels": channels, "bias": self.random.random() < 0.5}
        self.jump *= stride
        after = [(side + 2 * padding - span) // stride + 1 for side in (rows, columns)]
        self.put(op, (channels, after[0], after[1]), **arguments)

    def maybe_add_residual(self) -> None:
        sources = [name for name, shape, jump in self.seen[:-1] if (shape, jump) == (self.shape, self.jump)]
        if sources and self.random.random() < 0.7:
            self.put("add", self.shape, source=self.random.choice(sources))

    def add_head(self) -> None:
        classes = self.num_classes
        channels, rows, columns = self.shape
        head = self.random.choice(("global", "global", "flatten", "pool_last", "window"))
        if head == "pool_last":
            self.put("conv", (classes, rows, columns), kernel_size=1, out_channels=classes)
            self.put("global_avg_pool", (classes, 1, 1))
            return
        if head == "window" and rows == columns:
            self.put("avg_pool", (channels, 1, 1), kernel_size=rows, stride=1)
        elif head == "flatten":
            self.put("flatten", (channels * rows * columns, 1, 1))
            self.put("linear", (5, 1, 1), out_channels=5)
        else:
            self.put("global_avg_pool", (channels, 1, 1))
        if self.random.random() < 0.5:
            self.put("linear", (classes, 1, 1), out_channels=classes, bias=self.random.random() < 0.5)
        else:
            self.put("conv", (classes, 1, 1), kernel_size=1, out_channels=classes)
