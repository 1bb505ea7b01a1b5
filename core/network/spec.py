"""A network as data: what every layer is, before anything is built."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import Field, WrapValidator

from core.errors import SpecError
from core.spec import describe, from_dict

if TYPE_CHECKING:
    from torch import nn

Op = Literal["conv", "max_pool", "avg_pool", "global_avg_pool", "add", "flatten", "linear"]

STEPS = ("relu", "relu6", "leaky_relu", "silu", "gelu", "batch_norm", "dropout", "dropout2d", "log_softmax")
STEPS_WITH_RATE = ("dropout", "dropout2d")

MAX_LAYERS = 60
MAX_CHANNELS = 4096

Pixels = Annotated[int, Field(ge=1, le=512)]
Channels = Annotated[int, Field(ge=1, le=MAX_CHANNELS)]

WINDOW_OPS = ("conv", "max_pool", "avg_pool")


def parse_step(step: str) -> tuple[str, float | None]:
    """A step as (kind, rate): `"relu"` is ("relu", None), `"dropout 0.05"` is ("dropout", 0.05)."""
    kind, space, rate_text = step.partition(" ")
    if kind not in STEPS:
        raise SpecError(f"then must be made of {', '.join(STEPS)}, got {step!r}")
    if kind not in STEPS_WITH_RATE:
        if space:
            raise SpecError(f"then: {kind} takes no number, got {step!r}")
        return kind, None
    try:
        rate = float(rate_text)
    except ValueError:
        raise SpecError(f"then: {kind} needs a rate, as in '{kind} 0.05', got {step!r}") from None
    if not 0 <= rate < 1:
        raise SpecError(f"then: the rate of {kind} must be at least 0 and below 1, got {rate_text}")
    return kind, rate


@describe
class LayerSpec:
    """One row of a network. Lengths are in pixels of this layer's own input."""

    op: Op
    """What the layer computes; `add` sums its input with the output of the earlier layer `source`."""
    name: str = Field(default="", max_length=40)
    """Unique in the network, and a Python name; a network names its unnamed layers after their op."""
    block: str = Field(default="", max_length=60)
    """The block that the layer belongs to, for folding and for reading."""
    out_channels: Channels | None = None
    """Feature maps put out by `conv`, or features put out by `linear`."""
    kernel_size: Pixels | None = None
    """Height and width of the window of `conv`, `max_pool` and `avg_pool`."""
    stride: Pixels = 1
    padding: int = Field(default=0, ge=0, le=512)
    """Zeros on every side."""
    dilation: Pixels = 1
    groups: Channels = 1
    bias: bool = True
    then: tuple[str, ...] = Field(default=(), max_length=8)
    """What follows, in order: `relu`, `batch_norm`, `dropout 0.05`, `dropout2d 0.01`, ..."""
    source: str | None = None
    """For `add`: the name of the earlier layer."""

    def __post_init__(self) -> None:
        if self.name and not self.name.isidentifier():
            rule = "name must start with a letter and go on with letters, digits or underscores"
            raise SpecError(f"{rule}, got {self.name!r}; leave out spaces, dots and hyphens")
        if self.name == "training":
            raise SpecError("name must not be 'training', which torch keeps for itself; choose another")
        for step in self.then:
            parse_step(step)
        self._require("out_channels", self.op in ("conv", "linear"))
        self._require("kernel_size", self.op in WINDOW_OPS)
        self._require("source", self.op == "add")
        defaults = {"stride": self.op in WINDOW_OPS, "padding": self.op in WINDOW_OPS}
        defaults |= {"dilation": self.op in ("conv", "max_pool"), "groups": self.op == "conv"}
        for field, is_used in defaults.items():
            if not is_used and getattr(self, field) != (0 if field == "padding" else 1):
                given = getattr(self, field)
                raise SpecError(f"{field} has no meaning for {self.op}, got {given}; remove it")

    def _require(self, field: str, is_needed: bool) -> None:
        is_given = getattr(self, field) is not None
        if is_needed and not is_given:
            raise SpecError(f"{self.op} needs {field}")
        if is_given and not is_needed:
            raise SpecError(f"{field} has no meaning for {self.op}, got {getattr(self, field)!r}; remove it")


def _check_layers(layers: object, check: Callable[[object], tuple[LayerSpec, ...]]) -> tuple[LayerSpec, ...]:
    """What `check` makes of `layers`; a fault that a layer finds in itself is told with its number."""
    try:
        return check(layers)
    except SpecError as error:
        for number, layer in enumerate(cast(Iterable[object], layers), start=1):
            try:
                from_dict(LayerSpec, layer)
            except SpecError as fault:
                if str(fault) == str(error):
                    raise SpecError(f"layer {number}: {error}") from None
        raise


@describe
class NetworkSpec:
    """A whole network: `input_shape` (C, H, W) in, `num_classes` scores out."""

    name: str = Field(min_length=1, max_length=60)
    layers: Annotated[tuple[LayerSpec, ...], WrapValidator(_check_layers)] = Field(
        min_length=1, max_length=MAX_LAYERS
    )
    input_shape: tuple[Channels, Pixels, Pixels] = (3, 32, 32)
    num_classes: Channels = 10

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", _named(self.layers))
        seen: set[str] = set()
        for index, layer in enumerate(self.layers):
            if layer.name in seen:
                rule = f"the name {layer.name!r} is taken"
                raise SpecError(f"layer {index + 1}: {rule}; give every layer its own")
            if layer.source is not None and layer.source not in seen:
                where = f"layer {index + 1} ({layer.name})"
                raise SpecError(f"{where}: source must be an earlier layer, got {layer.source!r}")
            seen.add(layer.name)

    @classmethod
    def from_module(
        cls, module: "nn.Module", input_shape: tuple[int, int, int], name: str = ""
    ) -> "NetworkSpec":
        """The spec of a torch module for images (C, H, W), as `core.network.trace` reads it; needs torch."""
        from core.network.trace import from_module

        return from_module(module, input_shape, name)


def _named(layers: tuple[LayerSpec, ...]) -> tuple[LayerSpec, ...]:
    """The layers with a name each: an unnamed one is called after its op and its turn among that op."""
    taken = {layer.name for layer in layers}
    turns: Counter[str] = Counter()
    named = []
    for layer in layers:
        turns[layer.op] += 1
        if not layer.name:
            name = f"{layer.op}{turns[layer.op]}"
            while name in taken:
                name += "_"
            taken.add(name)
            layer = replace(layer, name=name)
        named.append(layer)
    return tuple(named)
