"""What a careful reader would point out in a network, with the arithmetic and the remedy."""

from core.network.findings.search import find_problems

__all__ = ["find_problems"]
