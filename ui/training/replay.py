"""The view in which a batch of a run is made again: the pictures that the network saw, with their losses."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core import checkpoint, data
from core.data import Dataset
from core.errors import CheckpointError
from core.training import Run
from core.training.events import BatchSeen
from ui.gallery import gallery
from ui.layout import count
from ui.text import plain
from ui.training.run_view import run_choice

if TYPE_CHECKING:
    from core.training.replay import CheckpointLosses, Replay

PAGE_SIZE = 24
ORDERS = ("Highest loss first", "Lowest loss first", "As in the batch")
RECORDED = "recorded"


def show() -> None:
    """Choose a run and a place in it, and see what the network saw there."""
    st.markdown(
        "Every batch follows from the run's seed, its epoch and its step, so it can be made again: "
        "the same images, flipped, turned, hidden and mixed in the same way."
    )
    run = run_choice()
    if run is None:
        st.info("There is no run yet: start one under New run.", icon=":material/photo_library:")
        return
    dataset = _dataset(run.spec.dataset, run.data_root)
    seen = {(each.epoch, each.step): each for each in run.batches}
    epoch, step = _place(run, _steps(str(run.folder), run, dataset), seen)
    batch = _replay(str(run.folder), epoch, step, run, dataset)
    recorded = seen.get((epoch, step))
    _check(batch, recorded, run)
    losses, of_what = _losses(batch, recorded, run, dataset)
    _pictures(batch, losses, of_what, dataset)


@st.cache_resource(max_entries=4, ttl=600, show_spinner="Reading the images …")
def _dataset(name: str, root: Path) -> Dataset:
    return data.load(name, root)


@st.cache_resource(max_entries=64, show_spinner="Reading the run …")
def _steps(folder: str, _run: Run, _dataset: Dataset) -> int:
    from core.training.replay import count_steps_of

    return count_steps_of(_run, _dataset)


@st.cache_resource(max_entries=8, show_spinner="Making the batch again …")
def _replay(folder: str, epoch: int, step: int, _run: Run, _dataset: Dataset) -> "Replay":
    from core.training.replay import replay

    return replay(_run, _dataset, epoch, step)


@st.cache_resource(max_entries=64, show_spinner="Asking the checkpoint …")
def _losses_under(
    folder: Path, weights: str, epoch: int, step: int, _run: Run, _dataset: Dataset
) -> "CheckpointLosses":
    from core.training.replay import losses_under

    return losses_under(_run, _dataset, epoch, step, folder)


def _place(run: Run, steps: int, seen: dict[tuple[int, int], BatchSeen]) -> tuple[int, int]:
    """The epoch and the step to look at, both from 1."""
    state, most = st.session_state, {"epoch": run.spec.recipe.epochs, "step": steps}
    for name, last in most.items():  # another run may be shorter
        state[f"train_replay_{name}"] = min(max(state.get(f"train_replay_{name}", 1), 1), last)
    here = state["train_replay_epoch"], state["train_replay_step"]
    state["train_replay_recorded"] = here if here in seen else None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name, last in most.items():
            st.number_input(
                f"{name.capitalize()}, of {count(last)}",
                min_value=1,
                max_value=last,
                key=f"train_replay_{name}",
                persist_state="session",
                width=150,
            )
        st.selectbox(
            f"Recorded batches ({count(len(seen))})",
            list(seen),
            index=None,
            key="train_replay_recorded",
            format_func=lambda place: f"epoch {place[0]}, step {place[1]}",
            placeholder="Choose one" if seen else "None yet",
            disabled=not seen,
            on_change=_go_to_recorded,
            help="Of the first batch of every epoch, and of every 50th after it, the run recorded a hash and "
            "the losses.",
            width=260,
        )
    return state["train_replay_epoch"], state["train_replay_step"]


def _go_to_recorded() -> None:
    place = st.session_state["train_replay_recorded"]
    if place is not None:
        st.session_state["train_replay_epoch"], st.session_state["train_replay_step"] = place


def _check(batch: "Replay", recorded: BatchSeen | None, run: Run) -> None:
    """Whether the batch is, bit by bit, the one that the run recorded."""
    if recorded is None:
        st.markdown(
            f":gray-badge[:material/visibility_off: not recorded] The run kept no hash of this batch; "
            f"made again, its SHA-256 is `{batch.sha256[:16]}…`"
        )
    elif batch.sha256 == recorded.sha256:
        st.markdown(
            ":green-badge[:material/check: bit-equal: yes] The inputs made again have the SHA-256 that the "
            f"run recorded, `{batch.sha256[:16]}…`"
        )
    else:
        cause = (
            f"the run trained on {run.device}, and this is the {batch.device}"
            if run.device != batch.device
            else "another version of the libraries, or another machine, rounds differently"
        )
        st.markdown(
            f":red-badge[:material/close: bit-equal: no] The run recorded `{recorded.sha256[:16]}…`, made "
            f"again it is `{batch.sha256[:16]}…`: {cause}."
        )


def _losses(
    batch: "Replay", recorded: BatchSeen | None, run: Run, dataset: Dataset
) -> tuple[np.ndarray | None, str]:
    """The loss of each image (N,) and where it is from; None where there is neither record nor checkpoint."""
    names = {RECORDED: "as the run recorded"} if recorded else {}
    checkpoints = {}
    for name in ("best", "last"):
        try:
            record = checkpoint.load(run.folder / name)
        except CheckpointError:
            continue
        checkpoints[name] = record
        names[name] = f"under the {name} checkpoint (epoch {record.epoch})"
    if not names:
        return None, ""
    key = "train_replay_losses" if recorded else "train_replay_losses_unrecorded"
    if st.session_state.get(key) not in names:
        st.session_state[key] = next(iter(names))
    chosen = st.segmented_control(
        "Losses", list(names), key=key, format_func=names.__getitem__, required=True
    )
    if chosen == RECORDED and recorded:
        return np.array(recorded.losses), "before this step, in training mode, as the run recorded"
    weights = checkpoints[str(chosen)].weights_sha256
    found = _losses_under(run.folder / str(chosen), weights, batch.epoch, batch.step, run, dataset)
    return found.losses, f"under the {chosen} checkpoint of epoch {found.epoch}, in evaluation mode"


def _pictures(batch: "Replay", losses: np.ndarray | None, of_what: str, dataset: Dataset) -> None:
    """The pictures, a page of them at a time, each with its class and its loss."""
    shown = np.arange(len(batch.pictures))
    if losses is not None:
        st.markdown(
            f"**{count(len(losses))} images**, mean loss **{losses.mean():.3f}** nats, {of_what}. "
            "Under each its class and its loss."
        )
        order = st.segmented_control(
            "Order", ORDERS, key="train_replay_order", default=ORDERS[0], required=True
        )
        if order != ORDERS[2]:
            shown = np.argsort(losses if order == ORDERS[1] else -losses, kind="stable")
    pages = -(-len(shown) // PAGE_SIZE)
    page = st.pagination(pages, key="train_replay_page") if pages > 1 else 1
    shown = shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    captions, alts = [], []
    for index in shown:
        label = _label(batch, int(index), dataset)
        loss = "" if losses is None else f"{losses[index]:.3f}"
        captions.append(plain(f"{label} · {loss}" if loss else label))
        alts.append(
            f"Training image {batch.indices[index]} as augmented: {label}{loss and f', loss {loss} nats'}"
        )
    gallery(batch.pictures[shown], captions, alts, size=110)


def _label(batch: "Replay", index: int, dataset: Dataset) -> str:
    """The class of an image, or of both with their shares."""
    own: str = dataset.classes[batch.labels[index]]
    other = dataset.classes[batch.others[index]]
    if batch.share == 1 or own == other:
        return own
    return f"{own} {batch.share:.0%} + {other} {1 - batch.share:.0%}"
