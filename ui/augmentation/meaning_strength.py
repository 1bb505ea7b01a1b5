"""Accuracy and confidence of a checkpoint against the strength of one step."""

from typing import Any

import streamlit as st

from core.augmentation import AugmentationSpec
from core.augmentation.controls import Control
from core.data import Dataset
from core.evaluation.strength import Knob, StrengthCurve, StrengthPoint, curve_settings, first_of, list_knobs
from ui.augmentation.meaning_charts import strength_chart
from ui.augmentation.meaning_sample import Sample, fitting_checkpoint, measured
from ui.augmentation.offers import offered_transforms
from ui.layout import count, percent
from ui.text import plain

STEP, ARGUMENT = "augment_meaning_step", "augment_meaning_argument"


def show(spec: AugmentationSpec, dataset: Dataset, sample: Sample) -> None:
    """Choose checkpoint, step and argument; the curve once it is measured, as a chart and as a table."""
    checkpoint = fitting_checkpoint(dataset)
    with st.grid(columns=2, min_column_width=220, gap="small") as row:
        chosen = _choose_knob(spec, row)
    if chosen is None:
        st.info("No step of this augmentation has a number that could grow.", icon=":material/tune:")
        return
    index, knob = chosen
    settings = curve_settings(spec, index, knob, min(sample.images, len(dataset.test)), sample.seed)
    options = ["--step", settings.step + 1, "--images", settings.images, "--seed", settings.seed]
    options += ["--argument", *settings.arguments, "--values", *settings.values]
    curve = measured("Measure the curve", "strength", StrengthCurve, settings, checkpoint, dataset, options)
    if curve is None:
        st.caption(
            f"{count((1 + len(settings.values)) * settings.images)} pictures to look at, in a process of its "
            "own, which goes on while you do."
        )
        return
    _show_curve(curve, knob)


def _controls(transform: str) -> tuple[Control, ...]:
    offered = offered_transforms().get(transform)
    return offered.controls if offered else ()


def _choose_knob(spec: AugmentationSpec, row: Any) -> tuple[int, Knob] | None:
    """The index of a step and what is turned of it; None where no step has a number."""
    knobs = [list_knobs(step, _controls(step.transform)) for step in spec.steps]
    first = first_of(spec, knobs)
    if first is None:
        return None
    usable = [index for index, of_step in enumerate(knobs) if of_step]
    if st.session_state.get(STEP) not in usable:
        st.session_state[STEP] = first
    with row.cell():
        index = st.selectbox(
            "Step", usable, key=STEP, format_func=lambda index: f"{index + 1} · {spec.steps[index].transform}"
        )
    by_label = {knob.label: knob for knob in knobs[index]}
    if st.session_state.get(ARGUMENT) not in by_label:
        st.session_state[ARGUMENT] = next(iter(by_label))
    with row.cell():
        label = st.selectbox("Argument", list(by_label), key=ARGUMENT)
    return index, by_label[label]


def _show_curve(curve: StrengthCurve, knob: Knob) -> None:
    st.markdown(_words(curve, knob))
    chosen = st.pills(
        "Classes to draw beside",
        curve.classes,
        selection_mode="multi",
        key="augment_meaning_classes",
    )
    st.altair_chart(
        strength_chart(curve, knob, chosen),
        alt=f"Accuracy against {knob.label}: "
        + ", ".join(f"{point.value:g} {percent(curve.accuracy(point).value)}" for point in curve.points),
        key="augment_meaning_curve",
    )
    _table(curve, knob)
    step = curve.settings.augmentation.steps[curve.settings.step]
    st.caption(
        f"{count(sum(curve.totals))} test images, the same with the same draws at every value. Only "
        f"{step.transform} acts, and on every image, whatever its probability; a range is set to the one "
        "number. Bands are 95 % intervals after Wilson."
    )
    if curve.settings.step:
        st.caption(
            "The step comes behind Normalize: what it makes of the numbers is shown to the network as 8-bit "
            "pixels, cut off at 0 and 255."
        )


def _words(curve: StrengthCurve, knob: Knob) -> str:
    """What is lost, at most, and whether the stored evaluation agrees about the images as they are."""
    off = curve.accuracy(curve.off)
    lowest = min(curve.points, key=lambda point: sum(point.correct))
    unit = f" {knob.unit}" if knob.unit in ("px", "°", "×") else ""
    words = (
        f"With the step off **{percent(off.value)}** are recognised ({count(off.correct)} of "
        f"{count(off.total)}), the fewest at {lowest.value:g}{unit}: "
        f"**{percent(curve.accuracy(lowest).value)}**."
    )
    if knob.present is None:
        words += " The present setting is no single number, so it is not marked."
    if curve.stored_correct == off.correct:
        words += f" The stored evaluation says exactly {count(off.correct)} of these images, too."
    elif curve.stored_correct is not None:
        words += (
            f" :orange[The stored evaluation says {count(curve.stored_correct)} of these images: it was made "
            "on another machine, or with other versions.]"
        )
    return words


def _table(curve: StrengthCurve, knob: Knob) -> None:
    config: dict[str, Any] = {
        "value": st.column_config.TextColumn(knob.label, pinned=True, width=120),
        "accuracy": st.column_config.NumberColumn("Accuracy", format="percent"),
        "interval": st.column_config.TextColumn("95 % interval"),
        "confidence": st.column_config.NumberColumn(
            "Confidence", format="percent", help="Mean probability of the prediction, right or wrong"
        ),
    }
    config |= {
        f"class{label}": st.column_config.NumberColumn(
            plain(name), format="percent", help=f"Of {count(curve.totals[label])} images"
        )
        for label, name in enumerate(curve.classes)
    }
    st.dataframe(
        [_row(curve, knob, point) for point in (curve.off, *curve.points)],
        column_config=config,
        hide_index=True,
        height="content",
        key="augment_meaning_curve_table",
        alt=f"Accuracy and confidence against {knob.label}, over all images and by class",
    )


def _row(curve: StrengthCurve, knob: Knob, point: StrengthPoint) -> dict[str, Any]:
    accuracy = curve.accuracy(point)
    low, high = accuracy.interval
    is_present = knob.present is not None and point.value is not None
    is_present = is_present and knob.present[0] <= point.value <= knob.present[1]  # type: ignore[index,operator]
    value = "off" if point.value is None else f"{point.value:g}".replace("-", "−")
    return {
        "value": f"{value} (present)" if is_present else value,
        "accuracy": accuracy.value,
        "interval": f"{percent(low)} to {percent(high)}",
        "confidence": curve.confidence(point),
    } | {f"class{label}": curve.accuracy(point, label).value for label in range(len(curve.classes))}
