"""The Export view shows what the exports are, and puts a pasted table's network in hand once answered."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.network import LayerSpec, NetworkSpec, presets, size_network
from core.network.export import to_python, to_summary_table
from core.network.summary_table import BEFORE_NORM, LOG_SOFTMAX, read_summary_table
from core.spec import to_json, to_link
from tests.browser import PROJECT
from tests.test_export import README_004, SEED_004
from ui.network.reading_words import layer_text

PAGE = "pages/2_Network.py"
LAYER = "network_export_layer_"

OPEN_WITHOUT_TORCH = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("streamlit_app.py", default_timeout=60).switch_page("pages/2_Network.py").run()
app.segmented_control(key="network_view").set_value("Export").run()
assert not app.exception, app.exception[0].value
assert "nn.Module" in app.code[0].value
heavy = {"torch", "torchvision", "albumentations", "cv2"} & sys.modules.keys()
sys.exit(f"imported {heavy}" if heavy else 0)
"""


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The page, yet to be opened, with the network of seed 004."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)
    return AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).switch_page(PAGE)


def open_export(app: AppTest, spec: NetworkSpec | None = None) -> AppTest:
    """Open the view, with `spec` in hand if one is given."""
    if spec is not None:
        app.query_params["network"] = to_link(spec)
    app.run()
    app.segmented_control(key="network_view").set_value("Export").run()
    assert [problem.value for problem in app.exception] == []
    return app


def in_hand(app: AppTest) -> NetworkSpec:
    """The network that the other pages would get."""
    assert [problem.value for problem in app.exception] == []
    spec: NetworkSpec = app.session_state["network_spec"]
    return spec


def totals(app: AppTest) -> str:
    """What the pinned bar says."""
    return "\n".join(text.value for text in app.container(key="network_totals").markdown)


def take(app: AppTest, form: str) -> str:
    """The text that is shown of that form; it is what the one download button gives."""
    app.segmented_control(key="network_export_form").set_value(form).run()
    (code,) = app.code
    assert len([each for each in app.get("download_button") if "export_download" in each.proto.id]) == 1
    return code.value


def read(app: AppTest, text: str) -> AppTest:
    """Paste a table and have it read."""
    app.text_area(key="network_export_table").set_value(text)
    app.button(key="network_export_read_table").click().run()
    assert [problem.value for problem in app.exception] == []
    return app


def is_there(app: AppTest, kind: str, key: str) -> bool:
    """Whether the page has such a widget."""
    return key in [each.key for each in app.get(kind)]


def choose(app: AppTest, text: str, true: NetworkSpec) -> None:
    """Choose the layers of `true` among the candidates, one box after the other."""
    reading = read_summary_table(text, true.input_shape)
    for index in reading.open_layers:
        bare = replace(true.layers[index], name="", block="", then=())
        choice = reading.layers[index].candidates.index(bare)
        app.selectbox(key=f"{LAYER}{index}").select(choice)
    app.run()


def test_the_view_opens_without_torch(tmp_path: Path) -> None:
    environment = {"CONVSCOPE_DATA": str(tmp_path), "CONVSCOPE_RUNS": str(tmp_path), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [sys.executable, "-c", OPEN_WITHOUT_TORCH],
        cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.parametrize("key", ["seed_004", "scope_net"])
def test_what_is_shown_is_what_is_exported(app: AppTest, key: str) -> None:
    spec = presets()[key]
    open_export(app, spec)
    assert take(app, "PyTorch module") == to_python(spec).strip()
    assert take(app, "Summary table") == to_summary_table(spec).strip()
    has_adds = any(layer.op == "add" for layer in spec.layers)
    assert any("Adds have no rows" in note.value for note in app.info) == has_adds
    assert json.loads(take(app, "JSON")) == json.loads(to_json(spec))


def test_of_a_network_that_cannot_be_sized_only_json_is_offered(app: AppTest) -> None:
    layers = (LayerSpec(op="conv", out_channels=10, kernel_size=40), LayerSpec(op="global_avg_pool"))
    broken = NetworkSpec(name="Too large a kernel", layers=layers)
    open_export(app, broken)
    assert not is_there(app, "button_group", "network_export_form")
    assert [code.value for code in app.code] == [to_json(broken).strip()]
    assert any("kernel 40 needs 40" in note.value.replace("\\", "") for note in app.warning)


def test_the_table_of_seed_004_is_read_answered_and_put_in_hand(app: AppTest) -> None:
    text = SEED_004.read_text(encoding="utf-8") if SEED_004.exists() else README_004
    start, true = presets()["seed_001"], presets()["seed_004"]
    read(open_export(app, start), text)
    boxes = [box for box in app.selectbox if str(box.key).startswith(LAYER)]
    assert len(boxes) == 12  # of thirteen layers; one is told by its parameters
    assert [box.value for box in boxes] == [None] * 12
    assert "kernel 3, stride 2, padding 0, dilation 2, no bias (the plainest)" in boxes[3].options
    assert "Conv2d at line " in boxes[3].label
    assert "32×32×32 → 32×14×14" in boxes[3].label
    assert app.button(key="network_export_use").disabled
    choose(app, text, true)
    assert app.button(key="network_export_use").disabled
    app.selectbox(key="network_export_activation").select(BEFORE_NORM)
    app.selectbox(key="network_export_ending").select(LOG_SOFTMAX).run()
    assert app.button(key="network_export_use").disabled
    app.number_input(key="network_export_rate").set_value(0.01).run()
    app.button(key="network_export_use").click().run()
    assert [replace(layer, name="", block="") for layer in in_hand(app).layers] == [
        replace(layer, name="", block="") for layer in true.layers
    ]
    assert "**162,296**" in totals(app)
    assert app.segmented_control(key="network_view").value == "Assemble"
    assert app.data_editor
    app.button(key="network_undo").click().run()
    assert in_hand(app) == start


def test_the_plainest_is_taken_only_on_demand_and_leaves_answers_alone(app: AppTest) -> None:
    read(open_export(app), README_004)
    app.selectbox(key=f"{LAYER}6").select(1).run()
    app.button(key="network_export_plainest").click().run()
    boxes = {str(box.key): box.value for box in app.selectbox if str(box.key).startswith(LAYER)}
    assert boxes.pop(f"{LAYER}6") == 1
    assert set(boxes.values()) == {0}
    assert app.selectbox(key="network_export_activation").value is None
    assert app.selectbox(key="network_export_ending").value is None
    assert app.number_input(key="network_export_rate").value is None
    assert app.button(key="network_export_use").disabled


def test_answers_outlast_a_look_elsewhere_and_not_another_table(app: AppTest) -> None:
    read(open_export(app), README_004)
    app.selectbox(key=f"{LAYER}3").select(1).run()
    app.segmented_control(key="network_view").set_value("Assemble").run()
    app.segmented_control(key="network_view").set_value("Export").run()
    assert app.text_area(key="network_export_table").value == README_004
    assert app.selectbox(key=f"{LAYER}3").value == 1
    read(app, to_summary_table(presets()["seed_003"]))
    boxes = [box for box in app.selectbox if str(box.key).startswith(LAYER)]
    assert boxes
    assert {box.value for box in boxes} == {None}


def test_a_table_for_other_images_needs_their_shape(app: AppTest) -> None:
    layers = (
        LayerSpec(op="conv", out_channels=4, kernel_size=3, padding=1, then=("relu",)),
        LayerSpec(op="global_avg_pool"),
    )
    spec = NetworkSpec(name="Grey", layers=layers, input_shape=(1, 64, 80), num_classes=4)
    read(open_export(app), to_summary_table(spec))
    assert any("channels, height and width" in problem.value.replace("\\", "") for problem in app.error)
    for key, length in zip(("channels", "rows", "columns"), spec.input_shape, strict=True):
        app.number_input(key=f"network_export_{key}").set_value(length)
    read(app, to_summary_table(spec))
    choose(app, to_summary_table(spec), spec)
    app.selectbox(key="network_export_ending").select("as listed").run()
    app.button(key="network_export_use").click().run()
    assert size_network(in_hand(app)) == size_network(replace(spec, name=in_hand(app).name))


BROKEN = {
    "line 6: a row must be a module": README_004.replace("Dropout2d-3 ", "Dropout2d 3 "),
    "there is no table": "<script>alert(1)</script> [click](javascript:alert(1)) $\\frac{1}{0}$",
    "line 3: a row must be a module": "Layer (type)\n====\n![x](https://example.org/x.png) :red[boo]\n",
    "at most 200,000 are read": "x" * 200_001,
}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_table_is_refused_at_its_line_and_stays_inert(app: AppTest, reason: str) -> None:
    read(open_export(app), BROKEN[reason])
    (problem,) = app.error
    assert reason in problem.value.replace("\\", "")
    assert "![" not in problem.value
    assert ":red[" not in problem.value
    assert not is_there(app, "button", "network_export_use")
    assert in_hand(app) == presets()["seed_004"]


def test_candidates_differ_in_their_words() -> None:
    for spec in presets().values():
        for layer in read_summary_table(to_summary_table(spec)).layers:
            assert len({layer_text(each) for each in layer.candidates}) == len(layer.candidates)
