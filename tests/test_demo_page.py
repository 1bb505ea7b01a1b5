"""The Demo page: one picture gets the answer that it gets among thousands, and a bad file gets a message."""

import io
import re
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import checkpoint
from core.data import Dataset, load
from core.evaluation.run import run_evaluation
from core.network.build import build_network
from tests import tiny
from tests.browser import PROJECT
from tests.scored import save_checkpoint
from ui.evaluation import prediction

PAGE = "pages/6_Demo.py"
NAME = "tiny"


@pytest.fixture
def dataset(shapes_root: Path) -> Dataset:
    """The stand-in dataset."""
    return load("shapes", shapes_root)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, shapes_root: Path) -> Path:
    """A checkpoint of the tiny network, with what it really says of the test images."""
    folder, dataset = tmp_path_factory.mktemp("checkpoints") / NAME, load("shapes", shapes_root)
    torch.manual_seed(0)
    weights = build_network(tiny.NETWORK).state_dict()
    save_checkpoint(folder, dataset, {name: value.numpy() for name, value in weights.items()})
    list(run_evaluation(folder, dataset))
    return folder


@pytest.fixture
def folder(measured: Path, tmp_path: Path) -> Path:
    """The same for one test alone."""
    return shutil.copytree(measured, tmp_path / "checkpoints" / NAME)


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The page, not opened yet."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.setattr("ui.paths.CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.chdir(PROJECT)
    return AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).switch_page(PAGE)


def truth(folder: Path, dataset: Dataset) -> np.ndarray:
    """The probabilities that were measured over all test images."""
    probabilities = checkpoint.load_probabilities(folder, dataset.fingerprint)
    assert probabilities is not None
    return probabilities


def png(image: np.ndarray) -> bytes:
    """`image` (H, W, 3) as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    """The page with this file sent to it."""
    app.query_params["demo_source"] = "your own picture"
    app.run()
    app.file_uploader(key="demo_upload").upload(name, content)
    return app.run()


def headline(app: AppTest) -> str:
    """What the page says that the picture shows."""
    return next(text.value for text in app.markdown if text.value.startswith("#### "))


def expected_headline(dataset: Dataset, row: np.ndarray) -> str:
    """The same, from probabilities (C,)."""
    return f"#### {dataset.classes[row.argmax()]}, {100 * row.max():.1f} %"


def test_at_first_sight_there_are_answers(app: AppTest, folder: Path, dataset: Dataset) -> None:
    app.run()
    assert not app.exception
    assert [problem.value for problem in app.error] == []
    image = app.pills(key="demo_image").value
    assert headline(app) == expected_headline(dataset, truth(folder, dataset)[image])
    assert any(dataset.classes[dataset.test.labels[image]] in text.value for text in app.markdown)
    assert all(picture.proto.imgs[0].alt for picture in app.image)


def test_the_seed_draws_the_images(app: AppTest, folder: Path) -> None:
    app.run()
    first = app.pills(key="demo_image").options
    app.number_input(key="demo_seed").set_value(2).run()
    assert app.pills(key="demo_image").options != first
    app.number_input(key="demo_seed").set_value(1).run()
    assert app.pills(key="demo_image").options == first


@pytest.mark.parametrize("image", [0, 7, 1234])
def test_one_picture_gets_the_answer_that_it_gets_among_all(
    app: AppTest, folder: Path, dataset: Dataset, image: int
) -> None:
    upload(app, "picture.png", png(dataset.test.images[image]))
    assert not app.exception
    assert headline(app) == expected_headline(dataset, truth(folder, dataset)[image])


def test_single_and_batch_agree_bit_for_bit_or_nearly(folder: Path, dataset: Dataset) -> None:
    record = checkpoint.load(folder)
    singles = [prediction.probabilities(folder, record, dataset.test.images[i : i + 1]) for i in range(20)]
    assert np.concatenate(singles) == pytest.approx(truth(folder, dataset)[:20], abs=1e-6)


def test_a_large_picture_is_shown_beside_what_the_network_sees(app: AppTest, folder: Path) -> None:
    picture = np.full((300, 500, 3), 40, dtype=np.uint8)
    upload(app, "wide.png", png(picture))
    assert not app.exception
    words = [image.proto.imgs[0].alt for image in app.image]
    assert words == ["Your picture", "Your picture as 32 by 32 pixels"]


NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
BAD_FILES = {
    "notes.png": (b"notes of a course\n" * 20, "not a PNG, JPEG or WebP picture"),
    "empty.jpg": (b"", "not a PNG, JPEG or WebP picture"),
    "half.png": (png(NOISE)[:5000], "damaged or cut off"),
    "dot.png": (png(NOISE[:1, :1]), "8 to 8000 pixels"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_gets_a_message_and_the_next_one_an_answer(
    app: AppTest, folder: Path, dataset: Dataset, name: str
) -> None:
    content, words = BAD_FILES[name]
    upload(app, name, content)
    assert not app.exception
    assert words in app.error[0].value
    app.file_uploader(key="demo_upload").set_value(("good.png", png(dataset.test.images[0]), "image/png"))
    app.run()
    assert [problem.value for problem in app.error] == []
    assert headline(app)


def test_what_it_was_trained_on_is_said(app: AppTest, folder: Path) -> None:
    app.run()
    said = app.info[0].value
    assert "Shapes" in said
    assert "no photographs" in said
    assert "10 classes" in said


def test_images_that_it_was_not_trained_on_are_named(app: AppTest, folder: Path, dataset: Dataset) -> None:
    save_checkpoint(
        folder,
        replace(dataset, fingerprint="1" * 64, classes=tuple("abcdefghij"), title="Letters"),
        checkpoint.load_weights(folder),
    )
    app.run()
    assert not app.exception
    assert "Letters" in app.warning[0].value
    assert re.match(r"#### [a-j], ", headline(app))


def test_damaged_weights_get_a_message(app: AppTest, folder: Path) -> None:
    path = folder / checkpoint.load(folder).weights_file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    app.run()
    assert not app.exception
    assert "SHA-256" in app.error[0].value


def test_without_a_checkpoint_the_page_leads_to_train(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert "no checkpoint yet" in app.info[0].value


def test_visitors_at_the_same_time_share_one_network_and_get_their_own_answers(
    folder: Path, dataset: Dataset, clear_caches: None
) -> None:
    record, expected = checkpoint.load(folder), truth(folder, dataset)
    faults: list[int] = []

    def ask(start: int) -> None:
        for image in range(start, start + 40):
            said = prediction.probabilities(folder, record, dataset.test.images[image : image + 1])
            if not np.allclose(said[0], expected[image], atol=1e-5):
                faults.append(image)

    visitors = [threading.Thread(target=ask, args=(40 * number,)) for number in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert faults == []
