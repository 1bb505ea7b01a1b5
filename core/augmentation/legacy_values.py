"""What an expression of a pipeline's source means, told from the syntax tree and never by running it."""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from core.augmentation.legacy_calls import (
    COMPOSERS,
    CV2,
    USUAL_NAMES,
    Call,
    Pipeline,
    compose,
    is_number,
    refuse,
)
from core.errors import SpecError

MAX_DEPTH = 30
MAX_VALUES = 5_000
MAX_ITEMS = 200
MAX_NUMBER = 1e9

OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {"int": int, "float": float, "tuple": tuple, "list": tuple}


class Evaluator:
    """The names that are known at one place of the source, and what expressions mean there."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.libraries: dict[str, str] = dict(USUAL_NAMES)
        self.makers: dict[str, Pipeline | None] = {}
        """The code's own functions and classes that make a pipeline: which, where it is only one."""
        self._budget = [MAX_VALUES]

    def inner(self) -> "Evaluator":
        """For a function: what is known so far, and names of its own."""
        inner = Evaluator()
        inner.names = dict(self.names)
        inner.libraries = dict(self.libraries)
        inner.makers = dict(self.makers)
        inner._budget = self._budget
        return inner

    def assign(self, name: str, value: Any) -> None:
        """Let `name` mean `value` from here on."""
        self.names[name] = value

    def dotted(self, node: ast.AST) -> str | None:
        """`a.b.c` as it is written, or None where the node is no such name."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute) and len(parts) < MAX_DEPTH:
            parts.append(node.attr)
            node = node.value
        return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None

    def value(self, node: ast.AST, depth: int = 0) -> Any:
        """A number, string, tuple, dict, `Call` or `Pipeline`; `SpecError` if only running it could tell."""
        self._budget[0] -= 1
        if depth > MAX_DEPTH or self._budget[0] < 0:
            raise refuse(node, "this is too long or too deep to be a pipeline; paste only the pipeline")
        read = getattr(self, f"_{type(node).__name__.lower()}", None)
        if read is None:
            raise refuse(node, f"`{_excerpt(node)}` is not understood; write its value")
        value = read(node, depth + 1)
        if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
            raise refuse(node, f"numbers lie within ±{MAX_NUMBER:,.0f}; write a smaller one")
        if _items(value) > MAX_ITEMS:
            raise _too_many(node)
        return value

    def _constant(self, node: ast.Constant, _: int) -> Any:
        if node.value is None or isinstance(node.value, bool | int | float | str):
            return node.value
        raise refuse(node, f"`{_excerpt(node)}` is neither a number nor a word")

    def _tuple(self, node: ast.Tuple | ast.List, depth: int) -> tuple[Any, ...]:
        return tuple(self.value(item, depth) for item in node.elts)

    _list = _tuple

    def _dict(self, node: ast.Dict, depth: int) -> dict[Any, Any]:
        keys = [self.value(key, depth) if key else None for key in node.keys]
        if not all(isinstance(key, str) for key in keys):
            raise refuse(node, "a dictionary is understood only with words as keys")
        return dict(zip(keys, (self.value(item, depth) for item in node.values), strict=True))

    def _name(self, node: ast.Name, _: int) -> Any:
        if node.id in self.names:
            return self.names[node.id]
        if (path := self._path(node.id)) in CV2:
            return CV2[path]
        raise refuse(node, f"{node.id} has no value in this code; write {node.id} = … above it")

    def _attribute(self, node: ast.Attribute, _: int) -> Any:
        name = self.dotted(node) or ""
        path = self._path(name)
        if name in self.names:
            return self.names[name]
        if path in CV2:
            return CV2[path]
        raise refuse(node, f"`{_excerpt(node)}` has no value in this code; write its value")

    def _subscript(self, node: ast.Subscript, depth: int) -> Any:
        holder, key = self.value(node.value, depth), self.value(node.slice, depth)
        is_index = isinstance(holder, tuple) and isinstance(key, int | slice)
        if is_index or (isinstance(holder, dict) and isinstance(key, str)):
            try:
                return holder[key]
            except LookupError:
                pass
        raise refuse(node, f"`{_excerpt(node)}` names nothing in this code; write its value")

    def _slice(self, node: ast.Slice, depth: int) -> slice:
        ends = [self.value(end, depth) if end else None for end in (node.lower, node.upper, node.step)]
        if ends[2] == 0 or not all(end is None or type(end) is int for end in ends):
            raise refuse(node, "a part of a list is cut out by whole numbers; write its values")
        return slice(*ends)

    def _unaryop(self, node: ast.UnaryOp, depth: int) -> Any:
        operand = self.value(node.operand, depth)
        if is_number(operand) and isinstance(node.op, ast.USub | ast.UAdd):
            return -operand if isinstance(node.op, ast.USub) else operand
        raise refuse(node, f"`{_excerpt(node)}` is not understood; write its value")

    def _binop(self, node: ast.BinOp, depth: int) -> Any:
        left, right = self.value(node.left, depth), self.value(node.right, depth)
        operation = OPERATORS.get(type(node.op))
        repeats = isinstance(node.op, ast.Mult) and isinstance(left, tuple) and type(right) is int
        joins = isinstance(node.op, ast.Add) and isinstance(left, tuple) and isinstance(right, tuple)
        if operation is None or not (joins or repeats or (is_number(left) and is_number(right))):
            raise refuse(node, f"`{_excerpt(node)}` is not arithmetic with numbers; write its value")
        if repeats and len(left) * right > MAX_ITEMS:
            raise _too_many(node)
        try:
            return operation(left, right)
        except ArithmeticError as error:
            raise refuse(node, f"`{_excerpt(node)}` has no value ({error}); write its value") from None

    def _listcomp(self, node: ast.ListComp | ast.GeneratorExp, depth: int) -> tuple[Any, ...]:
        """`[x * 255 for x in mean]`."""
        (first, *others) = node.generators
        items = self.value(first.iter, depth)
        if others or first.ifs or not isinstance(first.target, ast.Name) or not isinstance(items, tuple):
            raise refuse(node, f"`{_excerpt(node)}` is not understood; write its values")
        inner = self.inner()
        results = []
        for item in items:
            inner.assign(first.target.id, item)
            results.append(inner.value(node.elt, depth))
        return tuple(results)

    _generatorexp = _listcomp

    def _call(self, node: ast.Call, depth: int) -> Any:
        name = self.dotted(node.func) or ""
        if any(isinstance(item, ast.Starred) for item in node.args) or any(not k.arg for k in node.keywords):
            raise refuse(node, f"`{_excerpt(node)}` hands over arguments with a star; write them out")
        if name in self.makers:
            return self._made(node, name)
        library, transform = self._transform(name)
        if name in CONVERSIONS or name == "dict":
            return self._convert(node, name, depth)
        if not transform:
            raise refuse(node, f"`{_excerpt(node)}` is a call, and nothing is run here; write its value")
        positional = tuple(self.value(item, depth) for item in node.args)
        keywords = {str(keyword.arg): self.value(keyword.value, depth) for keyword in node.keywords}
        if transform in COMPOSERS:
            return compose(node, positional, keywords)
        return Call(node.lineno, library, transform, positional, keywords)

    def _made(self, node: ast.Call, name: str) -> Pipeline | None:
        if node.args or node.keywords:
            raise refuse(
                node,
                f"`{_excerpt(node)}` hands values to this code's own {name}, which is read as it stands; "
                f"write them into {name} and leave them out here",
            )
        return self.makers[name]

    def _convert(self, node: ast.Call, name: str, depth: int) -> Any:
        if name == "dict" and not node.args:
            return {str(keyword.arg): self.value(keyword.value, depth) for keyword in node.keywords}
        values = [self.value(item, depth) for item in node.args]
        fits = isinstance(values[0], tuple) if name in ("tuple", "list") and values else False
        fits = fits or (name in ("int", "float") and bool(values) and is_number(values[0]))
        if len(values) != 1 or node.keywords or not fits:
            raise refuse(node, f"`{_excerpt(node)}` is not understood; write its value")
        return CONVERSIONS[name](values[0])

    def _path(self, name: str) -> str:
        first, _, rest = name.partition(".")
        library = self.libraries.get(first, first)
        return f"{library}.{rest}" if rest else library

    def _transform(self, name: str) -> tuple[str, str]:
        """Library and class, where `name` is that of a transform; else twice nothing."""
        *modules, transform = self._path(name).split(".")
        if not transform[:1].isupper() or not transform.isidentifier():
            return "", ""
        if not modules and "." not in name:
            return "albumentations", transform
        is_known = modules[:1] in (["albumentations"], ["torchvision"])
        return (modules[0], transform) if is_known else ("", "")


def _items(value: Any) -> int:
    """How many items a list or a dictionary has, and those in it; beyond the most it stops counting."""
    count, left = 0, [value]
    while left and count <= MAX_ITEMS:
        part = left.pop()
        inside = part.values() if isinstance(part, dict) else part if isinstance(part, tuple) else ()
        count += len(inside)
        left.extend(inside)
    return count


def _too_many(node: ast.AST) -> SpecError:
    return refuse(
        node, f"a list has at most {MAX_ITEMS} items, those of the lists in it too; paste only the pipeline"
    )


def _excerpt(node: ast.AST) -> str:
    """The first words of an expression, on one line."""
    try:
        text = " ".join(ast.unparse(node).split())
    except RecursionError:
        return type(node).__name__
    return text if len(text) <= 50 else f"{text[:49]}…"
