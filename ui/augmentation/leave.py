"""Taking an augmentation away as Python, JSON or a picture."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.augmentation import AugmentationSpec, to_python
from core.spec import to_json
from ui.augmentation.preview import Shown
from ui.augmentation.see_look import Look
from ui.augmentation.sheet import contact_sheet
from ui.text import file_stem

FORCED = " · every step acts"
IN_HAND, CODE_SHOWN = "augment_leaving", "augment_code_shown"


@dataclass(frozen=True, eq=False, slots=True)
class OnScreen:
    """What a person sees, and takes away."""

    spec: AugmentationSpec
    dataset_title: str
    look: Look
    shown: Shown | None
    """None where the pipeline cannot run."""

    def python(self) -> str:
        """The code that draws what is on screen."""
        return to_python(self.spec, self.look.seed)

    def json(self) -> str:
        """The pipeline alone."""
        return to_json(self.spec)

    def sheet(self) -> bytes:
        """The pictures as one PNG file."""
        assert self.shown is not None, "offered with a preview only"
        forced = FORCED * self.look.forced
        title = f"{self.spec.name} · {self.dataset_title} · seed {self.look.seed}{forced}"
        return contact_sheet(self.shown, self.look.names, title, self.look.outlines)


class _Held:
    """What is on screen, for downloads that are made on the click, outside of any run of the page."""

    def __init__(self, now: OnScreen) -> None:
        self.now = now


def hold_on_screen(now: OnScreen) -> bool:
    """Let the downloads give this from now on; True if others are to be offered than for what was before."""
    held: _Held = st.session_state.setdefault(IN_HAND, _Held(now))
    before, held.now = held.now, now
    return (before.shown is None) != (now.shown is None)


def on_screen() -> OnScreen:
    """What was held last."""
    held: _Held = st.session_state[IN_HAND]
    return held.now


def is_up_to_date() -> bool:
    """Whether what `leave_with_it` drew before holds for what is on screen by now."""
    return not st.session_state.get(CODE_SHOWN)


def leave_with_it(now: OnScreen) -> None:
    """The three downloads and the code; without a preview there is only JSON."""
    held: _Held = st.session_state[IN_HAND]
    stem = file_stem(now.spec.name, "augmentation")
    can_run = now.shown is not None
    with st.container(horizontal=True, key="augment_leave"):
        if can_run:
            _download("Python", lambda: held.now.python(), f"{stem}.py", "text/x-python")
            _download("Contact sheet", lambda: held.now.sheet(), f"{stem}.png", "image/png")
        _download("JSON", lambda: held.now.json(), f"{stem}.json", "application/json")
    if can_run:
        with st.expander("Python code", key=CODE_SHOWN, on_change="rerun") as expander:
            if expander.open:
                same = "what this page shows, in the same order"
                told = "with the chances above" if now.look.forced else same
                st.caption(f"For albumentations 2.0.8 and torch; it draws {told}.")
                st.code(now.python(), language="python")


def _download(label: str, make: Callable[[], str | bytes], file_name: str, mime: str) -> None:
    """Offer what `make` gives, made on the click: what is made before is gone again when a slider moves."""
    st.download_button(
        label,
        make,
        file_name,
        mime,
        key=f"augment_download_{label.lower().replace(' ', '_')}",
        icon=":material/download:",
        on_click="ignore",
    )
