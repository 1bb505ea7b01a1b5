"""Charts of what an augmentation means for a network, in the colours of the theme."""

from collections.abc import Sequence

import altair as alt

from core.evaluation.evidence import NEARLY_ALL, Evidence
from core.evaluation.hidden_fields import LayerHidden
from core.evaluation.strength import Knob, StrengthCurve, StrengthPoint
from ui.layout import percent

Layered = alt.LayerChart | alt.FacetChart  # what `alt.layer` says it returns

HEIGHT = 320
MANY = 24
"""Beyond so many layers their names stand upright."""
BINS = 20
CONFIDENCE, OFF, PRESENT = "confidence", "accuracy with the step off", "present setting"


def fields_chart(layers: Sequence[LayerHidden]) -> alt.Chart:
    """For every layer, the share of the units that lose most of their field, and all of it."""
    rows = [
        {"layer": layer.name, "lose": lose, "share": share, "field": layer.receptive_field}
        for layer in layers
        for lose, share in (("more than half of their field", layer.mostly), ("all of it", layer.entirely))
    ]
    angle = -90 if len(layers) > MANY else -40
    axis = alt.Axis(labelAngle=angle, labelLimit=120, labelOverlap=False)
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows), height=HEIGHT)
        .mark_bar()
        .encode(
            x=alt.X("layer:N", sort=None, title=None, axis=axis),
            xOffset=alt.XOffset("lose:N", sort=None),
            y=alt.Y("share:Q", title="units that lose", axis=alt.Axis(format="%", tickCount=5)),
            color=alt.Color("lose:N", sort=None, legend=alt.Legend(title=None, orient="top", labelLimit=400)),
            tooltip=[
                alt.Tooltip("layer:N"),
                alt.Tooltip("lose:N", title="units that lose"),
                alt.Tooltip("share:Q", format=".1%"),
                alt.Tooltip("field:Q", title="receptive field, px"),
            ],
        )
    )
    return chart


def strength_chart(curve: StrengthCurve, knob: Knob, chosen: Sequence[str]) -> Layered:
    """Accuracy with its interval and confidence against the argument; the classes `chosen` beside it."""
    series: list[tuple[str, int | None]] = [("accuracy", None)]
    series += [(name, curve.classes.index(name)) for name in chosen]
    rows = [_strength_row(curve, point, *each) for each in series for point in curve.points]
    confident = [
        {"of": CONFIDENCE, "value": point.value, "share": curve.confidence(point)} for point in curve.points
    ]
    names = ["accuracy", CONFIDENCE, OFF, PRESENT, *chosen]
    color = alt.Color(
        "of:N",
        scale=alt.Scale(domain=names),
        legend=alt.Legend(title=None, orient="top", columns=2, labelLimit=300, symbolOpacity=1),
    )
    unit = f", {knob.unit}" if knob.unit else ""
    x = alt.X(
        "value:Q",
        title=f"{knob.label}{unit}",
        scale=alt.Scale(domain=[knob.minimum, knob.maximum], nice=False),
    )
    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, color=color)
    words = [alt.Tooltip("of:N", title="of"), alt.Tooltip("value:Q", title=knob.label)]
    told = [*words, alt.Tooltip("summary:N", title="recognised"), alt.Tooltip("between:N", title="95 %")]
    layers: list[alt.Chart] = [
        base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(point={"size": 60, "filled": True}, strokeWidth=3).encode(y=y, tooltip=told),
        alt.Chart(alt.InlineData(values=confident))
        .mark_line(strokeDash=[6, 4], strokeWidth=2.5)
        .encode(x=x, y=y, color=color, tooltip=[*words, alt.Tooltip("share:Q", format=".1%")]),
        alt.Chart(alt.InlineData(values=[{"of": OFF, "share": curve.accuracy(curve.off).value}]))
        .mark_rule(strokeDash=[2, 4], strokeWidth=2)
        .encode(y=y, color=color, tooltip=[alt.Tooltip("of:N"), alt.Tooltip("share:Q", format=".1%")]),
        *_present(knob, x, color),
    ]
    return alt.layer(*layers, height=HEIGHT + 60)


def _strength_row(
    curve: StrengthCurve, point: StrengthPoint, name: str, label: int | None
) -> dict[str, object]:
    accuracy = curve.accuracy(point, label)
    low, high = accuracy.interval
    return {
        "of": name,
        "value": point.value,
        "share": accuracy.value,
        "low": low,
        "high": high,
        "summary": f"{accuracy.correct:,} of {accuracy.total:,} ({percent(accuracy.value)})",
        "between": f"{percent(low)} to {percent(high)}",
    }


def _present(knob: Knob, x: alt.X, color: alt.Color) -> list[alt.Chart]:
    """Where the argument stands: a line, or a band and its two edges where it is drawn from a range."""
    if knob.present is None:
        return []
    least, most = knob.present
    ends = [{"of": PRESENT, "value": value} for value in dict.fromkeys((least, most))]
    tooltip = [alt.Tooltip("of:N"), alt.Tooltip("value:Q", title=knob.label)]
    rule = alt.Chart(alt.InlineData(values=ends)).mark_rule(strokeWidth=2.5, clip=True)
    marks = [rule.encode(x=x, color=color, tooltip=tooltip)]
    if least < most:
        band = alt.Chart(alt.InlineData(values=[{"of": PRESENT, "value": least, "most": most}]))
        marks.append(band.mark_rect(opacity=0.12, clip=True).encode(x=x, x2="most:Q", color=color))
    return marks


def evidence_chart(evidence: Evidence) -> alt.Chart:
    """How many images lose how much of their evidence, in steps of 5 %; nearly all stands out."""
    counts = [0] * BINS
    for share in evidence.measured:
        counts[min(int(share * BINS), BINS - 1)] += 1
    few, most = f"up to {percent(NEARLY_ALL, 0)}", "nearly all"
    rows = [
        {
            "from": turn / BINS,
            "to": (turn + 1) / BINS,
            "images": images,
            "loss": most if turn / BINS >= NEARLY_ALL else few,
            "between": f"{percent(turn / BINS, 0)} to {percent((turn + 1) / BINS, 0)}",
        }
        for turn, images in enumerate(counts)
    ]
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=rows), height=HEIGHT - 60)
        .mark_bar()
        .encode(
            x=alt.X(
                "from:Q",
                bin="binned",
                title="evidence under the holes",
                axis=alt.Axis(format="%", values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
                scale=alt.Scale(domain=[0, 1]),
            ),
            x2="to:Q",
            y=alt.Y("images:Q", title="images", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                "loss:N",
                scale=alt.Scale(domain=[few, most]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            tooltip=[alt.Tooltip("between:N", title="evidence removed"), alt.Tooltip("images:Q")],
        )
    )
    return chart
