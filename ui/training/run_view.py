"""A run on the page: its state, its progress and its curves, cheap enough for forty viewers."""

import streamlit as st

from core.device import list_devices
from core.training import Run, runs
from ui import paths
from ui.layout import count, percent
from ui.text import plain
from ui.training import run_actions
from ui.training.live_chart import live_chart
from ui.training.run_charts import curve, rate_curve, validation_name

STATE_BADGES = {
    "queued": ":gray-badge[:material/hourglass_empty: queued]",
    "running": ":blue-badge[:material/play_arrow: running]",
    "not responding": ":orange-badge[:material/heart_broken: not responding]",
    "stopping": ":orange-badge[:material/pending: stopping]",
    "stopped": ":orange-badge[:material/pause: stopped]",
    "finished": ":green-badge[:material/check: finished]",
    "diverged": ":red-badge[:material/call_split: diverged]",
    "out of memory": ":red-badge[:material/memory: out of memory]",
    "disk full": ":red-badge[:material/hard_drive: disk full]",
    "failed": ":red-badge[:material/error: failed]",
    "lost": ":red-badge[:material/link_off: lost]",
}
POLL_SECONDS = 1.0


def show() -> None:
    """The run chosen, with what can be done to it, or how to come to have one."""
    run_actions.undo_delete()
    run = run_choice()
    if run is None:
        st.info("There is no run yet: start one under New run.", icon=":material/timeline:")
        return
    run_actions.run_buttons(run)
    run_actions.say_what_went_wrong()
    live_run(run)


def run_choice() -> Run | None:
    """The run to look at: the link's, else the newest; None where there is none."""
    listed = {run.id: run for run in runs.list_runs(paths.RUNS)}
    for damaged in runs.list_damaged(paths.RUNS):
        st.warning(plain(damaged.problem), icon=":material/broken_image:")
    if not listed:
        return None
    link = st.query_params.get("run")
    if link in listed and link != st.session_state.get("train_run_link"):
        st.session_state["train_run"] = link
    if st.session_state.get("train_run") not in listed:
        # A browser that has not yet heard of a run's new state sends the run's old label.
        kept = st.session_state.get("train_run_link")
        st.session_state["train_run"] = kept if kept in listed else next(iter(listed))
    chosen: str = st.selectbox(
        "Run",
        list(listed),
        key="train_run",
        format_func=lambda run_id: _run_label(listed[run_id]),
        persist_state="session",
    )
    st.query_params["run"] = st.session_state["train_run_link"] = chosen
    return listed[chosen]


def _run_label(run: Run) -> str:
    return f"{run.title} · {run.state} · {run.created[:16].replace('T', ' ')}"


def live_run(run: Run) -> None:
    """The run, redrawn every second while it is live.

    `run` is as the buttons above show it: as soon as its state is another, all is drawn anew.
    """

    @st.fragment(run_every=POLL_SECONDS if run.is_live else None)
    def draw() -> None:
        now = runs.read(paths.RUNS, run.id)
        if now.state != run.state:
            st.rerun()
        _show(now)

    draw()


def _show(run: Run) -> None:
    st.markdown(f"#### {plain(run.title)} {STATE_BADGES[run.state]}")
    st.caption(_circumstances(run))
    if run.note:
        st.markdown(plain(run.note).replace("\n", "  \n"))
    if run.reason:
        is_well = run.state in ("queued", "running", "stopped", "finished")
        (st.warning if is_well else st.error)(plain(run.reason), icon=":material/info:")
    _progress(run)
    _numbers(run)
    if run.history:
        with st.grid(columns=2, min_column_width=320):
            for measure in ("accuracy", "loss"):
                alt = f"{measure.capitalize()} by epoch"
                live_chart(curve(run, measure), f"train_{measure}_chart", alt)
    else:
        st.caption("The curves begin with the end of the first epoch.")
    if run.last_step is not None:
        alt = "Learning rate by epoch, what was and what is to come"
        live_chart(rate_curve(run), "train_rate_chart", alt)
    if log := run.log_tail:
        with st.expander("Last lines of its log", icon=":material/article:", key="train_log"):
            st.code(log, language=None)


def _circumstances(run: Run) -> str:
    """Where it runs and on what, in one line."""
    device = list_devices().get(run.device, run.device)
    threads = "1 thread" if run.threads == 1 else f"{run.threads} threads"
    images = "all images" if run.spec.train_images is None else f"{count(run.spec.train_images)} images"
    parts = [device, threads, f"{images} of {run.spec.dataset}", f"seed {run.spec.recipe.seed}"]
    return plain(" · ".join([*parts, run.spec.network.name, run.spec.augmentation.name]))


def _progress(run: Run) -> None:
    step, epochs = run.last_step, run.spec.recipe.epochs
    done = float(len(run.history))
    if step is not None and step.epoch > len(run.history):
        done = step.epoch - 1 + step.step / step.steps
    text = f"Epoch {min(int(done) + 1, epochs)} of {epochs}"
    if step is not None and run.state == "running":
        text += f", step {step.step} of {step.steps}"
        if run.seconds_left is not None:
            text += f", about {duration(run.seconds_left)} left"
    if run.state == "queued":
        text = _queue_place(run)
    if run.state != "finished":
        st.progress(min(done / epochs, 1.0), text)


def _queue_place(run: Run) -> str:
    """How many runs have the device before this one."""
    others = [
        other
        for other in runs.list_runs(paths.RUNS)
        if other.is_live and other.device == run.device and other.id != run.id
    ]
    before = sum(
        other.state != "queued" or (other.queued_at, other.id) < (run.queued_at, run.id) for other in others
    )
    if not before:
        return "Starting …"
    return f"Waiting for the device, {before} {'run' if before == 1 else 'runs'} before it"


def _numbers(run: Run) -> None:
    last = run.history[-1] if run.history else None
    best = max((row.validation_accuracy for row in run.history), default=None)
    with st.grid(columns=4, min_column_width=150):
        label = validation_name(run.spec.recipe)
        st.metric(f"Best {label} accuracy", percent(best), border=True)
        st.metric("Training loss", f"{last.train_loss:.3f}" if last else "–", border=True)
        st.metric("Images a second", count(round(last.images_per_second)) if last else "–", border=True)
        st.metric(
            "Test accuracy",
            percent(run.test_accuracy),
            border=True,
            help="Read once, at the end, with the weights of the best epoch.",
        )


def duration(seconds: float) -> str:
    """Seconds as people say them: 45 s, 3 min, 2 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
