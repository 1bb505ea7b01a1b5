"""What the pages hand to one another: the network, the augmentation and the dataset in hand.

Each lives in the session; the page that edits it also writes it into the link, and a link that brings one
replaces the one in hand. A preset is written by its key, anything else as the packed spec.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import streamlit as st

from core import augmentation, network
from core.augmentation import AugmentationSpec
from core.errors import ConvScopeError
from core.network import Brief, NetworkSpec
from core.spec import from_link, to_link
from ui.history import History

T = TypeVar("T")

DEFAULT_NETWORK = "seed_004"
DEFAULT_BRIEF = "seeds_001_003_004"
DEFAULT_AUGMENTATION = "seed_004_as_intended"

AUGMENTATIONS = "augmentation_history"
"""In the session: what undo and redo walk over."""
HURRY_SECONDS = 5.0
"""For so long after a change, the link from before it is taken for a late one, not for a way back."""


def current_network() -> NetworkSpec:
    """The network in hand: the link's, else the session's, else the default preset."""
    return _current("network", NetworkSpec, network.presets, DEFAULT_NETWORK)


def set_network(spec: NetworkSpec, in_link: bool = True) -> None:
    """Make `spec` the network in hand, and write it into the link of this page if `in_link`."""
    _set("network", spec, network.presets(), in_link)


def known_briefs() -> Mapping[str, Brief | None]:
    """The briefs of the course projects by their key, and none."""
    return {**network.briefs(), "none": None}


def current_brief() -> Brief | None:
    """The brief in hand, or None where the network is to be judged by none."""
    known = cast(Callable[[], Mapping[str, Brief]], known_briefs)
    return _current("network_brief", Brief, known, DEFAULT_BRIEF)


def set_brief(brief: Brief | None) -> None:
    """Make `brief` the one in hand, and write it into the link of this page."""
    _set("network_brief", brief, known_briefs(), in_link=True)


def current_augmentation() -> AugmentationSpec:
    """The augmentation in hand: the link's, else the session's, else the default preset."""
    return _current("augmentation", AugmentationSpec, augmentation.presets, DEFAULT_AUGMENTATION)


def set_augmentation(spec: AugmentationSpec, in_link: bool = True) -> None:
    """Make `spec` the augmentation in hand, and write it into the link of this page if `in_link`."""
    st.session_state[AUGMENTATIONS] = _augmentations().push(spec)
    _set("augmentation", spec, augmentation.presets(), in_link)


def undo_augmentation() -> bool:
    """Put the augmentation in hand that was there before the last change, if there was one."""
    return _go(_augmentations().undo())


def redo_augmentation() -> bool:
    """Put the augmentation in hand that was taken back last, if one was."""
    return _go(_augmentations().redo())


def can_redo_augmentation() -> bool:
    """Whether one was taken back."""
    return bool(_augmentations().future)


def _go(history: History[AugmentationSpec]) -> bool:
    moved = history.present != current_augmentation()
    st.session_state[AUGMENTATIONS] = history
    _set("augmentation", history.present, augmentation.presets(), in_link=True)
    return moved


def _augmentations() -> History[AugmentationSpec]:
    """Those that were in hand; the present one may have come by a link."""
    spec = current_augmentation()
    history: History[AugmentationSpec] = st.session_state.get(AUGMENTATIONS, History(spec))
    return history.push(spec)


def preset_key(spec: T, presets: Mapping[str, T]) -> str | None:
    """The key of the preset that equals `spec`, if one does."""
    return next((key for key, preset in presets.items() if preset == spec), None)


def _current(field: str, cls: type[T], presets: Callable[[], Mapping[str, T]], default: str) -> T:
    link = st.query_params.get(field)
    if link and link != st.session_state.get(f"{field}_link") and link not in _overtaken(field):
        st.session_state[f"{field}_link"] = link
        try:
            known = presets()
            st.session_state[f"{field}_spec"] = known[link] if link in known else from_link(cls, link)
        except ConvScopeError as error:
            kind = field.removeprefix("network_")
            st.error(f"{error}. The {kind} in hand is kept.", icon=":material/link_off:")
    if f"{field}_spec" not in st.session_state:
        st.session_state[f"{field}_spec"] = presets()[default]
    spec: T = st.session_state[f"{field}_spec"]
    return spec


def _set(field: str, spec: Any, presets: Mapping[str, Any], in_link: bool) -> None:
    st.session_state[f"{field}_spec"] = spec
    if in_link:
        link = preset_key(spec, presets) or to_link(spec)
        if link != st.session_state.get(f"{field}_link"):
            before = {st.session_state.get(f"{field}_link"): time.monotonic()}
            st.session_state[f"{field}_overtaken"] = _overtaken(field) | before
        st.session_state[f"{field}_link"] = link
        write_link(field, link)


def write_link(field: str, value: str) -> None:
    """Write `field` into the link if it is not there: every write sends the server's whole view of the link.

    That would take back what a slider wrote into the link meanwhile.
    """
    if st.query_params.get(field) != value:
        st.query_params[field] = value


def _overtaken(field: str) -> dict[str | None, float]:
    """Links that were replaced just now, and when.

    A click that is made before the new link has reached the browser still carries the old one, which then is
    no wish to go back to it.
    """
    links: dict[str | None, float] = st.session_state.get(f"{field}_overtaken", {})
    return {link: since for link, since in links.items() if time.monotonic() - since < HURRY_SECONDS}
