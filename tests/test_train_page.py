"""The Train page runs what it shows, and refuses what cannot be run before anything is written."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.data import load
from core.network import presets
from core.spec import from_link, to_link
from core.training import Recipe, RunSpec, recipe_presets, runs
from tests import tiny
from tests.browser import PROJECT

PAGE = "pages/4_Train.py"


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The page, not opened yet, without any run."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)
    return AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).switch_page(PAGE)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were asked to start, without starting them."""
    asked: list[str] = []
    monkeypatch.setattr(runs, "start", lambda root, run_id: asked.append(run_id))
    return asked


def errors(app: AppTest) -> list[str]:
    assert not app.exception
    return [problem.value for problem in app.error]


def recipe_in_link(app: AppTest) -> Recipe:
    link = app.query_params["recipe"]
    return from_link(Recipe, link if isinstance(link, str) else link[0])


@pytest.mark.parametrize(
    "field, value, words",
    [
        ("batch_size", 0, "batch_size: must be greater than or equal to 1, got 0"),
        ("epochs", 0, "epochs: must be greater than or equal to 1, got 0"),
        ("learning_rate", 0.0, "learning_rate: must be greater than 0, got 0.0"),
        ("momentum", 1.0, "momentum: must be less than 1, got 1.0"),
        ("images", 0, "train_images: must be greater than or equal to 1, got 0"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name_before_anything_is_written(
    app: AppTest, tmp_path: Path, field: str, value: float, words: str
):
    app.run().number_input(key=f"train_{field}").set_value(value).run()
    (problem,) = errors(app)
    assert words in problem
    assert not [button for button in app.button if button.key == "train_start"]
    assert not (tmp_path / "runs").exists()


def test_starting_writes_down_exactly_what_the_page_shows(
    app: AppTest, tmp_path: Path, shapes_root: Path, started: list[str]
):
    app.run().selectbox(key="train_network").select("seed_001").run()
    app.selectbox(key="train_augmentation").select("cutout").run()
    app.number_input(key="train_epochs").set_value(3).run()
    app.selectbox(key="train_optimiser").select("adamw").run()
    app.number_input(key="train_learning_rate").set_value(0.002).run()
    app.number_input(key="train_images").set_value(500).run()
    app.button(key="train_start").click().run()
    assert not app.exception
    (run_id,) = started
    spec = runs.read(tmp_path / "runs", run_id).spec
    assert spec.network == presets()["seed_001"]
    assert spec.augmentation.name.startswith("Cutout")
    assert (spec.recipe.epochs, spec.recipe.optimiser, spec.recipe.learning_rate) == (3, "adamw", 0.002)
    assert spec.train_images == 500
    assert spec.fingerprint == load("shapes", shapes_root).fingerprint
    assert app.selectbox(key="train_run").value == run_id


@pytest.mark.parametrize("key", recipe_presets())
def test_a_preset_of_a_recipe_fills_the_form_completely(app: AppTest, key: str):
    app.run().selectbox(key="train_recipe_preset").select(key).run()
    assert errors(app) == []
    assert recipe_in_link(app) == recipe_presets()[key]


def test_the_recipe_of_a_link_is_the_recipe_of_the_form(app: AppTest):
    recipe = Recipe(epochs=7, batch_size=64, schedule="step", step_epochs=2, validation="test", seed=5)
    app.query_params["recipe"] = to_link(recipe)
    app.run()
    assert errors(app) == []
    assert app.number_input(key="train_step_epochs").value == 2
    assert recipe_in_link(app) == recipe


def test_a_damaged_link_is_told_and_the_form_stays(app: AppTest):
    app.query_params["recipe"] = "damaged"
    app.run()
    assert any("link is damaged" in problem for problem in errors(app))
    assert app.number_input(key="train_epochs").value == recipe_presets()["quick"].epochs


def test_a_run_whose_choice_is_the_seeds_protocol_says_so(app: AppTest, tmp_path: Path, shapes_root: Path):
    spec = RunSpec(
        dataset="shapes",
        fingerprint=load("shapes", shapes_root).fingerprint,
        network=tiny.NETWORK,
        augmentation=tiny.AUGMENTATION,
        recipe=Recipe(validation="test"),
    )
    runs.create(tmp_path / "runs", spec, shapes_root, "cpu")
    app.run().segmented_control(key="train_view").set_value("Runs").run()
    assert any("Best test (chooses the epoch) accuracy" in metric.label for metric in app.metric)
