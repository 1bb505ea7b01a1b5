"""The Convolutions page: every operation with its own settings, sums that come out, a link that keeps all."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.data import load
from core.network import size_network
from core.network.lesson import SETTINGS, Operation, make_layers, make_network
from tests.browser import PROJECT, AppServer, open_page, settle
from tests.test_lesson import lessons
from ui.lesson.latex import cost_formulas
from ui.lesson.text import EXPLANATIONS, ratio_words

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "pages/3_Convolutions.py"
NUMBER = r"\(?(-?\d+(?:\.\d+)?)\)?"


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The page on the stand-in images, not yet drawn."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)
    return AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).switch_page(PAGE)


def choose(app: AppTest, operation: str, **settings: Any) -> AppTest:
    """The page after someone chose `operation` and the settings, by their keys."""
    app.run()
    app.segmented_control(key="convolutions_operation").set_value(operation).run()
    for key, value in settings.items():
        kind = app.selectbox if isinstance(value, str) else app.number_input
        kind(key=f"convolutions_{key}").set_value(value).run()
    assert [problem.value for problem in app.exception] == []
    return app


def setting_keys(app: AppTest) -> set[str]:
    """The keys of the settings on show."""
    keys = {widget.key for widget in [*app.number_input, *app.selectbox] if widget.key}
    return {key.removeprefix("convolutions_") for key in keys if key.startswith("convolutions_")}


def arithmetic(app: AppTest) -> str:
    """The sum that is written out, in LaTeX."""
    text: str = app.latex[0].value
    return text.strip("$\n")


def metric(app: AppTest, label: str) -> Any:
    return next(metric for metric in app.metric if metric.label == label)


@pytest.mark.parametrize("operation", get_args(Operation))
def test_every_operation_is_explained_drawn_and_costed(app: AppTest, operation: Operation) -> None:
    choose(app, operation)
    assert [problem.value for problem in app.error] == []
    shown = [text.value for text in app.markdown]
    assert EXPLANATIONS[operation].what in shown
    assert EXPLANATIONS[operation].traps in shown
    assert {"Parameters", "Multiply-adds", "Output shape", "Receptive field", "Effective stride"} == {
        metric.label for metric in app.metric
    }


@pytest.mark.parametrize("operation", get_args(Operation))
def test_an_operation_offers_the_settings_that_it_has_and_no_others(
    app: AppTest, operation: Operation
) -> None:
    fields = {key.removeprefix(f"{operation}_") for key in setting_keys(choose(app, operation))}
    assert fields & {
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "groups",
        "in_channels",
        "out_channels",
    } == set(SETTINGS[operation])
    assert ("kernel" in fields) == (operation not in ("pointwise", "max_pool", "avg_pool"))
    assert ("mix" in fields) == (operation in ("pointwise", "separable"))


def test_the_sum_of_every_unit_is_right_and_is_what_the_output_shows(app: AppTest) -> None:
    choose(app, "standard", size=5, pattern="ramp", kernel="random", seed=11)
    for position in range(25):
        app.slider(key="convolutions_position").set_value(position).run()
        text = arithmetic(app)
        name, total = re.match(r".*\[(\d,\d)\]", text), re.search(rf"= {NUMBER} \\end", text)
        assert name is not None
        assert total is not None
        assert name[1] == "{},{}".format(*divmod(position, 5))
        products = re.findall(rf"{NUMBER} \\cdot {NUMBER}", text)
        assert len(products) == 9
        assert sum(float(value) * float(weight) for value, weight in products) == float(total[1])


def test_the_sums_of_the_channels_add_up(app: AppTest) -> None:
    choose(app, "grouped", pattern="ramp", kernel="random", channel=8)
    app.slider(key="convolutions_position").set_value(20).run()
    text = arithmetic(app)
    parts = re.search(rf"&= s_\{{3\}} \+ s_\{{4\}} = {NUMBER} \+ {NUMBER} = {NUMBER} \\end", text)
    assert parts is not None, text
    first, second, total = map(float, parts.groups())
    assert first + second == total
    products = re.findall(rf"{NUMBER} \\cdot {NUMBER}", text)
    assert sum(float(value) * float(weight) for value, weight in products) == first


def test_next_and_previous_step_through_all_units_and_around(app: AppTest) -> None:
    choose(app, "strided")
    assert "[0,0]" in arithmetic(app)
    app.button(key="convolutions_next").click().run()
    assert "[0,1]" in arithmetic(app)
    app.button(key="convolutions_previous").click().run()
    app.button(key="convolutions_previous").click().run()
    assert "[3,3]" in arithmetic(app)


def test_a_smaller_output_keeps_the_nearest_unit(app: AppTest) -> None:
    choose(app, "standard")
    app.slider(key="convolutions_position").set_value(63).run()
    app.number_input(key="convolutions_size").set_value(5).run()
    assert [problem.value for problem in app.exception] == []
    assert "[4,4]" in arithmetic(app)


@pytest.mark.parametrize(
    "operation, settings, message",
    [
        ("standard", {"size": 5, "kernel_size": 1, "kernel": "edge"}, "use 2 or more"),
        ("standard", {"kernel_size": 4, "kernel": "sharpen"}, "use 3 or 5"),
        ("grouped", {"groups": 3}, "groups 3 do not divide its 4 input channels"),
        ("max_pool", {"max_pool_padding": 3}, "lower the padding to 1"),
        ("dilated", {"size": 5, "kernel_size": 5, "dilated_dilation": 4}, "raise the padding to at least"),
    ],
)
def test_settings_that_cannot_work_say_why_and_what_to_do(
    app: AppTest, operation: str, settings: dict[str, Any], message: str
) -> None:
    choose(app, operation, **settings)
    assert len(app.error) == 1
    assert message in app.error[0].value


def test_what_is_saved_stands_beside_the_standard_convolution(app: AppTest) -> None:
    choose(app, "separable", separable_in_channels=64, separable_out_channels=128)
    assert metric(app, "Multiply-adds").delta == "8.4 times fewer"
    assert metric(app, "Parameters").value == "8,768"
    choose(app, "separable", separable_in_channels=1, separable_out_channels=1)
    assert metric(app, "Multiply-adds").delta == "1.1 times more"


@pytest.mark.parametrize(
    "operation, settings, note",
    [
        (
            "standard",
            {"padding": 0},
            "from 8 to 6: to keep it, the padding must be d·(k − 1) / 2 = 1·(3 − 1) / 2 = 1",
        ),
        ("standard", {"kernel_size": 4}, "no padding keeps it"),
        ("dilated", {}, "5×5 = 25 pixels and reads 9 of them (36%)"),
        ("pointwise", {"stride": 2}, "48 of the 64 input pixels are read by no unit"),
        ("grouped", {"groups": 1}, "groups=1 this is a standard convolution"),
        ("grouped", {"groups": 4}, "this is a depthwise convolution"),
        ("depthwise", {"kernel_size": 1, "kernel": "ones"}, "only scales"),
    ],
)
def test_the_traps_are_named_where_the_settings_fall_into_them(
    app: AppTest, operation: str, settings: dict[str, Any], note: str
) -> None:
    choose(app, operation, **settings)
    assert any(note in info.value for info in app.info), [info.value for info in app.info]


def test_a_link_opens_the_same_unit_of_the_same_lesson(app: AppTest) -> None:
    app.query_params.update(
        {
            "convolutions_operation": "Depthwise-separable",
            "convolutions_layer": "2 · pointwise",
            "convolutions_pattern": "Ramp",
            "convolutions_seed": "3",
            "convolutions_channel": "2",
            "convolutions_position": "9",
        }
    )
    app.run()
    linked = arithmetic(app)
    assert linked.startswith(r"\begin{aligned} y_{2}[1,1]")
    by_hand = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).switch_page(PAGE)
    choose(by_hand, "separable", pattern="ramp", seed=3)
    by_hand.segmented_control(key="convolutions_layer").set_value(1).run()
    by_hand.number_input(key="convolutions_channel").set_value(2).run()
    by_hand.slider(key="convolutions_position").set_value(9).run()
    assert arithmetic(by_hand) == linked


def test_the_grid_holds_the_luminance_of_the_test_image(app: AppTest, shapes_root: Path) -> None:
    choose(app, "standard", pattern="image", image=3, kernel="ones", kernel_size=1, padding=0)
    assert [problem.value for problem in app.error] == []
    test = load("shapes", shapes_root).test
    grey = Image.fromarray(test.images[3]).convert("L").resize((8, 8), Image.Resampling.BOX)
    for position in (0, 27, 63):
        app.slider(key="convolutions_position").set_value(position).run()
        shown = re.search(rf"= {NUMBER} \\end", arithmetic(app))
        assert shown is not None
        expected = np.asarray(grey)[divmod(position, 8)] / 255 * 9
        assert abs(float(shown[1]) - expected) < 0.55


def test_the_page_opens_without_torch(shapes_root: Path) -> None:
    """The heavy libraries cost seconds; the lesson needs none of them."""
    script = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f"app = AppTest.from_file('streamlit_app.py', default_timeout=60).switch_page({PAGE!r}).run();"
        "assert app.title[0].value == 'Convolutions', app.exception;"
        "heavy = {'torch', 'albumentations'} & sys.modules.keys(); sys.exit(str(heavy) if heavy else 0)"
    )
    environment = os.environ | {"CONVSCOPE_DATA": str(shapes_root)}
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]


def test_every_formula_comes_out_at_the_number_that_it_claims() -> None:
    for drawn in lessons(list(SETTINGS), count=12):
        text = cost_formulas(drawn, size_network(make_network(drawn, make_layers(drawn))))
        lines = [
            line for line in re.split(r"\\\\(?:\[8pt\])?", text) if "text{parameters} \\cdot" not in line
        ]
        numeric = [line for line in lines if re.match(r" &= ", line)]
        assert len(numeric) == (2 if drawn.operation.endswith("pool") else 4)
        for line in numeric:
            formula, _, claimed = line.replace(r"\end{aligned}", "").removeprefix(" &= ").rpartition(" = ")
            assert evaluate_latex(formula) == int(claimed), (drawn, line)


def evaluate_latex(formula: str) -> float:
    """The value of a formula of digits, floor brackets, fractions, powers and products."""
    python = formula.replace(r"\left\lfloor", "floor(").replace(r"\right\rfloor", ")")
    python = re.sub(r"\\frac\{([^}]*)\}\{([^}]*)\}", r"((\1)/(\2))", python)
    python = python.replace(r"\cdot", "*").replace("^", "**")
    assert re.fullmatch(r"[\d+\-*/() floor]+", python), python
    return float(eval(python, {"floor": lambda value: value // 1}))


def test_ratios_are_said_in_words() -> None:
    assert ratio_words(100, 840) == "8.4 times fewer"
    assert ratio_words(100, 200) == "2 times fewer"
    assert ratio_words(7, 7) == "the same"
    assert ratio_words(0, 9) == "instead of 9"
    assert ratio_words(300, 200) == "1.5 times more"


@pytest.mark.browser
@pytest.mark.slow
def test_keys_step_clicks_jump_and_the_link_keeps_the_unit(shared_server: AppServer, page: "Page") -> None:
    open_page(page, f"{shared_server.url}/Convolutions")
    page.get_by_role("button", name="Next").wait_for()
    page.keyboard.press("n")
    page.wait_for_url("**/*convolutions_position=1")
    page.keyboard.press("n")
    page.wait_for_url("**/*convolutions_position=2")
    page.keyboard.press("p")
    page.wait_for_url("**/*convolutions_position=1")
    output = page.locator('[data-testid="stVegaLiteChart"][aria-label^="Output channel 1"]')
    for _ in range(2):  # the same cell twice, with a step in between
        cell = output.locator('path[aria-label^="row 3, column 4"]').first
        settle(page)  # a chart that is being drawn anew takes no click
        cell.wait_for()
        cell.click(force=True)  # its number lies above it
        page.wait_for_url("**/*convolutions_position=28")
        output.locator('path[aria-label="row 3, column 4: 4 (read)"]').wait_for(state="attached")
        page.locator('[data-testid="stSlider"] input').focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_url("**/*convolutions_position=29")
    open_page(page, page.url)
    output.locator('path[aria-label$="(read)"]').wait_for(state="attached")
    assert output.locator('path[aria-label="row 3, column 5: 0 (read)"]').count() == 1
    assert page.complaints == []  # type: ignore[attr-defined]
