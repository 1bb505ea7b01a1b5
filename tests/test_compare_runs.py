"""Runs beside each other: what differs between their specs, their curves, and a link that chooses them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from core.augmentation import presets as augmentation_presets
from core.network import NetworkSpec
from core.network.swap import swap_convolution
from core.training import EpochDone, EpochMetrics, RunSpec, run_folder, runs
from core.training.differences import list_differences
from core.training.events import StateChanged
from tests.browser import PROJECT
from tests.tiny import NETWORK, random_dataset, run_spec

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


def make_run(root: Path, network: NetworkSpec, title: str, accuracies: list[float]) -> str:
    """A finished run with these validation accuracies, as its worker would have told it."""
    spec: RunSpec = replace(SPEC, network=network)
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
