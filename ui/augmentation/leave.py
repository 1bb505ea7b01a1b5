"""Taking an augmentation away as Python, JSON or a picture, and bringing one in as JSON."""

import re
from collections.abc import Callable
from functools import partial

import streamlit as st

from core.augmentation import AugmentationSpec, to_python
from core.data import Dataset
from core.errors import SpecError
from core.spec import from_json, to_json
from ui import state
from ui.augmentation.gallery import Look
from ui.augmentation.preview import Shown
from ui.augmentation.sheet import contact_sheet
from ui.text import plain


def leave_with_it(spec: AugmentationSpec, dataset: Dataset, look: Look, shown: Shown | None) -> None:
    """The three downloads and the way back in; without a preview there is only JSON."""
    stem = re.sub(r"[^a-z0-9]+", "_", spec.name.lower()).strip("_") or "augmentation"
    with st.container(horizontal=True, key="augment_leave"):
        if shown is not None:
            names = [dataset.classes[label] for label in dataset.train.labels[list(look.indices)]]
            title = f"{spec.name} · {dataset.title} · seed {look.seed}"
            picture = partial(contact_sheet, shown, names, title, look.outlines)
            _download("Python", partial(to_python, spec, look.seed), f"{stem}.py", "text/x-python")
            _download("Contact sheet", picture, f"{stem}.png", "image/png")
        _download("JSON", partial(to_json, spec), f"{stem}.json", "application/json")
    if shown is not None:
        with st.expander("Python code", key="augment_code_shown"):
            st.caption(
                "For albumentations 2.0.8 and torch; it draws what this page shows, in the same order."
            )
            st.code(to_python(spec, look.seed), language="python")
    _say_refusals()
    st.file_uploader(
        "Bring one in as JSON", type="json", max_upload_size=1, key="augment_file", on_change=_take_file
    )


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


def _take_file() -> None:
    """Make the augmentation in the file the one in hand, or keep why not."""
    file = st.session_state["augment_file"]
    if file is None:
        return
    try:
        state.set_augmentation(from_json(AugmentationSpec, file.getvalue()))
    except SpecError as error:
        st.session_state["augment_file_refusal"] = str(error)


def _say_refusals() -> None:
    if refusal := st.session_state.pop("augment_file_refusal", None):
        st.error(plain(refusal), icon=":material/error:")
