"""Before a run starts: what it will take in time and memory, and which learning rate suits it."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import ConvScopeError
from core.spec import from_dict, to_json
from core.training import Recipe, RunSpec
from core.training.estimate import Estimate, default_threads, free_memory, memory_warning
from core.training.rate_finder import HIGH, LOW, RateSweep
from ui import own_process, paths
from ui.layout import count
from ui.text import plain
from ui.training.rate_chart import rate_chart
from ui.training.run_view import duration

KEPT = 64
VERBS: dict[str, type[Any]] = {"estimate": Estimate, "rate": RateSweep}


def show(spec: RunSpec, device: str) -> None:
    """Draw the two buttons, and what was found of `spec` on `device` so far."""
    if device == "cpu" and (warning := memory_warning(spec, free_memory())):
        st.warning(_sentence(warning), icon=":material/memory:")
    with st.container(horizontal=True, vertical_alignment="center"):
        is_to_estimate = st.button(
            "Estimate time and memory",
            key="train_estimate",
            icon=":material/timer:",
            help="Trains for a few steps in a process of its own.",
        )
        is_to_find = st.button(
            "Find a learning rate",
            key="train_find_rate",
            icon=":material/trending_down:",
            help=f"Raises the rate from {LOW:g} to {HIGH:g} on an untrained network of its own.",
        )
    if is_to_estimate:
        _measure("estimate", spec, device, _key("estimate", spec, device))
    if is_to_find:
        _measure("rate", spec, device, _key("rate", spec, device))
    kept = _kept()
    if found := kept.get(_key("estimate", spec, device)):
        _show_estimate(found)
    if sweep := kept.get(_key("rate", spec, device)):
        _show_sweep(sweep)


def _key(verb: str, spec: RunSpec, device: str) -> Any:
    """All that the answer depends on: a sweep sets rate, schedule and epochs itself."""
    if verb == "rate":
        recipe = spec.recipe
        same = {name: getattr(Recipe(), name) for name in ("epochs", "learning_rate", "schedule")}
        spec = replace(spec, recipe=replace(recipe, **same, cycle_momentum=False))
    return verb, spec, device


@st.cache_resource(max_entries=1, show_spinner=False)
def _kept() -> dict[Any, Any]:
    """What was measured, for all visitors; the oldest goes first."""
    return {}


def _measure(verb: str, spec: RunSpec, device: str, key: Any) -> None:
    """Measure in a process of its own, one at a time, and keep the answer; leaving the page ends it."""
    bar = st.progress(0.0, "Waiting …")
    kept = _kept()
    try:
        with own_process.turn(bar), tempfile.TemporaryDirectory() as folder:
            bar.progress(0.0, "Building the network …")
            file = Path(folder) / "spec.json"
            file.write_text(to_json(spec), encoding="utf-8")
            options = ["--data-root", str(paths.DATA.resolve()), "--device", device]
            options += ["--threads", str(default_threads())]
            for event in own_process.run_verb(verb, "--spec", str(file), *options):
                if "done" in event:
                    done, total = event["done"], event["total"]
                    bar.progress(done / total, f"Step {done} of at most {total}")
                else:
                    kept[key] = from_dict(VERBS[verb], event)
            while len(kept) > KEPT:
                kept.pop(next(iter(kept)))
    except ConvScopeError as error:
        st.error(plain(str(error)), icon=":material/error:")
    bar.empty()


def _show_estimate(found: Estimate) -> None:
    """The figures, and what they depend on."""
    with st.grid(columns=4, min_column_width=150):
        st.metric("The whole run", duration(found.seconds), border=True)
        st.metric("An epoch", duration(found.epoch_seconds), border=True)
        st.metric("Images a second", count(round(found.images_per_second)), border=True)
        st.metric(
            "Memory at most",
            f"{found.peak_bytes / 2**30:.2f} GiB",
            border=True,
            help="Of the whole process; on a GPU of what torch holds there.",
        )
    free = f"{found.free_bytes / 2**30:.1f} GiB were free"
    if not found.fits:
        st.warning(f"It may not fit: {free}. Take fewer images a step.", icon=":material/memory:")
    words = [f"From {len(found.step_seconds)} steps on {found.hardware}, {_threads(found.threads)}; {free}."]
    if found.is_busy:
        words.append(
            f":orange-badge[:material/speed: busy] Other processes used {found.others_cores:.1f} of the "
            f"{found.cores} cores meanwhile: the run is quicker if they end."
        )
    st.caption(" ".join(words))


def _threads(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def _show_sweep(sweep: RateSweep) -> None:
    """The curve, where the two rules point, and the buttons that take a rate over."""
    offers = {"a tenth of the least": sweep.tenth_of_least, "steepest descent": sweep.steepest}
    known = {name: rate for name, rate in offers.items() if rate is not None}
    told = ", ".join(f"{name} {rounded(rate):g}" for name, rate in known.items())
    end = f"It blows up at {sweep.blew_up_at:.2g}." if sweep.blew_up_at else "It never blows up."
    alt = f"Loss by learning rate over {len(sweep.points)} steps. {told or 'No suggestion'}. {end}"
    if any(average is not None for average in sweep.smoothed):
        st.vega_lite_chart(rate_chart(sweep, known), width="stretch", alt=alt)
    if not known:
        st.caption(f"The loss never fell, so no rate is suggested. {end}")
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, rate in known.items():
            st.button(
                f"Use this rate: {rounded(rate):g} ({name})",
                key=f"train_use_rate_{name.replace(' ', '_')}",
                icon=":material/input:",
                type="primary" if rate == sweep.suggestion else "secondary",
                on_click=_use(rounded(rate)),
            )
    st.caption(
        f"The range test of Smith (2017): from {LOW:g} on, the rate rises by the same factor at every step. "
        "Thin is the loss of each step, thick its moving average (0.9, corrected for its start). Suggested "
        "are a tenth of the rate with the least average, and the rate at which the average falls fastest. "
        f"{end}"
    )


def rounded(rate: float) -> float:
    """Two digits: a sweep tells no more."""
    return float(f"{rate:.2g}")


def _use(rate: float) -> Callable[[], None]:
    def put() -> None:
        st.session_state["train_learning_rate"] = rate

    return put


def _sentence(words: str) -> str:
    return plain(words[0].upper() + words[1:] + ".")
