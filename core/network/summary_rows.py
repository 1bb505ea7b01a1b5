"""The rows of a pasted summary table, as torchsummary or torchinfo prints it."""

import re
from typing import NamedTuple

from core.errors import SpecError
from core.network.spec import MAX_CHANNELS

MAX_TEXT = 200_000
"""Characters: a README around the table is fine, a book is not."""
MAX_LINE = 400
MAX_ROWS = 600
"""A network of the largest size allowed has 60 layers with eight steps each."""
MAX_SIDE = 512

_SHAPE = r"\[(-?\d{1,9}(?:, ?\d{1,9}){1,3})\]"
_TORCHSUMMARY = re.compile(rf"\s*([A-Za-z_]\w{{0,99}})-\d{{1,9}}\s+{_SHAPE}\s+([\d,]{{1,15}})\s*")
_TORCHINFO = re.compile(
    rf"[\s│├└─]*([A-Za-z_]\w{{0,99}})(?: \(\S{{1,99}}\))?: (\d{{1,3}})-\d{{1,9}}\s+(?:{_SHAPE}|--)\s+"
    r"([\d,]{1,15}|--|\(recursive\))\s*"
)
_RULE = re.compile(r"[\s=_-]*")


class SummaryRow(NamedTuple):
    """One row: a module and what it puts out."""

    line: int
    """In the pasted text, from 1."""
    label: str
    """As printed, such as `Conv2d-10`."""
    kind: str
    """The module's class."""
    output_shape: tuple[int, ...]
    """(C, H, W) or (C,)."""
    num_params: int

    @property
    def place(self) -> str:
        """Where the row is, for an error."""
        return f"line {self.line} ({self.label})"


class SummaryText(NamedTuple):
    """What a pasted table says."""

    rows: tuple[SummaryRow, ...]
    num_params: int | None
    """The printed total."""
    input_megabytes: float | None
    batch: int
    """Images that the sizes are of."""


def read_rows(text: str) -> SummaryText:
    """The table in the text; what stands before and after it is passed over.

    Raises `SpecError` at the line that is no row, and where the text holds no table or too much.
    """
    if len(text) > MAX_TEXT:
        raise SpecError(
            f"the text has {len(text):,} characters, at most {MAX_TEXT:,} are read; paste the table"
        )
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if "Layer (type" in line), None)
    if start is None:
        raise SpecError(
            "there is no table: its first line must hold 'Layer (type)', as torchsummary prints it"
        )
    rows: list[tuple[SummaryRow, int, int]] = []
    end = len(lines)
    for number, line in enumerate(lines[start + 1 :], start + 2):
        if len(line) > MAX_LINE:
            raise SpecError(f"line {number}: it has {len(line):,} characters, at most {MAX_LINE} are read")
        if line.lstrip().startswith("Total params"):
            end = number - 1
            break
        if not _RULE.fullmatch(line):
            rows += _read_row(number, line, is_first=not rows)
        if len(rows) > MAX_ROWS:
            raise SpecError(
                f"line {number}: the table has more than {MAX_ROWS} rows, which no network here has"
            )
    depths = [depth for _, depth, _ in rows]
    # torchinfo prints a container before what it holds, one deeper.
    leaves = [row for (row, depth, _), below in zip(rows, [*depths[1:], 0], strict=False) if below <= depth]
    if not leaves:
        raise SpecError(f"line {start + 1}: no rows follow it; paste the whole table")
    tail = "\n".join(lines[end : end + 12])
    total = re.search(r"Total params: ([\d,]{1,15})", tail)
    size = re.search(r"Input size \(MB\): (\d{1,9}\.\d{1,4})", tail)
    return SummaryText(
        tuple(leaves),
        int(total[1].replace(",", "")) if total else None,
        float(size[1]) if size else None,
        rows[0][2],
    )


def _read_row(number: int, line: str, is_first: bool) -> list[tuple[SummaryRow, int, int]]:
    """The row with its depth and its batch; none for the row of torchinfo that names the whole network."""
    label = " ".join(line.split("[")[0].strip(" │├└─\t").split())[:60]
    if match := _TORCHSUMMARY.fullmatch(line):
        kind, shape, params, depth = match[1], match[2], match[3], 0
    elif match := _TORCHINFO.fullmatch(line):
        kind, shape, params, depth = match[1], match[3], match[4], int(match[2])
        if params == "(recursive)":
            raise SpecError(
                f"line {number} ({label}): it is called again with the same weights; a spec cannot"
            )
    elif is_first and re.match(r"[A-Za-z_]\w*\s+(\[|--)", line):
        return []
    else:
        rule = "a row must be a module, [-1, channels, height, width] and its parameters"
        raise SpecError(
            f"line {number}: {rule}, got {line.strip()[:60]!r}; paste the table as it was printed"
        )
    if shape is None:
        raise SpecError(
            f"line {number} ({label}): it has no output shape; print the table with an input size"
        )
    batch, *sizes = (int(part) for part in shape.split(","))
    sides = sizes[1:]
    if len(sides) not in (0, 2) or sizes[0] < 1 or (sides and sizes[0] > MAX_CHANNELS):
        rule = "is neither a map (channels, height, width) nor a vector that a network has"
        raise SpecError(f"line {number} ({label}): [{shape}] {rule}")
    if not all(1 <= side <= MAX_SIDE for side in sides):
        raise SpecError(f"line {number} ({label}): height and width must be 1 to {MAX_SIDE}, got [{shape}]")
    num_params = 0 if params == "--" else int(params.replace(",", "") or 0)
    return [(SummaryRow(number, label, kind, tuple(sizes), num_params), depth, abs(batch))]
