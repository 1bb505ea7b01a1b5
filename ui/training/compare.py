"""Several runs beside each other: their curves in one picture, and what differs between them."""

from typing import Any

import streamlit as st

from core.errors import RunError
from core.network import size_network
from core.training import Run, runs
from core.training.differences import list_differences
from ui import paths
from ui.training.run_view import POLL_SECONDS

MAX_RUNS = 8
MEASURES = {"accuracy": "Validation accuracy by epoch", "loss": "Validation loss by epoch"}


def show() -> None:
    """The comparison of some runs, or how to come to have some."""
    if run_ids := choose_runs():
        live_comparison(run_ids)
    else:
        st.info("Choose some runs, or start one under New run.", icon=":material/stacked_line_chart:")


def choose_runs() -> list[str]:
    """The runs to compare: the link's, else those chosen before, else the two newest; empty without any."""
    listed = runs.list_runs(paths.RUNS)
    if not listed:
        return []
    known = [run.id for run in listed]
    link = st.query_params.get("compare")
    if link is not None and link != st.session_state.get("train_compare_link"):
        wanted = link.split(",")
        if lost := len(set(wanted) - set(known) - {""}):
            st.warning(f"The link names {lost} that are not among the runs here.", icon=":material/link_off:")
    else:
        wanted = st.session_state.get("train_compare_runs", known[:2])
    st.session_state["train_compare_runs"] = [run_id for run_id in known if run_id in wanted][:MAX_RUNS]
    labels = _labels(listed)
    chosen = st.multiselect(
        "Runs to compare",
        known,
        key="train_compare_runs",
        format_func=labels.__getitem__,
        max_selections=MAX_RUNS,
        persist_state="session",
    )
    st.query_params["compare"] = st.session_state["train_compare_link"] = ",".join(chosen)
    return chosen


def live_comparison(run_ids: list[str]) -> None:
    """The runs, redrawn every second while one of them is live and once more when it ends."""
    before = [runs.read(paths.RUNS, run_id) for run_id in run_ids]

    @st.fragment(run_every=POLL_SECONDS if any(run.is_live for run in before) else None)
    def draw() -> None:
        try:
            now = [runs.read(paths.RUNS, run_id) for run_id in run_ids]
        except RunError:  # deleted meanwhile: choose again from those that are left
            st.rerun()
        if [run.state for run in now] != [run.state for run in before]:
            st.rerun()
        _show(now)

    draw()


def _show(compared: list[Run]) -> None:
    """Oldest first, so that a run keeps its colour when a newer one joins."""
    compared = sorted(compared, key=lambda run: run.id)
    labels = _labels(compared)
    if any(run.history for run in compared):
        grid = st.grid(columns=2, min_column_width=380)
        for measure, alt in MEASURES.items():
            with grid.cell():
                st.vega_lite_chart(curves(compared, labels, measure), width="stretch", alt=alt)
    else:
        st.caption("The curves begin with the end of the first epoch.")
    st.dataframe(
        [_result(run, labels[run.id]) for run in compared],
        column_config=_COLUMNS,
        hide_index=True,
        height="content",
        placeholder="–",
        alt="State, counts and accuracies of every run",
    )
    if len(compared) > 1:
        _differences(compared, labels)


def _labels(compared: "tuple[Run, ...] | list[Run]") -> dict[str, str]:
    """Every run's title, with its time and the end of its id where another has the same."""
    titles = [run.title for run in compared]
    return {
        run.id: run.title
        if titles.count(run.title) == 1
        else f"{run.title} · {run.created[11:16]} {run.id[-6:]}"
        for run in compared
    }


def curves(compared: list[Run], labels: dict[str, str], measure: str) -> dict[str, Any]:
    """A Vega-Lite specification of the validation's `measure`, "accuracy" or "loss", one colour a run."""
    rows = [
        {"epoch": row.epoch, "run": labels[run.id], measure: getattr(row, f"validation_{measure}")}
        for run in compared
        for row in run.history
    ]
    order = [labels[run.id] for run in compared]
    unit = {"accuracy": "validation accuracy", "loss": "validation loss (nats)"}[measure]
    axis = {"title": unit, "format": ".1%" if measure == "accuracy" else ".2f"}
    legend = {"orient": "top", "title": None, "columns": 1, "labelLimit": 300, "symbolType": "stroke"}
    return {
        "data": {"values": rows},
        "height": 320,
        "mark": {"type": "line", "point": True, "tooltip": True},
        "encoding": {
            "x": {
                "field": "epoch",
                "type": "quantitative",
                "axis": {"tickMinStep": 1, "format": "d", "title": "epoch"},
            },
            "y": {"field": measure, "type": "quantitative", "axis": axis, "scale": {"zero": False}},
            "color": {"field": "run", "type": "nominal", "scale": {"domain": order}, "legend": legend},
        },
    }


def _result(run: Run, label: str) -> dict[str, Any]:
    sizing = size_network(run.spec.network)
    last = run.history[-1] if run.history else None
    return {
        "run": label,
        "state": run.state,
        "epochs": f"{len(run.history)} of {run.spec.recipe.epochs}",
        "num_params": sizing.num_params,
        "macs": sizing.macs,
        "best": max((row.validation_accuracy for row in run.history), default=None),
        "test": run.test_accuracy,
        "images_per_second": last and round(last.images_per_second),
    }


def _differences(compared: list[Run], labels: dict[str, str]) -> None:
    st.subheader("What differs", anchor="differences")
    differences = list_differences([run.spec for run in compared])
    if not differences:
        st.markdown("Nothing: the same network, augmentation, recipe and images.")
        return
    columns = {
        labels[run.id]: [values[turn] for values in differences.values()] for turn, run in enumerate(compared)
    }
    widths = {
        label: st.column_config.TextColumn(label, width=max(180, 600 // len(columns))) for label in columns
    }
    st.dataframe(
        {"field": list(differences), **columns},
        column_config={"field": st.column_config.TextColumn("Field", pinned=True), **widths},
        hide_index=True,
        height="content",
        placeholder="–",
        key="train_compare_differences",
        alt="Fields of the run specs whose values differ, one column a run",
    )


_COLUMNS = {
    "run": st.column_config.TextColumn("Run", pinned=True),
    "state": st.column_config.TextColumn("State"),
    "epochs": st.column_config.TextColumn("Epochs"),
    "num_params": st.column_config.NumberColumn("Parameters", format="localized"),
    "macs": st.column_config.NumberColumn("Multiply-adds", format="localized"),
    "best": st.column_config.NumberColumn("Best validation", format="percent"),
    "test": st.column_config.NumberColumn("Test", format="percent"),
    "images_per_second": st.column_config.NumberColumn("Images a second", format="localized"),
}
