"""The steps of the Augment page: every transform can be found, opened and set."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.augmentation import AugmentationSpec, StepSpec
from core.augmentation.catalogue import TRANSFORMS
from core.augmentation.discovery import offered_transforms
from core.augmentation.spec import MAX_STEPS
from core.spec import to_link
from tests.browser import PROJECT
from tests.control_values import choices_of, ends_of, step_with
from ui.augmentation.offers import search_label

OFFERS = offered_transforms()
FOUND = [offered for name, offered in OFFERS.items() if name not in TRANSFORMS]
ALONE = 12  # steps in one run of the page, so that what a step brings with it still finds place
BATCHES = [FOUND[start : start + ALONE] for start in range(0, len(FOUND), ALONE)]


@pytest.fixture
def start(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None):
    """Opens the page over the stand-in images, with these steps in the link."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)

    def open_page(*steps: StepSpec) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()
        app.query_params["augmentation"] = to_link(AugmentationSpec(name="test", steps=steps))
        for index, step in enumerate(steps):  # as somebody does who opens each step's settings
            app.session_state[f"augment_step{index}_{step.transform}_settings"] = True
        return app.switch_page("pages/1_Augment.py").run()

    return open_page


def steps_in_hand(app: AppTest) -> tuple[StepSpec, ...]:
    return app.session_state["augmentation_spec"].steps  # type: ignore[no-any-return]


def problems(app: AppTest) -> list[str]:
    return [problem.value for problem in (*app.exception, *app.error)]


def widgets(app: AppTest) -> dict[str, object]:
    kinds = ("slider", "selectbox", "toggle", "number_input", "text_input", "color_picker")
    return {widget.key: widget for kind in kinds for widget in getattr(app, kind)}


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: f"{batch[0].name} to {batch[-1].name}")
def test_every_transform_opens_with_a_widget_for_each_of_its_arguments(start, batch):
    steps = [step for offered in batch for step in (offered.new_step(), *offered.behind)]
    assert len(steps) <= MAX_STEPS
    app = start(*steps)
    assert problems(app) == []
    keys = widgets(app)
    for index, step in enumerate(steps):
        for control in OFFERS[step.transform].controls:
            key = f"augment_step{index}_{step.transform}_{control.argument}"
            assert any(found and found.startswith(key) for found in keys), key


def test_the_box_lists_the_common_ones_first_and_finds_all_others_by_name_and_sentence(start):
    app = start()
    labels = app.selectbox(key="augment_add").options
    assert len(labels) == len(OFFERS)
    assert labels[: len(TRANSFORMS)] == [search_label(name) for name in TRANSFORMS]
    assert all(label.startswith("Common · ") for label in labels[: len(TRANSFORMS)])
    assert "Common · Coarse dropout (cutout) (CoarseDropout)" in labels
    assert "GridDistortion · Apply grid distortion to images, masks, bounding boxes, and keypoints." in labels


def test_a_transform_that_changes_the_size_brings_what_makes_it_32_again(start):
    app = start()
    app.selectbox(key="augment_add").select("CenterCrop").run()
    app.selectbox(key="augment_add").select("GaussNoise").run()
    assert [step.transform for step in steps_in_hand(app)] == ["CenterCrop", "Resize", "GaussNoise"]
    assert app.selectbox(key="augment_add").value is None
    assert problems(app) == []


def test_values_that_the_library_chooses_can_be_set_and_left_to_it_again(start):
    app = start(StepSpec(transform="PlanckianJitter"))
    key = "augment_step0_PlanckianJitter_temperature_limit"
    app.toggle(key=f"{key}_is_set").set_value(True).run()
    assert steps_in_hand(app)[0].keywords == {"temperature_limit": (4000, 12000)}
    app.slider(key=key).set_value((8000, 9000)).run()
    app.run()  # a slider has only what follows from it drawn
    assert steps_in_hand(app)[0].keywords == {"temperature_limit": (5900, 9000)}  # must hold 6000
    app.toggle(key=f"{key}_is_set").set_value(False).run()
    assert steps_in_hand(app)[0].keywords == {"temperature_limit": None}
    assert problems(app) == []


def test_parts_of_an_image_and_several_numbers_are_set_one_by_one(start):
    app = start(StepSpec(transform="RandomShadow"), StepSpec(transform="CLAHE"))
    app.slider(key="augment_step0_RandomShadow_shadow_roi_across").set_value((0.5, 0.5)).run()
    app.run()  # a slider has only what follows from it drawn
    assert steps_in_hand(app)[0].keywords == {"shadow_roi": (0.5, 0.5, 0.7, 1.0)}
    app.number_input(key="augment_step1_CLAHE_tile_grid_size_1").set_value(2).run()
    assert steps_in_hand(app)[1].keywords == {"tile_grid_size": (8, 2)}
    assert problems(app) == []


def test_a_typed_value_is_read_and_one_that_is_no_plain_value_is_refused(start):
    app = start(StepSpec(transform="Downscale"))
    field = "augment_step0_Downscale_interpolation_pair"
    app.text_input(key=field).set_value("{'downscale': 3, 'upscale': 1}").run()
    assert steps_in_hand(app)[0].keywords == {"interpolation_pair": (("downscale", 3), ("upscale", 1))}
    assert problems(app) == []
    app.text_input(key=field).set_value("__import__('os').getcwd()").run()
    assert len(problems(app)) == 1
    assert "no plain Python value" in problems(app)[0]
    assert app.text_input(key=field).value == "{'downscale': 3, 'upscale': 1}"
    app.text_input(key=field).set_value("{'downscale': 99}").run()
    assert "interpolation_pair" in problems(app)[0]  # the library's own rule, and the page goes on
    assert app.exception.len == 0


@pytest.mark.parametrize("end", [0, 1], ids=["least", "most"])
@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: f"{batch[0].name} to {batch[-1].name}")
def test_the_page_shows_the_extremes_and_the_last_choices(start, batch, end):
    steps = []
    for offered in batch:
        sliding = [control for control in offered.controls if control.is_numeric]
        chosen = [control for control in offered.controls if choices_of(control)]
        values = {control.argument: ends_of(control)[end] for control in sliding}
        values |= {control.argument: choices_of(control)[-end] for control in chosen}
        steps += [step_with(offered, **values), *offered.behind]
    app = start(*steps)
    assert problems(app) == []
    assert steps_in_hand(app) == tuple(steps)


def test_a_slider_that_stops_the_pipeline_takes_what_needs_pictures_off_and_back(start):
    app = start(StepSpec(transform="CenterCrop", arguments=(("height", 31), ("width", 32))))
    side = "augment_step0_CenterCrop_height"
    labels = []
    for height in (30, 32, 31):  # the first changes the name above too
        app.slider(key=side).set_value(height).run()
        assert not app.exception
        labels.append([button.label for button in app.get("download_button")])
        app.run()
    assert labels == [["JSON"], ["Python", "Contact sheet", "JSON"], ["JSON"]]


def test_undo_takes_back_a_step_a_slider_and_a_preset_and_redo_makes_them_again(start):
    app = start(StepSpec(transform="HorizontalFlip"), StepSpec(transform="CLAHE"))
    chance = "augment_step0_HorizontalFlip_probability"

    def in_hand() -> AugmentationSpec:
        return app.session_state["augmentation_spec"]  # type: ignore[no-any-return]

    seen = [in_hand()]
    app.toggle(key="augment_step1_CLAHE_is_on").set_value(False).run()
    seen.append(in_hand())
    for probability in (0.1, 0.2):  # the page itself is not drawn for these
        app.slider(key=chance).set_value(probability).run()
        seen.append(in_hand())
    app.run()
    app.selectbox(key="augment_augmentation").set_value("none").run()
    seen.append(in_hand())
    assert len(set(seen)) == 5
    for spec in reversed(seen[:-1]):
        app.button(key="augment_undo").click().run()
        assert in_hand() == spec
        assert app.slider(key=chance).value == spec.steps[0].probability
    for spec in seen[1:]:
        app.button(key="augment_redo").click().run()
        assert in_hand() == spec
    assert app.query_params["augmentation"] == "none"
    assert app.button(key="augment_redo").disabled
    assert problems(app) == []


def test_undo_takes_back_a_slider_that_moved_last_and_says_where_it_ends(start):
    app = start(StepSpec(transform="HorizontalFlip"))
    first = app.session_state["augmentation_spec"]
    app.slider(key="augment_step0_HorizontalFlip_probability").set_value(0.1).run()
    app.button(key="augment_undo").click().run()
    assert app.session_state["augmentation_spec"] == first
    assert not app.toast
    app.button(key="augment_undo").click().run()
    assert app.session_state["augmentation_spec"] == first
    assert [toast.value for toast in app.toast] == ["This is what the page began with."]
