"""The Ablation view: queue a grid of runs that differ in one thing, and see its table grow."""

import streamlit as st

from core.training import ablation
from core.training.ablation import Ablation
from ui import paths
from ui.layout import PAGES, percent
from ui.text import plain
from ui.training import ablation_results, export
from ui.training.ablation_form import queue_form
from ui.training.ablation_results import ValueRow
from ui.training.compare import MAX_RUNS
from ui.training.live_chart import live_chart
from ui.training.run_charts import validation_name
from ui.training.run_view import POLL_SECONDS

NEW = "new"


def show() -> None:
    """The ablation chosen, or the form for a new one."""
    if queued := st.session_state.pop("train_ablation_queued", None):
        st.session_state["train_ablation"] = queued
    chosen = _choice({each.id: each for each in ablation.list_ablations(paths.RUNS)})
    if chosen is None:
        queue_form()
        return
    members = ablation.members(paths.RUNS, chosen)
    _buttons(chosen, members)
    _live_table(chosen, members)
    _downloads(chosen)


def _choice(listed: dict[str, Ablation]) -> Ablation | None:
    """The ablation to look at: the link's, else the one chosen; None is for a new one."""
    link = st.query_params.get("ablation")
    if link and link != st.session_state.get("train_ablation_link"):
        if link in listed:
            st.session_state["train_ablation"] = link
        else:
            st.warning("The link names an ablation that is not among those here.", icon=":material/link_off:")
    if st.session_state.get("train_ablation", NEW) not in listed:
        st.session_state["train_ablation"] = NEW
    key = st.selectbox(
        "Ablation",
        [NEW, *listed],
        key="train_ablation",
        format_func=lambda key: "A new one" if key == NEW else _label(listed[key]),
        persist_state="session",
    )
    st.session_state["train_ablation_link"] = key
    if key == NEW:
        st.query_params.pop("ablation", None)
    else:
        st.query_params["ablation"] = key
    return listed.get(key)


def _label(found: Ablation) -> str:
    return f"{found.title} · {len(found.runs)} runs · {found.created[:16].replace('T', ' ')}"


def _buttons(found: Ablation, before: ablation_results.Members) -> None:
    members = [run for run in before.values() if run is not None]
    with st.container(horizontal=True, vertical_alignment="center"):
        if any(run.is_live for run in members):
            if st.button("Stop all", key="train_ablation_stop", icon=":material/stop:"):
                ablation.request_stop(paths.RUNS, found)
                st.rerun()
        elif any(run.state != "finished" for run in members) and st.button(
            "Resume all", key="train_ablation_resume", icon=":material/resume:"
        ):
            ablation.resume(paths.RUNS, found)
            st.rerun()
        ids = [run.id for run in members[:MAX_RUNS]]
        if ids and st.button(
            "Compare their curves", key="train_ablation_compare", icon=":material/stacked_line_chart:"
        ):
            link = {"train_view": "Compare", "compare": ",".join(ids)}
            st.switch_page(PAGES["Train"][0], query_params=link)


def _live_table(found: Ablation, before: ablation_results.Members) -> None:
    """Table and chart, redrawn every second while a run of the grid is live and once more when it ends.

    `before` is as the buttons above show it.
    """
    was_live = any(run is not None and run.is_live for run in before.values())

    @st.fragment(run_every=POLL_SECONDS if was_live else None)
    def draw() -> None:
        now = ablation.members(paths.RUNS, found)
        if was_live != any(run is not None and run.is_live for run in now.values()):
            st.rerun()
        _show(found, now)

    draw()


def _show(found: Ablation, members: ablation_results.Members) -> None:
    rows = ablation_results.value_rows(members)
    st.markdown(f"#### {plain(found.title)}")
    _progress(rows, members)
    unseen = ["test_images"] if any(row.planned > 1 for row in rows) else ["test_images", *_SPREADS]
    st.dataframe(
        [row._asdict() for row in rows],
        column_config=_COLUMNS | dict.fromkeys(unseen),
        hide_index=True,
        height="content",
        placeholder="–",
        key="train_ablation_table",
        alt="Accuracy of every value, with its interval and its spread over the seeds",
    )
    if any(row.test is not None for row in rows):
        alt = "Test accuracy of every value, with its interval, and of every run"
        picture = ablation_results.chart(rows, members, found)
        live_chart(picture, "train_ablation_chart", alt)
    _explain(rows, members)


def _progress(rows: list[ValueRow], members: ablation_results.Members) -> None:
    """How many runs have finished, and of all their epochs how many are done."""
    there = [run for run in members.values() if run is not None]
    finished, epochs = sum(row.done for row in rows), sum(run.spec.recipe.epochs for run in there)
    if finished < len(there):
        done = sum(len(run.history) for run in there)
        text = f"{finished} of {len(members)} runs finished, {done} of {epochs} epochs done"
        st.progress(min(done / epochs, 1.0), text)


def _explain(rows: list[ValueRow], members: ablation_results.Members) -> None:
    images = next((row.test_images for row in rows if row.test_images), None)
    recipe = next((run.spec.recipe for run in members.values() if run is not None), None)
    protocol = validation_name(recipe) if recipe else ""
    counted = f"{images:,}" if images else "the"
    st.caption(
        f"From and to: the 95 % interval after Wilson for the mean on {counted} test images: what the "
        "choice of these images leaves open. ±: one standard deviation over the seeds."
    )
    if "test" in protocol:
        st.warning(
            "The test images chose the epochs (the seeds' protocol), so that all accuracies are optimistic.",
            icon=":material/info:",
        )


def _downloads(found: Ablation) -> None:
    def rows() -> list[ValueRow]:
        return ablation_results.value_rows(ablation.members(paths.RUNS, found))

    def runs_csv() -> str:
        members = ablation.members(paths.RUNS, found).values()
        return export.to_csv(export.history_rows([run for run in members if run is not None]))

    def picture() -> bytes:
        members = ablation.members(paths.RUNS, found)
        told = ablation_results.value_rows(members)
        return export.to_png(
            [ablation_results.chart(told, members, found)], list(map(_words, told)), found.title
        )

    with st.container(horizontal=True):
        table = lambda: export.to_csv([row._asdict() for row in rows()])  # noqa: E731
        export.download("Table as CSV", "ablation_csv", table, "ablation.csv")
        export.download("Curves as CSV", "ablation_curves_csv", runs_csv, "ablation_curves.csv")
        export.download("Picture (PNG)", "ablation_png", picture, "ablation.png")


def _words(row: ValueRow) -> dict[str, str]:
    interval = "–" if row.low is None else f"{percent(row.low)} to {percent(row.high)}"
    return {
        "Value": row.value,
        "Runs": f"{row.done} of {row.planned}",
        "Validation": percent(row.validation),
        "Test": percent(row.test),
        "95 % interval": interval,
        "± over seeds": percent(row.test_deviation),
    }


_SPREADS = ("validation_deviation", "test_deviation")
_COLUMNS = {
    "value": st.column_config.TextColumn("Value", pinned=True),
    "done": st.column_config.NumberColumn("Done"),
    "planned": st.column_config.NumberColumn("Runs"),
    "validation": st.column_config.NumberColumn("Best validation", format="percent"),
    "validation_deviation": st.column_config.NumberColumn("± validation", format="percent"),
    "test": st.column_config.NumberColumn("Test", format="percent"),
    "test_deviation": st.column_config.NumberColumn("± test", format="percent"),
    "low": st.column_config.NumberColumn("From", format="percent", help="The 95 % interval after Wilson"),
    "high": st.column_config.NumberColumn("To", format="percent", help="The 95 % interval after Wilson"),
    "states": st.column_config.TextColumn("State"),
}
