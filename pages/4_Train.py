"""Train: put network, augmentation and recipe together, start a run, and watch it live."""

import streamlit as st

from core.device import list_devices
from core.errors import ConvScopeError
from core.network import size_network
from core.training import RunSpec, runs
from ui import cached, choices, layout, paths
from ui.training import compare, run_view
from ui.training.recipe_form import recipe_form

layout.page_header(
    "Train", "A run goes on in its own process: close this tab or restart the app, and nothing is lost."
)

if started := st.session_state.pop("train_started", None):
    st.session_state["train_view"] = "Runs"
    st.session_state["train_run"] = started
view = st.segmented_control(
    "Show", ["New run", "Runs", "Compare"], key="train_view", default="New run", required=True,
    label_visibility="collapsed", bind="query-params",
)  # fmt: skip

if view == "Runs":
    run_id = run_view.run_choice()
    if run_id is None:
        st.info("There is no run yet: start one under New run.", icon=":material/timeline:")
        st.stop()
    try:
        run_view.run_buttons(runs.read(paths.RUNS, run_id))
        run_view.live_run(run_id)
    except ConvScopeError as error:
        layout.stop_with(str(error))
    st.stop()

if view == "Compare":
    if not (run_ids := compare.choose_runs()):
        st.info("Choose some runs, or start one under New run.", icon=":material/stacked_line_chart:")
        st.stop()
    try:
        compare.live_comparison(run_ids)
    except ConvScopeError as error:
        layout.stop_with(str(error))
    st.stop()

what, how = st.columns(2, gap="large")
try:
    dataset = cached.current_dataset()
    with what:
        network = choices.network_choice("train")
        augmentation = choices.augmentation_choice("train")
    sizing = size_network(network)
    with how:
        devices = list_devices()
        device = st.selectbox(
            "Device", list(devices), key="train_device", format_func=lambda name: f"{name} · {devices[name]}"
        )
        available = len(dataset.train.labels)
        images = st.number_input(
            f"Training images, of {layout.count(available)}",
            key="train_images",
            value=min(2000, available),
            step=1000,
            help="As many of each class, chosen by the seed. The validation split is taken from these.",
        )
    recipe = recipe_form()
    run_spec = RunSpec(
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        network=network,
        augmentation=augmentation,
        recipe=recipe,
        train_images=None if images == available else int(images),
    )
except ConvScopeError as error:
    layout.stop_with(str(error))

st.markdown(
    f"**{network.name}**, {layout.count(sizing.num_params)} parameters, "
    f"receptive field {sizing.receptive_field} px, "
    f"with **{augmentation.name}** on **{dataset.title}**"
)
if st.button("Start training", key="train_start", type="primary", icon=":material/play_arrow:"):
    try:
        run_id = runs.create(paths.RUNS, run_spec, paths.DATA, device)
        runs.start(paths.RUNS, run_id)
    except ConvScopeError as error:
        layout.stop_with(str(error))
    st.session_state["train_started"] = run_id
    st.rerun()
