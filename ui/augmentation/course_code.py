"""Course code: the albumentations pipeline of a project, pasted and translated, with every change told."""

import streamlit as st

from core.augmentation import LegacyReading, parse_legacy
from core.augmentation.spec import NORMALIZE
from core.errors import SpecError
from ui import state
from ui.augmentation import edit
from ui.text import plain

MAX_CHARACTERS = 50_000
EXAMPLE = """train_transforms = A.Compose([
    A.HorizontalFlip(),
    A.ShiftScaleRotate(),
    A.CoarseDropout(max_holes=1, max_height=16, max_width=16, fill_value=0.47),
    A.Normalize(mean, std),
    ToTensorV2(),
])"""


def course_code() -> None:
    """A place to paste code, what it becomes, and a button that takes it over."""
    with st.expander("Course code", icon=":material/code:", key="augment_code_expander"):
        st.caption(
            "Paste the pipeline of a course project, written for albumentations 0.4 to 2.0.8. It is read, "
            "never run. Names and defaults that changed since are translated, and every change is told."
        )
        with st.form("augment_code_form", border=False):
            source = st.text_area(
                "Code", key="augment_code", height=220, max_chars=MAX_CHARACTERS, placeholder=EXAMPLE
            )
            is_sent = st.form_submit_button("Read it", key="augment_read_code")
        if not source.strip():
            if is_sent:
                st.caption("There is no code yet: paste the lines from A.Compose([ to ]).")
            return
        try:
            reading = parse_legacy(source)
        except SpecError as error:
            st.error(plain(str(error)), icon=":material/error:")
        else:
            _show_reading(reading)


def _show_reading(reading: LegacyReading) -> None:
    steps = [step.transform for step in reading.spec.steps]
    chain = " → ".join(steps if NORMALIZE in steps else [*steps, NORMALIZE])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":green[:material/check_circle:] Understood: {plain(chain)}", width="stretch")
        st.button(
            "Use this pipeline",
            key="augment_use_code",
            type="primary",
            on_click=state.set_augmentation,
            args=(edit.same_preset(reading.spec) or reading.spec,),
        )
    if not reading.changes:
        st.caption("Nothing had to be changed.")
    with st.container(key="augment_changes", gap="small"):
        for change in reading.changes:
            was = f"{plain(change.was)} → " if change.was else ""
            became = plain(change.became) if change.became else "*left out*"
            st.markdown(f"**Line {change.line} · {plain(change.step)}**: {plain(change.why)}.")
            st.caption(f"{was}{became}")
