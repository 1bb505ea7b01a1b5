"""The text of a course project's pipeline, read as a syntax tree. Nothing of it is ever run or imported.

Statements are gone through in order, and what they name is kept: numbers, lists of numbers, transforms,
pipelines. Anything whose value cannot be told from the text alone is refused at its line.
"""

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.augmentation.legacy_calls import COMPOSERS, Call, Pipeline, refusal, refuse
from core.augmentation.legacy_values import Evaluator

MAX_BYTES = 50_000
MAX_BRACKETS = 40
BYTE_ORDER_MARK = "\ufeff"
# A pipeline's file imports no others, and one that does is not a pipeline's file.
LIBRARIES = frozenset(
    {"PIL", "__future__", "albumentations", "cv2", "math", "matplotlib", "numpy", "random", "torch"}
    | {"torchvision", "tqdm", "typing"}
)
Block = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(slots=True)
class Found:
    """What a source holds."""

    pipelines: list[Pipeline] = field(default_factory=list)
    """In the order of the text, each under the name it is given."""
    left_out: list[tuple[int, str]] = field(default_factory=list)
    """Line and name of functions and classes that hold no pipeline, which are not looked into."""


def read_source(source: str) -> Found:
    """The pipelines in `source`; `SpecError` names the line of what cannot be understood, and why."""
    reader = _Reader()
    reader.read(_parse(source.removeprefix(BYTE_ORDER_MARK)).body, Evaluator())
    return reader.found


def _parse(source: str) -> ast.Module:
    _check_size(source)
    try:
        return ast.parse(textwrap.dedent(source))
    except SyntaxError as error:
        reason = f"this is not Python ({error.msg}); paste the pipeline as it stands in the file"
        raise refusal(error.lineno or 1, reason) from None
    except (RecursionError, MemoryError):
        lines = source.splitlines()
        longest = lines.index(max(lines, key=len))
        raise refusal(
            longest + 1, "this is too long or too deep to be read; paste only the pipeline"
        ) from None


def _check_size(source: str) -> None:
    """Refuse, before the parser sees it, what no course project ever wrote."""
    size = len(source.encode(errors="replace"))
    if size > MAX_BYTES:
        raise refusal(
            1, f"the code has {size:,} bytes, at most {MAX_BYTES:,} are read; paste only the pipeline"
        )
    depth = 0
    for line, text in enumerate(source.splitlines(), start=1):
        for character in text:
            if character == "\0" or "\ud800" <= character <= "\udfff":
                raise refusal(line, f"{character!a} is no character of a text; leave it out")
            depth += (character in "([{") - (character in ")]}")
            if depth > MAX_BRACKETS:
                raise refusal(line, f"brackets are at most {MAX_BRACKETS} deep; paste only the pipeline")


class _Reader:
    """Goes through statements and keeps the pipelines that they make."""

    def __init__(self) -> None:
        self.found = Found()

    def read(self, body: list[ast.stmt], values: Evaluator) -> None:
        for statement in body:
            if isinstance(statement, Block):
                self._read_block(statement, values)
            else:
                self._read_statement(statement, values)

    def _read_block(self, block: Block, values: Evaluator) -> None:
        """Look into a function or class that makes a pipeline; its names are its own."""
        if not _makes_pipeline(block):
            self.found.left_out.append((block.lineno, block.name))
            return
        inner = values.inner()
        if not isinstance(block, ast.ClassDef):
            for name, default in _defaults(block.args):
                inner.assign(name, values.value(default))
        first = len(self.found.pipelines)
        self.read(block.body, inner)
        made = self.found.pipelines[first:]
        for pipeline in made:
            pipeline.name = pipeline.name or block.name
        values.makers[block.name] = made[0] if len(made) == 1 else None

    def _read_statement(self, statement: ast.stmt, values: Evaluator) -> None:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            _read_import(statement, values)
        elif isinstance(statement, ast.Assign):
            value = values.value(statement.value)
            for target in statement.targets:
                self._assign(target, value, values)
        elif isinstance(statement, ast.AnnAssign):
            if statement.value is not None:
                self._assign(statement.target, values.value(statement.value), values)
        elif isinstance(statement, ast.Return | ast.Expr):
            value = values.value(statement.value) if statement.value else None
            if isinstance(value, Call):
                raise refuse(statement, f"{value.name} stands outside of any Compose; put it into one")
            self._keep("", value)
        elif not isinstance(statement, ast.Pass) and not _only_seeds(statement):
            raise refuse(statement, f"{_word(statement)} is not understood; paste only the pipeline")

    def _assign(self, target: ast.expr, value: Any, values: Evaluator) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            if not isinstance(value, tuple) or len(value) != len(target.elts):
                raise refuse(target, f"{len(target.elts)} names need as many values")
            for part_target, part in zip(target.elts, value, strict=True):
                self._assign(part_target, part, values)
            return
        name = values.dotted(target)
        if name is None:
            raise refuse(target, "only plain names are given values here")
        values.assign(name, value)
        self._keep(name.rpartition(".")[2], value)

    def _keep(self, name: str, value: Any) -> None:
        """Note the pipelines in a value, each once, under its first name."""
        if isinstance(value, Call):  # of a data set or a wrapper, which it is handed to
            for part in (*value.positional, *value.keywords.values()):
                if isinstance(part, Pipeline):
                    self._keep(name, part)
        elif isinstance(value, dict):
            for key, part in value.items():
                if isinstance(part, Pipeline):
                    self._keep(str(key), part)
        elif isinstance(value, Pipeline) and all(value is not known for known in self.found.pipelines):
            value.name = name
            self.found.pipelines.append(value)


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    """The arguments of a function that have a value where it is called without them."""
    positional = [*arguments.posonlyargs, *arguments.args]
    for argument, default in zip(reversed(positional), reversed(arguments.defaults), strict=False):
        yield argument.arg, default
    for argument, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if given is not None:
            yield argument.arg, given


def _makes_pipeline(block: ast.AST) -> bool:
    calls = (node.func for node in ast.walk(block) if isinstance(node, ast.Call))
    return any(getattr(func, "attr", getattr(func, "id", "")) in COMPOSERS for func in calls)


def _only_seeds(statement: ast.stmt) -> bool:
    """Whether it is a loop that gives transforms their seeds, which changes no step."""
    body = statement.body if isinstance(statement, ast.For) and not statement.orelse else []
    calls = [each.value for each in body if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call)]
    seeds = [call for call in calls if getattr(call.func, "attr", "") == "set_random_seed"]
    return bool(body) and len(seeds) == len(body)


def _read_import(statement: ast.Import | ast.ImportFrom, values: Evaluator) -> None:
    """Keep under which names the libraries go; nothing is imported."""
    module = getattr(statement, "module", None) or ""
    if getattr(statement, "level", 0):
        raise refuse(statement, "imports a file of the project, which is not here; leave it out")
    for alias in statement.names:
        path = f"{module}.{alias.name}" if module else alias.name
        if path.partition(".")[0] not in LIBRARIES:
            raise refuse(statement, f"imports {path}, which no pipeline needs; leave it out")
        if module or alias.asname:
            values.libraries[alias.asname or alias.name] = path


def _word(statement: ast.stmt) -> str:
    """How Python calls the statement: its first word."""
    return f"`{ast.unparse(statement).split(None, 1)[0].rstrip(':')} …`"
