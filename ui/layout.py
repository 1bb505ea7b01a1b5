"""The frame of every page: header, navigation, dataset in use, and the way to stop with a reason."""

import gc
import sys
from typing import NoReturn

import streamlit as st

from core.data import available
from core.errors import ConvScopeError
from ui import paths

HOME = "streamlit_app.py"
PAGES = {
    "Home": (HOME, ":material/home:", "Dataset, checkpoints and runs at a glance"),
    "Augment": ("pages/1_Augment.py", ":material/auto_fix_high:", "Tune an augmentation on real images"),
    "Network": ("pages/2_Network.py", ":material/account_tree:", "Assemble and size a network"),
    "Convolutions": (
        "pages/3_Convolutions.py",
        ":material/grid_on:",
        "What each convolution computes",
    ),
    "Train": ("pages/4_Train.py", ":material/model_training:", "Launch, watch, stop and resume trainings"),
    "Mistakes": ("pages/5_Mistakes.py", ":material/troubleshoot:", "Browse what a checkpoint gets wrong"),
    "Demo": ("pages/6_Demo.py", ":material/image_search:", "Try a checkpoint on your own image"),
}

# Their objects make a full garbage collection slow; see `freeze_imports`.
HEAVY = frozenset({"torch", "torchvision", "albumentations", "altair", "pandas"})


def page_header(title: str, purpose: str) -> None:
    """Configure the page and draw its title, its purpose in one sentence, and the navigation."""
    # An emoji, since browsers fetch the picture of a material icon from Google's servers.
    st.set_page_config(page_title=f"{title} · ConvScope", page_icon="🔬", layout="wide")
    freeze_imports(HEAVY & sys.modules.keys())
    with st.sidebar:
        st.markdown("### :primary[:material/blur_on:] ConvScope")
        for label, (page, icon, summary) in PAGES.items():
            st.page_link(page, label=label, icon=icon, help=summary, width="stretch")
        dataset_choice()
    st.title(title)
    st.markdown(purpose)


def link_to(label: str, text: str, parameters: dict[str, str] | None = None) -> None:
    """A link to the page called `label` in the navigation, reading `text`, with query parameters."""
    page, icon, _ = PAGES[label]
    st.page_link(page, label=text, icon=icon, query_params=parameters)


def dataset_choice() -> None:
    """The choice of the dataset in use, kept across pages and in the link as `data`."""
    try:
        sources = {source.name: source for source in available(paths.DATA) if source.is_ready}
    except ConvScopeError as error:
        st.error(str(error), icon=":material/folder_off:")
        st.session_state["data"] = "shapes"
        return
    names = list(sources)
    name = st.selectbox(
        "Dataset",
        names,
        index=0,
        key="data",
        format_func=lambda name: sources[name].title,
        bind="query-params",
    )
    if name == "shapes":
        st.caption(":material/info: A built-in stand-in, not CIFAR-10. Home shows how to get real images.")


def stop_with(message: str, page: str | None = None, link_text: str = "") -> NoReturn:
    """Say why the page cannot go on, link to where that is cured, and end the run of the page."""
    st.error(message, icon=":material/error:")
    if page:
        link_to(page, link_text or f"Go to {page}")
    st.stop()


def count(number: int) -> str:
    """A count with thin thousands, as in 162,296."""
    return f"{number:,}"


def percent(fraction: float | None, digits: int = 1) -> str:
    """A fraction as a percentage, or a dash where there is none."""
    return "–" if fraction is None else f"{100 * fraction:.{digits}f} %"


@st.cache_resource(max_entries=16, show_spinner=False)
def freeze_imports(loaded: frozenset[str]) -> int:
    """Take what was imported out of garbage collection, once for every newly loaded heavy library.

    Streamlit collects garbage in full after every rerun; with torch imported that takes about 140 ms under
    the GIL, for every visitor. Frozen objects are skipped. Returns the number of frozen objects.
    """
    gc.collect()
    gc.freeze()
    return gc.get_freeze_count()
