"""The Mistakes page: its counts are recounts, and its pictures are exactly those in focus."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from core import checkpoint
from core.data import Dataset, load
from core.evaluation import evaluate
from core.network.build import build_network
from tests import tiny
from tests.browser import PROJECT
from tests.scored import made_up_probabilities, save_checkpoint
from ui.evaluation.charts import confusion_chart
from ui.evaluation.words import Focus, describe

PAGE = "pages/5_Mistakes.py"
RUN = "20260102-030405-tiny-abcdef"
CELL_TRUE, CELL_PREDICTED = "circle", "ring"

OPEN_WITHOUT_TORCH = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("streamlit_app.py", default_timeout=60).switch_page("pages/5_Mistakes.py").run()
assert not app.exception, app.exception[0].value
assert len(app.image) == 12, app.error
heavy = {"torch", "torchvision", "albumentations", "cv2"} & sys.modules.keys()
sys.exit(f"imported {heavy}" if heavy else 0)
"""


@pytest.fixture
def dataset(shapes_root: Path) -> Dataset:
    """The stand-in dataset."""
    return load("shapes", shapes_root)


@pytest.fixture
def best(tmp_path: Path) -> Path:
    """Where the best epoch of a run is kept."""
    return tmp_path / "runs" / RUN / "best"


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The page, not opened yet, over folders without any checkpoint."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.setattr("ui.paths.CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.chdir(PROJECT)
    return AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).switch_page(PAGE)


def shown_ids(app: AppTest) -> list[int]:
    """The ids of the pictures on screen, in their order."""
    found = [re.match(r"Test image (\d+):", image.proto.imgs[0].alt) for image in app.image]
    return [int(match.group(1)) for match in found if match]


def sentence(app: AppTest) -> str:
    """What the gallery says that it shows."""
    return next(text.value.strip("*").replace("\\", "") for text in app.markdown if " images " in text.value)


def metrics(app: AppTest) -> dict[str, str]:
    """The figures at the top."""
    return {metric.label: metric.value for metric in app.metric}


def ids_by_loss(dataset: Dataset, probabilities: np.ndarray, chosen: np.ndarray) -> list[int]:
    """The ids where `chosen`, the highest loss first."""
    of_true_class = probabilities[np.arange(len(dataset.test)), dataset.test.labels]
    return sorted(np.flatnonzero(chosen).tolist(), key=lambda image: (of_true_class[image], image))


def test_figures_are_a_recount(app: AppTest, best: Path, dataset: Dataset) -> None:
    probabilities = save_checkpoint(best, dataset)
    app.run()
    assert not app.exception
    wrong = int((probabilities.argmax(axis=1) != dataset.test.labels).sum())
    shown = metrics(app)
    assert shown["Misclassified"] == f"{wrong:,}"
    assert shown["Test images"] == "2,000"
    assert shown["Accuracy"] == f"{100 * (1 - wrong / 2000):.1f} %"
    low, high = evaluate(probabilities, dataset.test.labels, dataset.classes).accuracy.interval
    assert shown["95 % interval"] == f"{100 * low:.1f}–{100 * high:.1f} %"
    assert any("Shapes" in caption.value and "not real images" in caption.value for caption in app.caption)


def test_the_gallery_begins_with_the_worst_mistakes(app: AppTest, best: Path, dataset: Dataset) -> None:
    probabilities = save_checkpoint(best, dataset)
    wrong = ids_by_loss(dataset, probabilities, probabilities.argmax(axis=1) != dataset.test.labels)
    app.run()
    assert shown_ids(app) == wrong[:12]
    assert sentence(app).startswith(f"{len(wrong):,} of 2,000 images misclassified")
    app.pagination(key="mistakes_page").set_value(2).run()
    assert shown_ids(app) == wrong[12:24]
    app.segmented_control(key="mistakes_order").set_value("lowest loss first").run()
    assert shown_ids(app) == wrong[::-1][:12]
    assert app.pagination(key="mistakes_page").value == 1


def test_correct_images_can_be_browsed_too(app: AppTest, best: Path, dataset: Dataset) -> None:
    probabilities = save_checkpoint(best, dataset)
    right = ids_by_loss(dataset, probabilities, probabilities.argmax(axis=1) == dataset.test.labels)
    app.run()
    app.segmented_control(key="mistakes_kind").set_value("correct").run()
    assert shown_ids(app) == right[:12]
    assert sentence(app).startswith(f"{len(right):,} of 2,000 images recognised")


def test_two_classes_show_exactly_the_images_of_their_cell(
    app: AppTest, best: Path, dataset: Dataset
) -> None:
    probabilities = save_checkpoint(best, dataset)
    row, column = dataset.classes.index(CELL_TRUE), dataset.classes.index(CELL_PREDICTED)
    answers = probabilities.argmax(axis=1)
    cell = ids_by_loss(dataset, probabilities, (dataset.test.labels == row) & (answers == column))
    app.run()
    app.selectbox(key="mistakes_true").set_value(CELL_TRUE).run()
    app.selectbox(key="mistakes_predicted").set_value(CELL_PREDICTED).run()
    shown = shown_ids(app)
    for number in range(2, app.pagination(key="mistakes_page").num_pages + 1):
        shown += shown_ids(app.pagination(key="mistakes_page").set_value(number).run())
    assert shown == cell
    assert sentence(app).startswith(f"{len(cell)} of 200 {CELL_TRUE} images taken for {CELL_PREDICTED}")
    app.button(key="mistakes_leave").click().run()
    assert app.selectbox(key="mistakes_true").value is None
    assert "misclassified" in sentence(app)


def test_a_link_opens_at_its_cell_order_and_page(app: AppTest, best: Path, dataset: Dataset) -> None:
    probabilities = save_checkpoint(best, dataset)
    row = dataset.classes.index(CELL_TRUE)
    hits = (dataset.test.labels == row) & (probabilities.argmax(axis=1) == row)
    link = {"true": CELL_TRUE, "predicted": CELL_TRUE, "order": "lowest loss first", "page": "2"}
    for field, value in link.items():
        app.query_params[f"mistakes_{field}"] = value
    app.query_params["checkpoint"] = f"runs/{RUN}/best"
    app.run()
    assert not app.exception
    assert shown_ids(app) == ids_by_loss(dataset, probabilities, hits)[::-1][12:24]
    assert sentence(app).startswith(f"{hits.sum()} of 200 {CELL_TRUE} images recognised")


@pytest.mark.parametrize(
    "field,value", [("true", "unicorn"), ("page", "9999"), ("page", "-1"), ("order", "?")]
)
def test_a_wrong_link_breaks_nothing(
    app: AppTest, best: Path, dataset: Dataset, field: str, value: str
) -> None:
    save_checkpoint(best, dataset)
    app.query_params[f"mistakes_{field}"] = value
    app.run()
    assert not app.exception
    assert len(shown_ids(app)) == 12


def test_the_matrix_prints_every_count(dataset: Dataset) -> None:
    evaluation = evaluate(made_up_probabilities(dataset), dataset.test.labels, dataset.classes)
    chart = confusion_chart(evaluation, Focus()).to_dict()
    assert "text" in [layer["mark"]["type"] for layer in chart["layer"]]
    cells = chart["datasets"][chart["data"]["name"]]
    printed = {(cell["true"], cell["predicted"]): cell["images"] for cell in cells}
    assert printed == {
        (true, predicted): evaluation.confusion[row, column]
        for row, true in enumerate(dataset.classes)
        for column, predicted in enumerate(dataset.classes)
    }


@pytest.mark.parametrize(
    "focus",
    [Focus(true=2), Focus(true=2, is_correct=True), Focus(predicted=3), Focus(2, 3), Focus(2, 2, True)],
)
def test_the_cells_outlined_hold_the_images_in_focus(dataset: Dataset, focus: Focus) -> None:
    evaluation = evaluate(made_up_probabilities(dataset), dataset.test.labels, dataset.classes)
    chart = confusion_chart(evaluation, focus).to_dict()
    cells = chart["datasets"][chart["data"]["name"]]
    outlined = sum(cell["images"] for cell in cells if cell["is_in_focus"])
    assert outlined == len(focus.ids(evaluation)) > 0
    assert describe(evaluation, focus).startswith(f"{outlined:,} of ")


@pytest.mark.parametrize(
    "focus,words",
    [
        (Focus(), "3 of 6 images misclassified (50.0 %)"),
        (Focus(is_correct=True), "3 of 6 images recognised (50.0 %)"),
        (Focus(true=1), "2 of 3 cat images taken for something else (66.7 %)"),
        (Focus(true=1, is_correct=True), "1 of 3 cat images recognised (33.3 %)"),
        (Focus(predicted=2), "2 of 4 other images taken for dog (50.0 %)"),
        (Focus(predicted=2, is_correct=True), "1 of 2 dog images recognised (50.0 %)"),
        (Focus(1, 2), "2 of 3 cat images taken for dog (66.7 %)"),
        (Focus(0, 0, is_correct=True), "1 of 1 bird images recognised (100.0 %)"),
    ],
)
def test_the_count_is_said_in_words(focus: Focus, words: str) -> None:
    probabilities = np.eye(3, dtype=np.float32)[[0, 2, 1, 2, 1, 2]]
    evaluation = evaluate(probabilities, np.array([0, 1, 1, 1, 2, 2]), ("bird", "cat", "dog"))
    assert describe(evaluation, focus) == words


def test_every_picture_has_words(app: AppTest, best: Path, dataset: Dataset) -> None:
    save_checkpoint(best, dataset)
    app.run()
    words = [image.proto.imgs[0].alt for image in app.image]
    assert len(words) == 12
    assert all(re.fullmatch(r"Test image \d+: \w+, taken for \w+", text) for text in words)


@pytest.mark.parametrize(
    "chosen_by,words",
    [("validation", "held out from training"), ("test", "seeds' protocol"), ("last", "not the best")],
)
def test_what_chose_the_epoch_is_said(
    app: AppTest, best: Path, dataset: Dataset, chosen_by: str, words: str
) -> None:
    save_checkpoint(best, dataset, chosen_by=chosen_by)
    app.run()
    assert any(words in caption.value for caption in app.caption)


def test_without_a_checkpoint_the_page_leads_to_train(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert "no checkpoint yet" in app.info[0].value
    assert "Train a network" in [link.value for link in app.page_link]


def test_the_newest_checkpoint_of_the_images_in_use_comes_first(
    app: AppTest, tmp_path: Path, best: Path, dataset: Dataset
) -> None:
    shipped = tmp_path / "checkpoints" / "shipped"
    save_checkpoint(shipped, dataset)
    save_checkpoint(best.with_name("last"), dataset, chosen_by="last")
    save_checkpoint(best, dataset)
    save_checkpoint(tmp_path / "runs" / "20270102-030405-other-abcdef" / "best", tiny.random_dataset())
    for folder, year in ((shipped, 2024), (best, 2025), (best.with_name("last"), 2026)):
        record = json.loads((folder / "checkpoint.json").read_text())
        record.pop("seal", None)
        record["created"] = f"{year}-01-02T03:04:05+00:00"
        (folder / "checkpoint.json").write_text(json.dumps(record))
    app.run()
    assert app.selectbox(key="checkpoint").value == f"runs/{RUN}/best"
    assert app.query_params["checkpoint"] == f"runs/{RUN}/best"
    app.selectbox(key="checkpoint").set_value("checkpoints/shipped").run()
    assert app.query_params["checkpoint"] == "checkpoints/shipped"
    app.switch_page("pages/6_Demo.py")
    app.switch_page(PAGE).run()
    assert app.selectbox(key="checkpoint").value == "checkpoints/shipped"


def test_a_link_to_a_checkpoint_that_is_gone_shows_another_one(
    app: AppTest, best: Path, dataset: Dataset
) -> None:
    save_checkpoint(best, dataset)
    app.query_params["checkpoint"] = "runs/../../etc"
    app.run()
    assert not app.exception
    assert "is not here" in app.warning[0].value
    assert app.selectbox(key="checkpoint").value == f"runs/{RUN}/best"


def test_a_damaged_record_is_named_and_can_be_left(app: AppTest, best: Path, dataset: Dataset) -> None:
    save_checkpoint(best, dataset)
    (best / "checkpoint.json").write_text("{")
    app.run()
    assert not app.exception
    assert "cannot be used" in app.error[0].value
    assert "checkpoint.json" in app.error[0].value


def test_other_images_of_the_same_classes_are_warned_of(app: AppTest, best: Path, dataset: Dataset) -> None:
    save_checkpoint(best, replace(dataset, fingerprint="1" * 64, title="Another draw"))
    app.run()
    assert not app.exception
    assert "Another draw" in app.warning[0].value
    assert "Measure it on the 2,000 test images" in app.button(key="mistakes_measure").label
    assert len(app.image) == 0


def test_other_classes_are_refused_with_a_way_out(app: AppTest, best: Path, dataset: Dataset) -> None:
    save_checkpoint(best, replace(dataset, classes=tuple("abcdefghij")))
    app.run()
    assert not app.exception
    assert "a, b, c" in app.error[0].value
    assert "circle" in app.error[0].value
    assert len(app.image) == 0
    app.button(key="mistakes_use_own_data").click().run()
    assert not app.exception
    assert app.selectbox(key="data").value == "shapes"


def test_names_of_classes_are_shown_letter_by_letter(app: AppTest, best: Path, dataset: Dataset) -> None:
    record = {"dataset_title": "**bold** <b>x</b> :red[y]"}
    save_checkpoint(best, replace(dataset, fingerprint="1" * 64), **record)
    app.run()
    assert r"\*\*bold\*\* \<b\>x\</b\> \:red\[y\]" in app.warning[0].value


def test_the_page_needs_no_torch_where_probabilities_are_saved(
    tmp_path: Path, best: Path, shapes_root: Path, dataset: Dataset
) -> None:
    save_checkpoint(best, dataset)
    environment = {"CONVSCOPE_DATA": str(shapes_root), "CONVSCOPE_RUNS": str(tmp_path / "runs")}
    command = [sys.executable, "-c", OPEN_WITHOUT_TORCH]
    answer = subprocess.run(
        command,
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr


@pytest.mark.slow
def test_what_is_not_measured_is_measured_by_another_process(
    app: AppTest, best: Path, dataset: Dataset
) -> None:
    torch.manual_seed(0)
    network = build_network(tiny.NETWORK)
    save_checkpoint(best, dataset, {name: value.numpy() for name, value in network.state_dict().items()})
    next(best.glob("probabilities-*")).unlink()
    app.run()
    assert len(app.image) == 0
    app.button(key="mistakes_measure").click().run()
    assert not app.exception
    assert [problem.value for problem in app.error] == []
    measured = checkpoint.load_probabilities(best, dataset.fingerprint)
    assert measured is not None
    wrong = int((measured.argmax(axis=1) != dataset.test.labels).sum())
    assert metrics(app)["Misclassified"] == f"{wrong:,}"


@pytest.mark.slow
def test_a_flipped_byte_is_said_when_it_is_measured(app: AppTest, best: Path, dataset: Dataset) -> None:
    save_checkpoint(best, dataset)
    next(best.glob("probabilities-*")).unlink()
    path = best / checkpoint.load(best).weights_file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    app.run()
    app.button(key="mistakes_measure").click().run()
    assert not app.exception
    assert "SHA-256" in app.error[0].value
    assert "Traceback" not in app.error[0].value
