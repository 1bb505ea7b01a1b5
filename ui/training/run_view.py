"""A run on the page: its state, its progress and its curves, cheap enough for forty viewers."""

from typing import Any

import streamlit as st

from core.errors import ConvScopeError
from core.training import EpochMetrics, Recipe, Run, runs
from ui import paths
from ui.evaluation.checkpoint_choice import link_value
from ui.layout import count, link_to, percent
from ui.training import clone

STATE_BADGES = {
    "queued": ":gray-badge[:material/hourglass_empty: queued]",
    "running": ":blue-badge[:material/play_arrow: running]",
    "stopping": ":orange-badge[:material/pending: stopping]",
    "stopped": ":orange-badge[:material/pause: stopped]",
    "finished": ":green-badge[:material/check: finished]",
    "not responding": ":orange-badge[:material/hourglass_disabled: not responding]",
    "diverged": ":red-badge[:material/trending_up: diverged]",
    "out of memory": ":red-badge[:material/memory: out of memory]",
    "disk full": ":red-badge[:material/hard_drive: disk full]",
    "failed": ":red-badge[:material/error: failed]",
    "lost": ":red-badge[:material/link_off: lost]",
}
POLL_SECONDS = 1.0


def show() -> None:
    """The run chosen, with what can be done to it, or how to come to have one."""
    run_id = run_choice()
    if run_id is None:
        st.info("There is no run yet: start one under New run.", icon=":material/timeline:")
        return
    run_buttons(runs.read(paths.RUNS, run_id))
    live_run(run_id)


def run_choice() -> str | None:
    """The run to look at: the link's, else the newest; None where there is none."""
    listed = {run.id: run for run in runs.list_runs(paths.RUNS)}
    for damaged in runs.list_damaged(paths.RUNS):
        st.warning(damaged.problem, icon=":material/broken_image:")
    if not listed:
        return None
    link = st.query_params.get("run")
    if link in listed and link != st.session_state.get("train_run_link"):
        st.session_state["train_run"] = link
    chosen: str = st.selectbox(
        "Run",
        list(listed),
        key="train_run",
        format_func=lambda run_id: _run_label(listed[run_id]),
        persist_state="session",
    )
    st.query_params["run"] = st.session_state["train_run_link"] = chosen
    return chosen


def _run_label(run: Run) -> str:
    return f"{run.title} · {run.created[:16].replace('T', ' ')}"


def run_buttons(run: Run) -> None:
    """Stop, resume, delete and the way to the mistakes; outside the live part, so that they act at once."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.state in ("queued", "running"):
            _button("Stop", "stop", ":material/stop:", lambda: runs.request_stop(paths.RUNS, run.id))
        if run.state in ("stopped", "failed", "lost"):
            _button("Resume", "resume", ":material/resume:", lambda: runs.resume(paths.RUNS, run.id))
        if not run.is_live:
            with st.popover("Delete", icon=":material/delete:"):
                st.markdown("Its curves and its checkpoints are gone then, for good.")
                _button("Delete the run", "delete", None, lambda: runs.delete(paths.RUNS, run.id))
        st.button(
            "Repeat with one thing changed",
            key="train_repeat_run",
            icon=":material/content_copy:",
            on_click=clone.repeat,
            args=(run,),
        )
        if run.state == "finished":
            link_to("Mistakes", "Browse its mistakes", {"checkpoint": link_value(run.folder / "best")})


def _button(label: str, field: str, icon: str | None, act: Any) -> None:
    if st.button(label, key=f"train_{field}", icon=icon):
        try:
            act()
        except ConvScopeError as error:
            st.error(str(error), icon=":material/error:")
        else:
            st.rerun()


def live_run(run_id: str) -> None:
    """The run, redrawn every second while it is live and once more when it ends."""
    run = runs.read(paths.RUNS, run_id)

    @st.fragment(run_every=POLL_SECONDS if run.is_live else None)
    def draw() -> None:
        now = runs.read(paths.RUNS, run_id)
        if now.state != run.state:
            st.rerun()
        _show(now)

    draw()


def _show(run: Run) -> None:
    st.markdown(f"#### {run.title} {STATE_BADGES[run.state]}")
    if run.reason:
        st.error(run.reason, icon=":material/error:")
    _progress(run)
    _numbers(run)
    if run.history:
        with st.grid(columns=2, min_column_width=320):
            for measure in ("accuracy", "loss"):
                chart = curve(run.history, measure, run.spec.recipe)
                st.vega_lite_chart(chart, width="stretch", alt=f"{measure.capitalize()} by epoch")
    else:
        st.caption("The curves begin with the end of the first epoch.")


def _progress(run: Run) -> None:
    step, epochs = run.last_step, run.spec.recipe.epochs
    done = float(len(run.history))
    if step is not None and step.epoch > len(run.history):
        done = step.epoch - 1 + step.step / step.steps
    text = f"Epoch {min(int(done) + 1, epochs)} of {epochs}"
    if step is not None and run.state == "running":
        text += f", step {step.step} of {step.steps}"
    if run.state == "running" and run.seconds_left is not None:
        text += f", about {duration(run.seconds_left)} left"
    if run.state == "queued":
        text = "Waiting for the device: one run at a time"
    if run.state != "finished":
        st.progress(min(done / epochs, 1.0), text)


def _numbers(run: Run) -> None:
    last = run.history[-1] if run.history else None
    best = max((row.validation_accuracy for row in run.history), default=None)
    with st.grid(columns=4, min_column_width=150):
        label = validation_name(run.spec.recipe).capitalize()
        st.metric(f"Best {label.lower()} accuracy", percent(best), border=True)
        st.metric("Training loss", f"{last.train_loss:.3f}" if last else "–", border=True)
        st.metric("Images a second", count(round(last.images_per_second)) if last else "–", border=True)
        st.metric(
            "Test accuracy",
            percent(run.test_accuracy),
            border=True,
            help="Read once, at the end, with the weights of the best epoch.",
        )


def validation_name(recipe: Recipe) -> str:
    """What the curve of the choosing images is called: the seeds' protocol is labelled wherever it shows."""
    return "validation" if recipe.validation == "split" else "test (chooses the epoch)"


def curve(history: tuple[EpochMetrics, ...], measure: str, recipe: Recipe) -> dict[str, Any]:
    """A Vega-Lite specification of `measure`, "accuracy" or "loss", by epoch, for training and validation.

    A plain dict: Altair costs 40 to 70 ms a chart, which forty viewers a second would turn into a stall.
    """
    choosing = validation_name(recipe)
    rows = [
        {"epoch": row.epoch, "images": images, measure: getattr(row, f"{split}_{measure}")}
        for row in history
        for images, split in (("training", "train"), (choosing, "validation"))
    ]
    axis = {"format": "%"} if measure == "accuracy" else {}
    return {
        "data": {"values": rows},
        "height": 260,
        "mark": {"type": "line", "point": True, "tooltip": True},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative", "axis": {"tickMinStep": 1, "title": "epoch"}},
            "y": {
                "field": measure,
                "type": "quantitative",
                "axis": {"title": f"{measure} (nats)" if measure == "loss" else measure, **axis},
                "scale": {"zero": False},
            },
            "color": {
                "field": "images",
                "type": "nominal",
                "sort": ["training", choosing],
                "legend": {"orient": "top", "title": None, "symbolType": "stroke"},
            },
            "strokeDash": {
                "field": "images",
                "type": "nominal",
                "sort": ["training", choosing],
                "legend": None,
            },
        },
    }


def duration(seconds: float) -> str:
    """Seconds as people say them: 45 s, 3 min, 2 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
