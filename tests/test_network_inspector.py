"""The inspector of the Network page: it edits the same network as the table, and neither undoes the other."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.network import LayerSpec, NetworkSpec, presets
from core.spec import to_json
from tests.browser import PROJECT
from tests.test_network_page import in_hand, linked, paste, refusals, type_cells
from ui.network.edit import USED

PAGE = "pages/2_Network.py"


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The page, opened with the network of seed 004."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)
    page = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).switch_page(PAGE)
    return page.run()


def field(app: AppTest, name: str) -> Any:
    """The widget of a field, or None where the op has no use for it."""
    return next((each for each in app.main if getattr(each, "key", None) == f"network_field_{name}"), None)


def choose(app: AppTest, layer: str) -> AppTest:
    """Choose a layer."""
    return app.selectbox(key="network_layer").select(layer).run()


def set_field(app: AppTest, name: str, value: Any) -> AppTest:
    """Set a field of the chosen layer."""
    field(app, name).set_value(value)
    return app.run()


def test_only_the_fields_that_the_op_uses_are_shown_with_their_values(app: AppTest) -> None:
    app.query_params["network"] = "scope_net"
    app.run()
    for layer in in_hand(app).layers:
        choose(app, layer.name)
        for name in {each for used in USED.values() for each in used}:
            widget = field(app, name)
            assert (widget is not None) == (name in USED[layer.op]), (layer.name, name)
            assert widget is None or widget.value == getattr(layer, name)
        assert field(app, "then").value == list(layer.then)
        assert (field(app, "op").value, field(app, "name").value) == (layer.op, layer.name)


@pytest.mark.parametrize(
    "name, value",
    [
        ("out_channels", 24),
        ("kernel_size", 5),
        ("stride", 2),
        ("padding", 0),
        ("dilation", 2),
        ("groups", 4),
        ("bias", True),
        ("then", ["relu"]),
        ("block", "mine"),
        ("name", "other"),
    ],
)
def test_a_field_is_put_in_hand_linked_and_undone(app: AppTest, name: str, value: Any) -> None:
    choose(app, "conv2")
    before = in_hand(app)
    assert getattr(before.layers[1], name) != value
    set_field(app, name, value)
    expected = tuple(value) if name == "then" else value
    assert getattr(in_hand(app).layers[1], name) == expected
    assert linked(app) == in_hand(app)
    assert field(app, name).value == value
    app.button(key="network_undo").click().run()
    assert in_hand(app) == before
    assert app.selectbox(key="network_layer").value in [layer.name for layer in before.layers]


def test_the_choice_of_a_layer_follows_its_new_name(app: AppTest) -> None:
    choose(app, "conv2")
    set_field(app, "name", "renamed")
    assert app.selectbox(key="network_layer").value == "renamed"
    set_field(app, "out_channels", 24)
    assert in_hand(app).layers[1].out_channels == 24


def test_the_op_is_changed_and_what_it_needs_is_filled_in(app: AppTest) -> None:
    choose(app, "conv2")
    set_field(app, "op", "max_pool")
    assert in_hand(app).layers[1].op == "max_pool"
    assert field(app, "out_channels") is None
    assert field(app, "kernel_size").value == 3  # both have one
    set_field(app, "op", "conv")
    assert field(app, "out_channels").value == in_hand(app).layers[1].out_channels


@pytest.mark.parametrize(
    "name, value, rule",
    [
        ("then", ["dropout 2"], "the rate of dropout must be at least 0 and below 1, got 2"),
        ("name", "conv1", "the name 'conv1' is taken"),
        ("name", "a b", "name must start with a letter"),
    ],
)
def test_what_breaks_a_rule_is_refused_and_the_widget_goes_back(
    app: AppTest, name: str, value: Any, rule: str
) -> None:
    choose(app, "conv2")
    before, shown = in_hand(app), field(app, name).value
    set_field(app, name, value)
    assert rule in refusals(app)
    assert "layer 2" in refusals(app)
    assert in_hand(app) == linked(app) == before
    assert field(app, name).value == shown


def test_an_add_cannot_come_first(app: AppTest) -> None:
    choose(app, "conv1")
    before = in_hand(app)
    set_field(app, "op", "add")
    assert "add needs an earlier layer" in refusals(app)
    assert in_hand(app) == before


def test_the_table_and_the_inspector_show_each_others_edits_and_undo_none(app: AppTest) -> None:
    choose(app, "conv2")
    type_cells(app, {1: {"out_channels": 24}, 0: {"kernel_size": 5}})
    assert field(app, "out_channels").value == 24
    set_field(app, "out_channels", 40)
    assert list(app.data_editor[0].value["out_channels"])[1] == 40
    app.run()  # what was typed before does not count again
    assert (in_hand(app).layers[1].out_channels, in_hand(app).layers[0].kernel_size) == (40, 5)
    type_cells(app, {1: {"stride": 2}})
    assert field(app, "stride").value == 2
    assert in_hand(app).layers[1].out_channels == 40


def test_steps_leave_the_table_as_it_is_so_that_it_need_not_start_anew(app: AppTest) -> None:
    edition = app.session_state["network_edition"]
    for channels in (17, 18, 19):
        set_field(app, "out_channels", channels)
    assert app.session_state["network_edition"] == edition
    assert in_hand(app).layers[0].out_channels == 19


def test_a_step_that_comes_twice_is_kept_and_shown(app: AppTest) -> None:
    layers = (LayerSpec(op="conv", out_channels=8, kernel_size=3, then=("relu", "batch_norm", "relu")),)
    paste(app, to_json(NetworkSpec(name="twice", layers=layers)))
    assert not app.exception
    set_field(app, "out_channels", 10)
    assert in_hand(app).layers[0].then == ("relu", "batch_norm", "relu")
    assert presets()["seed_004"] != in_hand(app)
