"""Reading the library's own documentation: what a transform does, and what each of its arguments means."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

# What tells users of ConvScope nothing: they meet one RGB image and no code.
UNTOLD = frozenset({"args", "targets", "image types", "number of channels", "examples", "example", "raises"})
UNTOLD |= {"returns", "references", "reference", "see also", "supported image types", "targets supported"}
LONGEST_HELP = 900

_SECTION = re.compile(r"^([A-Z][A-Za-z ]{2,40}):\s*$", re.MULTILINE)
_ARGUMENT = re.compile(r"^(\w+)\s*(?:\([^\n]*?\))?\s*:(?=\s)", re.MULTILINE)
_TYPE = re.compile(r"^(\w+)\s*\(.*?\)\s*:(?=\s)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Documentation:
    """The parts of a docstring that help to set a transform."""

    summary: str
    """Its first sentence."""
    text: str
    """All that it says apart from arguments, targets and examples, as Markdown."""
    arguments: Mapping[str, str]
    """What each argument means, as Markdown."""


def read_docstring(docstring: str) -> Documentation:
    """The parts of a docstring in the style of Google, as albumentations writes them."""
    parts = _SECTION.split(inspect.cleandoc(docstring))
    told = [parts[0].strip()]
    arguments: dict[str, str] = {}
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        if title.lower() == "args":
            arguments = _read_arguments(inspect.cleandoc("\n" + body))
        elif title.lower() not in UNTOLD:
            told.append(f"**{title}**\n\n{inspect.cleandoc(chr(10) + body)}")
    first = " ".join(parts[0].strip().split("\n\n")[0].split())
    summary = re.split(r"(?<=[.!?])\s", first, maxsplit=1)[0].rstrip(".:") + "."
    return Documentation(summary, _escape("\n\n".join(told).strip()), arguments)


def _read_arguments(body: str) -> dict[str, str]:
    """By name; an entry begins at the left edge, and its further lines are indented."""
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=\w)", body.strip()):
        match = _TYPE.match(entry) or _ARGUMENT.match(entry)
        if match:
            first, _, rest = entry[match.end() :].strip().partition("\n")
            words = "\n".join(filter(None, (first, inspect.cleandoc("\n" + rest))))
            found[match[1]] = _escape(words if len(words) <= LONGEST_HELP else words[:LONGEST_HELP] + " …")
    return found


def _escape(text: str) -> str:
    """As Markdown that shows dollars, stars and brackets of formulas as they are."""
    text = re.sub(r"(?<!\\)([$~<\[\]])", r"\\\1", text)
    text = re.sub(r"(?<=\w):(?=\w+:)", r"\\:", text)  # else :word: is an icon
    return re.sub(r"(?<!\*)\*(?![\s*])(?!\*)", r"\\*", re.sub(r"(?<=\w)_(?=\w)", r"\\_", text))
