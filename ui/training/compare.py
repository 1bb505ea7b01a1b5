"""Several runs beside each other: their curves in one picture, and what differs between them."""

import re
from typing import Any

import streamlit as st

from core.errors import RunError
from core.network import size_network
from core.training import Run, runs
from core.training.differences import list_differences
from core.training.groups import best_accuracy, group_seeds, spread
from ui import paths
from ui.layout import count, percent
from ui.training import export
from ui.training.compare_charts import Group, curves
from ui.training.live_chart import live_chart
from ui.training.run_view import POLL_SECONDS

MAX_RUNS = 24
SEED = re.compile(r" · seed \d+$")
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
    before = _read(run_ids)
    is_grouped = _grouping(before)

    @st.fragment(run_every=POLL_SECONDS if any(run.is_live for run in before) else None)
    def draw() -> None:
        try:
            now = _read(run_ids)
        except RunError:  # deleted meanwhile: choose again from those that are left
            st.rerun()
        if {run.id: run.state for run in now} != {run.id: run.state for run in before}:
            st.rerun()
        _show(now, is_grouped)

    draw()
    _downloads(run_ids, is_grouped)


def _read(run_ids: list[str]) -> list[Run]:
    """Oldest first, so that a run keeps its colour when a newer one joins."""
    return [runs.read(paths.RUNS, run_id) for run_id in sorted(run_ids)]


def _grouping(compared: list[Run]) -> bool:
    """Whether runs that differ in their seed alone are told as one; asked where there are such."""
    if len(group_seeds(compared)) == len(compared):
        return False
    return st.toggle(
        "Seeds as one, with mean and spread",
        key="train_compare_grouped",
        value=True,
        help="Runs that differ in nothing but their seed: a line for their mean, in a band of one standard "
        "deviation of the sample on either side.",
    )


def _groups(compared: list[Run], is_grouped: bool) -> list[Group]:
    labels = _labels(compared)
    if not is_grouped:
        return [Group(labels[run.id], (run,)) for run in compared]
    return [
        Group(labels[members[0].id], members)
        if len(members) == 1
        else Group(f"{SEED.sub('', labels[members[0].id])} ({len(members)} seeds)", members)
        for members in group_seeds(compared)
    ]


def _show(compared: list[Run], is_grouped: bool) -> None:
    groups = _groups(compared, is_grouped)
    if any(run.history for run in compared):
        grid = st.grid(columns=2, min_column_width=380)
        for measure, alt in MEASURES.items():
            with grid.cell():
                live_chart(curves(groups, measure), f"train_compare_{measure}", alt)
    else:
        st.caption("The curves begin with the end of the first epoch.")
    st.dataframe(
        [_result(group) for group in groups],
        column_config=_COLUMNS,
        hide_index=True,
        height="content",
        placeholder="–",
        alt="State, counts and accuracies of every run",
    )
    if len(groups) > 1:
        _differences([group.runs[0] for group in groups], [group.label for group in groups])


def _downloads(run_ids: list[str], is_grouped: bool) -> None:
    def table() -> list[dict[str, Any]]:
        return [_result(group) for group in _groups(_read(run_ids), is_grouped)]

    def picture() -> bytes:
        groups = _groups(_read(run_ids), is_grouped)
        told = [_words(_result(group)) for group in groups]
        return export.to_png([curves(groups, measure) for measure in MEASURES], told, "Runs compared")

    with st.container(horizontal=True):
        export.download(
            "Curves as CSV",
            "compare_curves_csv",
            lambda: export.to_csv(export.history_rows(_read(run_ids))),
            "curves.csv",
        )
        export.download("Table as CSV", "compare_table_csv", lambda: export.to_csv(table()), "runs.csv")
        export.download("Picture (PNG)", "compare_png", picture, "runs.png")


def _labels(compared: "tuple[Run, ...] | list[Run]") -> dict[str, str]:
    """Every run's title, with its time and the end of its id where another has the same."""
    titles = [run.title for run in compared]
    return {
        run.id: run.title
        if titles.count(run.title) == 1
        else f"{run.title} · {run.created[11:16]} {run.id[-6:]}"
        for run in compared
    }


def _result(group: Group) -> dict[str, Any]:
    first = group.runs[0]
    sizing = size_network(first.spec.network)
    rates = [run.history[-1].images_per_second for run in group.runs if run.history]
    states = dict.fromkeys(run.state for run in group.runs)
    done = min(len(run.history) for run in group.runs)
    row: dict[str, Any] = {
        "run": group.label,
        "state": ", ".join(states),
        "epochs": f"{done} of {first.spec.recipe.epochs}",
    }
    for field, found in (
        ("best", spread(map(best_accuracy, group.runs))),
        ("test", spread(run.test_accuracy for run in group.runs)),
    ):
        row[field] = found and found.mean
        if len(group.runs) > 1:
            row[f"{field}_deviation"] = found and found.deviation
            row[f"{field}_runs"] = found.count if found else 0
    speed = round(max(rates)) if rates else None
    return row | {"num_params": sizing.num_params, "macs": sizing.macs, "images_per_second": speed}


def _words(row: dict[str, Any]) -> dict[str, str]:
    """The row as the picture tells it, with the names and the order of the table's columns."""

    def text(field: str) -> str:
        value = row.get(field)
        if value is None:
            return "–"
        is_share = field.removesuffix("_deviation") in ("best", "test")
        return percent(value) if is_share else count(value) if isinstance(value, int) else str(value)

    return {str(column["label"]): text(field) for field, column in _COLUMNS.items() if field in row}


def _differences(compared: list[Run], labels: list[str]) -> None:
    st.subheader("What differs", anchor="differences")
    differences = list_differences([run.spec for run in compared])
    if not differences:
        st.markdown("Nothing: the same network, augmentation, recipe and images.")
        return
    columns = {label: [values[turn] for values in differences.values()] for turn, label in enumerate(labels)}
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


_SPREAD = "Standard deviation of the sample, over the seeds"
_COLUMNS = {
    "run": st.column_config.TextColumn("Run", pinned=True),
    "state": st.column_config.TextColumn("State"),
    "epochs": st.column_config.TextColumn("Epochs"),
    "best": st.column_config.NumberColumn("Best validation", format="percent"),
    "best_deviation": st.column_config.NumberColumn("± validation", format="percent", help=_SPREAD),
    "best_runs": st.column_config.NumberColumn("n validation", help="Runs that the mean is over"),
    "test": st.column_config.NumberColumn("Test", format="percent"),
    "test_deviation": st.column_config.NumberColumn("± test", format="percent", help=_SPREAD),
    "test_runs": st.column_config.NumberColumn("n test", help="Runs that the mean is over"),
    "num_params": st.column_config.NumberColumn("Parameters", format="localized"),
    "macs": st.column_config.NumberColumn("Multiply-adds", format="localized"),
    "images_per_second": st.column_config.NumberColumn("Images a second", format="localized"),
}
