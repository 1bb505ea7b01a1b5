"""One axis of a window that slides over a map: which places it reads, and which outputs see the map at all.

Places and outputs are bits, counted from 0, as in `receptive_field`.
"""

from typing import NamedTuple

from core.network.receptive_field import spread
from core.network.sizing import LayerSizing
from core.network.spec import LayerSpec


class Axis(NamedTuple):
    """The rows, or the columns, of a convolution or pool."""

    places: int
    """Rows or columns of the map that is taken in, without padding."""
    outputs: int
    kernel: int
    stride: int
    padding: int
    dilation: int

    def read(self) -> int:
        """The places that any window reads."""
        window = spread(1, self.kernel, self.dilation)
        every_place = (1 << self.places) - 1
        return spread(window, self.outputs, self.stride) >> self.padding & every_place

    def meet(self) -> tuple[int, int]:
        """The outputs whose window meets the map, and how many taps of the kernel ever do."""
        outputs = num_taps = 0
        for tap in range(self.kernel):
            offset = self.padding - tap * self.dilation  # output o reads place o * stride - offset
            first = max(0, -(-offset // self.stride))
            last = min(self.outputs - 1, (self.places - 1 + offset) // self.stride)
            if first <= last:
                outputs |= (1 << (last + 1)) - (1 << first)
                num_taps += 1
        return outputs, num_taps


def axes(layer: LayerSpec, row: LayerSizing) -> tuple[Axis, Axis]:
    """The rows and the columns of a convolution or pool."""
    kernel = layer.kernel_size
    assert kernel is not None  # a window without it cannot be made
    window = kernel, layer.stride, layer.padding, layer.dilation
    (_, *places), (_, *outputs) = row.input_shape, row.output_shape
    return Axis(places[0], outputs[0], *window), Axis(places[1], outputs[1], *window)
