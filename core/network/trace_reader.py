"""Runs what was traced, and writes each call down as a layer or a step of the one before."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from core.errors import SpecError
from core.network.trace_draft import Draft
from core.network.trace_words import Meaning, Words, say_call, say_module

BATCH = 2
"""How many images are run."""


class Reader(fx.Interpreter):
    """Runs the graph and writes down each call as a layer or step."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, graph=graph)
        self.extra_traceback = False
        self.drafts: list[Draft] = []
        self.used: set[str] = set()
        self._states: dict[fx.Node, tuple[int, int]] = {}
        self._shapes: dict[fx.Node, torch.Size] = {}

    def run_node(self, n: fx.Node) -> Any:
        """The value of the node, which is written down on the way."""
        try:
            # Before it runs, so that what is refused costs nothing.
            words = self._say_module(n) if n.op == "call_module" else None
            value = super().run_node(n)
            if isinstance(value, Tensor) or n.op in ("output", "call_module", "get_attr"):
                self._note(n, words, value)
        except SpecError as refusal:
            raise SpecError(f"{_place(n)}: {refusal}") from None
        return value

    @property
    def _now(self) -> tuple[int, int]:
        """The last layer's index and how many steps it has: -1 and 0 for the images."""
        return (len(self.drafts) - 1, len(self.drafts[-1].layer.then)) if self.drafts else (-1, 0)

    def _note(self, node: fx.Node, words: Words | None, value: Any) -> None:
        if node.op == "output":
            self._follow(node, node.args[0])
            return
        if node.op == "get_attr":
            raise SpecError("forward uses this tensor itself; put it into a module of torch.nn")
        if not isinstance(value, Tensor) or value.shape[0] != BATCH or value.ndim not in (2, 4):
            given = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise SpecError(
                f"it gives {given} for {BATCH} images, but a map (N, C, H, W) or (N, C) is needed"
            )
        if node.op == "placeholder":
            if self._states:
                raise SpecError("forward takes more than the images; a spec has one input")
        else:
            self._write(node, words or say_call(node), value.shape)
        self._states[node], self._shapes[node] = self._now, value.shape

    def _say_module(self, node: fx.Node) -> Words:
        path = str(node.target)
        module = self.submodules[path]
        if path in self.used and any(True for _ in module.parameters()):
            raise SpecError("it is called twice; a spec gives every layer its own weights")
        self.used.add(path)
        return say_module(module)

    def _follow(self, node: fx.Node, source: Any) -> torch.Size:
        """The shape of what goes in, which must be what the line of layers has come to."""
        if not isinstance(source, fx.Node) or source not in self._states:
            raise SpecError("it must take one map and give one; a spec cannot say anything else")
        if self._states[source] != self._now:
            raise SpecError(
                "it takes an earlier map than the last, but a spec is one line of layers with sums of earlier"
                " ones; a second way with layers of its own cannot be said"
            )
        return self._shapes[source]

    def _write(self, node: fx.Node, words: Words, shape: torch.Size) -> None:
        owner, path = _owner(node), str(node.target) if node.op == "call_module" else ""
        if words is Meaning.SUM:
            self._write_sum(node, path)
            return
        before = self._follow(node, node.args[0] if node.args else node.kwargs.get("input"))
        module = self.submodules[path] if path else None
        if isinstance(words, str):
            self._write_step(words, module, before)
        elif words is Meaning.RESHAPE:
            is_flat = shape == (BATCH, before[1:].numel())
            if is_flat and len(before) == 4:
                self.drafts.append(Draft.flatten(owner, before))
            elif shape != before and not (shape[:2] == before[:2] and shape.numel() == before.numel()):
                raise SpecError(f"it turns {tuple(before)} into {tuple(shape)}; only a flatten can be said")
        elif not isinstance(words, Meaning):
            if type(module) is nn.Linear and len(before) != 2:
                raise SpecError(f"it works on the last axis of {tuple(before)}; flatten the map before it")
            is_trivial = words.op == "flatten" and before[2:].numel() == 1
            self.drafts.append(Draft(words, owner, path, [module], is_trivial=is_trivial))

    def _write_step(self, step: str, module: nn.Module | None, before: torch.Size) -> None:
        if not self.drafts:
            raise SpecError(f"{step} comes before the first layer, but a spec says it after one")
        if step.startswith("dropout2d") and len(before) == 2:
            raise SpecError(f"dropout2d gets {tuple(before)}, but drops channels of a map; use nn.Dropout")
        self.drafts[-1].add_step(step, module)

    def _write_sum(self, node: fx.Node, path: str) -> None:
        terms = [*node.args[:2], *(node.kwargs[name] for name in ("input", "other") if name in node.kwargs)]
        if not all(isinstance(term, fx.Node) and term in self._states for term in terms) or len(terms) != 2:
            raise SpecError("it adds something that is not a map; a spec adds two maps")
        states = [self._states[term] for term in terms if isinstance(term, fx.Node)]
        shapes = [self._shapes[term] for term in terms if isinstance(term, fx.Node)]
        if self._now not in states:
            self._follow(node, terms[0])
        source, steps = states[0] if states[1] == self._now else states[1]
        if shapes[0] != shapes[1]:
            raise SpecError(f"it adds {tuple(shapes[0])} and {tuple(shapes[1])}; a spec adds equal shapes")
        if source < 0:
            raise SpecError("it adds the images themselves, but a spec adds the output of an earlier layer")
        if steps != len(self.drafts[source].layer.then):
            step = self.drafts[source].layer.then[steps]
            raise SpecError(
                f"it adds a map from before the {step} that follows it, but a spec adds a layer's output"
                " after all its steps"
            )
        self.drafts.append(Draft.sum(_owner(node), path, source))


def _owner(node: fx.Node) -> str:
    """The path of the module whose `forward` makes the call; empty for the module itself."""
    stack: Mapping[str, object] = node.meta.get("nn_module_stack") or {}
    paths = [path for path in stack if path != node.target]
    return paths[-1] if paths else ""


def _place(node: fx.Node) -> str:
    """Where the call is, for an error."""
    if node.op in ("call_module", "get_attr"):
        return str(node.target)
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", node.name)
    return f"{_owner(node) or 'forward'} ({name})"
