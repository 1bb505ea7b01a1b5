"""The preview, and how it follows a control of a step without the page around it being drawn again.

Each control is a fragment, which Streamlit runs alone once its value has changed. Before itself it draws the
preview, in a place that all of them share: one run, of some fifteen messages instead of a hundred.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.data import Dataset
from core.errors import ConvScopeError
from ui import state
from ui.augmentation import judge, leave
from ui.augmentation.gallery import Gallery, explain_gallery, hang, show_gallery
from ui.augmentation.leave import OnScreen, hold_on_screen
from ui.augmentation.see_look import Look

JUDGED, CLOSER = "augment_judged", "augment_closer"
"""The fragments around the preview that may show something of the pipeline too."""
VIEW, LEAVE = "augment_view", "Leave with it"
"""The widget that chooses the closer look, and the one that may need no drawing."""
DRAWN_SECONDS, MANY_MOVES_SECONDS = 0.1, 0.3
"""What the browser needs for the pictures, and how soon after one another the moves of one drag come."""


class LivePreview:
    """The preview in its place on the page, as one run of the whole page has laid it out."""

    def __init__(self, dataset: Dataset, look: Look) -> None:
        self._dataset, self._look = dataset, look
        self._follows, self._moved_at = False, 0.0
        self.prepare()
        place = st.container()
        explain_gallery(look)
        # A copy writes where the place begins, whatever the others wrote. An st.empty would do so too, but be
        # empty for a moment whenever the page runs: 40 to 90 ms without pictures.
        self._places: defaultdict[str, DeltaGenerator] = defaultdict(lambda: deepcopy(place))

    def start(self) -> None:
        """Called at the end of a run of the whole page: from now on, controls run alone."""
        self._follows = True

    def prepare(self, moved: int = 0) -> None:
        """Called from the callback of a control of step `moved`, before its run sends anything of the page.

        What follows then comes in one go, and the browser draws it in one go.
        """
        spec = state.current_augmentation()
        gallery: Gallery | ConvScopeError
        try:
            gallery = hang(spec, self._look, moved)
        except ConvScopeError as error:
            gallery = error
        self._ready = spec, gallery

    @contextmanager
    def follow(self, by: str) -> Iterator[None]:
        """Around what a control's fragment draws: the preview before it, what else is outdated behind it.

        The pictures come first, as what comes later may be sent later.
        """
        if not self._follows:  # the whole page runs: Streamlit wants to see who will write here later
            self._places[by].container()
            yield
            return
        self.draw(by)
        yield
        spec = state.current_augmentation()
        is_left = st.session_state.get(VIEW) == LEAVE and leave.is_up_to_date()
        outdated = [JUDGED] * (not judge.is_up_to_date(spec, self._dataset)) + [CLOSER] * (not is_left)
        # A link takes the browser 15 ms, which can wait for the pictures, but not in the midst of many moves.
        since, self._moved_at = self._moved_at, time.monotonic()
        if not outdated and self._moved_at - since > MANY_MOVES_SECONDS:
            time.sleep(DRAWN_SECONDS)
        state.set_augmentation(spec)
        if outdated:
            st.rerun(tuple(outdated))

    def draw(self, by: str) -> None:
        """The pictures of the pipeline in hand, or why there are none; from within a fragment."""
        spec = state.current_augmentation()
        if self._ready[0] is not spec:
            self.prepare()
        gallery = self._ready[1]
        with self._places[by].container():
            if isinstance(gallery, Gallery):
                show_gallery(gallery)
            else:
                st.error(str(gallery), icon=":material/error:")
        shown = gallery.shown if isinstance(gallery, Gallery) else None
        if hold_on_screen(OnScreen(spec, self._dataset.title, self._look, shown)):
            st.rerun()
