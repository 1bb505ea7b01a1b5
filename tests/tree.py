"""The folder tree in README.md, one line a file or folder, from first lines of docstrings: `make tree`."""

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
README = PROJECT / "README.md"
BLOCK = re.compile(r"(?<=<!-- tree: written by `make tree` -->\n```text\n).*?(?=```\n)", flags=re.DOTALL)
COLUMN = 30

# What has no docstring, in the order of the tree. A folder that ends in `/*` is listed file by file.
PLACES = {
    "streamlit_app.py": "",
    "pages/*": "one task per page, complete in itself; widgets and words only",
    "ui/*": "",
    "core/*": "the subject itself: never imports streamlit, never prints, never reads the environment",
    "checkpoints": "models that ship with the app, one folder each",
    "benchmarks/*": "",
    "tests": "one test_<module>.py for a module; pages, browser, architecture; `tree.py` writes this tree",
    "docs": "decisions, one page each",
    "requirements.txt": "direct dependencies, in tested ranges, each with its reason",
    "requirements.lock": "the full set that was tested, for every platform",
    "requirements-dev.txt": "tools for tests, checks and benchmarks",
    "Makefile": "every task of the project; `make` lists them",
    "pyproject.toml": "settings of ruff, mypy and pytest",
    ".streamlit": "the server's settings and the two themes",
    ".ci": "what continuous integration runs",
    ".github": "the workflow that calls it",
    ".gitignore": "what is made and never committed",
    "README.md": "this page",
    "CONTRIBUTING.md": "how we work",
    "CHANGELOG.md": "what changed",
    "LICENSE": "MIT",
}


def first_line(path: Path) -> str:
    """The first line of a Python file's docstring, without its full stop."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].removesuffix(".")


def tree() -> str:
    """The whole tree, as it stands on the disk."""
    lines: list[str] = []
    for place, summary in PLACES.items():
        path = PROJECT / place.removesuffix("/*")
        if place.endswith("/*"):
            lines += folder_lines(path, summary, level=0)
        elif path.exists():
            lines.append(line(path, summary or first_line(path), level=0))
    return "".join(f"{text}\n" for text in lines)


def folder_lines(folder: Path, summary: str, level: int) -> list[str]:
    """A package and its modules; then the packages in it, in the same way."""
    if not folder.is_dir():
        return []
    package = folder / "__init__.py"
    lines = [line(folder, summary or first_line(package), level)]
    modules = [module for module in sorted(folder.glob("*.py")) if module != package]
    lines += [line(module, first_line(module), level + 1) for module in modules]
    for inner in sorted(path.parent for path in folder.glob("*/__init__.py")):
        lines += folder_lines(inner, "", level + 1)
    return lines


def line(path: Path, summary: str, level: int) -> str:
    """One line: the name, indented, and what it is."""
    name = "  " * level + path.name + ("/" if path.is_dir() else "")
    return f"{name:<{COLUMN}} {summary}"


def main() -> None:
    """Put the tree into README.md."""
    text = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda _: tree(), text), encoding="utf-8")


if __name__ == "__main__":
    main()
