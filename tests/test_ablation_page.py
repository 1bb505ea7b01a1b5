"""The Ablation view: what it says is what it queues, and its table counts what the runs found."""

import csv
import io
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.checkpoint import Checkpoint
from core.data import load
from core.evaluation.metrics import Accuracy
from core.spec import to_link
from core.training import EpochDone, EpochMetrics, Recipe, RunSpec, ablation, run_folder, runs
from core.training.ablation import Ablation
from core.training.events import StateChanged
from tests import tiny
from tests.browser import PROJECT
from ui.training import ablation_results, export

TEST_IMAGES = 400


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of runs."""
    return tmp_path / "runs"


@pytest.fixture
def app(root: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The Train page at Ablation, with a recipe, a network and an augmentation of its link."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", root)
    monkeypatch.chdir(PROJECT)
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    app.switch_page("pages/4_Train.py")
    app.query_params["train_view"] = "Ablation"
    app.query_params["network"] = to_link(tiny.NETWORK)
    app.query_params["augmentation"] = "cutout"
    app.query_params["recipe"] = to_link(Recipe(epochs=2, seed=5))
    return app


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were asked to start, without starting them."""
    asked: list[str] = []
    monkeypatch.setattr(runs, "start", lambda root, run_id, **options: asked.append(run_id))
    return asked


def run_page(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def choose(app: AppTest, knob: str, values: list[str], seeds: int = 1) -> None:
    run_page(app).selectbox(key="train_ablation_knob").select(knob)
    run_page(app).multiselect(key=f"train_ablation_values_{knob}").set_value(values)
    run_page(app).number_input(key="train_ablation_seeds").set_value(seeds)
    run_page(app)


def test_the_grid_that_is_queued_is_the_spec_of_the_form_with_one_thing_changed(
    app: AppTest, root: Path, started: list[str]
) -> None:
    choose(app, "hole_size", ["0", "8", "16"], seeds=2)
    app.button(key="train_ablation_start").click()
    run_page(app)
    (made,) = ablation.list_ablations(root)
    assert started == [each.run for each in made.runs]
    assert [(each.value, each.seed) for each in made.runs] == [
        (value, seed) for seed in (5, 6) for value in (0, 8, 16)
    ]
    specs = [run.spec for run in ablation.members(root, made).values() if run]
    assert {spec.recipe for spec in specs} == {Recipe(epochs=2, seed=seed) for seed in (5, 6)}
    assert {spec.network for spec in specs} == {tiny.NETWORK}
    assert len({spec.augmentation for spec in specs}) == 3
    assert app.selectbox(key="train_ablation").value == made.id


def test_values_may_be_typed(app: AppTest, root: Path, started: list[str]) -> None:
    choose(app, "learning_rate", ["0.05", "3e-3"])
    app.button(key="train_ablation_start").click()
    run_page(app)
    (made,) = ablation.list_ablations(root)
    assert [each.value for each in made.runs] == [0.05, 0.003]


@pytest.mark.parametrize(
    "knob, values, words",
    [
        ("batch_size", ["16", "many"], "a whole number, got 'many'"),
        ("batch_size", ["0"], "batch_size: must be greater than or equal to 1"),
        ("batch_size", [], "needs values, got none"),
    ],
)
def test_values_that_cannot_be_are_refused_before_anything_is_made(
    app: AppTest, root: Path, knob: str, values: list[str], words: str
) -> None:
    choose(app, knob, values)
    assert any(words in each.value.replace("\\", "") for each in app.error)
    assert "train_ablation_start" not in [button.key for button in app.button]
    assert not root.exists()


def test_a_knob_that_the_spec_lacks_says_what_to_do(app: AppTest) -> None:
    run_page(app).selectbox(key="train_ablation_knob").select("dilation")
    run_page(app)
    assert any("give a convolution a dilation" in each.value for each in app.markdown)
    assert "train_ablation_start" not in [button.key for button in app.button]


def finish(root: Path, run_id: str, accuracy: float) -> None:
    """Tell that the run finished with this accuracy on the test images, and that one epoch was measured."""
    metrics = EpochMetrics(
        epoch=1, train_loss=2.0, train_accuracy=0.1, validation_loss=1.0, validation_accuracy=accuracy / 2,
        learning_rate=0.1, seconds=1, images_per_second=100,
    )  # fmt: skip
    run_folder.append_event(root / run_id, EpochDone(metrics=metrics, is_best=True))
    ending = StateChanged(state="finished", time=run_folder.now(), epoch=1, test_accuracy=accuracy)
    run_folder.append_event(root / run_id, ending)


def make_grid(root: Path, shapes_root: Path, num_seeds: int = 2) -> Ablation:
    spec = RunSpec(
        dataset="shapes",
        fingerprint=load("shapes", shapes_root).fingerprint,
        network=tiny.NETWORK,
        augmentation=tiny.AUGMENTATION,
        recipe=replace(tiny.RECIPE, epochs=1),
    )
    planned = ablation.plan(spec, "dropout", (0.0, 0.1, 0.2), num_seeds)
    return ablation.create(root, planned, "dropout", shapes_root, "cpu")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished runs were measured on so many test images."""

    def load_record(folder: Path) -> Checkpoint:
        record = object.__new__(Checkpoint)
        object.__setattr__(record, "test_images", TEST_IMAGES)
        return record

    monkeypatch.setattr("core.checkpoint.load", load_record)


def test_the_table_holds_mean_spread_and_wilsons_interval_of_every_value(
    app: AppTest, root: Path, shapes_root: Path, measured: None
) -> None:
    made = make_grid(root, shapes_root)
    accuracies = {(0.0, 1): 0.5, (0.1, 1): 0.6, (0.2, 1): 0.3, (0.0, 2): 0.7, (0.1, 2): 0.6}
    for each in made.runs:
        if (each.value, each.seed) in accuracies:
            finish(root, each.run, accuracies[float(each.value), each.seed])
    app.query_params["ablation"] = made.id
    table = run_page(app).dataframe[0].value.set_index("value")
    assert list(table.index) == ["0", "0.1", "0.2"]
    assert table["done"].tolist() == [2, 2, 1]
    assert table["test"].tolist() == pytest.approx([0.6, 0.6, 0.3])
    assert table["validation"].tolist() == pytest.approx([0.3, 0.3, 0.15])
    assert table.loc["0", "test_deviation"] == pytest.approx(statistics.stdev([0.5, 0.7]))
    for value, mean in (("0", 0.6), ("0.2", 0.3)):
        interval = Accuracy(round(mean * TEST_IMAGES), TEST_IMAGES).interval
        assert table.loc[value, ["low", "high"]].tolist() == pytest.approx(interval)
    assert table.loc["0.2", "states"] == "finished, lost"
    assert app.get("progress") != []
    assert len(app.get("vega_lite_chart")) == 1


def test_a_deleted_run_leaves_the_table_as_it_can_be(
    app: AppTest, root: Path, shapes_root: Path, measured: None
) -> None:
    made = make_grid(root, shapes_root, num_seeds=1)
    for each in made.runs:
        finish(root, each.run, 0.5)
    runs.delete(root, made.runs[1].run)
    app.query_params["ablation"] = made.id
    table = run_page(app).dataframe[0].value.set_index("value")
    assert table["done"].tolist() == [1, 0, 1]
    assert table.loc["0.1", "states"] == "deleted"


def test_a_link_with_an_ablation_that_is_not_here_is_explained(app: AppTest) -> None:
    app.query_params["ablation"] = "20200101-000000-seed-abcdef"
    assert "not among those here" in run_page(app).warning[0].value
    assert app.selectbox(key="train_ablation").value == "new"


def test_the_table_as_csv_counts_the_same(root: Path, shapes_root: Path, measured: None) -> None:
    made = make_grid(root, shapes_root, num_seeds=1)
    for turn, each in enumerate(made.runs):
        finish(root, each.run, 0.2 + turn / 10)
    rows = ablation_results.value_rows(ablation.members(root, made))
    read = list(csv.DictReader(io.StringIO(export.to_csv([row._asdict() for row in rows]))))
    assert [(row["value"], float(row["test"])) for row in read] == [
        ("0", pytest.approx(0.2)), ("0.1", pytest.approx(0.3)), ("0.2", pytest.approx(0.4)),
    ]  # fmt: skip
    assert {row["test_images"] for row in read} == {str(TEST_IMAGES)}


def test_what_has_not_ended_well_can_be_resumed_together(
    app: AppTest, root: Path, shapes_root: Path, started: list[str]
) -> None:
    made = make_grid(root, shapes_root, num_seeds=1)
    app.query_params["ablation"] = made.id
    run_page(app).button(key="train_ablation_resume").click()
    run_page(app)
    assert started == [each.run for each in made.runs]
