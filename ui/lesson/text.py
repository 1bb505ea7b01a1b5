"""The words of the Convolutions page: what each operation is for, and what to notice about the one shown."""

from typing import NamedTuple

from core.network import NetworkSizing
from core.network.lesson import Lesson, Operation, make_layers
from core.network.spec import LayerSpec


class Explanation(NamedTuple):
    """What an operation computes, what it is for and what it costs; and where people go wrong with it."""

    what: str
    traps: str


EXPLANATIONS: dict[Operation, Explanation] = {
    "standard": Explanation(
        what=(
            r"Each output channel has **a $k \times k$ kernel for every input channel**, and a unit adds"
            r" up all their products: space and channels are mixed at once. The same $k^2 \cdot C_{in}"
            r" \cdot C_{out}$ weights slide over the whole map, used once at every position."
        ),
        traps=(
            "Without padding every layer shrinks the map by $k - 1$. And what networks call convolution"
            " is cross-correlation: the kernel is not flipped. With the single dot as input, it comes out"
            " turned by half a turn."
        ),
    ),
    "strided": Explanation(
        what=(
            "Only **every $s$-th position** is computed: the map comes out $s$ times smaller on each"
            " side, and all later layers see $s$ times more with the same kernels. It shrinks as pooling"
            " does, with weights that are learned, for about $1/s^2$ of the multiply-adds."
        ),
        traps=(
            "With a stride above the kernel size nobody reads the pixels in between. Where the last"
            " window does not fit, the rows and columns at the far edge are dropped."
        ),
    ),
    "dilated": Explanation(
        what=(
            r"The $k \times k$ weights are **spread $d$ pixels apart**: a receptive field of $d\,(k - 1)"
            " + 1$ for the price of $k^2$ weights. It serves to see far while keeping the resolution."
        ),
        traps=(
            r"To keep the size of the map, the padding must grow to $d\,(k - 1) / 2$. A unit skips the"
            " pixels in between, and layers of one and the same dilation in a row leave a lattice that"
            " none of them connects (gridding); dilations such as 1, 2, 3 fill it."
        ),
    ),
    "grouped": Explanation(
        what=(
            "The channels are cut into **$g$ groups that know nothing of each other**: an output channel"
            " reads only the $C_{in} / g$ input channels of its group, so weights and multiply-adds"
            " shrink by $g$. AlexNet split its layers over two GPUs so; ResNeXt made a design of it."
        ),
        traps=(
            "$g$ must divide both channel counts. Without a pointwise layer or a channel shuffle"
            " afterwards the groups never meet. And `groups=1` is a standard convolution, not a depthwise"
            " one."
        ),
    ),
    "depthwise": Explanation(
        what=(
            "As many groups as channels: **each channel is filtered by its own kernel** and none is"
            r" mixed with another, for $k^2 \cdot C$ weights instead of $k^2 \cdot C^2$. It filters space"
            " and leaves the channels to a pointwise layer."
        ),
        traps=(
            "`groups=1`, the default, is not depthwise; `groups` must be the number of input channels."
            r" With a $1 \times 1$ kernel it only scales each channel. And it moves much memory for few"
            " multiply-adds, so that on a GPU it can take longer than its count promises."
        ),
    ),
    "pointwise": Explanation(
        what=(
            r"A $1 \times 1$ kernel: **at every pixel a weighted sum over the channels**, the same small"
            r" linear layer everywhere. It mixes channels and changes their number for $C_{in} \cdot"
            " C_{out}$ weights."
        ),
        traps=(
            "It sees no neighbours, so the receptive field does not grow. With a stride it throws pixels"
            " away unread: three of four at stride 2."
        ),
    ),
    "separable": Explanation(
        what=(
            "**Depthwise first, pointwise second**: one layer filters space, the other mixes channels."
            " Together they cost $1/C_{out} + 1/k^2$ of a standard convolution, which made MobileNet and"
            " Xception small."
        ),
        traps=(
            "It can do less than a standard convolution: all output channels share the same filtered"
            " maps. Without the pointwise layer it is only depthwise. And with few output channels it"
            " saves nothing."
        ),
    ),
    "max_pool": Explanation(
        what=(
            "Each unit passes on **the largest value of its window**, channel by channel, without"
            " weights. It shrinks the map and forgives small shifts."
        ),
        traps=(
            "All other values of the window, and their gradients, are dropped. Padding counts as"
            r" $-\infty$, not as 0. Where the last window does not fit, the far edge is dropped."
        ),
    ),
    "avg_pool": Explanation(
        what=(
            "Each unit passes on **the mean of its window**, channel by channel, without weights: a"
            " fixed blur with a stride."
        ),
        traps=(
            "The zeros of the padding are counted in the mean, which dims the border. Where the last"
            " window does not fit, the far edge is dropped."
        ),
    ),
}


def counterpart_words(lesson: Lesson, layer: LayerSpec) -> str:
    """What the operation is held against, as in "beside …"."""
    kernel = f"{layer.kernel_size}×{layer.kernel_size}"
    words = {
        "strided": f"the same {kernel} convolution at stride 1",
        "dilated": f"a dense {kernel} convolution with the same receptive field",
        "max_pool": f"a standard {kernel} convolution over the same window",
        "avg_pool": f"a standard {kernel} convolution over the same window",
    }
    return words.get(lesson.operation, f"a standard {kernel} convolution with the same channels")


def ratio_words(own: int, other: int) -> str:
    """How `own` compares with `other`, as in "8.4 times fewer"."""
    if own == other:
        return "the same"
    if own == 0:
        return f"instead of {other:,}"
    ratio, word = (other / own, "fewer") if own < other else (own / other, "more")
    digits = f"{ratio:.{1 if ratio >= 1.05 else 3}f}"
    return f"{digits.removesuffix('.0')} times {word}"


def find_notes(lesson: Lesson, sizing: NetworkSizing, num_unread: int) -> list[str]:
    """What to notice about these very settings: each with its arithmetic."""
    layer = make_layers(lesson)[0]
    notes = [note for note in (_name_note(lesson), _size_note(lesson, layer, sizing)) if note]
    row = sizing.layers[0]
    if row.coverage < 1:
        side = row.receptive_field
        notes.append(
            f"A unit spans {side}×{side} = {side**2} pixels and reads {round(row.coverage * side**2)} of them"
            f" ({row.coverage:.0%}); the dashed cells of the kernel are holes."
        )
    if num_unread:
        pixels = "pixel is" if num_unread == 1 else "pixels are"
        notes.append(f"{num_unread} of the {lesson.size**2} input {pixels} read by no unit (struck through).")
    return notes


def _name_note(lesson: Lesson) -> str | None:
    """Where the settings make the operation something else than its name says."""
    if lesson.operation == "grouped" and lesson.groups == 1:
        return "With groups=1 this is a standard convolution: every output channel reads every input channel."
    if lesson.operation == "grouped" and lesson.groups == lesson.in_channels:
        return f"With as many groups as input channels ({lesson.groups}) this is a depthwise convolution."
    if lesson.operation == "depthwise" and lesson.kernel_size == 1:
        return "A 1×1 depthwise layer only scales: each channel is multiplied with one number."
    return None


def _size_note(lesson: Lesson, layer: LayerSpec, sizing: NetworkSizing) -> str | None:
    """What padding would keep the size of the map, where a convolution of stride 1 changes it."""
    before, after = lesson.size, sizing.layers[0].output_shape[1]
    assert layer.kernel_size is not None
    if layer.op != "conv" or layer.stride != 1 or before == after:
        return None
    change = f"The map {'shrinks' if after < before else 'grows'} from {before} to {after}"
    spread = layer.dilation * (layer.kernel_size - 1)
    term = f"{layer.dilation}·({layer.kernel_size} − 1) / 2"
    if spread % 2:
        return f"{change}: no padding keeps it, as d·(k − 1) / 2 = {term} = {spread / 2} is not whole."
    return f"{change}: to keep it, the padding must be d·(k − 1) / 2 = {term} = {spread // 2}."
