"""Networks small enough to train one step at a time before a class. Light: needs no torch."""

from collections.abc import Mapping
from dataclasses import replace

from core.network import NetworkSpec, presets, size_network
from core.network.spec import LayerSpec

TINY = NetworkSpec(
    name="Tiny: two convolutions",
    layers=(
        LayerSpec(op="conv", name="first", out_channels=8, kernel_size=5, stride=2, then=("relu",)),
        LayerSpec(op="conv", name="second", out_channels=16, kernel_size=3, stride=2, then=("relu",)),
        LayerSpec(op="global_avg_pool", name="pool"),
        LayerSpec(op="linear", name="classifier", out_channels=10),
    ),
)


def small_networks(num_classes: int) -> Mapping[str, NetworkSpec]:
    """A tiny network and the smallest preset, by a key, for so many classes and without dropout.

    Without dropout the loss changes by the step alone.
    """
    smallest = min(presets().values(), key=lambda spec: size_network(spec).num_params)
    return {"tiny": _fit(TINY, num_classes), "preset": _fit(without_dropout(smallest), num_classes)}


def without_dropout(spec: NetworkSpec) -> NetworkSpec:
    """The network with every dropout left out."""
    layers = tuple(
        replace(layer, then=tuple(step for step in layer.then if not step.startswith("dropout")))
        for layer in spec.layers
    )
    return replace(spec, layers=layers)


def _fit(spec: NetworkSpec, num_classes: int) -> NetworkSpec:
    """The network for another number of classes: its last layer with weights puts out as many."""
    last = max(turn for turn, layer in enumerate(spec.layers) if layer.op in ("conv", "linear"))
    layers = list(spec.layers)
    layers[last] = replace(layers[last], out_channels=num_classes)
    return replace(spec, layers=tuple(layers), num_classes=num_classes)
