"""Augment in a real browser: holes follow the sliders, a link shows the same pixels, Train gets the spec."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from core.augmentation import AugmentationSpec, presets
from core.spec import from_link
from tests.browser import AppServer, open_page, open_window, settle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAIR = '[data-testid="stMainBlockContainer"] [data-testid="stImage"] img'
PATIENCE_MILLISECONDS = 20_000
START = "Augment?augmentation=cutout&augment_outline=true&augment_count=4"


def pictures(page: "Page") -> list[str]:
    """The addresses of the pictures, which Streamlit makes from their content."""
    return [
        re.sub(r".*/media/", "", address)
        for address in page.locator(PAIR).evaluate_all("all => all.map(i => i.src)")
    ]


def all_loaded(page: "Page") -> bool:
    """Whether every picture on screen has arrived."""
    return bool(page.locator(PAIR).evaluate_all("all => all.every(i => i.complete && i.naturalWidth > 0)"))


def real_complaints(page: "Page") -> list[str]:
    """Without those about a picture that the next one replaced before the browser had fetched it."""
    complaints: list[str] = page.complaints  # type: ignore[attr-defined]
    return [complaint for complaint in complaints if not re.search(r"/media/\w+\.png( |$)", complaint)]


def expect_figure(page: "Page", label: str, value: str) -> None:
    """Wait until the figure is `value`: a redraw may take longer than a slider's last key."""
    metric = page.get_by_test_id("stMetric").filter(has_text=label)
    expect(metric.get_by_test_id("stMetricValue")).to_have_text(value, timeout=PATIENCE_MILLISECONDS)


def push(page: "Page", label: str, thumb: int, key: str, times: int) -> None:
    """Move one thumb of a slider with the keyboard, and wait until the page has followed."""
    slider = page.get_by_test_id("stSlider").filter(has_text=label)
    slider.get_by_role("slider").nth(thumb).focus()
    for _ in range(times):
        page.keyboard.press(key)
    page.wait_for_timeout(400)  # Streamlit waits a moment for further keys
    settle(page)


def test_holes_follow_the_slider_and_the_link_shows_the_same_pixels(
    shared_server: AppServer, browser: "Browser", page: "Page"
) -> None:
    open_page(page, f"{shared_server.url}/{START}")
    expect_figure(page, "Hidden", "25.0 %")
    before = pictures(page)
    assert len(before) == 4
    push(page, "Height, px", 0, "ArrowLeft", 12)
    push(page, "Height, px", 1, "ArrowLeft", 12)
    expect_figure(page, "Hidden", "6.2 %")
    assert "16×4" in page.get_by_text("px at").first.inner_text().replace("\u00a0", " ")
    small = pictures(page)
    assert not set(small) & set(before)

    page.get_by_role("button", name="New draw").click()
    page.wait_for_url(re.compile("augment_seed=2"))
    settle(page)
    assert not set(pictures(page)) & set(small)

    other = open_window(browser)
    open_page(other, page.url)
    assert pictures(other) == pictures(page)
    assert all_loaded(other)
    assert all_loaded(page)
    assert other.complaints == []  # type: ignore[attr-defined]
    other.context.close()

    link = re.search(r"augmentation=([\w-]+)", page.url)
    assert link is not None
    assert from_link(AugmentationSpec, link[1]).steps[3].keywords["hole_height_range"] == (4, 4)
    page.get_by_role("link", name="Train with this").click()
    page.wait_for_url(re.compile("/Train"))
    settle(page)
    page.get_by_text(f"{presets()['cutout'].name}, changed", exact=True).wait_for()
    assert real_complaints(page) == []


def test_a_step_is_removed_from_its_menu(shared_server: AppServer, page: "Page") -> None:
    open_page(page, f"{shared_server.url}/Augment?augmentation=flip_crop")
    page.get_by_role("button", name="Edit").first.click()
    page.get_by_text("Remove", exact=True).click()
    page.get_by_text("1 · Pad").wait_for()
    settle(page)
    assert page.get_by_text("Flip left and right").count() == 0
    assert real_complaints(page) == []
