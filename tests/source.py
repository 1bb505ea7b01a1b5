"""The project's source as syntax trees, for the tests that hold its structure."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PARTS = ("core", "ui", "pages", "benchmarks")
HEAVY = frozenset({"torch", "torchvision", "albumentations"})


@dataclass(frozen=True)
class Source:
    """One Python file of the project."""

    path: str
    """From the project's folder, with slashes."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """The name to import it by, as in `core.network.spec`."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def imports(self) -> tuple[tuple[int, str], ...]:
        """(line, dotted name) of everything imported anywhere in the file, also inside functions.

        `from core import data` counts as `core` and as `core.data`.
        """
        return tuple(sorted(_imports(self.tree)))

    def imports_from(self, *packages: str) -> list[str]:
        """What it imports from these packages, as "path:line name"."""
        return [
            f"{self.path}:{line} {name}"
            for line, name in self.imports
            if any(name == package or name.startswith(f"{package}.") for package in packages)
        ]

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call, with the dotted name that is called, as in `torch.load`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, ast.unparse(node.func)


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            yield node.lineno, package
            yield from ((node.lineno, f"{package}.{alias.name}") for alias in node.names)


def read_sources(*parts: str) -> tuple[Source, ...]:
    """The Python files below these folders, or those files themselves, in order of their paths."""
    found = []
    for part in parts:
        place = PROJECT / part
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.append(Source(path.relative_to(PROJECT).as_posix(), path.read_text(encoding="utf-8")))
    return tuple(found)


if __name__ == "__main__":
    # Run in an interpreter of its own: does importing the named modules bring in what is heavy?
    import importlib

    for name in sys.argv[1:]:
        importlib.import_module(name)
        heavy = sorted(HEAVY & sys.modules.keys())
        if heavy:
            sys.exit(f"import {name} brings in {', '.join(heavy)}")
