"""The layers that tracing has found, before they have names."""

import re
from collections import Counter
from dataclasses import dataclass, replace

from torch import Size, nn

from core.network.spec import LayerSpec

MAX_STEPS = 8


@dataclass
class Draft:
    """One layer as found: without a name, and with its source as an index."""

    layer: LayerSpec
    owner: str
    """The path of the module whose `forward` calls it."""
    path: str
    """The path of the layer's own module; empty for a function."""
    modules: list[nn.Module | None]
    """The modules of the op and of each step, None for functions."""
    source: int | None = None
    is_trivial: bool = False
    """Whether it is a flatten of a 1×1 map, which a spec need not say."""

    @classmethod
    def flatten(cls, owner: str, before: Size) -> "Draft":
        """A flatten of maps (N, C, H, W)."""
        return cls(LayerSpec(op="flatten"), owner, "", [None], is_trivial=before[2:].numel() == 1)

    @classmethod
    def sum(cls, owner: str, path: str, source: int) -> "Draft":
        """A sum with the output of the draft at index `source`."""
        return cls(LayerSpec(op="add", source="later"), owner, path, [None], source=source)

    def add_step(self, step: str, module: nn.Module | None) -> None:
        """Let a step follow."""
        self.layer = replace(self.layer, then=(*self.layer.then, step))
        self.modules.append(module)


def prune(drafts: list[Draft]) -> list[Draft]:
    """The drafts without the flattens of 1×1 maps, whose steps go to the layer before where they can."""
    sources = {draft.source for draft in drafts}
    kept: list[Draft] = []
    places: dict[int | None, int | None] = {None: None}
    is_tapped = False
    for index, draft in enumerate(drafts):
        then = draft.layer.then
        if draft.is_trivial and kept:
            room = MAX_STEPS - len(kept[-1].layer.then)
            if not then or (not is_tapped and len(then) <= room):
                for step, module in zip(then, draft.modules[1:], strict=True):
                    kept[-1].add_step(step, module)
                places[index] = len(kept) - 1
                is_tapped = is_tapped or index in sources
                continue
        places[index] = len(kept)
        is_tapped = index in sources
        draft.source = places[draft.source]
        kept.append(draft)
    return kept


def name_layers(drafts: list[Draft]) -> tuple[LayerSpec, ...]:
    """The layers, named and put into blocks by their module's paths."""
    counts: Counter[str] = Counter(above for draft in drafts for above in _ancestors(draft.path))
    names: list[str] = []
    blocks: list[str] = []
    turns: Counter[str] = Counter()
    for draft in drafts:
        # Of `stem.conv` with nothing but its steps beside it, `stem` is the layer.
        own = next((above for above in _ancestors(draft.path) if counts[above] == 1), draft.path)
        turns[draft.layer.op] += 1
        name = _to_name(own)
        if not name or name in names:
            name = f"{draft.layer.op}{turns[draft.layer.op]}"
        while name in names:
            name += "_"
        names.append(name)
        blocks.append((own.rpartition(".")[0] if own else draft.owner)[:60])
    return tuple(
        replace(
            draft.layer,
            name=name,
            block=block,
            source=None if draft.source is None else names[draft.source],
        )
        for draft, name, block in zip(drafts, names, blocks, strict=True)
    )


def _ancestors(path: str) -> list[str]:
    """The path's beginnings, from the shortest to the path itself."""
    parts = path.split(".") if path else []
    return [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _to_name(path: str) -> str:
    """A layer's name from its path; empty where the path only numbers it."""
    if path.rpartition(".")[2].isdigit():
        return ""
    name = re.sub(r"\W", "_", path)
    return name if name.isidentifier() and len(name) <= 40 and name != "training" else ""
