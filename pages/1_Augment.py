"""Augment: tune an augmentation on real images, and see exactly what the training would get."""

import streamlit as st

from core.augmentation import notes, presets
from core.errors import ConvScopeError
from ui import cached, choices, layout, state
from ui.augmentation.course_code import course_code
from ui.augmentation.form import step_list
from ui.augmentation.gallery import look_controls, show_preview
from ui.augmentation.judge import show_findings
from ui.augmentation.leave import leave_with_it

layout.page_header("Augment", "Tune an augmentation on real images: what you see is what a training gets.")

try:
    dataset = cached.current_dataset()
except ConvScopeError as error:
    layout.stop_with(str(error), "Home", "Choose other images")

with st.container(horizontal=True, vertical_alignment="bottom"):
    spec = choices.augmentation_choice("augment")
    layout.link_to("Train", "Train with this")
state.set_augmentation(spec)
if note := notes().get(state.preset_key(spec, presets()) or ""):
    st.caption(note)
course_code()

shown = None
with st.grid(columns=2, min_column_width=360, gap="medium") as sides:
    with sides.cell():
        st.subheader("Preview", anchor="preview")
        look = look_controls(dataset)
        try:
            shown = show_preview(spec, dataset, look)
        except ConvScopeError as error:
            st.error(str(error), icon=":material/error:")
    with sides.cell():
        st.subheader("Steps", anchor="steps")
        show_findings(spec, dataset)
        step_list(spec, dataset)

st.subheader("Leave with it", anchor="leave")
leave_with_it(spec, dataset, look, shown)
