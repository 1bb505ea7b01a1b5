"""Pipelines kept on this machine under a name, and pipelines from JSON files: two popovers."""

import streamlit as st

from core.augmentation import AugmentationSpec
from core.errors import SpecError
from core.saved import Saved, SpecFolder
from core.spec import from_json
from ui import paths, state
from ui.text import plain
from ui.widgets import hold

MOST_SAVED = 200
"""So many are offered to be opened."""
OPEN, SAVE = "augment_open", "augment_save"


def pipelines() -> SpecFolder[AugmentationSpec]:
    """The saved pipelines."""
    return SpecFolder(AugmentationSpec, "a pipeline", paths.DATA / "augmentations")


def open_popover() -> None:
    """Pipelines saved here, to open, rename or delete, and one from a JSON file."""
    with st.popover("Open", icon=":material/folder_open:", key=OPEN, on_change="rerun") as popover:
        _show_refusals(OPEN, popover.open)
        if popover.open:
            _saved_choice(pipelines().list()[:MOST_SAVED])
            st.file_uploader(
                "A pipeline in a JSON file",
                type="json",
                max_upload_size=1,
                key="augment_file",
                on_change=_take_file,
            )


def save_popover(spec: AugmentationSpec) -> None:
    """Keep the pipeline in hand under a name, which becomes its own."""
    with st.popover("Save", icon=":material/save:", key=SAVE, on_change="rerun") as popover:
        _show_refusals(SAVE, popover.open)
        if popover.open:
            hold("augment_save_name", spec.name)
            with st.form("augment_save_form", border=False):
                st.text_input("Save here as", key="augment_save_name", max_chars=60)
                st.form_submit_button(
                    "Save",
                    key="augment_save_here",
                    on_click=_save,
                    help="Takes the place of what is saved under the same name.",
                )


def _saved_choice(saved: tuple[Saved[AugmentationSpec], ...]) -> None:
    if not saved:
        st.caption("Nothing is saved here yet.")
        return
    known = {each.key: each for each in saved}
    key = str(
        st.selectbox(
            "Saved here", list(known), key="augment_saved", format_func=lambda key: _title(known[key])
        )
    )
    chosen = known[key]
    if chosen.problem:
        st.warning(plain(chosen.problem), icon=":material/warning:")
    with st.container(horizontal=True):
        st.button(
            "Open",
            key="augment_open_saved",
            type="primary",
            on_click=_open,
            args=(key,),
            disabled=chosen.spec is None,
        )
        st.button(
            "Delete",
            key="augment_delete_saved",
            icon=":material/delete:",
            on_click=_delete,
            args=(key,),
            help="Deletes the file for good.",
        )
    if chosen.spec is not None:
        with st.form("augment_rename_form", border=False):
            st.text_input("New name", chosen.spec.name, key=f"augment_new_name_{key}", max_chars=60)
            st.form_submit_button("Rename", key="augment_rename", on_click=_rename, args=(key,))


def _title(saved: Saved[AugmentationSpec]) -> str:
    return saved.spec.name if saved.spec else f"⚠ {saved.key}.json"


def _save() -> None:
    name = st.session_state["augment_save_name"].strip()
    try:
        key = pipelines().save(state.current_augmentation(), name)
        state.set_augmentation(pipelines().load(key))
    except SpecError as error:
        _refuse(SAVE, error)
        return
    st.session_state[SAVE] = False
    st.toast(f"Saved as {plain(name)}", icon=":material/check:")


def _open(key: str) -> None:
    try:
        state.set_augmentation(pipelines().load(key))
    except SpecError as error:
        _refuse(OPEN, error)
        return
    st.session_state[OPEN] = False


def _delete(key: str) -> None:
    try:
        pipelines().delete(key)
    except SpecError as error:
        _refuse(OPEN, error)


def _rename(key: str) -> None:
    """Give the saved pipeline its new name; the one in hand stays as it is."""
    try:
        st.session_state["augment_saved"] = pipelines().rename(
            key, st.session_state[f"augment_new_name_{key}"]
        )
    except SpecError as error:
        _refuse(OPEN, error)


def _take_file() -> None:
    """Make the pipeline in the file the one in hand, or keep why not."""
    file = st.session_state["augment_file"]
    if file is None:
        return
    try:
        state.set_augmentation(from_json(AugmentationSpec, file.getvalue()))
    except SpecError as error:
        _refuse(OPEN, f"{file.name}: {error}")
        return
    st.session_state[OPEN] = False


def _refuse(popover: str, reason: SpecError | str) -> None:
    """Have this said in the popover where it was asked for, which stays open; the row around it is narrow."""
    st.session_state.setdefault(f"{popover}_refusals", []).append(str(reason))


def _show_refusals(popover: str, is_open: bool | None) -> None:
    """Say what was refused here since the last run of the page; nobody waits for it once it is closed."""
    refusals = st.session_state.pop(f"{popover}_refusals", [])
    if is_open:
        with st.container():  # a place of its own, so that what follows stays as it is
            for refusal in refusals:
                st.error(plain(refusal), icon=":material/error:")
