"""The view that swaps one convolution: counts as sized, times as measured, and a click that trains both."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import ConvScopeError
from core.network import NetworkSpec, presets, size_network
from core.network.measured import Conditions, Measurement, Measurements, MeasureSettings
from core.network.swap import list_variants, swap_convolution
from core.spec import from_json, to_dict, to_link
from core.training import runs
from tests.browser import PROJECT
from tests.tiny import NETWORK
from ui import own_process

LAYER = "conv2"
SPEC = presets()["seed_004"]


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The page at this view, with the network of seed 004."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=90)
    app.switch_page("pages/2_Network.py")
    app.query_params["network_view"] = "Swap"
    return app


def opened(app: AppTest, layer: str = LAYER) -> AppTest:
    """The view, with this convolution chosen."""
    app.run()
    return checked(app.selectbox(key="network_swap_layer").select(layer).run())


def checked(app: AppTest) -> AppTest:
    assert [problem.value for problem in app.exception] == []
    return app


def table(app: AppTest) -> dict[str, list[Any]]:
    """The table of variants, column by column."""
    (found,) = [each.value for each in app.dataframe if "variant" in each.value]
    columns: dict[str, list[Any]] = found.to_dict("list")
    return columns


def changes(numbers: list[int]) -> list[str]:
    """The first number, and the differences of the others from it, with their signs."""
    signed = [f"{number - numbers[0]:+,}".replace("-", "−") for number in numbers[1:]]
    return [f"{numbers[0]:,}", *("0" if change == "+0" else change for change in signed)]


def test_the_table_holds_what_sizing_says_of_every_variant_that_works(app: AppTest) -> None:
    columns = table(opened(app))
    working = [variant for variant in list_variants(SPEC, LAYER) if variant.sizing]
    sizings = [size_network(SPEC), *(variant.sizing for variant in working if variant.sizing)]
    assert columns["variant"] == ["As it is", "Depthwise-separable", "Grouped", "Dilated"]
    assert columns["num_params"] == changes([sizing.num_params for sizing in sizings])
    assert columns["macs"] == changes([sizing.macs for sizing in sizings])
    assert columns["field"] == [sizing.receptive_field_before_pooling for sizing in sizings]
    assert columns["coverage"] == [sizing.coverage for sizing in sizings]
    assert columns["is"][:2] == ["3×3 → 32", "3×3, 16 groups → 16 + 1×1 → 32"]
    assert "forward" not in columns


def test_what_is_left_out_has_its_reason(app: AppTest) -> None:
    opened(app)
    (left_out,) = [each for each in app.expander if each.label.startswith("Left out")]
    words = " ".join(text.value for text in left_out.markdown)
    assert left_out.label == "Left out: Standard, Strided, Factorised"
    assert "it is standard already" in words
    assert "not larger than 3×3" in words


def test_a_stride_that_breaks_a_later_layer_is_left_out_with_the_arithmetic(app: AppTest) -> None:
    app.query_params["network"] = "seed_000"
    opened(app, "conv1")
    assert "Strided" not in table(app)["variant"]
    (left_out,) = [each for each in app.expander if each.label.startswith("Left out")]
    words = " ".join(text.value for text in left_out.markdown)
    assert "**Strided** breaks the network" in words
    assert "a 1×1 map with padding 0, but kernel 3 needs 3" in words


@pytest.mark.slow
def test_the_button_measures_in_a_process_of_its_own(app: AppTest) -> None:
    app.query_params["network"] = to_link(NETWORK)
    opened(app, "conv1")
    app.segmented_control(key="network_swap_repetitions").set_value(5)
    checked(app.button(key="network_swap_measure").click().run())
    columns = table(app)
    assert min(columns["forward"] + columns["backward"] + columns["peak"]) > 0
    assert columns["ratio"][0] == 1
    words = " ".join(text.value for text in app.caption)
    assert "the median of 5 steps of 32 images in float32" in words
    assert "from torch profiler" in words
    assert len(app.get("vega_lite_chart")) == 1


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[list[NetworkSpec]]:
    """The networks of every measurement; times and memory are made up, so that the view is known."""
    asked: list[list[NetworkSpec]] = []

    def run_verb(verb: str, *words: str) -> Iterator[dict[str, Any]]:
        assert verb == "measure"
        files = words[: words.index("--batch-size")]
        options = dict(zip(words[len(files) :: 2], words[len(files) + 1 :: 2], strict=True))
        specs = [from_json(NetworkSpec, Path(name).read_bytes()) for name in files]
        asked.append(specs)
        yield {"done": 0, "total": 9}
        networks = tuple(
            Measurement(
                name=spec.name, num_params=1, macs=1,
                forward_ms=(10.0 * turn,), backward_ms=(20.0 * turn,), peak_bytes=turn * 2**20,
            )
            for turn, spec in enumerate(specs, 1)
        )  # fmt: skip
        settings = MeasureSettings(
            batch_size=int(options["--batch-size"]),
            repetitions=int(options["--repetitions"]),
            threads=int(options["--threads"]),
        )
        machine = Conditions(hardware="Loom 9", torch="9.9", memory="torch profiler")
        yield to_dict(
            Measurements(settings=settings, conditions=machine, networks=networks), with_defaults=True
        )

    monkeypatch.setattr(own_process, "run_verb", run_verb)
    return asked


def test_measurements_are_shown_with_their_conditions_and_kept(
    app: AppTest, measured: list[list[NetworkSpec]]
) -> None:
    opened(app)
    checked(app.button(key="network_swap_measure").click().run())
    columns = table(app)
    assert [len(specs) for specs in measured] == [4]
    assert columns["forward"] == [10, 20, 30, 40]
    assert columns["backward"] == [20, 40, 60, 80]
    assert columns["ratio"] == columns["peak"] == [1, 2, 3, 4]
    assert (
        "takes 2.00 times as long on this machine (the middle half of the steps: 2.00 to 2.00)"
        in app.info[0].value
    )
    assert any("Measured on Loom 9, " in caption.value for caption in app.caption)
    assert app.button(key="network_swap_measure").label == "Measure again"
    assert "forward" not in table(
        checked(app.segmented_control(key="network_swap_batch_size").set_value(128).run())
    )
    assert "forward" in table(
        checked(app.segmented_control(key="network_swap_batch_size").set_value(32).run())
    )
    assert len(measured) == 1
    assert "forward" not in table(opened(app, "conv1"))


def test_a_measurement_that_fails_says_why_and_leaves_the_table(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_verb(*_: str) -> Iterator[dict[str, Any]]:
        raise ConvScopeError("Measuring failed. 9 GiB are free; measure with fewer images")
        yield {}

    monkeypatch.setattr(own_process, "run_verb", run_verb)
    opened(app)
    checked(app.button(key="network_swap_measure").click().run())
    assert "measure with fewer images" in app.error[0].value
    assert "forward" not in table(app)


def test_use_this_variant_puts_it_in_hand_and_undo_takes_it_back(app: AppTest) -> None:
    opened(app)
    app.segmented_control(key="network_swap_variant").set_value("depthwise_separable").run()
    checked(app.button(key="network_swap_use").click().run())
    assert app.session_state["network_spec"] == swap_convolution(SPEC, LAYER, "depthwise_separable")
    checked(app.button(key="network_undo").click().run())
    assert app.session_state["network_spec"] == SPEC


def test_train_both_starts_two_runs_that_differ_in_the_network_alone_and_goes_to_compare_them(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(runs, "start", lambda root, run_id: started.append(run_id))
    opened(app)
    app.segmented_control(key="network_swap_variant").set_value("grouped").run()
    checked(app.button(key="network_swap_train").click().run())
    made = {run.id: run for run in runs.list_runs(tmp_path / "runs")}
    assert set(made) == set(started)
    present, variant = (made[run_id] for run_id in started)
    assert present.spec.network == SPEC
    assert variant.spec.network == swap_convolution(SPEC, LAYER, "grouped")
    assert [present.title, variant.title] == ["Seed 004 · conv2 as it is", "Seed 004 · conv2 grouped"]
    one, other = (to_dict(run.spec) for run in (present, variant))
    assert {**one, "network": ""} == {**other, "network": ""}
    assert present.spec.train_images == 2000
    assert app.title[0].value == "Train"
    assert set(app.multiselect(key="train_compare_runs").value) == set(started)
    fields = {field for each in app.dataframe if "field" in each.value for field in each.value["field"]}
    assert fields == {"network.layers.conv2.groups"}


def test_a_network_that_does_not_work_has_to_be_mended_first(app: AppTest) -> None:
    broken = json.loads(json.dumps(to_dict(SPEC)))
    broken["layers"][0]["groups"] = 2
    app.query_params["network"] = to_link(from_json(NetworkSpec, json.dumps(broken)))
    checked(app.run())
    words = " ".join(warning.value for warning in app.warning)
    assert "groups 2 do not divide its 3 input channels" in words
    assert "Mend it under Assemble first" in words


def test_every_preset_and_every_convolution_can_be_opened(app: AppTest) -> None:
    app.query_params["network"] = "scope_net"
    app.run()
    for layer in app.selectbox(key="network_swap_layer").options:
        columns = table(opened(app, layer))
        assert columns["variant"][0] == "As it is"
