"""Taking an augmentation away as Python, JSON or a picture."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.augmentation import AugmentationSpec, to_python
from core.spec import to_json
from ui.augmentation.preview import Shown
from ui.augmentation.see_look import Look
from ui.augmentation.sheet import contact_sheet
from ui.text import file_stem

FORCED = " · every step acts"


def leave_with_it(spec: AugmentationSpec, dataset_title: str, look: Look, shown: Shown | None) -> None:
    """The three downloads and the code; without a preview there is only JSON."""
    stem = file_stem(spec.name, "augmentation")
    with st.container(horizontal=True, key="augment_leave"):
        if shown is not None:
            title = f"{spec.name} · {dataset_title} · seed {look.seed}{FORCED * look.forced}"
            picture = partial(contact_sheet, shown, look.names, title, look.outlines)
            _download("Python", partial(to_python, spec, look.seed), f"{stem}.py", "text/x-python")
            _download("Contact sheet", picture, f"{stem}.png", "image/png")
        _download("JSON", partial(to_json, spec), f"{stem}.json", "application/json")
    if shown is not None:
        with st.expander("Python code", key="augment_code_shown", on_change="rerun") as expander:
            if expander.open:
                same = "with the chances above" if look.forced else "what this page shows, in the same order"
                st.caption(f"For albumentations 2.0.8 and torch; it draws {same}.")
                st.code(to_python(spec, look.seed), language="python")


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
