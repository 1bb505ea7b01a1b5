"""A network read for judging: its layers, sized as far as they can be, and what a change would make of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from core.errors import SizingError, SpecError
from core.network.sizing import LayerSizing, count_before_pooling, size_network
from core.network.spec import LayerSpec, NetworkSpec

GLOBAL_POOL = {"op": "global_avg_pool", "kernel_size": None, "stride": 1, "padding": 0}
"""What turns an average pool into one over the whole map."""

_DEPTHWISE = re.compile(r"depth_?wise|(?:^|_)dw(?:conv|_|\d|$)", flags=re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """A network, and the sizing of every layer before the first that cannot work."""

    spec: NetworkSpec
    rows: tuple[LayerSizing, ...]
    misfit: SizingError | None

    @cached_property
    def last_before_pooling(self) -> int:
        """The index of the layer whose map enters the first pooling or flatten to 1×1; −1 for the image."""
        return count_before_pooling(self.rows) - 1

    @cached_property
    def sources(self) -> frozenset[str]:
        """The layers that an `add` takes up again."""
        return frozenset(layer.source for layer in self.spec.layers if layer.source is not None)

    def field_before(self, index: int) -> int:
        """The receptive field of the units that the layer at `index` takes in."""
        return self.rows[index - 1].receptive_field if index else 1

    def stride_before(self, index: int) -> int:
        """The effective stride of the units that the layer at `index` takes in."""
        return self.rows[index - 1].effective_stride if index else 1

    def change(self, changes: Mapping[int, Mapping[str, Any]]) -> "Reading | None":
        """The network with these fields of these layers, by index; None if it works less far than before.

        An average pool over its whole map goes on to be one, whatever becomes of the map.
        """
        try:
            changed = self._replace(changes)
            pools = {
                index: GLOBAL_POOL
                for index in self._whole_map_pools()
                if index not in changes and self._map_before(index) != changed._map_before(index)
            }
            changed = changed._replace(pools) if pools else changed
        except SpecError:
            return None
        return changed if changed._reach >= self._reach else None

    @property
    def _reach(self) -> int:
        return len(self.rows) + (self.misfit is None)

    def _replace(self, changes: Mapping[int, Mapping[str, Any]]) -> "Reading":
        layers = list(self.spec.layers)
        for index, fields in changes.items():
            layers[index] = replace(layers[index], **fields)
        return read_network(replace(self.spec, layers=tuple(layers)))

    def _map_before(self, index: int) -> tuple[int, ...]:
        if index <= len(self.rows):
            return self.rows[index - 1].output_shape[1:] if index else self.spec.input_shape[1:]
        return ()

    def _whole_map_pools(self) -> list[int]:
        return [
            index
            for index, (layer, row) in enumerate(zip(self.spec.layers, self.rows, strict=False))
            if takes_whole_map(layer, row)
        ]


def read_network(spec: NetworkSpec) -> Reading:
    """Size the network as far as that goes."""
    try:
        return Reading(spec, size_network(spec).layers, None)
    except SizingError as error:
        return Reading(spec, cast(tuple[LayerSizing, ...], error.sized), error)


def takes_whole_map(layer: LayerSpec, row: LayerSizing) -> bool:
    """Whether the layer is an average pool whose one window is the whole map."""
    kernel = layer.kernel_size
    return layer.op == "avg_pool" and row.input_shape[1:] == (kernel, kernel) and layer.padding == 0


def is_depthwise(layer: LayerSpec, in_channels: int) -> bool:
    """Whether every filter of the convolution sees one of several channels and more than one pixel of it."""
    kernel = layer.kernel_size or 1
    return layer.op == "conv" and 1 < in_channels == layer.groups and kernel > 1


def is_pointwise(layer: LayerSpec) -> bool:
    """Whether the layer mixes all channels of single pixels."""
    return layer.op == "conv" and layer.kernel_size == 1 and layer.groups == 1


def says_depthwise(label: str) -> bool:
    """Whether a name or the label of a block says that there is something depthwise."""
    return bool(_DEPTHWISE.search(label))


def is_called_depthwise(layer: LayerSpec) -> bool:
    """Whether it is a convolution that is depthwise by its name, whatever its groups say."""
    return layer.op == "conv" and says_depthwise(layer.name) and "pointwise" not in layer.name.lower()
