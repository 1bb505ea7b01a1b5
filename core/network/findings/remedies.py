"""Trying remedies for a faulty window until one takes the fault away and the network still works."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core.network.findings import words
from core.network.findings.axis import Axis, axes
from core.network.findings.report import Remedy
from core.network.reading import Reading
from core.network.spec import WINDOW_OPS


def first_remedy(
    reading: Reading,
    index: int,
    candidates: Iterable[Mapping[str, Any]],
    has_fault: Callable[[Axis], bool],
    advice: str,
) -> Remedy:
    """The first of the candidates, fields of the layer at `index`, that helps; where none does, `advice`."""
    old = reading.spec.layers[index]
    for fields in candidates:
        changed = reading.change({index: fields})
        if changed is None or len(changed.rows) <= index:
            continue
        new, row = changed.spec.layers[index], changed.rows[index]
        if new.op not in WINDOW_OPS or not any(map(has_fault, axes(new, row))):
            return f"{words.change(old, new)}{_side_effects(reading, changed, index)}", changed
    return advice, None


def _side_effects(reading: Reading, changed: Reading, index: int) -> str:
    """What else had to change, in words."""
    pairs = zip(reading.spec.layers, changed.spec.layers, strict=True)
    names = [old.name for place, (old, new) in enumerate(pairs) if old != new and place != index]
    return f"; {words.listed(names)} then has to be a global_avg_pool" if names else ""
