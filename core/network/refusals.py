"""What a network is refused for, and in which words: the arithmetic, then the remedy."""

from math import gcd

from core.network.spec import LayerSpec

MAX_PARAMS = 50_000_000
MAX_ACTIVATION_BYTES = 256 * 2**20
"""Of one image."""
MAX_FIELD = 4096
"""Input pixels: the largest receptive field and the largest effective stride that are sized."""
MAX_WAYS = 16
"""The most ways through a network that see different pixels, none of them all that another sees."""


class Misfit(Exception):  # noqa: N818 (the reason within a SizingError, never seen outside)
    """Why a layer cannot work on its input."""


def too_small(layer: LayerSpec, kernel: int, rows: int, columns: int) -> Misfit:
    """A window that does not fit into the padded map."""
    needed = (kernel - 1) * layer.dilation + 1
    padding = -(-(needed - min(rows, columns)) // 2)
    remedies = ["lower the dilation" if layer.dilation > 1 else "use a smaller kernel"]
    if layer.op == "conv" or padding <= kernel // 2:
        remedies.insert(0, f"raise the padding to at least {padding}")
    window = f"kernel {kernel} at dilation {layer.dilation}" if layer.dilation > 1 else f"kernel {kernel}"
    given = f"a {rows}×{columns} map with padding {layer.padding}"
    return Misfit(f"{given}, but {window} needs {needed}; {' or '.join(remedies)}")


def undivided_channels(groups: int, channels: int, out_channels: int) -> Misfit:
    """Groups that leave a rest of the input or output channels."""
    which, count = ("input", channels) if channels % groups else ("output", out_channels)
    divisors = gcd(channels, out_channels)
    remedy = f"use 1 or another divisor of {divisors}" if divisors > 1 else "use 1"
    return Misfit(f"groups {groups} do not divide its {count} {which} channels; {remedy}")


def wide_pool_padding(padding: int, kernel: int) -> Misfit:
    """A pool padded beyond what torch allows."""
    rule = f"padding {padding}, but a pool with kernel {kernel} takes at most half of it"
    return Misfit(f"{rule}; lower the padding to {kernel // 2}")


def map_into_linear(rows: int, columns: int) -> Misfit:
    """A `linear` behind a map that is not 1×1."""
    remedy = "put flatten or global_avg_pool before it"
    return Misfit(f"a {rows}×{columns} map, but linear takes 1×1; {remedy}")


def unequal_shapes(name: str, shape: tuple[int, ...], other_shape: tuple[int, ...]) -> Misfit:
    """An `add` of two maps of different shapes."""
    is_same_map = shape[1:] == other_shape[1:]
    remedy = "the same channels with a 1×1 conv" if is_same_map else "the same map with padding or stride"
    given = f"its input is {_times(shape)}, but {name} is {_times(other_shape)}"
    return Misfit(f"{given}; bring both to {remedy}")


def unequal_strides(name: str, stride: int, other_stride: int) -> Misfit:
    """An `add` of two maps whose units lie differently far apart."""
    return Misfit(
        f"its input has an effective stride of {stride} pixels, but {name} has {other_stride},"
        " so that they do not show the same places; use the same strides on both ways"
    )


def many_ways(count: int) -> Misfit:
    """Too many joined ways to follow exactly."""
    return Misfit(
        f"{count} ways through the network see different pixels, but at most {MAX_WAYS} are followed;"
        " use odd kernels or fewer adds"
    )


def far_sight(field: int, stride: int) -> Misfit:
    """A field or stride far beyond any image."""
    return Misfit(
        f"its receptive field is {field:,} and its effective stride {stride:,} pixels, but at most"
        f" {MAX_FIELD:,} are sized; use smaller kernels, dilations or strides"
    )


def many_params(num_params: int) -> Misfit:
    """More parameters than are built."""
    return Misfit(
        f"brings the network to {num_params:,} parameters, but at most {MAX_PARAMS:,} are built;"
        " use fewer channels, a smaller kernel or more groups"
    )


def many_activations(activation_bytes: int) -> Misfit:
    """More memory than is built for."""
    return Misfit(
        f"brings the activations of one image to {activation_bytes / 2**20:,.0f} MiB, but at most"
        f" {MAX_ACTIVATION_BYTES // 2**20} MiB are built; use fewer channels or stride earlier"
    )


def other_scores(shape: tuple[int, ...], num_classes: int) -> Misfit:
    """A last layer that does not put out one score a class."""
    remedies = [] if shape[1:] == (1, 1) else ["bring the map to 1×1 with global_avg_pool"]
    if shape[0] != num_classes:
        remedies.append(f"let the last conv or linear put out {num_classes} channels")
    needed = f"{num_classes} classes need {num_classes}×1×1"
    return Misfit(f"the network ends with {_times(shape)}, but {needed}; {' and '.join(remedies)}")


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
