"""The view in which one convolution is swapped for another kind: counted, measured here, and trained."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.device import list_devices
from core.errors import ConvScopeError, SizingError
from core.network import LayerSizing, NetworkSpec, size_network
from core.network.measured import Measurements, MeasureSettings
from core.network.swap import Variant, list_variants
from core.spec import from_dict, to_json
from core.training import RunSpec, recipe_presets, runs
from ui import cached, layout, own_process, paths, state
from ui.network import swap_table
from ui.text import plain

BATCH_SIZES = (32, 128)
REPETITIONS = (5, 15, 45)
KEPT_MEASUREMENTS = 64
RECIPE = "quick"
TRAIN_IMAGES = 2000

Key = tuple[tuple[NetworkSpec, ...], MeasureSettings]


def show(spec: NetworkSpec, sized: tuple[LayerSizing, ...], misfit: SizingError | None) -> None:
    """Draw the view of `spec`; a network that does not work has to be mended first."""
    names = [layer.name for layer in spec.layers if layer.op == "conv"]
    if misfit or not names:
        reason = str(misfit) if misfit else "There is no convolution in this network."
        st.warning(f"{plain(reason)}. Mend it under Assemble first.", icon=":material/warning:")
        return
    st.markdown(
        "Put another kind of convolution in the place of one. Fewer multiply-adds are not always faster: "
        "measure it on this machine."
    )
    layer, settings = _choices(names)
    variants = list_variants(spec, layer)
    working = [variant for variant in variants if variant.sizing]
    networks = (spec, *(variant.network for variant in working if variant.network))
    key = tuple(replace(network, name=str(turn)) for turn, network in enumerate(networks)), settings
    _measure_button(key)
    measured = _kept().get(key)
    present = size_network(spec)
    swap_table.variants_table(spec, layer, present, working, measured)
    if measured:
        swap_table.ratios_chart(present, working, measured)
        swap_table.conditions(present, working, measured)
    _left_out([variant for variant in variants if not variant.sizing])
    if working:
        _actions(spec, layer, working)


def _choices(names: list[str]) -> tuple[str, MeasureSettings]:
    """The convolution to swap, and how to measure."""
    if st.session_state.get("network_swap_layer") not in names:
        chosen = st.session_state.get("network_layer")
        st.session_state["network_swap_layer"] = chosen if chosen in names else names[0]
    devices = list_devices()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = st.selectbox(
            "Convolution", names, key="network_swap_layer", persist_state="session", width=260
        )
        batch_size = st.segmented_control(
            "Images a step",
            BATCH_SIZES,
            default=BATCH_SIZES[0],
            required=True,
            key="network_swap_batch_size",
            persist_state="session",
        )
        repetitions = st.segmented_control(
            "Steps of each network",
            REPETITIONS,
            default=REPETITIONS[1],
            required=True,
            key="network_swap_repetitions",
            persist_state="session",
        )
        device = st.selectbox(
            "Device",
            list(devices),
            key="network_swap_device",
            format_func=lambda name: f"{name} · {devices[name]}",
            width=260,
        )
    threads = max(1, (os.cpu_count() or 1) - 1)  # as many as a training takes
    settings = MeasureSettings(
        batch_size=batch_size, repetitions=repetitions, threads=threads, device=str(device)
    )
    return str(layer), settings


@st.cache_resource(max_entries=1, show_spinner=False)
def _kept() -> dict[Key, Measurements]:
    """What was measured, for all visitors; the oldest goes first."""
    return {}


def _measure_button(key: Key) -> None:
    label = "Measure again" if key in _kept() else "Measure on this machine"
    if st.button(label, key="network_swap_measure", type="primary", icon=":material/timer:"):
        bar = st.progress(0.0, "Waiting …")
        try:
            with own_process.turn(bar):
                kept = _kept()
                kept[key] = _measure(*key, bar)
                while len(kept) > KEPT_MEASUREMENTS:
                    kept.pop(next(iter(kept)))
        except ConvScopeError as error:
            bar.empty()
            st.error(plain(str(error)), icon=":material/error:")
        else:
            st.rerun()


def _measure(
    networks: tuple[NetworkSpec, ...], settings: MeasureSettings, bar: DeltaGenerator
) -> Measurements:
    """Measure in a process of its own, and show how far it is."""
    bar.progress(0.0, "Building the networks …")
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for turn, network in enumerate(networks):
            files.append(Path(folder) / f"{turn}.json")
            files[-1].write_text(to_json(network), encoding="utf-8")
        options = {
            "--batch-size": settings.batch_size,
            "--repetitions": settings.repetitions,
            "--threads": settings.threads,
            "--device": settings.device,
        }
        words = [str(word) for option in options.items() for word in option]
        for event in own_process.run_verb("measure", *map(str, files), *words):
            if "done" in event:
                bar.progress(event["done"] / event["total"], f"Step {event['done'] + 1} of {event['total']}")
            else:
                result = from_dict(Measurements, event)
    return result


def _left_out(variants: list[Variant]) -> None:
    """The kinds that are not in the table, each with its reason."""
    if not variants:
        return
    with st.expander(f"Left out: {', '.join(map(swap_table.title, variants))}", icon=":material/block:"):
        for variant in variants:
            how = "breaks the network" if variant.network else "makes no sense here"
            st.markdown(f"**{swap_table.title(variant)}** {how}. {plain(variant.problem)}")


def _actions(spec: NetworkSpec, layer: str, working: list[Variant]) -> None:
    """Choose a variant, and put it in hand or train it beside the present network."""
    by_kind = {variant.kind: variant for variant in working}
    if st.session_state.get("network_swap_variant") not in by_kind:
        st.session_state["network_swap_variant"] = working[0].kind
    kind = st.segmented_control(
        "Variant",
        list(by_kind),
        key="network_swap_variant",
        format_func=lambda kind: swap_table.title(by_kind[kind]),
        required=True,
    )
    variant = by_kind[str(kind)]
    assert variant.network is not None  # it has been sized
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Use this variant",
            key="network_swap_use",
            icon=":material/swap_horiz:",
            help="Puts it in hand; Undo brings back what you have.",
            on_click=state.set_network,
            args=(variant.network,),
        )
        if st.button(
            "Train both",
            key="network_swap_train",
            icon=":material/model_training:",
            help=f"The present network and the variant: {recipe_presets()[RECIPE].epochs} epochs on "
            f"{layout.count(TRAIN_IMAGES)} images, from the same seed, with the augmentation in hand.",
        ):
            head = spec.name.partition(":")[0][:30]
            titles = f"{head} · {layer} as it is", f"{head} · {layer} {swap_table.title(variant).lower()}"
            _train(dict(zip(titles, (spec, variant.network), strict=True)))


def _train(networks: dict[str, NetworkSpec]) -> None:
    """Start a short run of every network, by its title, and go and watch them."""
    try:
        dataset = cached.current_dataset()
        spec = RunSpec(
            dataset=dataset.name,
            fingerprint=dataset.fingerprint,
            network=next(iter(networks.values())),
            augmentation=state.current_augmentation(),
            recipe=recipe_presets()[RECIPE],
            train_images=TRAIN_IMAGES if len(dataset.train.labels) > TRAIN_IMAGES else None,
        )
        device = st.session_state["network_swap_device"]
        started = [
            runs.create(paths.RUNS, replace(spec, network=network), paths.DATA, device, title)
            for title, network in networks.items()
        ]
        for run_id in started:
            runs.start(paths.RUNS, run_id)
    except ConvScopeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    # With a link of its own, because a switch may not clear the parameters that widgets here are bound to.
    link = {"train_view": "Compare", "compare": ",".join(started)}
    st.switch_page(layout.PAGES["Train"][0], query_params=link)
