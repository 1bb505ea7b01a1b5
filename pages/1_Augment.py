"""Augment: tune an augmentation on real images, and see exactly what the training would get."""

import streamlit as st

from core.augmentation import notes, presets
from core.errors import ConvScopeError
from ui import cached, choices, layout, state
from ui.augmentation.course_code import course_code
from ui.augmentation.form import step_list
from ui.augmentation.gallery import explain_gallery
from ui.augmentation.judge import show_findings
from ui.augmentation.leave import leave_with_it, on_screen
from ui.augmentation.live import CLOSER, JUDGED, LEAVE, VIEW, LivePreview
from ui.augmentation.meaning import for_the_network
from ui.augmentation.saved import open_popover, save_popover
from ui.augmentation.see_look import look_controls
from ui.augmentation.see_removed import show_removed
from ui.augmentation.see_steps import show_steps
from ui.augmentation.style import SIDES, dress_page
from ui.augmentation.undo import undo_buttons

STEPS, REMOVED, NETWORK = "Step by step", "How much is removed", "For the network"

layout.page_header("Augment", "Tune an augmentation on real images: what you see is what a training gets.")
dress_page()
try:
    dataset = cached.current_dataset()
except ConvScopeError as error:
    layout.stop_with(str(error), "Home", "Choose other images")

with st.container(horizontal=True, vertical_alignment="bottom"):
    chosen = choices.augmentation_choice("augment")
    open_popover()
    save_popover(chosen)
    undo_buttons()
    layout.link_to("Train", "Train with this")
state.set_augmentation(chosen)
# What comes and goes has a place of its own: else all below would be drawn anew, and lose the focus.
with st.container(key="augment_note"):
    if note := notes().get(state.preset_key(chosen, presets()) or ""):
        st.caption(note)
course_code()


@st.fragment
def draw_preview() -> None:
    """The pictures; a fragment as the controls are, which share its place."""
    live.show("augment_preview")


@st.fragment(key=JUDGED)
def draw_findings() -> None:
    """What is to be said about the pipeline in hand."""
    with st.container(key="augment_judged"):
        show_findings(state.current_augmentation(), dataset)


@st.fragment(key=CLOSER)
def draw_closer_look() -> None:
    """The one view that is chosen; only that is drawn, so that a slider waits for no other."""
    view = st.segmented_control(
        "A closer look",
        (STEPS, REMOVED, NETWORK, LEAVE),
        default=LEAVE,
        required=True,
        key=VIEW,
        bind="query-params",
    )
    now = on_screen()
    if view == LEAVE:
        leave_with_it(now)
    elif now.shown is None:
        st.caption("There is nothing to look at before the pipeline can run.")
    elif view == STEPS:
        show_steps(now.spec, look)
    elif view == NETWORK:
        for_the_network(now.spec, dataset)
    else:
        show_removed(now.spec, dataset, look.seed)
    live.settle()


look = look_controls(dataset)
explain_gallery(look)
with st.grid(columns=2, min_column_width=270, gap="small", key=SIDES) as sides:
    with sides.cell():
        live = LivePreview(dataset, look)
        draw_preview()
    with sides.cell():
        draw_findings()
        step_list(dataset, live)
draw_closer_look()
live.start()
