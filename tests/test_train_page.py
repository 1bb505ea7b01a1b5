"""The Train page runs what it shows, and refuses what cannot be run before anything is written."""

import os
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.augmentation import presets as augmentation_presets
from core.data import load
from core.network import presets
from core.spec import from_link, to_json, to_link
from core.training import (
    EpochDone,
    EpochMetrics,
    Recipe,
    RunSpec,
    StepDone,
    knobs,
    recipe_presets,
    run_folder,
    runs,
)
from core.training.batches import Batches
from core.training.events import Event, RateChanged, StateChanged
from core.training.rate_wish import RateWish
from tests import tiny
from tests.browser import PROJECT
from ui.training import run_actions, run_charts

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
    return [problem.value.replace("\\", "") for problem in app.error]  # shown letter by letter


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


def full_recipe() -> Recipe:
    """A recipe with no field at its default, but for `cycle_momentum`, which needs the default schedule."""
    return Recipe(
        epochs=3, batch_size=32, optimiser="muon", learning_rate=0.02, schedule="triangular",
        schedule_every="epoch", step_epochs=3, step_gamma=0.5, momentum=0.8, nesterov=True,
        fresh_optimiser=True, weight_decay=0.001, l1=0.0001, label_smoothing=0.1, averaging=0.99,
        mix="cutmix", mix_alpha=0.5, alternate_flips=True, precision="bfloat16", seed=7, validation="test",
        validation_fraction=0.2,
    )  # fmt: skip


def test_the_full_recipe_has_nothing_else_at_its_default():
    full, default = asdict(full_recipe()), asdict(Recipe())
    assert [name for name in full if full[name] == default[name]] == ["cycle_momentum"]


def test_every_field_of_a_recipe_can_be_reached_in_the_form(app: AppTest):
    recipe = full_recipe()
    app.query_params["recipe"] = to_link(replace(recipe, schedule="step"))
    app.run()
    shown = {widget.key for kind in (app.number_input, app.selectbox, app.checkbox) for widget in kind}
    app.selectbox(key="train_schedule").select("triangular").run()
    app.selectbox(key="train_validation").select("split").run()
    shown |= {widget.key for kind in (app.number_input, app.selectbox, app.checkbox) for widget in kind}
    app.selectbox(key="train_schedule").select("one_cycle").run()
    shown |= {widget.key for kind in (app.number_input, app.selectbox, app.checkbox) for widget in kind}
    assert {f"train_{field.name}" for field in fields(Recipe)} <= shown


def test_fields_that_are_not_shown_stay_in_the_recipe(app: AppTest):
    app.query_params["recipe"] = to_link(full_recipe())
    app.run()
    assert recipe_in_link(app) == full_recipe()
    app.number_input(key="train_epochs").set_value(4).run()
    assert recipe_in_link(app) == replace(full_recipe(), epochs=4)


def test_what_is_not_at_its_default_is_told_below_the_closed_groups(app: AppTest):
    app.query_params["recipe"] = to_link(Recipe(weight_decay=0.001, mix="mixup", seed=4))
    app.run()
    assert "Set there: weight decay 0.001, mixing mixup, seed 4" in [each.value for each in app.caption]
    labels = [each.label for each in app.expander]
    app.number_input(key="train_weight_decay").set_value(0.0).run()
    assert [each.label for each in app.expander] == labels, "else a browser takes the focus off the field"


def test_a_seeds_recipe_says_what_its_code_really_does(app: AppTest):
    app.run().selectbox(key="train_recipe_preset").select("seed_001_as_written").run()
    assert any("a new optimiser every epoch" in each.value.lower() for each in app.caption)
    assert recipe_in_link(app).fresh_optimiser


def test_the_preset_is_named_only_while_the_form_is_at_it(app: AppTest):
    app.run().selectbox(key="train_recipe_preset").select("scope_net").run()
    app.number_input(key="train_epochs").set_value(4).run()
    assert app.selectbox(key="train_recipe_preset").value == "own settings"
    app.number_input(key="train_epochs").set_value(recipe_presets()["scope_net"].epochs).run()
    assert app.selectbox(key="train_recipe_preset").value == "scope_net"


@pytest.mark.parametrize("part", ["recipe", "network", "augmentation"])
def test_network_augmentation_and_recipe_come_from_a_file(
    app: AppTest, part: str, started: list[str], tmp_path
):
    given = {
        "recipe": replace(full_recipe(), precision="float32"),
        "network": tiny.NETWORK,
        "augmentation": tiny.AUGMENTATION,
    }[part]
    upload = app.run().file_uploader(key=f"train_{part}_file_upload")
    upload.set_value(("mine.json", to_json(given).encode(), "application/json")).run()
    assert errors(app) == []
    app.button(key="train_start").click().run()
    spec = runs.read(tmp_path / "runs", started[0]).spec
    assert getattr(spec, part) == given


def test_a_file_that_is_none_is_refused_by_name_and_changes_nothing(app: AppTest):
    before = recipe_in_link(app.run())
    upload = app.file_uploader(key="train_recipe_file_upload")
    upload.set_value(("bad.json", b'{"epochs": 0}', "application/json")).run()
    (toast,) = app.toast
    assert "bad.json: epochs: must be greater than or equal to 1" in toast.value.replace("\\", "")
    assert recipe_in_link(app) == before


def make_run(root: Path, shapes_root: Path, **changes: object) -> str:
    """A run of the tiny network, not started."""
    spec = RunSpec(
        dataset="shapes",
        fingerprint=load("shapes", shapes_root).fingerprint,
        network=tiny.NETWORK,
        augmentation=augmentation_presets()["cutout"],
        recipe=full_recipe(),
        train_images=300,
    )
    return runs.create(root, replace(spec, **changes), shapes_root, "cpu", "Tiny · first")


def repeat(app: AppTest, run_id: str) -> AppTest:
    app.query_params["train_view"] = "Runs"
    app.query_params["run"] = run_id
    app.run()
    return app.button(key="train_repeat_run").click().run()


@pytest.mark.parametrize("train_images", [300, None])
def test_a_run_is_repeated_exactly_with_one_click_and_a_start(
    app: AppTest, tmp_path: Path, shapes_root: Path, started: list[str], train_images: int | None
):
    run_id = make_run(tmp_path / "runs", shapes_root, train_images=train_images)
    repeat(app, run_id)
    assert errors(app) == []
    assert any("Nothing differs yet" in each.value for each in app.caption)
    app.button(key="train_start").click().run()
    first, again = (runs.read(tmp_path / "runs", each).spec for each in (run_id, started[0]))
    assert first == again


def test_what_differs_from_the_repeated_run_is_marked_before_the_start(
    app: AppTest, tmp_path: Path, shapes_root: Path, started: list[str]
):
    run_id = make_run(tmp_path / "runs", shapes_root)
    repeat(app, run_id)
    app.selectbox(key="train_repeat_knob").select("hole_size").run()
    app.selectbox(key="train_repeat_value_hole_size").select("8").run()
    app.button(key="train_repeat_change").click().run()
    (table,) = (each.value for each in app.dataframe)
    assert [path.rpartition(".")[2] for path in table["field"]] == ["hole_height_range", "hole_width_range"]
    assert (set(table["before"]), set(table["now"])) == ({"16, 16"}, {"8, 8"})
    app.button(key="train_start").click().run()
    spec = runs.read(tmp_path / "runs", started[0]).spec
    assert spec == knobs.turn(runs.read(tmp_path / "runs", run_id).spec, "hole_size", 8)
    assert runs.read(tmp_path / "runs", started[0]).title == "Tiny · Hole size (px) 8"


def test_a_knob_that_the_repeated_run_lacks_says_what_to_do(app: AppTest, tmp_path: Path, shapes_root: Path):
    repeat(app, make_run(tmp_path / "runs", shapes_root))
    app.selectbox(key="train_repeat_knob").select("dilation").run()
    assert any("give a convolution a dilation" in each.value for each in app.markdown)
    assert "train_repeat_change" not in [button.key for button in app.button]


def test_starting_afresh_keeps_the_form_and_forgets_the_run(app: AppTest, tmp_path: Path, shapes_root: Path):
    repeat(app, make_run(tmp_path / "runs", shapes_root))
    app.button(key="train_repeat_forget").click().run()
    assert recipe_in_link(app) == full_recipe()
    assert "train_repeat_forget" not in [button.key for button in app.button]


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


def tell(root: Path, run_id: str, *events: Event) -> None:
    """What the run's process would have told."""
    for event in events:
        run_folder.append_event(root / run_id, event)


def epoch_done(epoch: int) -> EpochDone:
    metrics = EpochMetrics(
        epoch=epoch, train_loss=2.0, train_accuracy=0.1, validation_loss=1.5, validation_accuracy=0.5,
        learning_rate=0.1, seconds=1, images_per_second=100,
    )  # fmt: skip
    return EpochDone(metrics=metrics, is_best=True)


def see(app: AppTest, run_id: str) -> AppTest:
    app.query_params["train_view"] = "Runs"
    app.query_params["run"] = run_id
    app.run()
    assert not app.exception
    return app


def test_a_run_is_renamed_and_keeps_a_note(app: AppTest, tmp_path: Path, shapes_root: Path):
    root = tmp_path / "runs"
    run_id = make_run(root, shapes_root)
    see(app, run_id).text_input(key=f"train_rename_{run_id}").set_value("Wide *holes*")
    app.text_area(key=f"train_note_{run_id}").set_value("for Monday")
    app.button(key="train_name_keep").click().run()
    assert not app.exception
    run = runs.read(root, run_id)
    assert (run.title, run.note) == ("Wide *holes*", "for Monday")
    assert any("Wide \\*holes\\*" in each.value for each in app.markdown)
    assert any("for Monday" in each.value for each in app.markdown)


def test_a_deleted_run_comes_back_with_one_click(app: AppTest, tmp_path: Path, shapes_root: Path):
    root = tmp_path / "runs"
    run_id = make_run(root, shapes_root)
    see(app, run_id).button(key="train_delete").click().run()
    assert runs.list_runs(root) == ()
    app.button(key="train_undo").click().run()
    assert [run.id for run in runs.list_runs(root)] == [run_id]
    assert app.selectbox(key="train_run").value == run_id


def test_the_run_on_the_page_stays_when_the_browser_sends_its_label_of_before(
    app: AppTest, tmp_path: Path, shapes_root: Path
):
    for _ in range(2):
        make_run(tmp_path / "runs", shapes_root)
    newer, older = (run.id for run in runs.list_runs(tmp_path / "runs"))
    app.session_state["train_run"] = "Wide holes · queued · 2026-11-20 12:00"
    app.session_state["train_run_link"] = older
    assert see(app, older).selectbox(key="train_run").value == older
    assert see(app, newer).selectbox(key="train_run").value == newer


def test_the_learning_rate_is_drawn_with_what_was_and_what_is_to_come_and_each_change(
    tmp_path: Path, shapes_root: Path
):
    root = tmp_path / "runs"
    recipe = Recipe(epochs=4, schedule="constant", learning_rate=0.2)
    run_id = make_run(root, shapes_root, recipe=recipe)
    step = StepDone(epoch=3, step=5, steps=10, loss=2.0, learning_rate=0.1, seconds_left=5.0)
    change = RateChanged(epoch=2, step=6, factor=0.5)
    tell(root, run_id, epoch_done(1), epoch_done(2), change, step)
    rows = run_charts.rate_curve(runs.read(root, run_id))["data"]["values"]
    marks = [(row["epoch"], row["change"]) for row in rows if "change" in row]
    assert marks == [(1.5, "rate ×0.5")]
    drawn = [row for row in rows if "rate" in row]
    assert {row["rate"] for row in drawn if row["epoch"] < 1.5} == {0.2}
    assert {row["rate"] for row in drawn if row["epoch"] >= 1.5} == {0.1}
    assert {row["epoch"] for row in drawn if row["when"] == "so far"} == {step / 10 for step in range(25)}
    assert {row["epoch"] for row in drawn if row["when"] == "to come"} == {
        step / 10 for step in range(25, 40)
    }


def test_the_rate_buttons_multiply_what_was_wished_for_last(app: AppTest, tmp_path: Path, shapes_root: Path):
    root = tmp_path / "runs"
    run_id = make_run(root, shapes_root)
    run_folder.beat(root / run_id, os.getpid())
    tell(root, run_id, StateChanged(state="running", time="2026-01-01T00:00:00+00:00"))
    see(app, run_id)
    wish = RateWish(root / run_id, ())
    for key, factor in (("0.5", 0.5), ("0.1", 0.05), ("10", 0.5)):
        app.button(key=f"train_rate_{key}").click().run()
        assert not app.exception
        assert wish.take(1, 1) == factor
    app.number_input(key="train_rate_factor").set_value(0.3).run()
    app.button(key="train_rate_set").click().run()
    assert wish.take(1, 1) == 0.3


def test_a_run_that_ends_while_the_page_is_drawn_is_drawn_anew(
    app: AppTest, tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch
):
    root = tmp_path / "runs"
    run_id = make_run(root, shapes_root)
    run_folder.beat(root / run_id, os.getpid())
    tell(root, run_id, StateChanged(state="running", time="2026-01-01T00:00:00+00:00"))
    ended: list[str] = []

    def buttons_then_end(run: runs.Run) -> None:
        run_buttons(run)
        if not ended:
            ended.append(run.state)
            tell(root, run_id, StateChanged(state="stopped", time="2026-01-01T00:00:01+00:00"))

    run_buttons = run_actions.run_buttons
    monkeypatch.setattr(run_actions, "run_buttons", buttons_then_end)
    see(app, run_id)
    assert ended == ["running"]
    assert "train_resume" in [button.key for button in app.button]


def test_a_run_that_waits_says_how_many_have_the_device_before_it(
    app: AppTest, tmp_path: Path, shapes_root: Path
):
    root = tmp_path / "runs"
    made = [make_run(root, shapes_root) for _ in range(3)]
    for turn, run_id in enumerate(made):
        run_folder.beat(root / run_id, os.getpid())
        tell(root, run_id, StateChanged(state="queued", time=f"2026-01-01T00:00:0{turn}+00:00"))
    see(app, made[2])
    (bar,) = app.get("progress")
    assert "2 runs before it" in bar.proto.text


@pytest.mark.parametrize("key, words", [("cutout", "on tensors"), ("rand_augment_like", "image by image")])
def test_the_page_says_which_way_the_run_will_augment_and_the_engine_goes_it(
    app: AppTest, shapes_root: Path, key: str, words: str
):
    app.run().selectbox(key="train_augmentation").select(key).run()
    assert [
        caption for caption in app.caption if caption.value.startswith("Augmented") and words in caption.value
    ]
    dataset = load("shapes", shapes_root)
    spec = RunSpec(
        dataset="shapes",
        fingerprint=dataset.fingerprint,
        network=presets()["scope_net"],
        augmentation=augmentation_presets()[key],
        recipe=Recipe(),
    )
    assert Batches(spec, dataset, "cpu").is_on_tensors == (words == "on tensors")
