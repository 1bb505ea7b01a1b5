"""Augment in a real browser: holes follow sliders, course code is understood, links show the same pixels."""

import re
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from PIL import Image
from playwright.sync_api import expect

from core.augmentation import AugmentationSpec, StepSpec, presets, to_python
from core.data import default_name
from core.spec import from_json, from_link, to_link
from tests.browser import AppServer, open_page, open_window, settle
from tests.tiles import decode, is_outlined, pixels
from ui.augmentation import edit
from ui.augmentation.live import SETTLED_SECONDS
from ui.augmentation.see_steps import FACTOR
from ui.augmentation.see_tiles import SHEET_FACTOR

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE = 30_000
"""Milliseconds that a busy machine may take to redraw."""
FOLLOWED_SECONDS = 5
"""Far less than a measurement takes."""
HEADER = 60
"""How much of the window Streamlit's header takes, in pixels."""
START = "augmentation=cutout&augment_outline=true&augment_count=4"
SEED_001 = """train_transforms = A.Compose([
    A.HorizontalFlip(),
    A.ShiftScaleRotate(),
    A.CoarseDropout(max_holes=1, max_height=16, max_width=16, min_holes=1, min_height=16,
                    min_width=16, fill_value=0.4734),
    A.Normalize(mean=(0.4675, 0.4599, 0.4236), std=(0.2901, 0.2874, 0.2917)),
    ToTensorV2(),
])"""
"""In the style of a course project: the fill is a mean on the scale 0 to 1, on 8-bit images."""

MENU = '[class*="st-key-augment_step"][class*="_menu"] button'
"""The buttons that open the menus of the steps."""
WATCH_LOSSES = """() => {
    const holds = node => node.nodeType === 1 && node.querySelector('img');
    window.losses = 0;
    new MutationObserver(changes => {
        for (const change of changes) window.losses += [...change.removedNodes].filter(holds).length;
    }).observe(document.querySelector('[data-testid="stMain"]'), {subtree: true, childList: true});
}"""
"""Counts how often pictures are taken off the page, for however short a time."""


@pytest.fixture
def address(shared_server: AppServer, real_root: Path | None) -> str:
    """The page over the real images, where they lie beside the project, else over the stand-in."""
    if real_root is None:
        return f"{shared_server.url}/Augment?data=shapes"
    for path in real_root.iterdir():
        link = shared_server.data / path.name
        if not link.exists():
            link.symlink_to(path)
    return f"{shared_server.url}/Augment?data={default_name(real_root)}"


def pictures(page: "Page") -> list[str]:
    """The pictures of the preview, byte by byte: their addresses hold them."""
    found = page.get_by_test_id("stImage").first.locator("img")
    addresses: list[str] = found.evaluate_all("all => all.map(i => i.src)")
    return addresses


def expect_drawn(page: "Page") -> None:
    """Wait until the browser has decoded every picture."""
    page.wait_for_function(
        """() => [...document.querySelectorAll('[data-testid="stImage"] img')]
            .every(picture => picture.complete && picture.naturalWidth > 0)"""
    )


def expect_figure(page: "Page", label: str, value: str) -> None:
    """Wait until the figure is `value`: a redraw may take longer than a slider's last key."""
    metric = page.get_by_test_id("stMetric").filter(has_text=label)
    expect(metric.get_by_test_id("stMetricValue")).to_have_text(value, timeout=PATIENCE)


def push(page: "Page", key: str, thumb: int, arrow: str, times: int, value: int) -> None:
    """Move one thumb of a slider with the keyboard, to `value`."""
    slider = page.locator(f'.st-key-augment_{key} input[type="range"]').nth(thumb)
    for _ in range(times):
        slider.press(arrow)
    expect(slider).to_have_value(str(value), timeout=PATIENCE)


def let_vary(page: "Page", key: str) -> None:
    """Give a slider of one value two ends."""
    page.locator(f".st-key-augment_{key}_varies label").first.click()
    expect(page.locator(f'.st-key-augment_{key} input[type="range"]')).to_have_count(2, timeout=PATIENCE)


def drag(page: "Page", thumb: "Locator", across: float) -> None:
    """Take a thumb with the mouse and let it go `across` pixels to the right of where it was."""
    thumb.scroll_into_view_if_needed()
    box = thumb.locator("xpath=ancestor::*[@data-rac][1]").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for part in range(1, 6):  # a hand does not jump
        page.mouse.move(x + across * part / 5, y)
    page.mouse.up()


def linked(url: str) -> AugmentationSpec:
    """The pipeline in a link, of a preset or packed."""
    link = re.search(r"augmentation=([\w-]+)", url)
    assert link is not None
    return presets()[link[1]] if link[1] in presets() else from_link(AugmentationSpec, link[1])


def test_outlines_and_percentages_follow_the_slider_and_another_browser_shows_the_same_pixels(
    address: str, browser: "Browser", page: "Page"
) -> None:
    open_page(page, f"{address}&{START}")
    expect_figure(page, "Hidden", "25.0 %")
    before = pictures(page)
    assert len(before) == 4
    assert all(is_outlined(picture) for picture in before)
    push(page, "step3_CoarseDropout_hole_height_range_one", 0, "ArrowLeft", 12, 4)
    expect_figure(page, "Hidden", "6.2 %")
    captions = page.get_by_test_id("stImage").first.get_by_test_id("stImageCaption")
    expect(captions.first).to_contain_text("16×4\u00a0px\u00a0at")
    assert not set(pictures(page)) & set(before)
    small = pictures(page)

    page.get_by_role("button", name="New draw").click()
    page.wait_for_url(re.compile("augment_seed=2"))
    settle(page)
    assert not set(pictures(page)) & set(small)

    other = open_window(browser)
    open_page(other, page.url)
    expect_drawn(other)
    assert pictures(other) == pictures(page)
    assert other.complaints == []  # type: ignore[attr-defined]
    other.context.close()

    assert linked(page.url).steps[3].keywords["hole_height_range"] == (4, 4)
    page.get_by_role("link", name="Train with this").click()
    page.wait_for_url(re.compile("/Train"))
    settle(page)
    page.get_by_text(f"{presets()['cutout'].name}, changed", exact=True).first.wait_for()
    assert page.complaints == []  # type: ignore[attr-defined]


def test_pictures_are_never_taken_off_and_many_moves_at_once_end_where_the_slider_does(
    address: str, page: "Page"
) -> None:
    open_page(page, f"{address}&{START.replace('count=4', 'count=32')}")
    page.evaluate(WATCH_LOSSES)
    before = pictures(page)
    page.locator(".st-key-augment_outline label").first.click()
    page.wait_for_function(
        """before => ![...document.querySelectorAll('[data-testid="stImage"] img')]
            .some(picture => before.includes(picture.src))""",
        arg=before,
    )
    settle(page)
    for side, times, value in (("height", 14, 2), ("width", 9, 7)):
        let_vary(page, f"step3_CoarseDropout_hole_{side}_range")
        push(page, f"step3_CoarseDropout_hole_{side}_range", 0, "ArrowLeft", times, value)
    ends = {"hole_height_range": (2, 16), "hole_width_range": (7, 16)}
    page.wait_for_url(lambda url: ends.items() <= linked(url).steps[3].keywords.items())
    settle(page)
    assert page.evaluate("window.losses") == 0
    following = pictures(page)
    other = open_window(page.context.browser)
    open_page(other, page.url)
    expect_drawn(other)
    assert pictures(other) == following
    other.context.close()
    assert page.complaints == []


@pytest.mark.parametrize(
    ("width", "height"), [(1280, 720), (1280, 900), (1100, 800), (1024, 768), (800, 900)]
)
def test_the_pictures_stay_in_view_beside_the_slider_that_is_moved(
    address: str, browser: "Browser", width: int, height: int
) -> None:
    page = open_window(browser, viewport={"width": width, "height": height})
    open_page(page, f"{address}&{START.replace('count=4', 'count=32')}")
    push(page, "step3_CoarseDropout_hole_width_range_one", 0, "ArrowLeft", 2, 14)
    settle(page)
    sheet = page.get_by_test_id("stImage").first.locator("img")
    drawn = sheet.evaluate("i => [getComputedStyle(i).imageRendering, i.clientWidth / i.naturalWidth]")
    assert drawn[0] == "pixelated", "no pixel is blurred"
    assert drawn[1] == SHEET_FACTOR if width in (800, 1280) else 1.2 < drawn[1] < SHEET_FACTOR
    for title, menu in zip(
        page.get_by_text(re.compile(r"^\d · ")).all(), page.locator(MENU).all(), strict=True
    ):
        middles = [box["y"] + box["height"] / 2 for box in (title.bounding_box(), menu.bounding_box()) if box]
        assert abs(middles[0] - middles[1]) < 8, "the menu of a step is beside its title"
    seen = sheet.bounding_box()
    slider = page.locator(".st-key-augment_step3_CoarseDropout_hole_width_range_one").bounding_box()
    assert seen is not None
    assert slider is not None
    assert 0 < slider["y"] < height
    if slider["x"] > seen["x"] + seen["width"]:
        in_view = min(height, seen["y"] + seen["height"]) - max(HEADER, seen["y"])
        assert in_view > 0.7 * min(seen["height"], height - HEADER)
    else:
        assert width == 800, "side by side wherever there is room"
        assert slider["y"] > seen["y"] + seen["height"], "not over one another"
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()


def test_a_fixed_size_is_dragged_with_the_mouse_and_let_vary_between_two_ends(
    address: str, page: "Page"
) -> None:
    key = "step3_CoarseDropout_hole_height_range"
    open_page(page, f"{address}&{START}")
    expect_figure(page, "Hidden", "25.0 %")
    one = page.locator(f'.st-key-augment_{key}_one input[type="range"]')
    drag(page, one, -60)
    expect(one).not_to_have_value("16", timeout=PATIENCE)
    size = int(one.input_value())
    assert 1 < size < 16
    page.wait_for_url(lambda url: linked(url).steps[3].keywords["hole_height_range"] == (size, size))
    expect_figure(page, "Hidden", f"{100 * size * 16 / 1024:.1f} %")
    drag(page, one, 60)
    expect(one).to_have_value("16", timeout=PATIENCE)
    expect_figure(page, "Hidden", "25.0 %")

    let_vary(page, key)
    ends = page.locator(f'.st-key-augment_{key} input[type="range"]')
    drag(page, ends.last, 60)
    expect(ends.last).not_to_have_value("16", timeout=PATIENCE)
    drag(page, ends.first, -60)
    expect(ends.first).not_to_have_value("16", timeout=PATIENCE)
    least, most = (int(end.input_value()) for end in ends.all())
    assert 1 < least < 16 < most < 32
    page.wait_for_url(lambda url: linked(url).steps[3].keywords["hole_height_range"] == (least, most))
    settle(page)
    assert page.complaints == []


def test_downloads_give_what_a_slider_was_moved_to(address: str, page: "Page") -> None:
    open_page(page, f"{address}&{START}")
    key = "step3_CoarseDropout_hole_height_range_one"
    push(page, key, 0, "ArrowLeft", 1, 15)  # leaves the preset, and so has the whole page drawn
    push(page, key, 0, "ArrowLeft", 11, 4)
    expect_figure(page, "Hidden", "6.2 %")
    settle(page)
    contents = {}
    for label in ("JSON", "Python", "Contact sheet"):
        with page.expect_download() as started:
            page.get_by_role("button", name=label, exact=True).click()
        contents[label] = started.value.path().read_bytes()
    spec = from_json(AugmentationSpec, contents["JSON"])
    assert spec.steps[3].keywords["hole_height_range"] == (4, 4)
    assert contents["Python"].decode() == to_python(spec, seed=1)
    assert Image.open(BytesIO(contents["Contact sheet"])).size[0] > 0
    assert page.complaints == []


@pytest.mark.parametrize("view", ["Step by step", "How much is removed", "Leave with it"])
def test_findings_and_the_closer_look_follow_a_slider(address: str, page: "Page", view: str) -> None:
    open_page(page, f"{address}&{START}&augment_view={view.replace(' ', '+')}")
    if view == "Leave with it":
        page.get_by_text("Python code", exact=True).click()
        told = page.get_by_test_id("stCode").filter(has_text="hole_height_range=(1, 1)")
    elif view == "Step by step":
        told = page.get_by_text("16×1\u00a0px")
    else:
        told = page.get_by_test_id("stMetricValue").get_by_text("1.6 %", exact=True)
    settle(page)
    height = "step3_CoarseDropout_hole_height_range"
    found = page.get_by_text("The holes are almost nothing")
    let_vary(page, height)
    push(page, height, 0, "ArrowLeft", 15, 1)
    assert found.count() == 0
    push(page, height, 1, "ArrowLeft", 15, 1)
    expect(found).to_be_visible(timeout=PATIENCE)
    expect(told.last).to_be_visible(timeout=PATIENCE)
    push(page, height, 1, "ArrowRight", 15, 16)
    expect(found).to_have_count(0, timeout=PATIENCE)
    settle(page)
    assert page.get_by_test_id("stException").count() == 0
    assert page.complaints == []


def test_the_preview_follows_while_a_curve_is_measured_which_is_there_in_the_end(
    app_server: AppServer, page: "Page"
) -> None:
    link = f"{START}&data=shapes&checkpoint=checkpoints/shapes_scope_net&augment_view=For+the+network"
    link += "&augment_meaning=Strength+curve&augment_meaning_images=2000"
    open_page(page, f"{app_server.url}/Augment?{link}")
    page.get_by_role("button", name="Measure the curve").click()
    bar = page.get_by_test_id("stProgress")
    expect(bar).to_contain_text(re.compile(r"^Looked at [1-9]"), timeout=PATIENCE)

    height, holes = "step3_CoarseDropout_hole_height_range_one", "step3_CoarseDropout_num_holes_range_one"
    began = time.monotonic()
    push(page, height, 0, "ArrowLeft", 12, 4)
    expect_figure(page, "Hidden", "6.2 %")
    assert time.monotonic() - began < FOLLOWED_SECONDS
    expect(bar).to_contain_text(re.compile("^Looked at"))  # what is measured does not depend on the height
    page.get_by_role("button", name="New draw").click()
    page.wait_for_url(re.compile("augment_seed=2"))
    push(page, holes, 0, "ArrowRight", 1, 2)
    page.wait_for_url(lambda url: linked(url).steps[3].keywords["num_holes_range"] == (2, 2))
    expect(bar).to_contain_text(re.compile("^Another measurement is running: looked at"))
    expect(page.get_by_role("button", name="Measure the curve")).to_be_visible()
    done = bar.inner_text()
    expect(bar).not_to_have_text(done, timeout=PATIENCE)
    expect(bar).to_be_visible()

    expect(bar).to_have_count(0, timeout=2 * PATIENCE)
    settle(page)
    assert page.locator(f".st-key-augment_{holes} input").evaluate("e => e === document.activeElement")
    chart = page.get_by_role("button", name=re.compile("^Show data: Accuracy against Side of the holes"))
    expect(chart).to_have_count(0)
    push(page, holes, 0, "ArrowLeft", 1, 1)
    expect(chart).to_be_visible(timeout=PATIENCE)
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_measurement_ends_when_it_is_stopped_and_with_the_server(
    browser: "Browser", app_server: AppServer
) -> None:
    def measuring() -> list[psutil.Process]:
        assert app_server.process is not None
        children = psutil.Process(app_server.process.pid).children()
        return [each for each in children if "strength" in each.cmdline()]

    page = open_window(browser)
    link = f"{START}&data=shapes&checkpoint=checkpoints/shapes_scope_net&augment_view=For+the+network"
    open_page(page, f"{app_server.url}/Augment?{link}&augment_meaning=Strength+curve")
    measure = page.get_by_role("button", name="Measure the curve")
    measure.click()
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_visible(timeout=PATIENCE)
    (first,) = measuring()
    stop.click()
    expect(measure).to_be_visible(timeout=PATIENCE)
    assert psutil.wait_procs([first], timeout=5) == ([first], [])
    measure.click()
    expect(page.get_by_test_id("stProgress")).to_contain_text("Looked at", timeout=PATIENCE)
    (second,) = measuring()
    page.context.close()
    app_server.stop()
    assert psutil.wait_procs([second], timeout=5) == ([second], [])


def test_a_hole_given_in_shares_is_set_to_pixels_by_one_click_and_goes_on(address: str, page: "Page") -> None:
    shares = tuple({"hole_height_range": (0.1, 0.2), "hole_width_range": (0.25, 0.5), "fill": 0}.items())
    given = AugmentationSpec(
        name="shares, changed",
        steps=(StepSpec(transform="CoarseDropout", probability=1.0, arguments=shares),),
    )
    open_page(page, f"{address}&augmentation={to_link(given)}&augment_count=4")
    page.locator(".st-key-augment_step0_CoarseDropout_hole_height_range_set button").click()
    width = page.locator('.st-key-augment_step0_CoarseDropout_hole_width_range input[type="range"]')
    expect(width.first).to_have_value("8", timeout=PATIENCE)
    expect(width.last).to_have_value("16")
    push(page, "step0_CoarseDropout_hole_height_range_one", 0, "ArrowRight", 1, 17)
    page.wait_for_url(lambda url: linked(url).steps[0].keywords["hole_height_range"] == (17, 17))
    assert linked(page.url).steps[0].keywords["hole_width_range"] == (8, 16)
    settle(page)
    assert page.get_by_test_id("stAlert").filter(has_text="hole sizes").count() == 0
    assert len(pictures(page)) == 4
    assert page.complaints == []


def test_a_pipeline_of_an_own_name_is_tuned_on_and_named_as_changed(address: str, page: "Page") -> None:
    own = edit.set_argument(replace(presets()["cutout"], name="Room 4"), 3, "hole_width_range", (8, 8))
    own = replace(own, name="Room 4")
    open_page(page, f"{address}&augmentation={to_link(own)}&augment_count=4")
    chosen = page.locator(".st-key-augment_augmentation input").first
    expect(chosen).to_have_value("Room 4 (in hand)", timeout=PATIENCE)
    for times, value in ((1, 15), (3, 12)):
        push(page, "step3_CoarseDropout_hole_height_range_one", 0, "ArrowLeft", times, value)
        expect(chosen).to_have_value("Room 4, changed (in hand)", timeout=PATIENCE)
        page.wait_for_url(lambda url: linked(url).steps[3].keywords["hole_height_range"][0] == value)  # noqa: B023
        settle(page)
    page.get_by_role("button", name="New draw").click()
    page.wait_for_url(re.compile("augment_seed=2"))
    settle(page)
    assert linked(page.url).name == "Room 4, changed"
    assert page.get_by_test_id("stException").count() == 0
    assert page.complaints == []


def test_moves_made_before_the_browser_was_sent_the_page_are_kept(browser: "Browser", tmp_path: Path) -> None:
    server = AppServer(tmp_path, module="tests.late_server")
    server.start()
    try:
        for _ in range(4):  # without the wait, about every other time goes wrong
            page = open_window(browser)
            open_page(page, f"{server.url}/Augment?{START}")
            height = "step3_CoarseDropout_hole_height_range_one"
            push(page, height, 0, "ArrowLeft", 1, 15)  # leaves the preset, and so has the whole page drawn
            push(page, height, 0, "ArrowLeft", 11, 4)
            page.wait_for_url(lambda url: linked(url).steps[3].keywords["hole_height_range"] == (4, 4))
            settle(page)
            push(page, height, 0, "ArrowLeft", 0, 4)
            assert page.complaints == []  # type: ignore[attr-defined]
            page.context.close()
    finally:
        server.stop()
    server.check()


def test_course_code_is_read_and_its_fault_mended_by_one_click(address: str, page: "Page") -> None:
    open_page(page, f"{address}&augmentation=none")
    page.get_by_text("Course code", exact=True).click()
    field = page.get_by_label("Code", exact=True)
    field.fill(SEED_001)
    field.press("Control+Enter")
    page.get_by_role("button", name="Use this pipeline").click()
    black = page.locator(".st-key-augment_apply_black_hole_2")
    expect(black).to_have_count(1, timeout=PATIENCE)
    expect(page.get_by_text("The hole is black").first).to_be_visible()
    settle(page)
    for height in (15, 14, 13):  # in no hurry, so that the card is not drawn again
        push(page, "step2_CoarseDropout_hole_height_range_one", 0, "ArrowLeft", 1, height)
        settle(page)
        page.wait_for_timeout(2000 * SETTLED_SECONDS)
    black.get_by_role("button").first.click()
    expect(black).to_have_count(0, timeout=PATIENCE)
    settle(page)
    link = re.search(r"augmentation=([\w-]+)", page.url)
    assert link is not None
    mended = presets()[link[1]] if link[1] in presets() else from_link(AugmentationSpec, link[1])
    assert min(mended.steps[2].keywords["fill"]) > 90  # the mean colour of photographs, or of the stand-in
    assert mended.steps[2].keywords["hole_height_range"] == (13, 13)
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_pipeline_is_saved_by_name_and_opened_by_another_visitor(
    address: str, browser: "Browser", page: "Page"
) -> None:
    open_page(page, f"{address}&augmentation=flip_crop")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Save here as").fill("Room 4")
    page.get_by_test_id("stPopoverBody").get_by_role("button", name="Save").click()
    page.get_by_text("Saved as Room 4").wait_for()
    other = open_window(browser)
    open_page(other, f"{address}&augmentation=none")
    other.get_by_test_id("stPopover").get_by_role("button", name="Open").click()
    other.locator(".st-key-augment_open_saved").get_by_test_id("stBaseButton-primary").click()
    chosen = other.locator(".st-key-augment_augmentation input").first
    expect(chosen).to_have_value("Room 4 (in hand)", timeout=PATIENCE)
    assert other.complaints == []  # type: ignore[attr-defined]
    other.context.close()
    assert page.complaints == []  # type: ignore[attr-defined]


def test_an_own_picture_is_sent_and_seen_step_by_step(address: str, page: "Page", tmp_path: Path) -> None:
    path = tmp_path / "mine.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(path)
    open_page(page, f"{address}&augmentation=cutout&augment_look=Own+picture&augment_view=Step+by+step")
    page.locator('.st-key-augment_picture input[type="file"]').set_input_files(path)
    captions = page.get_by_test_id("stImageCaption")
    expect(captions.first).to_contain_text("own picture", timeout=PATIENCE)
    settle(page)
    strip = page.get_by_test_id("stImage").nth(1).locator("img")
    last = decode(strip.last.get_attribute("src") or "")[: 32 * FACTOR : FACTOR, : 32 * FACTOR : FACTOR, :3]
    assert np.array_equal(last, pixels(pictures(page)[0])[1])  # the very pixels of the preview
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_file_that_is_refused_is_told_in_the_popover_and_leaves_the_toolbar_as_it_is(
    address: str, page: "Page"
) -> None:
    open_page(page, f"{address}&{START}")
    page.locator(".st-key-augment_open button").first.click()
    preset = page.locator(".st-key-augment_augmentation")
    before = preset.bounding_box()
    bad = {"name": "bad.json", "mimeType": "application/json", "buffer": b"hello"}
    page.locator(".st-key-augment_file input[type=file]").set_input_files(bad, timeout=PATIENCE)
    alert = page.get_by_test_id("stPopoverBody").get_by_role("alert")
    expect(alert).to_contain_text("bad.json: augmentation: this is not JSON", timeout=PATIENCE)
    expect(alert).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(1)
    assert preset.bounding_box() == before


def test_holes_are_outlined_and_the_draw_repeated_by_keyboard_alone(address: str, page: "Page") -> None:
    open_page(page, f"{address}&augmentation=cutout&augment_count=4")
    assert not any(is_outlined(picture) for picture in pictures(page))
    page.get_by_role("button", name="New draw").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("augment_seed=2"))
    settle(page)
    toggle = page.locator(".st-key-augment_outline input")
    for _ in range(20):
        page.keyboard.press("Tab")
        if toggle.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("augment_outline=true"))
    settle(page)
    assert all(is_outlined(picture) for picture in pictures(page))


def test_a_step_is_removed_from_its_menu(address: str, page: "Page") -> None:
    open_page(page, f"{address}&augmentation=flip_crop")
    page.get_by_role("button", name="Edit").first.click()
    page.get_by_text("Remove", exact=True).click()
    page.get_by_text("1 · Pad").wait_for()
    settle(page)
    assert page.get_by_text("Flip left and right").count() == 0
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_step_is_moved_from_its_menu_by_keyboard_alone(address: str, page: "Page") -> None:
    open_page(page, f"{address}&augmentation=flip_crop")
    page.get_by_role("button", name="Edit").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator('[role="menu"]:focus, [role="menu"] :focus')).to_have_count(1)
    chosen = page.get_by_role("menuitem", name="Move down").and_(page.locator(":focus"))
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        if chosen.count():
            break
    page.keyboard.press("Enter")
    page.get_by_text("2 · Flip left and right").wait_for()
    settle(page)
    assert [step.transform for step in linked(page.url).steps] == ["Pad", "HorizontalFlip", "RandomCrop"]
    assert page.complaints == []  # type: ignore[attr-defined]
