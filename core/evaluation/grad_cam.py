"""Where on an image a network finds what speaks for a class: Grad-CAM. Importing this module costs torch.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization" (2017),
as captum computes it: each channel of the map weighs as much as the mean gradient of the class's score by it,
and what is negative in their sum is cut off.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam  # type: ignore[import-untyped]
from numpy.typing import NDArray

from core.errors import SpecError
from core.network.build import Network, restore_network
from core.network.predict import normalise
from core.network.sizing import LayerSizing, count_before_pooling, size_network
from core.network.spec import NetworkSpec

BATCH_SIZE = 100


def attention_layer(spec: NetworkSpec) -> LayerSizing:
    """The last layer whose output is a map and no single unit, before the network pools it to 1×1."""
    sized = size_network(spec).layers
    maps = [row for row in sized[: count_before_pooling(sized)] if row.output_shape[1:] != (1, 1)]
    if not maps:
        raise SpecError(f"{spec.name}: no layer puts out a map; Grad-CAM needs a network with a convolution")
    return maps[-1]


def scoring_network(spec: NetworkSpec, weights: Mapping[str, NDArray[np.generic]]) -> Network:
    """The network that gives the scores themselves, even if it ends with log_softmax; in evaluation mode."""
    last = spec.layers[-1]
    steps = list(last.then)
    while steps and steps[-1] == "log_softmax":
        steps.pop()
    scores = replace(spec, layers=(*spec.layers[:-1], replace(last, then=tuple(steps))))
    network = restore_network(scores, weights)
    return network.eval()


def grad_cam(
    network: Network,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    mean: Sequence[float],
    std: Sequence[float],
    device: str = "cpu",
) -> Iterator[NDArray[np.float32]]:
    """Batch by batch, the maps (n, H, W) of `images` (N, H, W, 3) uint8 for the classes `labels` (N,).

    `network` is what `scoring_network` gives, on `device`; it is hooked meanwhile, so it must be nobody
    else's. The map of `attention_layer` is stretched over the image, linearly between its units.
    """
    layer = dict(network.named_children())[attention_layer(network.spec).name]
    explainer = LayerGradCam(network, layer)
    for start in range(0, len(images), BATCH_SIZE):
        pixels = normalise(images[start : start + BATCH_SIZE], mean, std, device)
        target = torch.from_numpy(labels[start : start + BATCH_SIZE].copy()).to(device)
        small = explainer.attribute(pixels, target=target, relu_attributions=True)
        wide = LayerAttribution.interpolate(small.detach(), tuple(images.shape[1:3]), "bilinear")
        maps: NDArray[np.float32] = wide[:, 0].cpu().numpy()
        yield maps
