"""Augment: tune an augmentation on real images, and see exactly what the training would get."""

import time

import streamlit as st

from core.augmentation import AugmentationSpec, notes, presets
from core.errors import ConvScopeError
from ui import cached, choices, layout, state
from ui.augmentation.course_code import course_code
from ui.augmentation.form import step_list
from ui.augmentation.gallery import show_preview
from ui.augmentation.judge import show_findings
from ui.augmentation.leave import leave_with_it
from ui.augmentation.meaning import for_the_network
from ui.augmentation.saved import open_popover, save_popover
from ui.augmentation.see_look import look_controls
from ui.augmentation.see_removed import show_removed
from ui.augmentation.see_steps import show_steps

STEPS, REMOVED, NETWORK = "Step by step", "How much is removed", "For the network"
LEAVE = "Leave with it"

# The browser draws what has come only when the stream of messages pauses; without, it is 20 ms later.
PAUSE = 0.025  # seconds

top, chooser = st.container(), st.container()


def draw_top() -> None:
    """What stands above the preview."""
    with top:
        layout.page_header(
            "Augment", "Tune an augmentation on real images: what you see is what a training gets."
        )


def draw_chooser() -> AugmentationSpec:
    """The augmentation in hand, chosen, opened or pasted."""
    with chooser:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            spec = choices.augmentation_choice("augment")
            open_popover()
            save_popover(spec)
            layout.link_to("Train", "Train with this")
        state.set_augmentation(spec)
        # What comes and goes has a place of its own: else all below would be drawn anew, and lose the focus.
        with st.container(key="augment_note"):
            if note := notes().get(state.preset_key(spec, presets()) or ""):
                st.caption(note)
        course_code()
    return spec


# On a redraw the preview goes first, so that the browser has it in the first part that it draws.
is_redraw = "augment_seed" in st.session_state
if not is_redraw:
    draw_top()
try:
    dataset = cached.current_dataset()
except ConvScopeError as error:
    if is_redraw:
        draw_top()
    layout.stop_with(str(error), "Home", "Choose other images")
spec = state.current_augmentation() if is_redraw else draw_chooser()

look = look_controls(dataset)
shown = None
with st.grid(columns=2, min_column_width=360, gap="small") as sides:
    with sides.cell():
        try:
            shown = show_preview(spec, look)
        except ConvScopeError as error:
            st.error(str(error), icon=":material/error:")
    if is_redraw:
        time.sleep(PAUSE)
        draw_top()
        draw_chooser()
    with sides.cell():
        with st.container(key="augment_judged"):
            show_findings(spec, dataset)
        step_list(spec, dataset)

# Only the view that is chosen is drawn, so that a slider waits for no other.
view = st.segmented_control(
    "A closer look",
    (STEPS, REMOVED, NETWORK, LEAVE),
    default=LEAVE,
    required=True,
    key="augment_view",
    bind="query-params",
)
if view == LEAVE:
    leave_with_it(spec, dataset.title, look, shown)
elif shown is None:
    st.caption("There is nothing to look at before the pipeline can run.")
elif view == STEPS:
    show_steps(spec, look)
elif view == NETWORK:
    for_the_network(spec, dataset)
else:
    show_removed(spec, dataset, look.seed)
