"""What can be done to a run: stop, resume, end, rename, delete and bring back, and change its rate."""

from collections.abc import Callable

import streamlit as st

from core.errors import ConvScopeError
from core.training import Run, runs
from core.training.groups import best_accuracy
from ui import paths
from ui.evaluation.checkpoint_choice import link_value
from ui.layout import link_to, percent
from ui.text import plain
from ui.training import clone, export
from ui.training.run_charts import curve, validation_name

FACTORS = (0.1, 0.5, 2.0, 10.0)


def run_buttons(run: Run) -> None:
    """All of it; outside the live part, so that it acts at once."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.state in ("queued", "running"):
            _button("Stop", "stop", ":material/stop:", lambda: runs.request_stop(paths.RUNS, run.id))
        if run.state in ("not responding", "stopping"):
            _button("End it", "end", ":material/cancel:", lambda: _end(run))
        if not run.is_live and run.state != "finished":
            _button("Resume", "resume", ":material/resume:", lambda: runs.resume(paths.RUNS, run.id))
        st.button(
            "Repeat with one thing changed",
            key="train_repeat_run",
            icon=":material/content_copy:",
            on_click=clone.repeat,
            args=(run,),
        )
        _name_and_note(run)
        _save(run)
        if not run.is_live:
            _button("Delete", "delete", ":material/delete:", lambda: _delete(run))
        if run.state == "finished":
            link_to("Mistakes", "Browse its mistakes", {"checkpoint": link_value(run.folder / "best")})
    if run.is_live:
        _rate_buttons(run)


def say_what_went_wrong() -> None:
    """The refusal of the last click, if there was one."""
    if refusal := st.session_state.pop("train_refusal", None):
        st.error(plain(refusal), icon=":material/error:")


def undo_delete() -> None:
    """The way back for what was just deleted here, and for all that was deleted within a day."""
    deleted = {run.id: run for run in runs.list_deleted(paths.RUNS)}
    last = deleted.get(st.session_state.get("train_deleted", ""))
    if last is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Deleted **{plain(last.title)}**.")
            _button("Undo", "undo", ":material/undo:", lambda: _restore(last.id))
    if others := [run for run in deleted.values() if run is not last]:
        with st.popover(f"Deleted runs: {len(others)}", icon=":material/restore_from_trash:"):
            st.caption("They are kept for a day.")
            for run in others:
                act = lambda run_id=run.id: _restore(run_id)  # noqa: E731
                _button(f"Bring back {plain(run.title)}", f"restore_{run.id}", ":material/undo:", act)


def _end(run: Run) -> None:
    with st.spinner("It is told to stop, and ended by force if it does not …"):
        runs.end(paths.RUNS, run.id)


def _delete(run: Run) -> None:
    runs.delete(paths.RUNS, run.id)
    st.session_state["train_deleted"] = run.id


def _restore(run_id: str) -> None:
    runs.restore(paths.RUNS, run_id)
    st.session_state.pop("train_deleted", None)
    st.session_state["train_run"] = run_id


def _save(run: Run) -> None:
    """Take its curves away, as they are at the click."""

    def table() -> str:
        return export.to_csv(export.history_rows([runs.read(paths.RUNS, run.id)]))

    def picture() -> bytes:
        now = runs.read(paths.RUNS, run.id)
        told = {
            "State": now.state,
            "Epochs": f"{len(now.history)} of {now.spec.recipe.epochs}",
            f"Best {validation_name(now.spec.recipe)} accuracy": percent(best_accuracy(now)),
            "Test accuracy": percent(now.test_accuracy),
        }
        return export.to_png([curve(now, "accuracy"), curve(now, "loss")], [told], now.title)

    with st.popover("Save", icon=":material/download:", key="train_save_popover"):
        export.download("Curves as CSV", "run_csv", table, f"{run.id}.csv")
        export.download("Picture (PNG)", "run_png", picture, f"{run.id}.png")


def _name_and_note(run: Run) -> None:
    with st.popover("Name and note", icon=":material/edit_note:", key="train_name_popover"):
        with st.form("train_name_form", border=False, enter_to_submit=False):
            title = st.text_input("Title", run.title, key=f"train_rename_{run.id}", max_chars=80)
            note = st.text_area("Note", run.note, key=f"train_note_{run.id}", max_chars=10_000)
            is_kept = st.form_submit_button("Keep", key="train_name_keep", icon=":material/check:")
        if is_kept:
            try:
                runs.rename(paths.RUNS, run.id, title)
                runs.write_note(paths.RUNS, run.id, note)
            except ConvScopeError as error:
                st.error(plain(str(error)), icon=":material/error:")
            else:
                st.rerun()


def _rate_buttons(run: Run) -> None:
    """Other learning rates while it trains; each is told to the run, and kept with it."""
    present = _wished_factor(run)
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="train_rate_buttons"):
        st.markdown("**Learning rate**", width="content")
        for by in FACTORS:
            factor = float(f"{present * by:.6g}")  # 0.1 × 10 is 1
            st.button(
                f"×{by:g}",
                key=f"train_rate_{by:g}",
                help=f"{factor:g} times the schedule's learning rate, from the next step on",
                on_click=_wish,
                args=(run, factor),  # not the step to it: a click that the server takes twice does no harm
            )
        factor = st.number_input(
            "Times the schedule's",
            key="train_rate_factor",
            value=1.0,
            min_value=0.0,
            max_value=1000.0,
            step=0.1,
            format="%g",
            label_visibility="collapsed",
            icon=":material/close:",
            width=150,
        )
        st.button("Set", key="train_rate_set", icon=":material/speed:", on_click=_wish, args=(run, factor))


def _wished_factor(run: Run) -> float:
    """What this page wished for last, unless the run has taken up a wish since."""
    wished_for, wished, changes_then = st.session_state.get("train_rate_wish", ("", 1.0, 0))
    if wished_for == run.id and len(run.rate_changes) <= changes_then:
        return float(wished)
    return run.rate_changes[-1].factor if run.rate_changes else 1.0


def _wish(run: Run, factor: float) -> None:
    try:
        runs.change_rate(paths.RUNS, run.id, factor)
    except ConvScopeError as error:
        st.session_state["train_refusal"] = str(error)
        return
    st.session_state["train_rate_wish"] = run.id, factor, len(run.rate_changes)
    st.toast(f"Learning rate × {factor:g} from the next step on", icon=":material/speed:")


def _button(label: str, field: str, icon: str | None, act: Callable[[], object]) -> None:
    if st.button(label, key=f"train_{field}", icon=icon):
        try:
            act()
        except ConvScopeError as error:
            st.session_state["train_refusal"] = str(error)
        st.rerun()
