"""The Network page's view See: the unit chosen, its field on an image, its paths, and its measured field."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import checkpoint as checkpoints
from core.network import LayerSpec, NetworkSpec, presets, size_network
from core.network.coverage import Box
from core.spec import to_link
from tests import tiny
from tests.browser import PROJECT, AppServer, open_page, settle
from ui.network.see_charts import MAX_CELLS, heat_map, shapes_chart
from ui.network.see_picture import FRAME, PICTURE_SIZE, field_picture, field_words, fit_images

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "pages/2_Network.py"
IMAGE = Box(0, 0, 32, 32)


def dilated(*dilations: int) -> NetworkSpec:
    convs = [
        LayerSpec(op="conv", name=f"conv{i}", kernel_size=3, out_channels=10, dilation=d, padding=d)
        for i, d in enumerate(dilations, 1)
    ]
    return NetworkSpec(name="Dilated", layers=(*convs, LayerSpec(op="global_avg_pool", name="gap")))


@pytest.fixture
def app(
    tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None
) -> Iterator[AppTest]:
    """The view, opened with the network of seed 004."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.setattr("ui.paths.CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.chdir(PROJECT)
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).switch_page(PAGE)
    app.query_params["network_view"] = "See"
    return app


def words(app: AppTest) -> str:
    """Everything that the page says in running text."""
    assert [problem.value for problem in app.exception] == []
    return "\n".join(part.value for part in (*app.caption, *app.markdown, *app.info))


def show(app: AppTest, spec: NetworkSpec) -> AppTest:
    app.query_params["network"] = to_link(spec)
    return app.run()


def test_the_view_opens_on_the_middle_of_the_last_map_before_pooling(app: AppTest) -> None:
    app.run()
    assert app.selectbox(key="network_see_layer").value == "classifier"
    assert (app.slider(key="network_see_row").value, app.slider(key="network_see_column").value) == (2, 2)
    # The first field starts 31 pixels outside and is 67 wide; the strides before it multiply to 8.
    assert "67×67 pixels, from (−15, −15) to (51, 51); 77 % of it lies in the padding" in words(app)


def test_another_layer_is_looked_at_in_its_middle_and_other_units_elsewhere(app: AppTest) -> None:
    app.run()
    app.selectbox(key="network_see_layer").select("conv2").run()
    assert "5×5 pixels, from (14, 14) to (18, 18); 0 % of it lies in the padding" in words(app)
    app.slider(key="network_see_row").set_value(0).run()
    assert "5×5 pixels, from (−2, 14) to (2, 18); 40 % of it lies in the padding" in words(app)
    app.selectbox(key="network_see_layer").select("gap").run()
    assert [slider.key for slider in app.slider if slider.key.startswith("network_see")] == []


@pytest.mark.parametrize(
    "dilations, said", [((2, 2, 2), "29.0 % of the field is reached, 49 of 169 pixels"),
                        ((1, 2, 3), "100.0 % of the field is reached, 169 of 169 pixels")],
)  # fmt: skip
def test_coverage_is_said_and_the_fix_offered_only_where_there_are_holes(
    app: AppTest, dilations: tuple[int, ...], said: str
) -> None:
    show(app, dilated(*dilations))
    assert said in words(app)
    assert "Of 729 paths to this unit 0.0 % end in padding" in words(app)
    assert ("Use dilation 1" in words(app)) == (dilations == (2, 2, 2))


@pytest.mark.parametrize("key", presets())
def test_every_layer_of_every_preset_can_be_looked_at(app: AppTest, key: str) -> None:
    app.query_params["network"] = key
    app.run()
    for row in size_network(presets()[key]).layers[::4]:
        app.selectbox(key="network_see_layer").select(row.name).run()
        assert f"{row.receptive_field}×" in words(app)
        assert app.get("vega_lite_chart")


def test_a_network_that_stops_half_way_shows_what_is_sized(app: AppTest) -> None:
    spec = dilated(1, 1)
    broken = LayerSpec(op="conv", name="broken", kernel_size=40, out_channels=3)
    show(app, NetworkSpec(name="Stops", layers=(*spec.layers[:2], broken)))
    assert "kernel 40" in app.warning[0].value
    assert app.selectbox(key="network_see_layer").options == ["conv1", "conv2"]
    app.toggle(key="network_see_measure").set_value(True).run()
    assert "0.0 % lies outside the box" in words(app)


def test_a_first_layer_that_cannot_work_leaves_the_page_whole(app: AppTest) -> None:
    show(app, NetworkSpec(name="No", layers=(LayerSpec(op="conv", kernel_size=40, out_channels=10),)))
    assert "kernel 40" in app.warning[0].value
    assert not app.exception


def test_a_field_too_large_to_draw_is_still_told(app: AppTest) -> None:
    show(app, dilated(*[24] * 5))
    assert "The field has 58,081 pixels" in words(app)


def test_torch_agrees_with_every_formula_on_demand(app: AppTest) -> None:
    app.run()
    assert "\\text{parameters}" in "".join(part.value for part in app.latex)
    app.toggle(key="network_see_count").set_value(True).run()
    table = app.table[-1].value
    assert list(table["Agree"]) == [":material/check: yes"] * 8
    assert list(table["Formula"]) == list(table["Measured"])


def test_the_field_is_measured_at_initialisation_and_from_a_checkpoint_of_this_network(
    app: AppTest, tmp_path: Path
) -> None:
    from core.network.build import build_network

    dataset = tiny.random_dataset()
    weights = {key: value.numpy() for key, value in build_network(tiny.NETWORK).state_dict().items()}
    run_spec = tiny.run_spec(dataset)
    checkpoints.save(
        tmp_path / "checkpoints" / "mine", weights=weights, run_spec=run_spec, epoch=1, history=(),
        chosen_by="last", classes=dataset.classes, dataset_title="Noise", is_stand_in=True, num_params=1,
        device="cpu", threads=1,
    )  # fmt: skip
    show(app, tiny.NETWORK)
    assert "0.0 % lies outside the box" not in words(app)
    app.toggle(key="network_see_measure").set_value(True).run()
    assert "Of the gradient, 0.0 % lies outside the box" in words(app)
    choice = app.selectbox(key="network_see_weights")
    assert len(choice.options) == 2
    choice.select_index(1).run()
    assert "Of the gradient, 0.0 % lies outside the box" in words(app)
    app.query_params["network"] = "seed_001"
    app.run()
    assert app.selectbox(key="network_see_weights").options == ["At initialisation"]


@pytest.mark.parametrize("field, value", [("layer", "nothing"), ("row", "999"), ("image", "-3")])
def test_a_link_with_a_unit_that_does_not_exist_shows_another(app: AppTest, field: str, value: str) -> None:
    app.query_params[f"network_see_{field}"] = value
    app.run()
    assert "of it lies in the padding" in words(app)


# The picture and the charts


def test_the_picture_shows_the_image_dims_it_outside_the_field_and_hatches_padding() -> None:
    image = np.full((32, 32, 3), 250, dtype=np.uint8)
    factor = PICTURE_SIZE // 38
    picture = field_picture(image, Box(-6, -6, 29, 29))
    assert picture.shape == (38 * factor, 38 * factor, 3)
    assert (picture[15 * factor, 15 * factor] == 250).all()
    assert (picture[37 * factor, 37 * factor] < 250).all()
    assert (picture[2, 2] == FRAME).all()
    assert len(np.unique(picture[3 * factor, 1 * factor : 5 * factor])) == 2


def test_the_picture_of_a_huge_field_keeps_the_image_in_sight() -> None:
    picture = field_picture(np.zeros((32, 32, 3), dtype=np.uint8), Box(-900, -900, 2000, 2000))
    assert picture.shape == (96 * (PICTURE_SIZE // 96), 96 * (PICTURE_SIZE // 96), 3)


def test_words_give_the_share_of_padding() -> None:
    assert field_words(Box(-6, -6, 29, 29), 32, 32) == (
        "29×29 pixels, from (−6, −6) to (22, 22); 37 % of it lies in the padding"
    )
    assert "less than 1 %" in field_words(Box(0, -1, 32, 200), 32, 199)
    assert "more than 99 %" in field_words(Box(-50, -50, 51, 51), 32, 32)


def test_images_are_fitted_by_their_nearest_pixels() -> None:
    images = np.arange(2 * 32 * 32 * 3).reshape(2, 32, 32, 3).astype(np.uint8)
    np.testing.assert_array_equal(fit_images(images, 32, 32), images)
    np.testing.assert_array_equal(fit_images(images, 16, 64), images[:, ::2].repeat(2, axis=2))


def test_the_heat_map_holds_what_is_not_nought_at_its_place() -> None:
    values = np.array([[0.0, 2.0], [3.0, 0.0]])
    chart = heat_map(values, Box(-1, 4, 2, 2), Box(-1, 4, 2, 2), IMAGE, "paths", is_log=True)
    cells = chart["datasets"]["cells"]
    assert cells.values.tolist() == [[-1, 5, 2], [0, 4, 3]]
    assert json.dumps(chart["layer"])


def test_the_maps_are_as_high_as_their_sides_and_as_wide_as_their_channels() -> None:
    spec = presets()["seed_004"]
    table = shapes_chart(spec, size_network(spec).layers, 3)["datasets"]["maps"]
    heights, widths = table["top"] - table["bottom"], table["right"] - table["left"]
    assert list(heights[:5]) == [32, 32, 32, 32, 14]
    assert widths[2] / widths[1] == pytest.approx(2)
    assert list(table["shape"][:3]) == ["3×32×32", "16×32×32", "32×32×32"]
    assert list(table.index[table["is_chosen"]]) == [4]
    assert MAX_CELLS > 100**2


# In the browser


@pytest.fixture
def window(page: "Page", shared_server: AppServer) -> "Page":
    open_page(page, f"{shared_server.url}/Network?network={to_link(dilated(2, 2, 2))}&network_view=See")
    return page


def drawn_cells(window: "Page", place: int) -> int:
    chart: Any = window.locator('[data-testid="stVegaLiteChart"]').nth(place)
    chart.locator("svg.marks").wait_for()
    return int(chart.locator(".role-mark.mark-rect path").count())


@pytest.mark.browser
def test_the_holes_are_seen_the_unit_moves_by_keyboard_and_its_link_shows_the_same(window: "Page") -> None:
    # The field's ground and the two frames come with the 49 pixels.
    assert drawn_cells(window, 0) == 49 + 3
    window.get_by_role("slider").first.focus()
    window.keyboard.press("Home")
    window.get_by_text(re.compile(r"13×13 pixels, from \(−6, 10\)")).wait_for()
    open_page(window, window.url)
    window.get_by_text(re.compile(r"13×13 pixels, from \(−6, 10\)")).wait_for()
    assert window.complaints == []  # type: ignore[attr-defined]


@pytest.mark.browser
def test_the_measured_field_appears_beside_the_box_on_demand(window: "Page") -> None:
    window.get_by_text("Measure it from gradients").click()
    window.get_by_text(re.compile(r"Of the gradient, 0\.0 % lies outside the box")).wait_for()
    settle(window)
    assert drawn_cells(window, 1) == 49 + 3
    assert window.complaints == []  # type: ignore[attr-defined]
