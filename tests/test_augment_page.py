"""The Augment page: every control changes the augmentation in hand, and the figures follow it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.augmentation import AugmentationSpec, presets
from core.augmentation.spec import StepSpec
from core.spec import from_link, to_link
from tests.browser import PROJECT
from ui.augmentation import edit


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


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def pictures(app: AppTest) -> list[str]:
    """The addresses of the pictures of the preview, which hold their content."""
    return [picture.url for picture in app.image[0].proto.imgs]


def captions(app: AppTest) -> list[str]:
    return list(app.image[0].captions)


def problems(app: AppTest) -> list[str]:
    return [problem.value for problem in (*app.exception, *app.error)]


def test_every_preset_can_be_chosen(start):
    app = start("none")
    for key in presets():
        app.selectbox(key="augment_augmentation").select(key).run()
        assert problems(app) == []
        assert in_hand(app) == presets()[key]
        assert app.query_params["augmentation"] == key
        assert len(pictures(app)) == 8


def test_settings_change_the_augmentation_the_link_and_the_figures(start):
    app = start("cutout")
    assert figures(app) == {"Hidden": "25.0 %", "At most": "25.0 %", "With a hole": "8/8"}
    dropout = "augment_step3_CoarseDropout"
    app.slider(key=f"{dropout}_hole_height_range_one").set_value(8).run()
    app.run()  # a control has only what follows from it drawn
    assert figures(app)["Hidden"] == "12.5 %"
    app.slider(key=f"{dropout}_hole_width_range_one").set_value(8).run()
    app.run()  # a control has only what follows from it drawn
    assert figures(app)["Hidden"] == "6.2 %"
    app.slider(key=f"{dropout}_probability").set_value(0.0).run()
    app.run()  # a control has only what follows from it drawn
    assert figures(app)["With a hole"] == "0/8"
    app.selectbox(key=f"{dropout}_fill").select("Black").run()
    app.run()  # a control has only what follows from it drawn
    app.toggle(key="augment_step0_HorizontalFlip_is_on").set_value(False).run()
    step = in_hand(app).steps[3]
    assert step.probability == 0
    assert step.keywords["fill"] == 0
    assert not in_hand(app).steps[0].is_on
    assert from_link(AugmentationSpec, app.query_params["augmentation"]) == in_hand(app)
    assert problems(app) == []


def test_a_value_is_let_vary_between_two_ends_and_closed_to_their_middle(start):
    app = start("cutout")
    height = "augment_step3_CoarseDropout_hole_height_range"

    def size() -> object:
        return in_hand(app).steps[3].keywords["hole_height_range"]

    app.slider(key=f"{height}_one").set_value(9).run()
    assert size() == (9, 9)
    app.toggle(key=f"{height}_varies").set_value(True).run()
    assert app.slider(key=height).value == size() == (9, 9)
    app.slider(key=height).set_value((4, 9)).run()
    app.slider(key=height).set_value((9, 9)).run().run()
    assert app.slider(key=height).value == size() == (9, 9)  # the slider under the finger stays
    app.slider(key=height).set_value((4, 10)).run()
    app.toggle(key=f"{height}_varies").set_value(False).run()
    assert app.slider(key=f"{height}_one").value == 7
    assert size() == (7, 7)
    assert problems(app) == []


def test_the_sliders_of_another_pipeline_have_as_many_ends_as_it_gives_them(start):
    height, rotate = "augment_step3_CoarseDropout_hole_height_range", "augment_step0_Affine_rotate"
    wide = edit.set_argument(presets()["cutout"], 3, "hole_height_range", (4, 12))
    app = start(to_link(wide))
    assert app.slider(key=height).value == (4, 12)
    app.selectbox(key="augment_augmentation").select("cutout").run()
    assert app.slider(key=f"{height}_one").value == 16
    app.toggle(key=f"{height}_varies").set_value(True).run()
    app.slider(key=height).set_value((8, 8)).run().run()
    assert app.slider(key=height).value == (8, 8)
    app.selectbox(key="augment_augmentation").select("cutout").run()
    assert app.slider(key=f"{height}_one").value == 16
    assert not app.toggle(key=f"{height}_varies").value
    turned = AugmentationSpec(name="turned", steps=(StepSpec(transform="Affine"),))
    app = start(to_link(edit.set_argument(turned, 0, "rotate", (-15, 15))))
    app.session_state["augment_step0_Affine_settings"] = True
    assert app.run().slider(key=rotate).value == (-15, 15)
    assert problems(app) == []


def test_an_own_colour_is_what_the_hole_gets(start):
    app = start("cutout")
    fill = "augment_step3_CoarseDropout_fill"
    app.selectbox(key=fill).select("Own colour").run()
    app.color_picker(key=f"{fill}_colour").set_value("#0a14ff").run()
    assert in_hand(app).steps[3].keywords["fill"] == (10, 20, 255)
    assert app.selectbox(key=fill).value == "Own colour"


def test_steps_are_added_and_the_statistics_chosen(start):
    app = start("none")
    app.selectbox(key="augment_add").select("RandomCrop").run()
    app.selectbox(key="augment_add").select("Normalize").run()
    app.selectbox(key="augment_add").select("ToGray").run()
    assert [step.transform for step in in_hand(app).steps] == ["Pad", "RandomCrop", "ToGray", "Normalize"]
    app.selectbox(key="augment_statistics").select("One half: pixels from -1 to 1").run()
    assert in_hand(app).mean == (0.5, 0.5, 0.5)
    assert problems(app) == []


def test_the_draw_changes_with_the_seed_alone(start):
    app = start("seed_001_as_intended")
    first = pictures(app)
    assert len(first) == 8
    app.button(key="augment_draw").click().run()
    assert app.number_input(key="augment_seed").value == 2
    assert in_hand(app) == presets()["seed_001_as_intended"]
    assert pictures(app) != first
    app.number_input(key="augment_seed").set_value(1).run()
    assert pictures(app) == first


def test_the_menu_of_a_step_moves_copies_and_removes_it(start):
    app = start("seed_001_as_intended")
    for chosen, left in [
        ("Move down", ["Affine", "HorizontalFlip", "CoarseDropout"]),
        ("Duplicate", ["Affine", "Affine", "HorizontalFlip", "CoarseDropout"]),
        ("Remove", ["Affine", "HorizontalFlip", "CoarseDropout"]),
    ]:
        first = in_hand(app).steps[0].transform
        app.menu_button(key=f"augment_step0_{first}_menu").click(chosen).run()
        assert [step.transform for step in in_hand(app).steps] == left
    assert problems(app) == []


def test_one_class_is_shown_page_by_page(start):
    app = start("none")
    name = app.selectbox(key="augment_class").options[3]
    app.selectbox(key="augment_class").select(name).run()
    assert [caption.split(" ")[0] for caption in captions(app)] == [name] * 8
    first = pictures(app)
    app.pagination(key="augment_page").set_value(2).run()
    assert not set(pictures(app)) & set(first)
    app.segmented_control(key="augment_count").set_value(32).run()
    assert app.image[0].proto.imgs[0].alt.count(f"{name}, and beside it") == 32  # on one sheet
    app.selectbox(key="augment_class").select("All classes").run()
    app.pagination(key="augment_page").set_value(40).run()
    app.selectbox(key="augment_class").select(name).run()  # has fewer pages than that
    assert len(pictures(app)) > 0
    assert problems(app) == []


def test_a_pipeline_that_cannot_run_is_explained_and_can_be_mended(start):
    lonely = AugmentationSpec(name="lonely", steps=(StepSpec(transform="Pad", arguments=(("padding", 4),)),))
    app = start(to_link(lonely))
    assert app.exception.len == 0
    assert "RandomCrop" in app.error[0].value
    app.selectbox(key="augment_add").select("RandomCrop").run()
    app.toggle(key="augment_step1_Pad_is_on").set_value(False).run()
    assert problems(app) == []


def test_values_that_no_control_can_show_stay_until_they_are_set(start):
    shares = {"hole_height_range": (0.1, 0.2), "hole_width_range": (0.1, 0.2)}
    strange = AugmentationSpec(
        name="strange", steps=(StepSpec(transform="CoarseDropout", arguments=tuple(shares.items())),)
    )
    app = start(to_link(strange))
    assert problems(app) == []
    assert in_hand(app) == strange
    assert any("(0.1, 0.2)" in caption.value for caption in app.caption)
    app.button(key="augment_step0_CoarseDropout_num_holes_range_set").click().run()
    assert in_hand(app).steps[0].keywords == shares | {"num_holes_range": (1, 1)}
    app.button(key="augment_step0_CoarseDropout_hole_height_range_set").click().run().run()
    assert app.slider(key="augment_step0_CoarseDropout_hole_height_range_one").value == 16
    assert app.slider(key="augment_step0_CoarseDropout_hole_width_range").value == (3, 6)
    assert problems(app) == []


@pytest.mark.parametrize(
    "hostile",
    ["%%%", to_link(presets()["cutout"])[:-9], "eJyrVkrLz1eyUoIRSrUAKHUEpw"],
    ids=["not base64", "cut off", "another thing"],
)
def test_a_damaged_link_is_said_so_and_the_page_goes_on(start, hostile):
    app = start(hostile)
    assert app.exception.len == 0
    assert len(app.error) == 1
    assert figures(app)


def test_transforms_that_are_not_offered_are_refused_in_words(start):
    foreign = AugmentationSpec(name="foreign", steps=(StepSpec(transform="Mosaic"),))
    app = start(to_link(foreign))
    assert app.exception.len == 0
    assert "Mosaic" in app.error[0].value
