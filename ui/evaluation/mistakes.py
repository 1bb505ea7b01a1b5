"""What the Mistakes page shows of an evaluation: its figures, and the images in focus."""

import numpy as np
import streamlit as st

from core.checkpoint import Checkpoint
from core.data import Dataset
from core.evaluation import Evaluation
from core.evaluation.metrics import Order
from ui.evaluation import charts
from ui.evaluation.words import Focus, describe, image_caption, image_words
from ui.gallery import gallery
from ui.layout import count, percent
from ui.text import plain

PAGE_SIZE = 12
TRUE, PREDICTED, KIND = "mistakes_true", "mistakes_predicted", "mistakes_kind"
ORDER, PAGE = "mistakes_order", "mistakes_page"
# A chart keeps the cell that was clicked last, so that a second click on it says nothing. Under another key
# it starts afresh: this counts how often the cell was changed by other means.
REDRAWN = "mistakes_redrawn"

KINDS = {"misclassified": False, "correct": True}
ORDERS: dict[str, Order] = {"highest loss first": "highest", "lowest loss first": "lowest"}
CHOSEN_BY = {
    "validation": "was chosen on images held out from training",
    "test": "was **chosen on the test images** (the seeds' protocol), which flatters the accuracy",
    "last": "is the last of its training, not the best",
}


INTERVAL = "Where the accuracy lies on ever more test images of the same kind, with 95 % confidence (Wilson)."


def figures(evaluation: Evaluation, checkpoint: Checkpoint, dataset: Dataset) -> None:
    """The accuracy with its interval, on how many images of which dataset, and what chose the epoch."""
    accuracy = evaluation.accuracy
    low, high = accuracy.interval
    with st.grid(columns=4, min_column_width=170):
        st.metric("Accuracy", percent(accuracy.value), border=True)
        st.metric("95 % interval", f"{100 * low:.1f}–{percent(high)}", border=True, help=INTERVAL)
        st.metric("Test images", count(accuracy.total), border=True)
        st.metric("Misclassified", count(accuracy.total - accuracy.correct), border=True)
    stand_in = ", not real images" if dataset.is_stand_in else ""
    st.caption(
        f"Measured on the test images of **{plain(dataset.title)}**{stand_in}. "
        f"Epoch {checkpoint.epoch} {CHOSEN_BY[checkpoint.chosen_by]}. "
        f"Mean loss {evaluation.mean_loss:.3f} nats. Weights {checkpoint.weights_sha256[:8]}."
    )


def focus_controls(classes: tuple[str, ...]) -> Focus:
    """The two class boxes, the keyboard's way to a cell; and which images, where no single cell is chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        true = _class_box("True class", TRUE, classes)
        predicted = _class_box("Predicted class", PREDICTED, classes)
        if true is not None and predicted is not None:
            st.button("Leave the cell", key="mistakes_leave", icon=":material/close:", on_click=_leave_cell)
            return Focus(true, predicted, is_correct=true == predicted)
        kind = st.segmented_control(
            "Images",
            list(KINDS),
            default="misclassified",
            required=True,
            key=KIND,
            on_change=_first_page,
            bind="query-params",
        )
    return Focus(true, predicted, is_correct=KINDS[str(kind)])


def _class_box(label: str, key: str, classes: tuple[str, ...]) -> int | None:
    name = st.selectbox(
        label,
        classes,
        index=None,
        placeholder="any",
        key=key,
        width=180,
        on_change=_redraw,
        bind="query-params",
    )
    return None if name is None else classes.index(name)


def confusion_matrix(evaluation: Evaluation, focus: Focus) -> None:
    """The matrix; a click on a cell sets both class boxes, so that the two never disagree."""
    key = f"mistakes_confusion_{st.session_state.get(REDRAWN, 0)}"

    def take_cell() -> None:
        cells = st.session_state[key]["selection"][charts.SELECTION]
        cell = cells[0] if cells else {}
        st.session_state[TRUE], st.session_state[PREDICTED] = cell.get("true"), cell.get("predicted")
        _first_page()

    worst = evaluation.most_confused()
    summary = describe(evaluation, Focus(*worst)) if worst else "none"
    st.altair_chart(
        charts.confusion_chart(evaluation, focus),
        key=key,
        on_select=take_cell,
        alt=f"Confusion matrix, true classes down, predicted across. Most frequent mistake: {summary}",
    )


def class_accuracies(evaluation: Evaluation) -> None:
    """Every class's accuracy with its interval, over all its test images."""
    values = zip(evaluation.classes, evaluation.class_accuracies, strict=True)
    summary = ", ".join(f"{name} {percent(accuracy.value)}" for name, accuracy in values)
    st.altair_chart(charts.class_accuracy_chart(evaluation), alt=f"Accuracy by class: {summary}")


def focus_gallery(evaluation: Evaluation, focus: Focus, images: np.ndarray) -> None:
    """A page of the test `images` (N, H, W, 3) in focus, each with its fate, confidence, loss and id."""
    st.markdown(f"**{plain(describe(evaluation, focus))}**")
    order = st.segmented_control(
        "Order",
        list(ORDERS),
        default="highest loss first",
        required=True,
        key=ORDER,
        label_visibility="collapsed",
        on_change=_first_page,
        bind="query-params",
    )
    ids = focus.ids(evaluation, ORDERS[str(order)])
    if len(ids) == 0:
        st.info("There is no such image.", icon=":material/done_all:")
        return
    pictures = st.container()
    page = st.pagination(-(-len(ids) // PAGE_SIZE), key=PAGE, bind="query-params")
    shown = ids[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    captions = ["  \n".join(map(plain, image_caption(evaluation, image))) for image in shown]
    with pictures:
        gallery(images[shown], captions, [image_words(evaluation, image) for image in shown], size=96)


def _first_page() -> None:
    st.session_state[PAGE] = 1


def _redraw() -> None:
    st.session_state[REDRAWN] = st.session_state.get(REDRAWN, 0) + 1
    _first_page()


def _leave_cell() -> None:
    st.session_state[TRUE] = st.session_state[PREDICTED] = None
    _redraw()
