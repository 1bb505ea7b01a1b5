"""The Augment page shows: which images, with which draw, forced or not, step by step, and over a sample."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.forced import without_chance
from core.augmentation.pipeline import preview
from core.data import load
from core.image import fit_square
from core.spec import to_link
from tests.browser import PROJECT
from tests.pictures import pictures
from tests.tiles import decode, pixels
from ui.augmentation.gallery import COLUMNS
from ui.augmentation.see_tiles import (
    GAP,
    OUTLINE,
    OUTLINE_EDGE,
    SHEET_MARGIN,
    Part,
    _png,
    draw,
)

SPEC = presets()["seed_004_as_intended"]


@pytest.fixture
def start(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None):
    """Opens the page over the stand-in images, with these query parameters."""
    root = tmp_path / "data"
    root.symlink_to(shapes_root)
    monkeypatch.setattr("ui.paths.DATA", root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)

    def open_page(**parameters: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()
        for name, value in parameters.items():
            app.query_params[name] = value
        return app.switch_page("pages/1_Augment.py").run()

    return open_page


def problems(app: AppTest) -> list[str]:
    return [problem.value for problem in (*app.exception, *app.error)]


def tiles(app: AppTest, element: int = 0) -> list[list[NDArray[np.uint8]]]:
    """The pictures of every tile of the preview, or of another element."""
    return [pixels(picture.url) for picture in app.image[element].proto.imgs]


def images_of(root: Path, count: int) -> NDArray[np.uint8]:
    """The first training images with the classes taking turns."""
    train = load("shapes", root).train
    by_class = [np.flatnonzero(train.labels == label) for label in range(10)]
    return train.images[[by_class[turn % 10][turn // 10] for turn in range(count)]]


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_a_tile_holds_the_very_pixels_and_outlines_their_region(factor):
    image, other = pictures(2)
    region = np.zeros((32, 32), bool)
    region[4:8, 10:30] = True
    (drawn,) = draw([Part(image[None]), Part(other[None], region[None])], factor)
    side, middle = 32 * factor, slice(factor // 2, None, factor)
    assert np.array_equal(drawn[:, :side, :3][middle, middle], image)
    start = side + GAP
    right = drawn[:, start : start + side, :3][middle, middle]
    assert np.array_equal(right[~region], other[~region])
    assert np.array_equal(right[5:7, 11:29], other[5:7, 11:29]), "inside its rim the region shows"
    rim = drawn[4 * factor, start + 10 * factor : start + 30 * factor]
    assert {tuple(colour) for colour in rim.tolist()} == {OUTLINE, OUTLINE_EDGE}
    assert (drawn[:, side:start, 3] == 0).all(), "nothing between the two"
    assert np.array_equal(np.asarray(Image.open(BytesIO(_png(drawn)))), drawn)


def test_the_preview_holds_the_training_pixels_beside_the_originals(start, shapes_root):
    app = start(augmentation="seed_004_as_intended", augment_seed="5")
    images = images_of(shapes_root, 8)
    wanted = preview(SPEC, images, 5).images
    for (left, right), original, augmented in zip(tiles(app), images, wanted, strict=True):
        assert np.array_equal(left, original)
        assert np.array_equal(right, augmented)


def test_many_pictures_stand_on_one_sheet_row_by_row(start, shapes_root):
    app = start(augmentation="seed_004_as_intended", augment_seed="5", augment_count="32")
    images = images_of(shapes_root, 32)
    wanted = preview(SPEC, images, 5).images
    (sheet,) = (decode(picture.url) for picture in app.image[0].proto.imgs)
    height, width = 32 + SHEET_MARGIN, 64 + GAP + SHEET_MARGIN
    assert sheet.shape == (-(-32 // COLUMNS) * height - SHEET_MARGIN, COLUMNS * width - SHEET_MARGIN, 4)
    for place, (original, augmented) in enumerate(zip(images, wanted, strict=True)):
        top, left = place // COLUMNS * height, place % COLUMNS * width
        tile = sheet[top : top + 32, left : left + width, :3]
        assert np.array_equal(tile[:, :32], original)
        assert np.array_equal(tile[:, 32 + GAP : 64 + GAP], augmented)
    assert problems(app) == []


@pytest.mark.parametrize(
    "step, told",
    [
        (StepSpec(transform="GridDropout", arguments={"holes_number_xy": (8, 8)}), "and 61 more"),
        (StepSpec(transform="PixelDropout", arguments={"dropout_prob": 0.2}), " more"),
        (StepSpec(transform="CoarseDropout", arguments={"num_holes_range": (3, 3)}), ""),
    ],
)
def test_of_many_holes_the_first_three_are_told_and_how_many_more_there_are(start, shapes_root, step, told):
    spec = AugmentationSpec(name="holes", steps=(step,))
    app = start(augmentation=to_link(spec), augment_outline="true")
    shown = preview(spec, images_of(shapes_root, 8), 1)
    texts = [*app.image[0].captions, *(picture.alt for picture in app.image[0].proto.imgs)]
    assert len(texts) == 16
    for index, text in enumerate(texts):
        text = text.replace("\u00a0", " ")
        holes = shown.holes[index % 8]
        assert [part for part in text.split(" · ") if " px at " in part] == [
            f"{x2 - x1}×{y2 - y1} px at {x1}, {y1}" for x1, y1, x2, y2 in holes[:3]
        ]
        assert text.endswith(f"and {len(holes) - 3} more" if told else f"{holes[2][0]}, {holes[2][1]}")
        assert told in text
        assert len(text) < 160
    assert problems(app) == []


def test_forced_every_step_acts_in_the_preview_and_nowhere_else(start, shapes_root):
    app = start(augmentation="seed_004_as_intended", augment_force="true")
    assert app.toggle(key="augment_force").value
    wanted = preview(without_chance(SPEC), images_of(shapes_root, 8), 1)
    assert all(np.array_equal(pair[1], image) for pair, image in zip(tiles(app), wanted.images, strict=True))
    assert all("steps 1, 2, 3, 4" in text.replace("\u00a0", " ") for text in app.image[0].captions)
    assert any("not what is trained" in caption.value for caption in app.caption)
    assert app.session_state["augmentation_spec"] == SPEC
    assert problems(app) == []


def test_one_image_is_drawn_again_and_again(start, shapes_root):
    app = start(augmentation="seed_001_as_intended", augment_look="One image", augment_image="7")
    image = load("shapes", shapes_root).train.images[7]
    drawn = tiles(app)
    assert all(np.array_equal(left, image) for left, _ in drawn)
    assert len({right.tobytes() for _, right in drawn}) > 4
    app.button(key="augment_draw").click().run()
    assert app.number_input(key="augment_image").value == 7
    assert all(np.array_equal(left, image) for left, _ in tiles(app))
    assert tiles(app)[0][1].tobytes() != drawn[0][1].tobytes()


def test_an_own_picture_is_cropped_to_its_middle_and_augmented(start):
    app = start(augmentation="flip_crop", augment_look="Own picture")
    assert any("training image stands in" in caption.value for caption in app.caption)
    picture = np.random.default_rng(1).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    app.file_uploader(key="augment_picture").set_value(("mine.png", file.getvalue(), "image/png")).run()
    assert all(np.array_equal(left, fit_square(picture)) for left, _ in tiles(app))
    assert app.image[0].captions[0].startswith("own picture")
    assert problems(app) == []
    app.file_uploader(key="augment_picture").set_value(("mine.png", b"not a picture", "image/png")).run()
    assert "not a PNG, JPEG or WebP" in problems(app)[0].replace("\\", "")
    assert app.exception.len == 0


def test_step_by_step_ends_with_the_picture_of_the_preview(start, shapes_root):
    app = start(augmentation="seed_004_as_intended", augment_view="Step by step")
    acted = preview(SPEC, images_of(shapes_root, 8), 1).acted
    assert {len(each) for each in acted} >= {1, 4}, "some steps act, and some do not"
    for number in range(1, 9):
        app.number_input(key="augment_stage").set_value(number).run()
        strip = app.image[1]
        original, augmented = tiles(app)[number - 1]
        assert np.array_equal(tiles(app, 1)[0][0], original)
        assert np.array_equal(tiles(app, 1)[-1][0], augmented)
        for position in range(len(SPEC.steps)):
            did_act = position in acted[number - 1]
            assert ("did not act" in strip.captions[position + 1]) == (not did_act)
            assert (decode(strip.proto.imgs[position + 1].url)[0, 0, 3] < 255) == (not did_act), "it is faint"
    app.segmented_control(key="augment_count").set_value(4).run()  # fewer pictures than the one looked at
    assert app.number_input(key="augment_stage").value == 4
    assert problems(app) == []


def test_a_step_that_is_off_is_told_so(start):
    steps = SPEC.steps
    off = type(steps[0])(transform="HorizontalFlip", is_on=False)
    spec = AugmentationSpec(name="off", steps=(off, *steps[1:]))
    app = start(augmentation=to_link(spec), augment_view="Step by step")
    assert app.image[1].captions[1].endswith("off")
    assert problems(app) == []


def test_how_much_is_removed_is_measured_over_a_sample_with_the_own_probabilities(start, shapes_root):
    app = start(augmentation="seed_001_as_intended", augment_view="How much is removed", augment_force="true")
    figures = {
        metric.label: float(metric.value.removesuffix(" %")) for metric in app.metric if "%" in metric.value
    }
    assert figures["Hidden on average"] == pytest.approx(12.5, abs=1.5)
    assert figures["Worst twentieth, from"] == figures["Worst twentieth, mean"] == 25.0
    assert figures["With a hole"] == pytest.approx(50, abs=6)
    table = next(text.value for text in app.markdown if "| mean |" in text.value)
    assert f"| red | {load('shapes', shapes_root).mean[0]:.3f} → " in table
    assert problems(app) == []


def test_a_pipeline_is_saved_opened_renamed_and_deleted(start):
    app = start(augmentation="cutout")
    app.session_state["augment_save"] = True
    app.run().text_input(key="augment_save_name").set_value("Class 4b")
    app.button(key="augment_save_here").click().run()
    assert app.session_state["augmentation_spec"].name == "Class 4b"
    app.selectbox(key="augment_augmentation").select("none").run()
    app.session_state["augment_open"] = True
    app.run().button(key="augment_open_saved").click().run()
    assert app.session_state["augmentation_spec"].name == "Class 4b"
    assert app.session_state["augmentation_spec"].steps == presets()["cutout"].steps
    app.session_state["augment_open"] = True
    app.run().text_input(key="augment_new_name_class_4b").set_value("Class 5")
    app.button(key="augment_rename").click().run()
    assert app.selectbox(key="augment_saved").options == ["Class 5"]
    app.button(key="augment_delete_saved").click().run()
    assert any("Nothing is saved" in caption.value for caption in app.caption)
    assert problems(app) == []


def test_a_name_that_cannot_be_saved_is_refused_in_words(start):
    app = start(augmentation="cutout")
    app.session_state["augment_save"] = True
    app.run().text_input(key="augment_save_name").set_value("  ")
    app.button(key="augment_save_here").click().run()
    assert problems(app) == ["name\\: must have at least 1 character, got none; add 1"]
    assert app.session_state["augmentation_spec"] == presets()["cutout"]
