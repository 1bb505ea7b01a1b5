"""The Augment page judges a pipeline, understands course code, and lets a pipeline leave and come back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.augmentation import AugmentationSpec, StepSpec, presets, to_python
from core.spec import to_json, to_link
from tests.browser import PROJECT
from tests.legacy_snippets import SEEDS
from tests.pictures import pictures
from ui.augmentation.preview import Shown
from ui.augmentation.sheet import contact_sheet


@pytest.fixture
def start(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None):
    """Opens the page over the stand-in images, with the augmentation in the link."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)

    def open_page(augmentation: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()
        app.query_params["augmentation"] = augmentation
        return app.switch_page("pages/1_Augment.py").run()

    return open_page


def in_hand(app: AppTest) -> AugmentationSpec:
    spec: AugmentationSpec = app.session_state["augmentation_spec"]
    return spec


def apply_keys(app: AppTest) -> list[str]:
    return [button.key for button in app.button if button.key and button.key.startswith("augment_apply_")]


def popover_around(app: AppTest, element: object) -> str:
    """The label of the popover that an element stands in, if it stands in one."""

    def search(block: Any, label: str) -> str | None:
        if block is element:
            return label
        label = getattr(getattr(block.proto, "popover", None), "label", "") or label
        found = (search(child, label) for child in getattr(block, "children", {}).values())
        return next((each for each in found if each is not None), None)

    return search(app.main, "") or ""


def read_code(app: AppTest, source: str) -> AppTest:
    app.text_area(key="augment_code").set_value(source)
    return app.button(key="augment_read_code").click().run()


def test_every_finding_is_applied_by_one_click_until_none_is_left(start):
    app = start("seed_004_as_written")
    assert apply_keys(app) == [
        "augment_apply_other_statistics_2",  # those of CIFAR-10, on the stand-in
        "augment_apply_fill_after_normalise_3",
        "augment_apply_colour_after_normalise_4",
    ]
    assert any("+0.49, +0.48, +0.45" in caption.value.replace("\\", "") for caption in app.caption)
    for left in (2, 1, 0):
        app.button(key=apply_keys(app)[-1]).click().run()
        assert len(apply_keys(app)) == left
        assert list(app.exception) == list(app.error) == []
    assert [step.transform for step in in_hand(app).steps][-3:] == ["ToGray", "Normalize", "CoarseDropout"]
    assert in_hand(app).steps[-1].keywords["fill"] == 0
    assert in_hand(app).name.endswith(", changed")
    app.selectbox(key="augment_augmentation").select("seed_004_as_written").run()
    assert in_hand(app) == presets()["seed_004_as_written"]


def test_a_range_upside_down_is_explained_and_mended(start):
    sizes = {"hole_height_range": (16, 16), "hole_width_range": (16, 1), "fill": 99}
    step = StepSpec(transform="CoarseDropout", arguments=tuple(sizes.items()))
    app = start(to_link(AugmentationSpec(name="upside down", steps=(step,))))
    assert len(app.error) == 1
    app.button(key="augment_apply_least_above_most_0").click().run()
    assert in_hand(app).steps[0].keywords["hole_width_range"] == (1, 16)
    assert list(app.exception) == list(app.error) == []


def test_pasted_course_code_becomes_the_augmentation_in_hand_with_its_findings(start):
    app = read_code(start("none"), SEEDS["seed_001"])
    told = " ".join(text.value for text in app.markdown).replace("\\", "")
    assert "Line 15 · ShiftScaleRotate" in told
    assert "cut its fraction off" in told
    app.button(key="augment_use_code").click().run()
    assert in_hand(app) == presets()["seed_001_as_written"]
    assert app.query_params["augmentation"] == "seed_001_as_written"
    assert apply_keys(app) == ["augment_apply_black_hole_2", "augment_apply_other_statistics_3"]
    assert list(app.exception) == list(app.error) == []


def test_code_that_is_no_preset_keeps_its_own_name(start):
    app = read_code(start("none"), "t = A.Compose([A.HorizontalFlip(p=0.3), A.Normalize()])")
    assert any("HorizontalFlip → Normalize" in line.value for line in app.markdown)
    app.button(key="augment_use_code").click().run()
    assert in_hand(app).name == "Course code: t"
    app.toggle(key="augment_step0_HorizontalFlip_is_on").set_value(False).run()
    assert in_hand(app).name == "Course code: t, changed"


def test_reading_no_code_says_what_to_paste(start):
    app = read_code(start("none"), " ")
    assert any("There is no code yet" in caption.value for caption in app.caption)


def test_code_that_is_not_understood_is_refused_at_its_line(start, tmp_path: Path):
    canary = tmp_path / "canary"
    app = read_code(start("none"), f"t = A.Compose([\n    open({str(canary)!r}, 'w'),\n])")
    assert "line 2" in app.error[0].value
    assert not canary.exists()
    assert in_hand(app) == presets()["none"]
    assert "augment_use_code" not in [button.key for button in app.button]


def test_what_the_page_exports_is_the_pipeline_in_hand(start):
    app = start("seed_003_as_intended")
    app.session_state["augment_code_shown"] = True
    app.run()
    (code,) = app.code
    assert code.value + "\n" == to_python(
        presets()["seed_003_as_intended"], app.number_input(key="augment_seed").value
    )


def test_json_is_read_back_and_what_is_none_is_refused(start):
    app = start("none")
    app.session_state["augment_open"] = True
    upload = app.run().file_uploader(key="augment_file")
    upload.set_value(("own.json", to_json(presets()["cutout"]).encode(), "application/json")).run()
    assert in_hand(app) == presets()["cutout"]
    app.session_state["augment_open"] = True
    app.run().file_uploader(key="augment_file").set_value(("x.json", b"{", "application/json")).run()
    (refusal,) = app.error
    assert refusal.value.replace("\\", "").startswith("x.json: augmentation: this is not JSON")
    assert popover_around(app, refusal) == "Open", "not in the row of the toolbar"
    app.run()
    assert list(app.error) == []
    assert in_hand(app) == presets()["cutout"]


def test_a_pipeline_that_cannot_run_leaves_only_as_json(start):
    lonely = AugmentationSpec(name="lonely", steps=(StepSpec(transform="Mosaic"),))
    app = start(to_link(lonely))
    assert app.exception.len == 0
    assert [button.label for button in app.download_button] == ["JSON"]
    assert len(app.code) == 0


def test_the_contact_sheet_holds_every_pair_under_its_class(tmp_path: Path):
    images = pictures(5)
    shown = Shown(images, 255 - images, ((),) * 5, np.zeros((5, 32, 32), bool), ((),) * 5)
    path = tmp_path / "sheet.png"
    path.write_bytes(contact_sheet(shown, ["cat"] * 5, "title", outlines=True))
    with Image.open(path) as sheet:
        pixels = np.asarray(sheet)
    assert pixels.ndim == 3
    for index in range(5):
        row, column = divmod(index, 4)
        left, top = 28 + column * 424, 78 + row * 242
        pair = pixels[top : top + 192 : 6, left : left + 396]
        assert np.array_equal(pair[:, :192:6], images[index])
        assert np.array_equal(pair[:, 204::6], 255 - images[index])
        assert (pixels[top + 195 : top + 213, left : left + 40] < 100).any()  # the name
