"""Charts of an evaluation: the confusion matrix that can be clicked, and bars of accuracies and answers.

Their colours are the theme's, light and dark alike: nothing here names one.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from core.evaluation import Evaluation
from ui.evaluation.words import Focus
from ui.layout import percent

BarChart = alt.LayerChart | alt.FacetChart  # what `alt.layer` says it returns

SELECTION = "cell"
MAX_COUNTED_CLASSES = 25
"""With more classes the cells are too small to print counts in; the tooltip still has them."""

CELL_PIXELS = 34
BAR_PIXELS = 30

# A share of 1 comes to the middle of the theme's shades only, so that text can be read on every cell.
_SHADES = alt.Scale(type="sqrt", domain=[0, 4])

# The theme's ten categories by number: of these, 0 colours bars, 1 stands out from the shades of 0, and 9 is
# the text colour, which Streamlit does not give to text marks.
_CATEGORIES = alt.Scale(domain=list("0123456789"))
BAR, OUTLINE, TEXT = "0", "1", "9"


def _paint(chart: alt.Chart, category: str, channel: Any = alt.Color) -> alt.Chart:
    """`chart` with all of its marks in the theme's colour of `category`."""
    paint = channel("category:N", scale=_CATEGORIES, legend=None)
    return chart.transform_calculate(category=f"'{category}'").encode(paint)


def confusion_chart(evaluation: Evaluation, focus: Focus) -> alt.LayerChart:
    """The confusion matrix: true classes down, predicted across; the cells in focus are outlined.

    A click selects `SELECTION` with the fields `true` and `predicted`, both class names. The colour is the
    share of the row, on a fixed scale, so that two checkpoints can be compared by eye.
    """
    classes = alt.Scale(domain=list(evaluation.classes))
    across = alt.Axis(orient="top", labelAngle=-45, labelOverlap=False)
    base = alt.Chart(_cells(evaluation, focus)).encode(
        x=alt.X("predicted:N", scale=classes, title="predicted", axis=across),
        y=alt.Y("true:N", scale=classes, title="true"),
    )
    cells = base.mark_rect(cursor="pointer").encode(
        color=alt.Color("share:Q", scale=_SHADES, legend=None),
        tooltip=alt.Tooltip("summary:N", title="images"),
    )
    width = alt.condition("datum.is_in_focus", alt.value(3), alt.value(0))
    layers = [
        cells.add_params(alt.selection_point(name=SELECTION, fields=["true", "predicted"])),
        _paint(base.mark_rect(filled=False).encode(strokeWidth=width), OUTLINE, alt.Stroke),
    ]
    if len(evaluation.classes) <= MAX_COUNTED_CLASSES:
        opacity = alt.condition("datum.images == 0", alt.value(0.5), alt.value(1))
        layers.append(_paint(base.mark_text(fontSize=12).encode(text="images:Q", opacity=opacity), TEXT))
    height = CELL_PIXELS * max(len(evaluation.classes), 6) + 100
    chart: alt.LayerChart = alt.layer(*layers, height=height).resolve_scale(color="independent")
    return chart


def _cells(evaluation: Evaluation, focus: Focus) -> alt.InlineData:
    totals = evaluation.confusion.sum(axis=1)
    rows = []
    for row, name in enumerate(evaluation.classes):
        for column, other in enumerate(evaluation.classes):
            images, total = int(evaluation.confusion[row, column]), int(totals[row])
            share = images / total if total else 0.0
            fate = "recognised" if row == column else f"taken for {other}"
            rows.append(
                {
                    "true": name,
                    "predicted": other,
                    "images": images,
                    "share": share,
                    "summary": f"{images:,} of {total:,} {name} images {fate} ({percent(share)})",
                    "is_in_focus": focus.has_class and focus.covers(row, column),
                }
            )
    return alt.InlineData(values=rows)


def class_accuracy_chart(evaluation: Evaluation) -> BarChart:
    """The accuracy of every class with its 95 % interval, the lowest first."""
    rows = [
        {
            "class": name,
            "share": accuracy.value,
            "low": accuracy.interval[0],
            "high": accuracy.interval[1],
            "text": percent(accuracy.value),
            "summary": f"{accuracy.correct:,} of {accuracy.total:,} {name} images recognised",
            "between": f"{percent(accuracy.interval[0])} to {percent(accuracy.interval[1])}",
        }
        for name, accuracy in zip(evaluation.classes, evaluation.class_accuracies, strict=True)
    ]
    rows.sort(key=lambda row: -1 if row["share"] is None else row["share"])
    tooltip = [alt.Tooltip("summary:N", title=" "), alt.Tooltip("between:N", title="95 % interval")]
    base = _bars(rows).encode(tooltip=tooltip)
    ends = _paint(base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q"), TEXT)
    return _layer_bars(base, "high:Q", len(rows), ends)


def answer_chart(classes: Sequence[str], shares: Sequence[float]) -> BarChart:
    """What a network answers: the probability of each of `classes`, as a fraction, in the order given."""
    pairs = zip(classes, shares, strict=True)
    base = _bars([{"class": name, "share": share, "text": percent(share)} for name, share in pairs])
    return _layer_bars(base, "share:Q", len(classes))


def _bars(rows: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("class:N", sort=None, title=None, axis=alt.Axis(labelLimit=140))
    )


def _layer_bars(base: alt.Chart, text_at: str, count: int, *between: alt.Chart) -> BarChart:
    """Bars of the field `share` from 0 to 1, with room for the field `text` at the right of them."""
    axis = alt.X("share:Q", scale=alt.Scale(domain=[0, 1.15], nice=False), axis=None)
    bars = _paint(base.mark_bar(height={"band": 0.7}, opacity=0.6).encode(x=axis), BAR)
    text = base.mark_text(align="left", dx=6, fontSize=13).encode(x=text_at, text="text:N")
    return alt.layer(bars, *between, _paint(text, TEXT), height=BAR_PIXELS * count + 10)
