"""The preview, and how it follows a control of a step without the page around it being drawn again.

Each control is a fragment, which Streamlit runs alone once its value has changed. Before itself it draws the
preview, in a place that all of them share: one run, of some fifteen messages instead of a hundred.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.data import Dataset
from core.errors import ConvScopeError
from ui import state
from ui.augmentation import judge, leave
from ui.augmentation.gallery import Gallery, hang, show_gallery
from ui.augmentation.leave import OnScreen, hold_on_screen
from ui.augmentation.see_look import Look
from ui.sent import wait_until_sent

JUDGED, CLOSER = "augment_judged", "augment_closer"
"""The fragments around the preview that may show something of the pipeline too."""
VIEW, LEAVE = "augment_view", "Leave with it"
"""The widget that chooses the closer look, and the one that may need no drawing."""
SETTLED_SECONDS = 0.3
"""In which the browser surely hears of the end of a run."""


class LivePreview:
    """The preview in its place on the page, as one run of the whole page has laid it out."""

    def __init__(self, dataset: Dataset, look: Look) -> None:
        self._dataset, self._look = dataset, look
        self._follows, self._owed_until = False, 0.0
        self._prepare()
        place = st.container()
        # A copy writes where the place begins, whatever the others wrote. An st.empty would do so too, but be
        # empty for a moment whenever the page runs: 40 to 90 ms without pictures.
        self._places: defaultdict[str, DeltaGenerator] = defaultdict(lambda: deepcopy(place))

    def start(self) -> None:
        """Called at the end of a run of the whole page: from now on, controls run alone."""
        self._follows = True
        wait_until_sent()  # a control that was moved meanwhile runs at once

    def move(self, key: str, step: int) -> None:
        """Called from the callback of the control with this key, of this step: its fragment runs next.

        So do those around the preview if one is outdated, which only a callback can ask for. The pictures are
        made before anything is sent: what follows then comes in one go, and is drawn in one go.
        """
        self._prepare(step)
        is_judged = judge.is_up_to_date(state.current_augmentation(), self._dataset)
        is_left = st.session_state.get(VIEW) == LEAVE and leave.is_up_to_date()
        if not is_judged or not is_left or self._is_owing():
            self._owed_until = math.inf
            st.rerun((key, JUDGED, CLOSER))

    def settle(self) -> None:
        """Called at the end of the last fragment that `move` asks for."""
        if self._is_owing():
            self._owed_until = time.monotonic() + SETTLED_SECONDS

    def _is_owing(self) -> bool:
        """Whether the last such run may not have come to its end in the browser: a move breaks it off.

        What it was to take off, such as a finding, would then stay.
        """
        return time.monotonic() < self._owed_until

    def _prepare(self, moved: int = 0) -> None:
        spec = state.current_augmentation()
        gallery: Gallery | ConvScopeError
        try:
            gallery = hang(spec, self._look, moved)
        except ConvScopeError as error:
            gallery = error
        self._ready = spec, gallery

    def control(self, key: str, draw: Callable[[], None]) -> None:
        """Have `draw` draw a control that calls `move` with this key; it runs alone, the preview before it.

        The pictures come first, as what comes later may be sent later.
        """

        @st.fragment(key=key)
        def control() -> None:
            if not self._follows:  # the whole page runs: Streamlit wants to see who will write here later
                self._places[key].container()
                draw()
                return
            self.show(key)
            draw()
            state.set_augmentation(state.current_augmentation())

        control()

    def show(self, by: str) -> None:
        """The pictures of the pipeline in hand, or why there are none; from within a fragment."""
        spec = state.current_augmentation()
        if self._ready[0] is not spec:
            self._prepare()
        gallery = self._ready[1]
        with self._places[by].container():
            if isinstance(gallery, Gallery):
                show_gallery(gallery)
            else:
                st.error(str(gallery), icon=":material/error:")
        shown = gallery.shown if isinstance(gallery, Gallery) else None
        if hold_on_screen(OnScreen(spec, self._dataset.title, self._look, shown)):
            st.rerun()
