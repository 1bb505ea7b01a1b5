"""The Network page: a change is sized, linked and can be undone; what breaks a rule leaves it as it was."""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.network import (
    Brief,
    LayerSpec,
    NetworkSpec,
    briefs,
    check_brief,
    find_problems,
    presets,
    size_network,
)
from core.network.blocks import BLOCKS, insert_block
from core.network.library import load_network
from core.spec import from_link, to_json, to_link
from tests.browser import PROJECT
from ui.network.edit import insert_layer

PAGE = "pages/2_Network.py"

OPEN_WITHOUT_TORCH = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("streamlit_app.py", default_timeout=60).switch_page("pages/2_Network.py").run()
assert not app.exception, app.exception[0].value
assert app.title[0].value == "Network"
heavy = {"torch", "torchvision", "albumentations", "cv2"} & sys.modules.keys()
sys.exit(f"imported {heavy}" if heavy else 0)
"""


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The page, opened with the network of seed 004."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.setattr("ui.network.saved.folder", lambda: tmp_path / "networks")
    monkeypatch.chdir(PROJECT)
    return AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).switch_page(PAGE)


def in_hand(app: AppTest) -> NetworkSpec:
    """The network that the other pages would get."""
    assert [problem.value for problem in app.exception] == []
    spec: NetworkSpec = app.session_state["network_spec"]
    return spec


def linked(app: AppTest) -> NetworkSpec:
    """The network that the page's link brings."""
    given = app.query_params["network"]
    link = given if isinstance(given, str) else given[-1]
    return presets()[link] if link in presets() else from_link(NetworkSpec, link)


def totals(app: AppTest) -> str:
    """What the pinned bar says."""
    return "\n".join(text.value for text in app.container(key="network_totals").markdown)


def type_cells(app: AppTest, rows: dict[int, dict[str, Any]]) -> AppTest:
    """Type into the table, as the browser reports it."""
    key = f"network_layers_{app.session_state['network_edition']}"
    app.session_state[key] = {"edited_rows": rows, "added_rows": [], "deleted_rows": []}
    return app.run()


def paste(app: AppTest, text: str) -> AppTest:
    """Paste JSON and send it."""
    app.text_area(key="network_json").set_value(text)
    return app.button(key="network_use_json").click().run()


def refusals(app: AppTest) -> str:
    """What the page says about changes that it did not take."""
    return "\n".join(problem.value for problem in app.error)


def test_the_page_opens_without_torch_and_albumentations(tmp_path: Path) -> None:
    environment = {"CONVSCOPE_DATA": str(tmp_path), "CONVSCOPE_RUNS": str(tmp_path), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [sys.executable, "-c", OPEN_WITHOUT_TORCH],
        cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.parametrize("key", presets())
def test_every_preset_shows_its_totals_and_every_layer(app: AppTest, key: str) -> None:
    app.run()
    app.selectbox(key="network_start").select(key).run()
    sizing = size_network(presets()[key])
    assert in_hand(app) == linked(app) == presets()[key]
    assert f"**{sizing.num_params:,}**" in totals(app)
    assert f"**{sizing.receptive_field_before_pooling} px**" in totals(app)
    assert f"**{sizing.receptive_field} px**" in totals(app)
    assert ":gray[" not in totals(app)
    table = app.dataframe[-1].value
    assert list(table["num_params"]) == [layer.num_params for layer in sizing.layers]
    assert len(app.get("vega_lite_chart")) == 2


def test_a_typed_cell_is_sized_linked_and_compared_with_the_start(app: AppTest) -> None:
    before = size_network(presets()["seed_004"]).num_params
    type_cells(app.run(), {0: {"kernel_size": 5, "padding": 2}})
    assert in_hand(app).layers[0].kernel_size == 5
    assert linked(app) == in_hand(app)
    after = before + (25 - 9) * 3 * 16
    assert f"**{after:,}** :gray[+{after - before:,}]" in totals(app)


def test_undo_and_redo_go_over_every_kind_of_change(app: AppTest) -> None:
    app.run()
    states = [in_hand(app)]
    for change in (
        lambda: type_cells(app, {0: {"stride": 2, "padding": 3}}),
        lambda: app.button(key="network_duplicate").click().run(),
        lambda: app.text_input(key="network_name").set_value("Mine").run(),
        lambda: app.number_input(key="network_classes").set_value(4).run(),
        lambda: app.selectbox(key="network_start").select("seed_001").run(),
        lambda: paste(app, to_json(presets()["scope_net"])),
    ):
        change()
        states.append(in_hand(app))
    assert len(set(states)) == len(states)
    for earlier in reversed(states[:-1]):
        app.button(key="network_undo").click().run()
        assert in_hand(app) == linked(app) == earlier
    assert app.button(key="network_undo").disabled
    assert app.selectbox(key="network_start").value == "seed_004"
    for later in states[1:]:
        app.button(key="network_redo").click().run()
        assert in_hand(app) == later
    assert app.button(key="network_redo").disabled


def test_rows_are_inserted_moved_and_deleted_and_the_choice_goes_along(app: AppTest) -> None:
    app.run()
    layers = in_hand(app).layers
    chosen = app.selectbox(key="network_layer").select(layers[3].name).run()
    app.button(key="network_move_up").click().run()
    assert in_hand(app).layers[2] == layers[3]
    assert (
        app.selectbox(key="network_layer").value
        == layers[3].name
        == chosen.selectbox(key="network_layer").value
    )
    app.button(key="network_move_down").click().run()
    assert in_hand(app).layers == layers
    app.button(key="network_insert_above").click().run()
    added = app.selectbox(key="network_layer").value
    assert [layer.name for layer in in_hand(app).layers][3:5] == [added, layers[3].name]
    app.button(key="network_delete").click().run()
    assert in_hand(app).layers == layers
    app.button(key="network_insert_below").click().run()
    assert in_hand(app).layers[4].name == app.selectbox(key="network_layer").value
    assert in_hand(app).layers[4].block == layers[3].block


def test_what_cannot_be_done_to_a_row_is_switched_off(app: AppTest) -> None:
    paste(app.run(), to_json(NetworkSpec(name="one", layers=(LayerSpec(op="flatten"),), num_classes=3072)))
    off = {
        name: app.button(key=f"network_{name}").disabled
        for name in ("move_up", "move_down", "delete", "duplicate")
    }
    assert off == {"move_up": True, "move_down": True, "delete": True, "duplicate": False}


def test_a_cell_typed_just_before_a_click_is_not_lost(app: AppTest) -> None:
    app.run()
    key = f"network_layers_{app.session_state['network_edition']}"
    app.session_state[key] = {"edited_rows": {0: {"out_channels": 24}}, "added_rows": [], "deleted_rows": []}
    app.button(key="network_duplicate").click().run()
    assert [layer.out_channels for layer in in_hand(app).layers[:2]] == [24, 24]


@pytest.mark.parametrize(
    "cells, rule",
    [
        ({"padding": -1}, "padding: must be greater than or equal to 0, got -1"),
        ({"out_channels": 1_000_000}, "out_channels: must be less than or equal to 4096, got 1000000"),
        ({"then": ["relu", "dropout 2"]}, "the rate of dropout must be at least 0 and below 1, got 2"),
        ({"name": "conv2"}, "the name 'conv2' is taken"),
    ],
)
def test_a_refused_cell_is_explained_and_undo_forgets_it(
    app: AppTest, cells: dict[str, Any], rule: str
) -> None:
    before = in_hand(app.run())
    type_cells(app, {0: cells})
    assert rule in refusals(app)
    assert "layer 1" in refusals(app)
    assert in_hand(app) == linked(app) == before
    app.button(key="network_undo").click().run()
    assert refusals(app) == ""
    assert in_hand(app) == before


@pytest.mark.parametrize(
    "row, cells, arithmetic",
    [
        (6, {"kernel_size": 19}, "a 14×14 map with padding 0, but kernel 19 at dilation 2 needs 37"),
        (4, {"groups": 5}, "groups 5 do not divide its 32 input channels"),
    ],
)
def test_a_layer_that_cannot_work_is_marked_where_it_stands(
    app: AppTest, row: int, cells: dict[str, Any], arithmetic: str
) -> None:
    type_cells(app.run(), {row: cells})
    assert f"layer {row + 1}" in app.warning[0].value
    assert arithmetic in app.warning[0].value
    outputs = list(app.data_editor[0].value["output"])
    assert arithmetic in outputs[row]
    assert outputs[row + 1 :] == ["–"] * (len(outputs) - row - 1)
    sized = size_network(presets()["seed_004"]).layers[:row]
    assert outputs[:row] == ["×".join(map(str, layer.output_shape)) for layer in sized]
    assert len(app.dataframe[-1].value) == row
    assert "**–**" in totals(app)
    assert "Train this network" not in [link.label for link in app.get("page_link")]
    app.button(key="network_undo").click().run()
    assert not app.warning
    assert "162,296" in totals(app)


def test_a_first_layer_that_cannot_work_leaves_the_page_whole(app: AppTest) -> None:
    type_cells(app.run(), {0: {"groups": 2}})
    assert "groups 2 do not divide its 3 input channels" in app.warning[0].value
    assert not app.exception


@pytest.mark.parametrize(
    "text, rule",
    [
        ("", "this is not JSON"),
        ("[1, 2", "this is not JSON"),
        ("[]", "must be"),
        ('{"name": "x", "layers": []}', "layers"),
        ('{"name": "x", "layers": [{"op": "flatten"}], "colour": "red"}', "colour: there is no such field"),
        (
            '{"name": "x", "layers": [{"op": "conv", "out_channels": 1000000, "kernel_size": 1}]}',
            "must be less than or equal to 4096, got 1000000",
        ),
        (
            '{"name": "x", "layers": [{"op": "max_pool", "kernel_size": 2, "padding": -1}]}',
            "must be greater than or equal to 0, got -1",
        ),
        ("[" * 100_000, "this is not JSON"),
        (json.dumps({"name": "x" * 300_000, "layers": []}), "at most 200,000 bytes"),
    ],
)
def test_bad_json_is_explained_and_the_network_kept(app: AppTest, text: str, rule: str) -> None:
    before = in_hand(app.run())
    paste(app, text)
    assert rule in refusals(app)
    assert "The network in hand is kept" in refusals(app)
    assert in_hand(app) == before
    assert refusals(app.run()) == ""


def test_a_saved_network_opens_again(app: AppTest) -> None:
    mine = insert_layer(presets()["scope_net"], 3, "mine")
    app.run()
    app.file_uploader(key="network_file").upload("mine.json", to_json(mine).encode()).run()
    assert in_hand(app) == linked(app) == mine
    app.file_uploader(key="network_file").upload("picture.json", b"\x89PNG\r\n\x1a\n\x00").run()
    assert "this is not JSON" in refusals(app)
    assert in_hand(app) == mine


def test_a_link_brings_the_network_and_what_it_is_compared_with(app: AppTest) -> None:
    mine = insert_layer(presets()["seed_001"], 0, "")
    app.query_params["network"] = to_link(mine)
    app.query_params["network_start"] = "seed_001"
    app.run()
    assert in_hand(app) == mine
    assert app.selectbox(key="network_start").value == "seed_001"
    assert ":gray[+" in totals(app)


@pytest.mark.parametrize("link", ["eJxdamaged", "%00", "seed_999", to_link(presets()["seed_000"])[:-20]])
def test_a_damaged_link_is_explained_and_the_page_stays_whole(app: AppTest, link: str) -> None:
    app.query_params["network"] = link
    app.query_params["network_start"] = "nothing"
    app.run()
    assert "The network in hand is kept" in refusals(app)
    assert in_hand(app) == linked(app) == presets()["seed_004"]


def test_an_empty_name_is_refused(app: AppTest) -> None:
    before = in_hand(app.run())
    app.text_input(key="network_name").set_value("  ").run()
    assert "name" in refusals(app)
    assert app.text_input(key="network_name").value == before.name


def test_start_over_brings_the_preset_back(app: AppTest) -> None:
    app.run()
    assert app.button(key="network_restart").disabled
    app.button(key="network_duplicate").click().run()
    app.button(key="network_restart").click().run()
    assert in_hand(app) == presets()["seed_004"]


def test_an_edit_of_twenty_layers_takes_little_of_the_server(app: AppTest) -> None:
    spec = presets()["scope_net"]
    while len(spec.layers) < 20:
        spec = insert_layer(spec, 3, "more")
    paste(app.run(), to_json(spec))
    seconds = []
    for channels in range(40, 49):
        begin = time.process_time()  # not by the clock: other tests may share the cores
        type_cells(app, {3: {"out_channels": channels}})
        seconds.append(time.process_time() - begin)
        assert in_hand(app).layers[3].out_channels == channels
    assert median(seconds) < 0.15, seconds


def insert(app: AppTest, kind: str, layer: str, side: str = "below", channels: int | None = None) -> AppTest:
    """Insert a block beside a layer."""
    app.selectbox(key="network_layer").select(layer).run()
    app.segmented_control(key="network_block_side").set_value(side)
    app.number_input(key="network_block_channels").set_value(channels)
    return app.button(key=f"network_block_{kind}").click().run()


@pytest.mark.parametrize("kind", BLOCKS)
def test_a_block_is_inserted_beside_the_chosen_layer_and_undone(app: AppTest, kind: str) -> None:
    before = in_hand(app.run())
    insert(app, kind, "conv2")
    assert in_hand(app) == linked(app) == insert_block(before, 2, kind)
    assert app.selectbox(key="network_layer").value == in_hand(app).layers[-len(before.layers) + 1].name
    app.button(key="network_undo").click().run()
    insert(app, kind, "conv1", side="above", channels=24)
    assert in_hand(app) == insert_block(before, 0, kind, 24)
    assert app.selectbox(key="network_layer").value == in_hand(app).layers[0].name


def test_blocks_follow_one_another(app: AppTest) -> None:
    app.run()
    insert(app, "strided", "conv3", channels=48)
    app.button(key="network_block_residual").click().run()
    names = [layer.name for layer in in_hand(app).layers]
    assert names[3:7] == ["strided2", "conv8", "conv9", "add1"]


def test_a_block_that_has_no_place_there_is_explained(app: AppTest) -> None:
    before = in_hand(app.run())
    insert(app, "residual", "gap")
    assert "the map before layer 14 is 1×1; insert it before the pooling" in refusals(app)
    assert in_hand(app) == before


def fold(app: AppTest, *labels: str) -> AppTest:
    """Fold these blocks, and no others."""
    return app.multiselect(key="network_folded").set_value(list(labels)).run()


def summaries(app: AppTest) -> Any:
    """The table of folded blocks."""
    return next(table.value for table in app.dataframe if "num_layers" in table.value)


def test_a_folded_block_is_summed_up_and_edits_still_hit_their_rows(app: AppTest) -> None:
    app.query_params["network"] = "seed_000"
    app.run()
    before = in_hand(app)
    fold(app, "conv block 1", "transition 2")
    assert list(app.data_editor[0].value["#"]) == [4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
    summary = summaries(app)
    sizing = size_network(before).layers
    assert list(summary["layers"]) == ["1–3", "8–9"]
    assert list(summary["num_params"]) == [
        sum(row.num_params for row in sizing[:3]),
        sum(row.num_params for row in sizing[7:9]),
    ]
    assert list(summary["receptive_field"]) == [sizing[2].receptive_field, sizing[8].receptive_field]
    type_cells(app, {2: {"padding": 2}, 4: {"out_channels": 40}})
    assert (in_hand(app).layers[5].padding, in_hand(app).layers[9].out_channels) == (2, 40)
    fold(app)
    assert len(app.data_editor[0].value) == len(before.layers)
    assert (in_hand(app).layers[5].padding, in_hand(app).layers[9].out_channels) == (2, 40)


def test_a_cell_typed_just_before_folding_is_not_lost(app: AppTest) -> None:
    app.query_params["network"] = "seed_000"
    app.run()
    key = f"network_layers_{app.session_state['network_edition']}"
    app.session_state[key] = {"edited_rows": {5: {"padding": 2}}, "added_rows": [], "deleted_rows": []}
    fold(app, "conv block 1")
    assert [layer.padding for layer in in_hand(app).layers[:7]] == [1, 1, 1, 0, 0, 2, 1]


def test_a_layer_typed_into_a_folded_block_goes_there(app: AppTest) -> None:
    app.query_params["network"] = "seed_000"
    fold(app.run(), "transition 2")
    type_cells(app, {0: {"block": "transition 2"}})
    assert next(iter(app.data_editor[0].value["#"])) == 2
    assert list(summaries(app)["layers"]) == ["1", "8–9"]
    type_cells(app, {0: {"out_channels": 24}})
    assert [layer.out_channels for layer in in_hand(app).layers[:2]] == [16, 24]


def test_every_block_can_be_folded(app: AppTest) -> None:
    app.query_params["network"] = "scope_net"
    app.run()
    fold(app, *app.multiselect(key="network_folded").options)
    assert not app.exception
    assert len(summaries(app)) == 5
    app.selectbox(key="network_start").select("seed_004").run()
    assert app.multiselect(key="network_folded").value == ["output"]  # the only one that it has as well
    assert len(app.data_editor[0].value) == 12


def test_a_network_is_saved_opened_replaced_and_deleted(app: AppTest, tmp_path: Path) -> None:
    app.run()
    app.button(key="network_duplicate").click().run()
    app.text_input(key="network_save_name").set_value("Mine")
    app.button(key="network_save_here").click().run()
    mine = in_hand(app)
    assert mine.name == "Mine"
    assert load_network("mine", tmp_path / "networks") == mine
    app.button(key="network_restart").click().run()
    assert in_hand(app) == presets()["seed_004"]
    app.button(key="network_open_saved").click().run()
    assert in_hand(app) == linked(app) == mine
    assert app.selectbox(key="network_start").value == "saved_mine"
    assert ":gray[" not in totals(app)
    app.button(key="network_delete_saved").click().run()
    assert list((tmp_path / "networks").glob("*.json")) == []
    assert in_hand(app) == mine
    assert app.selectbox(key="network_start").value == "seed_004"


def test_a_damaged_saved_network_is_explained_and_cannot_be_opened(app: AppTest, tmp_path: Path) -> None:
    bad = tmp_path / "networks" / "bad.json"
    bad.parent.mkdir(exist_ok=True)
    bad.write_text('{"name": "x", "layers": [{"op": "conv"}]}')
    app.run()
    assert app.warning[0].value.replace("\\", "").startswith("bad.json: layer 1: conv needs out_channels")
    assert app.button(key="network_open_saved").disabled
    app.button(key="network_delete_saved").click().run()
    assert not bad.exists()
    assert not app.warning


@pytest.mark.parametrize("name", ["", "  "])
def test_saving_without_a_name_is_refused(app: AppTest, tmp_path: Path, name: str) -> None:
    app.run()
    app.text_input(key="network_save_name").set_value(name)
    app.button(key="network_save_here").click().run()
    assert "name" in refusals(app)
    assert not list((tmp_path / "networks").glob("*.json"))


def verdicts(app: AppTest) -> list[str]:
    """What the Judge view says of each rule."""
    return [text.value for text in app.container(key="network_verdicts").markdown]


def open_judge(app: AppTest) -> AppTest:
    """Go to the Judge view."""
    return app.segmented_control(key="network_view").set_value("Judge").run()


def test_a_brief_turns_green_when_its_last_broken_rule_is_kept(app: AppTest) -> None:
    app.run()
    assert ":red[:material/cancel:] 1 of 7 broken" in totals(app)
    insert(app, "depthwise_separable", "conv3")
    assert ":green[:material/check_circle:] kept, 7 of 7" in totals(app)
    open_judge(app)
    assert app.success[0].value.startswith("**Kept.** All 7 rules are kept. 2 more cannot be told")
    assert [" — kept: " in verdict for verdict in verdicts(app)] == [True] * 7 + [False] * 2
    app.button(key="network_undo").click().run()
    assert app.error[0].value.startswith("**Not yet.** 1 of 7 rules is broken.")
    (broken,) = [verdict for verdict in verdicts(app) if "broken" in verdict]
    assert broken.startswith(":red[:material/cancel:] **A depthwise convolution with a 1×1 behind it**")


def link_to_brief(app: AppTest) -> str:
    """The brief as the page's link brings it."""
    given = app.query_params["network_brief"]
    return given if isinstance(given, str) else given[-1]


def test_every_brief_is_judged_and_none_may_be(app: AppTest) -> None:
    open_judge(app.run())
    for key, brief in reversed(briefs().items()):
        app.selectbox(key="network_brief_choice").select(key).run()
        assert len(verdicts(app)) == len(check_brief(in_hand(app), brief))
        assert link_to_brief(app) == key
    app.selectbox(key="network_brief_choice").select("none").run()
    assert "Brief" not in totals(app)
    assert not app.exception


def use_brief(app: AppTest, text: str) -> AppTest:
    """Write a brief of one's own and use it."""
    app.text_area(key="network_brief_json").set_value(text)
    return app.button(key="network_use_brief").click().run()


def test_a_teachers_own_brief_is_judged_and_travels_by_link(app: AppTest) -> None:
    own = Brief(title="Small", num_params_below=100_000, receptive_field_above=40)
    use_brief(open_judge(app.run()), to_json(own))
    assert "1 of 2 broken" in totals(app)
    assert "162,296 parameters, asked fewer than 100,000" in verdicts(app)[0].replace("\\", "")
    link = link_to_brief(app)
    assert from_link(Brief, link) == own
    app.selectbox(key="network_brief_choice").select("seed_002").run()
    assert link_to_brief(app) == "seed_002"
    app.session_state["network_brief_overtaken"] = {}  # as if the change were long ago
    app.query_params["network_brief"] = link
    app.run()
    assert app.selectbox(key="network_brief_choice").value == "Own: Small"
    assert "1 of 2 broken" in totals(app)


@pytest.mark.parametrize(
    "text, rule",
    [
        ("", "this is not JSON"),
        ("[" * 100_000, "this is not JSON"),
        ('{"title": "x", "field": 3}', "no such field"),
    ],
)
def test_a_bad_brief_is_explained_and_the_one_in_hand_kept(app: AppTest, text: str, rule: str) -> None:
    before = verdicts(open_judge(app.run()))
    use_brief(app, text)
    assert rule in refusals(app)
    assert "The brief in hand is kept" in refusals(app)
    assert verdicts(app) == before


def test_a_damaged_link_to_a_brief_is_explained(app: AppTest) -> None:
    app.query_params["network_brief"] = "eJxdamaged"
    app.run()
    assert "The brief in hand is kept" in refusals(app)
    assert "1 of 7 broken" in totals(app)


@pytest.mark.parametrize("key", presets())
def test_every_finding_is_shown_and_every_remedy_applies_and_is_undone(app: AppTest, key: str) -> None:
    app.query_params["network"] = key
    open_judge(app.run())
    spec = presets()[key]
    found = find_problems(spec)
    shown = "\n".join(text.value for text in (*app.markdown, *app.caption)).replace("\\", "")
    for finding in found:
        assert finding.problem in shown
        assert finding.arithmetic in shown
        assert finding.remedy in shown
    for finding in [each for each in found if each.remedied is not None][:3]:
        app.button(key=f"network_apply_{finding.kind}_{finding.name}").click().run()
        assert in_hand(app) == linked(app) == finding.remedied
        app.button(key="network_undo").click().run()
        assert in_hand(app) == spec


def test_all_remedies_of_a_kind_are_one_change(app: AppTest) -> None:
    app.query_params["network"] = "seed_002"
    open_judge(app.run())
    app.button(key="network_apply_all_false_depthwise").click().run()
    assert "false_depthwise" not in {each.kind for each in find_problems(in_hand(app))}
    assert [layer.groups for layer in in_hand(app).layers if "depthwise" in layer.name] == [32, 64, 128]
    app.button(key="network_undo").click().run()
    assert in_hand(app) == presets()["seed_002"]


def test_a_network_without_a_fault_is_told_so(app: AppTest) -> None:
    app.query_params["network"] = "scope_net"
    open_judge(app.run())
    assert "no fault that this page knows of" in app.success[-1].value
    assert ":green[:material/check_circle:] none" in totals(app)


def test_a_network_that_cannot_work_is_judged_up_to_there(app: AppTest) -> None:
    type_cells(app.run(), {6: {"kernel_size": 19}})
    open_judge(app)
    assert not app.exception
    assert ":red[:material/error:] 1" in totals(app)
    assert "It cannot work on what it gets" in "\n".join(text.value for text in app.markdown)


def compared(app: AppTest) -> dict[str, tuple[str, str, str]]:
    """The totals beside each other: of the network in hand, of the other, and the difference."""
    table = next(frame.value for frame in app.dataframe if "change" in frame.value)
    return {row.what: (row.own, row.other, row.change) for row in table.itertuples()}


def test_two_networks_are_compared_in_all_and_layer_by_layer(app: AppTest) -> None:
    app.query_params["network"] = "scope_net"
    app.run()
    app.segmented_control(key="network_view").set_value("Compare").run()
    assert app.info  # it starts with itself, until another is chosen
    app.selectbox(key="network_other").select("seed_001").run()
    mine, theirs = (size_network(presets()[key]) for key in ("scope_net", "seed_001"))
    more = mine.num_params - theirs.num_params
    share = f"{100 * abs(more) / theirs.num_params:.0f} %"
    sign = "+" if more > 0 else "−"
    assert compared(app)["Parameters"] == (
        f"{mine.num_params:,}",
        f"{theirs.num_params:,}",
        f"{sign}{abs(more):,} ({sign}{share})",
    )
    assert compared(app)["Field before pooling"][:2] == ("61 px", "49 px")
    frames = [frame.value for frame in app.dataframe if "layer" in frame.value]
    assert [list(frame["layer"]) for frame in frames] == [
        [layer.name for layer in sizing.layers] for sizing in (mine, theirs)
    ]
    assert not app.info


def test_what_is_compared_travels_by_link(app: AppTest) -> None:
    app.query_params["network_view"] = "Compare"
    app.query_params["network_other"] = "seed_002"
    app.run()
    assert compared(app)["Parameters"][1] == "338,656"
    app.selectbox(key="network_other").select("seed_001").run()
    assert compared(app)["Parameters"][1] == "174,378"
    app.query_params["network_other"] = "nothing"
    app.run()
    assert not app.exception


def test_what_was_edited_is_compared_with_its_start(app: AppTest) -> None:
    type_cells(app.run(), {0: {"kernel_size": 5, "padding": 2}})
    app.segmented_control(key="network_view").set_value("Compare").run()
    assert app.selectbox(key="network_other").value == "seed_004"
    assert compared(app)["Parameters"][2] == "+768 (+0 %)"


def test_a_network_that_cannot_work_is_compared_as_far_as_it_does(app: AppTest) -> None:
    type_cells(app.run(), {0: {"groups": 2}})
    app.segmented_control(key="network_view").set_value("Compare").run()
    assert not app.exception
    assert "groups 2 do not divide its 3 input channels" in app.warning[0].value
    assert compared(app)["Parameters"] == ("–", "162,296", "")
