"""Networks as data: what a network is, what it costs and sees, what is wrong with it, and some to start from.

What is exported here needs no torch; `core.network.build` and `core.network.predict` do.
"""

from core.network.briefs import Brief, Verdict, briefs, check_brief
from core.network.findings import find_problems
from core.network.presets import presets
from core.network.sizing import LayerSizing, NetworkSizing, size_network
from core.network.spec import LayerSpec, NetworkSpec

__all__ = [
    "Brief",
    "LayerSizing",
    "LayerSpec",
    "NetworkSizing",
    "NetworkSpec",
    "Verdict",
    "briefs",
    "check_brief",
    "find_problems",
    "presets",
    "size_network",
]
