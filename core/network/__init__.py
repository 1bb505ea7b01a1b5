"""Networks as data: describe and size them. Building one costs torch: `core.network.build`."""

from core.network.spec import LayerSpec, NetworkSpec

__all__ = ["LayerSpec", "NetworkSpec"]
