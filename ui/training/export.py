"""Curves and tables taken away: as CSV, and as a picture that needs no browser and no network."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.training import Run

SCALE = 2
"""Pixels of a picture for each of its units, so that it is sharp on a projector."""
WIDTH = 460
ROW_HEIGHT = 22


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The rows under the names of their fields; empty without rows."""
    fields = list(dict.fromkeys(field for row in rows for field in row))
    file = io.StringIO()
    writer = csv.DictWriter(file, fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows({field: _cell(value) for field, value in row.items()} for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula is made text again."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def history_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Every epoch of every run, with all that was measured in it."""
    return [{"run": run.title, "id": run.id, **asdict(row)} for run in runs for row in run.history]


def download(label: str, field: str, make: Callable[[], str | bytes], file_name: str) -> None:
    """Offer what `make` gives, made on the click and not before."""
    mime = "image/png" if file_name.endswith(".png") else "text/csv"
    st.download_button(
        label, make, file_name, mime, key=f"train_{field}", icon=":material/download:", on_click="ignore"
    )


def to_png(charts: Sequence[dict[str, Any]], rows: Sequence[dict[str, str]], title: str) -> bytes:
    """The charts beside each other and a table of `rows` below, on white."""
    # Its engine takes 80 MB, which no visitor needs who only looks.
    import vl_convert

    pictures = [chart | {"width": WIDTH} for chart in charts]
    whole: dict[str, Any] = {
        "title": {"text": title, "anchor": "start", "fontSize": 18},
        "background": "white",
        "padding": 16,
        "config": {"range": {"category": st.get_option("theme.light.chartCategoricalColors")}},
        "vconcat": [{"hconcat": pictures}, _table(rows)] if rows else [{"hconcat": pictures}],
    }
    return vl_convert.vegalite_to_png(vl_spec=whole, scale=SCALE)


def _table(rows: Sequence[dict[str, str]]) -> dict[str, Any]:
    """A table as a chart of text, its columns as wide as their longest word."""
    fields = list(dict.fromkeys(field for row in rows for field in row))
    lines = [dict(zip(fields, fields, strict=True)), *rows]
    widths = [max(len(str(line.get(field, ""))) for line in lines) * 7 + 20 for field in fields]
    cells = [
        {
            "x": sum(widths[:column]),
            "y": turn * ROW_HEIGHT + ROW_HEIGHT / 2,
            "text": str(line.get(field, "")),
        }
        for turn, line in enumerate(lines)
        for column, field in enumerate(fields)
    ]
    position = {"type": "quantitative", "axis": None}
    return {
        "data": {"values": cells},
        "width": sum(widths),
        "height": len(lines) * ROW_HEIGHT,
        "view": {"stroke": None},
        "mark": {"type": "text", "align": "left", "baseline": "middle", "fontSize": 12},
        "encoding": {
            "x": {"field": "x", **position, "scale": {"domain": [0, sum(widths)], "nice": False}},
            "y": {
                "field": "y",
                **position,
                "scale": {"domain": [len(lines) * ROW_HEIGHT, 0], "nice": False},
            },
            "text": {"field": "text", "type": "nominal"},
        },
    }
