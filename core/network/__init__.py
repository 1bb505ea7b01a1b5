"""Networks as data: what a network is, what it costs and sees, and the networks to start from.

`core.network.build` and `core.network.predict` need torch; nothing here does.
"""

from core.network.presets import presets
from core.network.sizing import LayerSizing, NetworkSizing, size_network
from core.network.spec import LayerSpec, NetworkSpec

__all__ = ["LayerSizing", "LayerSpec", "NetworkSizing", "NetworkSpec", "presets", "size_network"]
