"""Runs beside each other: what differs between their specs, their curves, and a link that chooses them."""

import csv
import io
import statistics
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.augmentation import presets as augmentation_presets
from core.network import NetworkSpec
from core.network.swap import swap_convolution
from core.training import EpochDone, EpochMetrics, RunSpec, run_folder, runs
from core.training.differences import list_differences
from core.training.events import StateChanged
from tests.browser import PROJECT
from tests.tiny import NETWORK, random_dataset, run_spec
from ui.training import export
from ui.training.compare_charts import Group, curves

SPEC = run_spec(random_dataset())
SEPARABLE = swap_convolution(NETWORK, "conv1", "depthwise_separable")


def test_specs_that_are_equal_differ_in_nothing() -> None:
    assert list_differences([SPEC, replace(SPEC), SPEC]) == {}


def test_only_the_fields_that_differ_are_listed_with_every_value() -> None:
    others = [
        replace(SPEC, recipe=replace(SPEC.recipe, epochs=9)),
        replace(SPEC, network=swap_convolution(NETWORK, "conv2", "grouped"), train_images=50),
    ]
    assert list_differences([SPEC, *others]) == {
        "network.layers.conv2.groups": ("1", "1", "2"),
        "recipe.epochs": ("3", "9", "3"),
        "train_images": ("", "", "50"),
    }


def test_layers_that_one_of_them_lacks_take_a_line_each_and_the_others_keep_theirs() -> None:
    found = list_differences([SPEC, replace(SPEC, network=SEPARABLE)])
    assert set(found) == {
        f"network.layers.{name}" for name in ("conv1", "conv1_depthwise", "conv1_pointwise")
    }
    assert found["network.layers.conv1"][1] is None
    assert found["network.layers.conv1_depthwise"][0] is None
    assert "groups 3" in str(found["network.layers.conv1_depthwise"][1])


def test_layers_in_another_order_differ_in_their_order() -> None:
    first, second, last = NETWORK.layers
    turned = replace(NETWORK, layers=(second, first, last))
    assert list_differences([SPEC, replace(SPEC, network=turned)]) == {
        "network.layers: order": ("conv1, conv2, global_avg_pool1", "conv2, conv1, global_avg_pool1")
    }


def test_augmentation_steps_go_by_their_place() -> None:
    cutout = replace(SPEC, augmentation=augmentation_presets()["cutout"])
    found = list_differences([SPEC, cutout])
    assert "augmentation.steps.1.transform" not in found
    assert found["augmentation.steps.2"][0] is None
    assert "transform Pad" in str(found["augmentation.steps.2"][1])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of runs."""
    return tmp_path / "runs"


def make_run(
    root: Path, network: NetworkSpec, title: str, accuracies: list[float], spec: RunSpec = SPEC
) -> str:
    """A finished run with these validation accuracies, as its worker would have told it."""
    spec = replace(spec, network=network)
    run_id = runs.create(root, spec, root.parent, "cpu", title)
    for epoch, accuracy in enumerate(accuracies, 1):
        metrics = EpochMetrics(
            epoch=epoch,
            train_loss=2.0,
            train_accuracy=0.1,
            validation_loss=2 - accuracy,
            validation_accuracy=accuracy,
            learning_rate=0.1,
            seconds=1,
            images_per_second=100,
        )
        run_folder.append_event(root / run_id, EpochDone(metrics=metrics, is_best=True))
    ended = StateChanged(
        state="finished", time=run_folder.now(), epoch=len(accuracies), test_accuracy=accuracies[-1]
    )
    run_folder.append_event(root / run_id, ended)
    return run_id


@pytest.fixture
def app(root: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The Train page, showing Compare."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", root)
    monkeypatch.chdir(PROJECT)
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    app.switch_page("pages/4_Train.py")
    app.query_params["train_view"] = "Compare"
    return app


def run_page(app: AppTest) -> AppTest:
    app.run()
    assert [problem.value for problem in app.exception] == []
    return app


def chart_values(app: AppTest, turn: int) -> list[dict[str, Any]]:
    """The rows that a chart draws."""
    data = app.get("vega_lite_chart")[turn].proto.data
    values: list[dict[str, Any]] = pa.ipc.open_stream(data.data).read_pandas().to_dict("records")
    return values


def test_without_a_run_the_page_says_so(app: AppTest) -> None:
    assert "start one under New run" in run_page(app).info[0].value


def test_curves_results_and_differences_of_the_runs_in_the_link(app: AppTest, root: Path) -> None:
    first = make_run(root, NETWORK, "as it is", [0.2, 0.3])
    second = make_run(root, SEPARABLE, "separable", [0.25, 0.5])
    third = make_run(root, NETWORK, "not asked for", [0.9])
    app.query_params["compare"] = f"{second},{first}"
    run_page(app)
    assert set(app.multiselect(key="train_compare_runs").value) == {first, second}
    drawn = [(row["run"], row["epoch"], row["accuracy"]) for row in chart_values(app, 0)]
    assert sorted(drawn) == [
        ("as it is", 1, 0.2), ("as it is", 2, 0.3), ("separable", 1, 0.25), ("separable", 2, 0.5),
    ]  # fmt: skip
    assert {row["loss"] for row in chart_values(app, 1)} == {1.8, 1.7, 1.75, 1.5}
    results, differences = (table.value for table in app.dataframe)
    assert dict(zip(results["run"], results["test"], strict=True)) == {"as it is": 0.3, "separable": 0.5}
    assert set(differences["field"]) == set(list_differences([SPEC, replace(SPEC, network=SEPARABLE)]))
    assert "network.layers.conv1_depthwise" in set(differences["field"])
    app.multiselect(key="train_compare_runs").set_value([first, third])
    run_page(app)
    given = app.query_params["compare"]
    assert set((given if isinstance(given, str) else given[-1]).split(",")) == {first, third}
    assert "Nothing: the same network" in "".join(text.value for text in app.markdown)


def seed_runs(root: Path) -> list[str]:
    """Two seeds of one network, and another network."""
    made = []
    for seed, accuracies in ((1, [0.2, 0.4]), (2, [0.4, 0.6])):
        spec = replace(SPEC, recipe=replace(SPEC.recipe, seed=seed))
        made.append(make_run(root, NETWORK, f"wide · seed {seed}", accuracies, spec))
    return [*made, make_run(root, SEPARABLE, "separable", [0.5, 0.5])]


def test_seeds_are_one_line_with_its_mean_and_a_band_of_one_standard_deviation(
    app: AppTest, root: Path
) -> None:
    app.query_params["compare"] = ",".join(seed_runs(root))
    run_page(app)
    rows = {(row["run"], row["epoch"]): row for row in chart_values(app, 0)}
    half = statistics.stdev([0.2, 0.4])
    wide = rows["wide (2 seeds)", 1]
    assert (wide["accuracy"], wide["low"], wide["high"]) == pytest.approx((0.3, 0.3 - half, 0.3 + half))
    assert rows["separable", 1]["low"] == rows["separable", 1]["high"] == 0.5
    table = app.dataframe[0].value.set_index("run")
    assert table.loc["wide (2 seeds)", ["best", "test", "test_deviation", "test_runs"]].tolist() == (
        pytest.approx([0.5, 0.5, half, 2])
    )


def test_seeds_are_told_one_by_one_where_that_is_wished(app: AppTest, root: Path) -> None:
    app.query_params["compare"] = ",".join(seed_runs(root))
    run_page(app).toggle(key="train_compare_grouped").set_value(False)
    run_page(app)
    assert {row["run"] for row in chart_values(app, 0)} == {"wide · seed 1", "wide · seed 2", "separable"}
    assert "test_deviation" not in app.dataframe[0].value


def test_curves_as_csv_hold_every_epoch_with_all_that_was_measured(root: Path) -> None:
    compared = [runs.read(root, run_id) for run_id in seed_runs(root)]
    rows = list(csv.DictReader(io.StringIO(export.to_csv(export.history_rows(compared)))))
    assert [(row["run"], row["epoch"], row["validation_accuracy"]) for row in rows] == [
        (run.title, str(row.epoch), str(row.validation_accuracy)) for run in compared for row in run.history
    ]
    assert {field.name for field in fields(EpochMetrics)} < set(rows[0])


def test_a_title_that_a_spreadsheet_would_run_is_text_in_the_csv() -> None:
    (row,) = csv.DictReader(io.StringIO(export.to_csv([{"run": "=1+1", "best": -0.5}])))
    assert row == {"run": "'=1+1", "best": "-0.5"}


def test_the_picture_holds_the_curves_and_the_table_as_drawn_on_this_machine(root: Path) -> None:
    compared = [runs.read(root, run_id) for run_id in seed_runs(root)]
    groups = [Group(run.title, (run,)) for run in compared]
    rows = [{"Run": run.title, "Test": "12.5 %"} for run in compared]
    charts = [curves(groups, measure) for measure in ("accuracy", "loss")]
    whole, bare = (
        np.asarray(Image.open(io.BytesIO(export.to_png(charts, each, "Compared"))).convert("RGB"))
        for each in (rows, [])
    )
    assert whole.shape[0] > bare.shape[0] + 2 * export.ROW_HEIGHT
    assert whole.shape[1] > 2 * 2 * export.WIDTH
    assert (whole[0, 0] == 255).all()
    darkest = whole[bare.shape[0] :].min()
    assert darkest < 60, "the table below the curves is written"
    teal = np.abs(whole.astype(int) - (0x0B, 0x6B, 0x72)).sum(axis=2) < 12
    assert teal.sum() > 200, "the curves have the colours of the app"


def test_without_a_link_the_two_newest_runs_are_compared(app: AppTest, root: Path) -> None:
    made = [make_run(root, NETWORK, "same title", [0.1]) for _ in range(3)]
    run_page(app)
    newest = [run.id for run in runs.list_runs(root)][:2]
    assert app.multiselect(key="train_compare_runs").value == newest
    assert set(newest) < set(made)
    names = {row["run"] for row in chart_values(app, 0)}
    assert len(names) == 2
    assert all(name.startswith("same title · ") for name in names)


def test_a_link_with_runs_that_are_not_here_is_explained(app: AppTest, root: Path) -> None:
    made = make_run(root, NETWORK, "here", [0.1])
    app.query_params["compare"] = f"{made},20200101-000000-gone-abcdef,../../etc"
    run_page(app)
    assert "names 2 that are not among the runs here" in app.warning[0].value
    assert app.multiselect(key="train_compare_runs").value == [made]


def test_a_run_that_is_deleted_meanwhile_is_left_out(app: AppTest, root: Path) -> None:
    kept, gone = (make_run(root, NETWORK, title, [0.1]) for title in ("kept", "gone"))
    run_page(app)
    runs.delete(root, gone)
    run_page(app)
    assert app.multiselect(key="train_compare_runs").value == [kept]


def test_runs_without_an_epoch_yet_have_no_curves(app: AppTest, root: Path) -> None:
    runs.create(root, SPEC, root.parent, "cpu", "waiting")
    run_page(app)
    assert len(app.get("vega_lite_chart")) == 0
    assert "The curves begin with the end of the first epoch." in [each.value for each in app.caption]
