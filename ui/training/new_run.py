"""The view in which a run is put together and started."""

import streamlit as st

from core.augmentation import AugmentationSpec
from core.augmentation.batched_support import supports
from core.data import Dataset
from core.device import list_devices
from core.errors import ConvScopeError, SpecError
from core.network import NetworkSpec, size_network
from core.training import RunSpec, runs
from ui import cached, choices, layout, paths, state
from ui.spec_file import file_popover
from ui.text import plain
from ui.training import before_start, clone
from ui.training.recipe_form import protocol_choice, recipe_form, recipe_in_hand
from ui.widgets import hold

DEFAULT_IMAGES = 2000


def show() -> None:
    """Draw the form and the button that starts what it describes."""
    source, place = clone.source(), st.container()
    try:
        dataset = cached.current_dataset()
        spec = run_spec_form(dataset)
    except ConvScopeError as error:
        if source is not None:
            with place:
                clone.banner(source, None)
        layout.stop_with(plain(str(error)))
    if source is not None:
        with place:
            clone.banner(source, spec)
    _summary(spec, dataset)
    title = clone.title_of(source, spec) if source else spec.network.name
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input("Title of the run", key="train_title", placeholder=title, max_chars=80)
        is_sent = st.button("Start training", key="train_start", type="primary", icon=":material/play_arrow:")
    if is_sent:
        _start(spec, typed.strip() or title)
    before_start.show(spec, st.session_state["train_device"])


def run_spec_form(dataset: Dataset) -> RunSpec:
    """What to train, on what and how; `ConvScopeError` where that cannot be."""
    with st.grid(columns=2, min_column_width=300) as sides:
        with sides.cell():
            network, augmentation = _network(), _augmentation()
        with sides.cell():
            images = _images_and_device(dataset)
            protocol_choice()
    recipe = recipe_form()
    size_network(network)
    return RunSpec(
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        network=network,
        augmentation=augmentation,
        recipe=recipe,
        train_images=images,
    )


def spec_in_hand(dataset: Dataset) -> RunSpec:
    """What the form holds, also where it is not drawn; `ConvScopeError` where that cannot be."""
    available = len(dataset.train.labels)
    images = st.session_state.get("train_images", min(DEFAULT_IMAGES, available))
    return RunSpec(
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        network=state.current_network(),
        augmentation=state.current_augmentation(),
        recipe=recipe_in_hand(),
        train_images=None if images >= available else int(images),
    )


def device_in_hand() -> str:
    """The device chosen, else the first: a GPU where there is one."""
    devices = list_devices()
    chosen: str = st.session_state.get("train_device", "")
    return chosen if chosen in devices else next(iter(devices))


def _network() -> NetworkSpec:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = choices.network_choice("train")
        file_popover("train_network_file", network, network.name, state.set_network, NetworkSpec)
    layout.link_to("Network", "Change it on Network")
    return network


def _augmentation() -> AugmentationSpec:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        augmentation = choices.augmentation_choice("train")
        file_popover(
            "train_augmentation_file",
            augmentation,
            augmentation.name,
            state.set_augmentation,
            AugmentationSpec,
        )
    layout.link_to("Augment", "Change it on Augment")
    return augmentation


def _images_and_device(dataset: Dataset) -> int | None:
    """How many images to train on, None for all; the device stays in the session."""
    devices = list_devices()
    hold("train_device", device_in_hand())
    st.selectbox(
        "Device",
        list(devices),
        key="train_device",
        format_func=lambda name: f"{name} · {devices[name]}",
        persist_state="session",
    )
    available = len(dataset.train.labels)
    if st.session_state.pop("train_all_images", False):
        st.session_state["train_images"] = available
    images = st.number_input(
        f"Training images, of {layout.count(available)}",
        key="train_images",
        value=min(DEFAULT_IMAGES, available),
        step=1000,
        persist_state="session",
        help="As many of each class, chosen by the seed. The validation split is taken from these.",
    )
    if images > available:
        raise SpecError(f"training images: there are {available:,}, got {images:,}; take fewer")
    return None if images == available else int(images)


def _summary(spec: RunSpec, dataset: Dataset) -> None:
    sizing = size_network(spec.network)
    st.markdown(
        f"**{plain(spec.network.name)}**, {layout.count(sizing.num_params)} parameters, "
        f"receptive field {sizing.receptive_field} px, "
        f"with **{plain(spec.augmentation.name)}** on **{plain(dataset.title)}**"
    )
    is_on_tensors, reason = supports(spec.augmentation)
    if is_on_tensors:
        st.caption("Augmented in whole batches, on tensors: albumentations' pixels to within 1 of 255.")
    else:
        st.caption(f"Augmented by albumentations, image by image: {plain(reason)}.")


def _start(spec: RunSpec, title: str) -> None:
    try:
        run_id = runs.create(paths.RUNS, spec, paths.DATA, st.session_state["train_device"], title)
        runs.start(paths.RUNS, run_id)
    except ConvScopeError as error:
        layout.stop_with(plain(str(error)))
    st.session_state["train_started"] = run_id
    st.rerun()
