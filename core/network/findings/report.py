"""Putting a finding about a layer into sentences."""

from core.findings import Finding, Severity
from core.network.reading import Reading
from core.network.spec import NetworkSpec

Remedy = tuple[str, Reading | None]
"""What to do, in words, and the network where that is done."""


def report(
    reading: Reading,
    index: int,
    kind: str,
    severity: Severity,
    problem: str,
    arithmetic: str,
    remedy: Remedy,
) -> Finding[NetworkSpec]:
    """The finding about the layer at `index`; its texts come without capital and full stop, and start with a
    word that is no name."""
    words, remedied = remedy
    return Finding(
        kind,
        severity,
        index,
        reading.spec.layers[index].name,
        _sentence(problem),
        _sentence(arithmetic),
        _sentence(words),
        remedied.spec if remedied else None,
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
