"""The networks of five published course projects on CIFAR-10, as facts read from the projects' files.

Layers, order and arguments are the projects' own, oddities included, and so are the labels: a layer named
depthwise need not be one; its groups say what it is. Their final flatten is left out, because every network
puts out (N, num_classes) anyway.
"""

from functools import partial

from core.network.notation import avg_pool, block, conv, max_pool, network
from core.network.spec import NetworkSpec


def seed_000() -> NetworkSpec:
    """Dilated and depthwise-separable blocks between three max pools, 77,056 parameters.

    Source: the network file and training loop of a course project whose repository is not identified. The
    rate of its dropout is an argument of unknown value; 0.1 is chosen here.
    """
    then = ("batch_norm", "relu", "dropout 0.1")
    plain = partial(conv, kernel_size=3, padding=1, bias=False, then=then)
    depthwise = partial(conv, kernel_size=3, padding=1, bias=False)
    pointwise = partial(conv, kernel_size=1, bias=False)
    return network(
        "Seed 000: dilated and depthwise separable, 3 max pools",
        block("conv block 1", plain("conv1", 16), plain("conv2", 32), plain("conv3", 64)),
        block("transition 1", max_pool("pool1", 2), pointwise("transition1", 16)),
        block("conv block 2 (dilated)", plain("dilated1", 32, dilation=2), plain("dilated2", 64, dilation=2)),
        block("transition 2", max_pool("pool2", 2), pointwise("transition2", 16)),
        block("conv block 3", plain("conv4", 32), plain("conv5", 64)),
        block("transition 3", max_pool("pool3", 2), pointwise("transition3", 16)),
        block(
            "conv block 4 (depthwise separable)",
            depthwise("depthwise1", 16, groups=16),
            pointwise("pointwise1", 32, then=then),
            depthwise("depthwise2", 32, groups=32),
            pointwise("pointwise2", 64, then=then),
        ),
        block("output", avg_pool("gap", 3), pointwise("classifier", 10, then=("log_softmax",))),
    )


def seed_001() -> NetworkSpec:
    """Three strided 3×3 downsamplings, 174,378 parameters, receptive field 49.

    Source: class SeaFar of rohansh-tty/EVA-6 (Apache-2.0). Its layers called depthwise have one group: the
    arguments meant for padding and bias fall on stride and padding. A 1×1 block that it never uses is left
    out.
    """
    then = ("relu", "batch_norm", "dropout 0.05")
    dilated = partial(conv, kernel_size=3, padding=2, dilation=2)
    depthwise = partial(conv, kernel_size=3)
    pointwise = partial(conv, kernel_size=1, then=then)
    strided = partial(conv, kernel_size=3, stride=2, padding=1, bias=False)
    transition = partial(conv, kernel_size=1, bias=False)
    plain = partial(conv, kernel_size=3, padding=1, bias=False, then=then)
    return network(
        "Seed 001: three strided downsamplings, receptive field 49",
        block(
            "conv1 (C1)", dilated("dilated1", 32), depthwise("depthwise1", 32), pointwise("pointwise1", 64)
        ),
        block("transition 1", strided("strided1", 64), transition("transition1", 32)),
        block(
            "conv2 (C2)", dilated("dilated2", 48), depthwise("depthwise2", 48), pointwise("pointwise2", 64)
        ),
        block("transition 2", strided("strided2", 64), transition("transition2", 32)),
        block("conv3 (C3)", plain("conv1", 32), plain("conv2", 48)),
        block("transition 3", strided("strided3", 48), transition("transition3", 24)),
        block("conv4 (C4)", pointwise("conv3", 32, bias=False)),
        block("output", avg_pool("gap", 3), conv("classifier", 10, 1)),
    )


def seed_002() -> NetworkSpec:
    """Conv blocks and transition blocks with three max pools, 338,656 parameters.

    Source: assignment_7/model.py of dexter11235813/EVA_5 (no licence file). Its layers called depthwise have
    two groups.
    """
    last = ("relu", "batch_norm")
    then = (*last, "dropout 0.2")
    plain = partial(conv, kernel_size=3, padding=1, then=then)
    transition = partial(conv, kernel_size=1, bias=False)
    depthwise = partial(conv, kernel_size=3, padding=1, groups=2)
    pointwise = partial(conv, kernel_size=1, then=then)
    return network(
        "Seed 002: conv and transition blocks, 3 max pools",
        block("first block", plain("conv1", 32)),
        block("conv block 1", plain("conv2", 64), plain("conv3", 128, then=last)),
        block("transition 1", max_pool("pool1", 2), transition("transition1", 32, then=then)),
        block(
            "conv block 2 (dilated)",
            plain("dilated1", 64, dilation=2),
            plain("dilated2", 128, dilation=2, then=last),
        ),
        block("transition 2", max_pool("pool2", 2), transition("transition2", 32, then=then)),
        block(
            "conv block 3 (separable)",
            depthwise("depthwise1", 32),
            pointwise("pointwise1", 64),
            depthwise("depthwise2", 64),
            pointwise("pointwise2", 128),
            depthwise("depthwise3", 128),
            pointwise("pointwise3", 256, then=last),
        ),
        block("transition 3 (head)", max_pool("pool3", 2), transition("classifier", 10)),
        block("output", avg_pool("gap", 3, then=("log_softmax",))),
    )


def seed_003() -> NetworkSpec:
    """Four conv blocks, one of them strided, 187,418 parameters, receptive field 31.

    Source: model.py of kishkath/EVA, "6 - Advanced Convolutions" (no licence file). Its layer called
    depthwise has eight groups.
    """
    last = ("batch_norm",)
    then = (*last, "relu")
    plain = partial(conv, kernel_size=3, then=then)
    pointwise = partial(conv, kernel_size=1, then=then)
    return network(
        "Seed 003: four conv blocks, one strided",
        block("conv1", plain("conv1", 16, padding=1), plain("conv2", 32), plain("conv3", 32)),
        block(
            "conv2",
            plain("dilated", 128, dilation=2),
            plain("conv4", 64),
            plain("strided", 32, stride=2, padding=1),
        ),
        block(
            "conv3",
            plain("depthwise", 128, groups=8, then=last),
            pointwise("pointwise", 64),
            plain("conv5", 32, then=(*then, "dropout2d 0.1")),
        ),
        block("conv4", plain("conv6", 32), pointwise("conv7", 16, then=last), conv("classifier", 10, 3)),
        block("output", avg_pool("gap", 3, then=("log_softmax",))),
    )


def seed_003_less_weighted() -> NetworkSpec:
    """The variant of seed 003 trained without augmentation, 191,514 parameters, receptive field 35.

    Source: less-weighted-model.ipynb of kishkath/EVA, "6 - Advanced Convolutions" (no licence file). Its
    average pool has kernel 1, so it pools nothing.
    """
    last = ("batch_norm",)
    then = (*last, "relu")
    plain = partial(conv, kernel_size=3, then=then)
    dropped = (*then, "dropout2d 0.2")
    return network(
        "Seed 003, less weighted: trained without augmentation",
        block("conv1", plain("conv1", 16, padding=1), plain("conv2", 32), plain("conv3", 32, then=dropped)),
        block(
            "conv2",
            plain("conv4", 128),
            plain("dilated", 64, dilation=2),
            plain("strided", 32, stride=2, padding=1),
        ),
        block(
            "conv3",
            plain("depthwise", 128, groups=8, then=last),
            conv("pointwise", 64, 1, then=then),
            plain("conv5", 32, then=dropped),
        ),
        block("conv4", plain("conv6", 32), plain("conv7", 16, then=last), conv("classifier", 10, 3)),
        block("output", avg_pool("gap", 1, then=("log_softmax",))),
    )


def seed_004() -> NetworkSpec:
    """Downsampling by dilated strided convolutions, 162,296 parameters, receptive field 67.

    Source: S9/model.py of PyarakaSrikanth/ERAV1 (no licence file). Its layer called depthwise has a 1×1
    kernel, and its strided 1×1 is padded, so that twelve of its sixteen outputs see nothing of the image.
    """
    then = ("relu", "batch_norm", "dropout2d 0.01")
    plain = partial(conv, kernel_size=3, padding=1, bias=False, then=then)
    dilated_strided = partial(conv, kernel_size=3, stride=2, dilation=2, bias=False, then=then)
    pointwise = partial(conv, kernel_size=1, bias=False, then=then)
    return network(
        "Seed 004: dilated strided downsampling",
        block(
            "block 1",
            plain("conv1", 16),
            plain("conv2", 32),
            plain("conv3", 32),
            dilated_strided("dilated_strided1", 32),
        ),
        block("block 2", plain("conv4", 32), plain("conv5", 52), dilated_strided("dilated_strided2", 64)),
        block(
            "block 3",
            pointwise("depthwise", 64, groups=64),
            plain("conv6", 64),
            pointwise("strided", 64, stride=2, padding=1),
        ),
        block("block 4", plain("conv7", 64), plain("classifier", 10, then=())),
        block("output", avg_pool("gap", 4, then=("log_softmax",))),
    )
