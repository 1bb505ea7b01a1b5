"""The main job in a real browser, on real images: a preset, a hole, a training, and its mistakes.

Pictures of every step are left in the ignored folder tests/journey/.
"""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.checkpoint import load_probabilities
from core.data import Dataset, load
from core.training import runs
from tests.browser import PROJECT, AppServer, settle

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PICTURES = PROJECT / "tests" / "journey"
TRAINING_MILLISECONDS = 420_000

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_from_a_preset_to_the_images_behind_a_cell_of_the_confusion_matrix(
    server: AppServer, page: "Page", real_images: Path | None
) -> None:
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir()
    page.goto(server.url)
    settle(page)
    take_picture(page, "1-home")

    follow(page, "Network")
    choose(page, "network_start", "Seed 003")
    choose(page, "network_start", "Seed 004")
    expect_text(page.locator(".st-key-network_totals"), "162,296")
    take_picture(page, "2-network")

    follow(page, "Augment")
    choose(page, "augment_augmentation", "None")
    page.get_by_text("No steps").wait_for()
    choose(page, "augment_add", "Common · Coarse dropout")
    page.get_by_text("1 · Coarse dropout").wait_for()
    set_slider(page, "augment_step0_CoarseDropout_probability", 1.0)
    switch_on(page, "augment_outline")
    hidden = page.get_by_test_id("stMetric").filter(has_text="Hidden")
    for pixels, share in ((20, "39.1 %"), (16, "25.0 %")):
        for side in ("height", "width"):
            thumb = page.locator(f".st-key-augment_step0_CoarseDropout_hole_{side}_range_one input")
            step_to(page, thumb, pixels)
        expect_text(page.get_by_test_id("stMain"), f"{pixels}×{pixels} px at")
        expect_text(hidden, share)
    take_picture(page, "3-augment")

    page.get_by_role("link", name="Train with this").click()
    settle(page)
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("Best validation accuracy").wait_for()
    take_picture(page, "4-training")
    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.wait_for(timeout=TRAINING_MILLISECONDS)
    take_picture(page, "5-first-epoch")
    page.get_by_test_id("stMain").get_by_text(re.compile("finished$")).wait_for(timeout=TRAINING_MILLISECONDS)
    settle(page)
    take_picture(page, "6-finished")

    (run,) = runs.list_runs(server.runs)
    assert run.spec.train_images == 2000
    assert len(run.history) == run.spec.recipe.epochs == 2
    (step,) = run.spec.augmentation.steps
    assert step.keywords["hole_height_range"] == step.keywords["hole_width_range"] == (16, 16)

    follow(page, "Mistakes")
    dataset = load(run.spec.dataset, server.data)
    assert dataset.is_stand_in == (real_images is None)
    confused = confusions(dataset, run.folder / "best")
    true, predicted = max(((t, p) for t, p in confused if t != p), key=lambda cell: len(confused[cell]))
    click_cell(page, dataset, true, predicted)
    take_picture(page, "7-mistakes")
    assert shown_ids(page) == confused[true, predicted]


def confusions(dataset: Dataset, folder: Path) -> dict[tuple[int, int], set[int]]:
    """The test images of every cell, recounted from the saved probabilities."""
    probabilities = load_probabilities(folder, dataset.fingerprint)
    assert probabilities is not None
    answers = probabilities.argmax(axis=1)
    classes = range(len(dataset.classes))
    return {
        (true, answer): set(np.flatnonzero((dataset.test.labels == true) & (answers == answer)).tolist())
        for true in classes
        for answer in classes
    }


def click_cell(page: "Page", dataset: Dataset, true: int, predicted: int) -> None:
    """Click the cell in the chart, as a person does, and wait until the boxes say the same."""
    chart = page.locator('[class*="st-key-mistakes_confusion"] [data-testid="stVegaLiteChart"]')
    chart.scroll_into_view_if_needed()
    row, column = dataset.classes[true], dataset.classes[predicted]
    chart.locator(f'[aria-label*="true: {row}"][aria-label*="predicted: {column}"]').first.click()
    settle(page)
    page.get_by_text("Leave the cell").wait_for()


def shown_ids(page: "Page") -> set[int]:
    """The ids of all images in focus, over all pages of the gallery."""
    pager = page.locator(".st-key-mistakes_page")
    ids: set[int] = set()
    while True:
        alts = [image.get_attribute("alt") or "" for image in page.locator('img[alt^="Test image"]').all()]
        ids |= {int(found.group(1)) for alt in alts if (found := re.match(r"Test image (\d+):", alt))}
        following = pager.get_by_role("button", name="Next page")
        if not following.count() or following.is_disabled():
            return ids
        following.click()
        page.wait_for_timeout(300)
        settle(page)


def follow(page: "Page", label: str) -> None:
    """Go to a page by the navigation."""
    page.get_by_test_id("stSidebar").get_by_role("link", name=label).click()
    page.get_by_role("heading", name=label, level=1).wait_for()
    settle(page)


def choose(page: "Page", key: str, text: str) -> None:
    """Choose from a select box by typing, as the keyboard does; the first option that begins so."""
    box = page.locator(f".st-key-{key} input").first
    box.click()
    box.fill(text)
    page.get_by_role("option", name=re.compile(f"^{text}")).first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    settle(page)


def set_slider(page: "Page", key: str, value: float) -> None:
    """Bring a slider to its end at `value`."""
    thumb = page.locator(f'.st-key-{key} input[type="range"]')
    thumb.press("End")
    page.wait_for_timeout(300)
    settle(page)
    assert float(thumb.input_value()) == value


def step_to(page: "Page", thumb: "Locator", value: int) -> None:
    """Press arrow keys until the thumb is at `value`, or its neighbour stops it."""
    present = int(float(thumb.input_value()))
    for _ in range(abs(value - present)):
        thumb.press("ArrowRight" if value > present else "ArrowLeft")
    page.wait_for_timeout(500)
    settle(page)


def switch_on(page: "Page", key: str) -> None:
    """Switch a toggle on."""
    page.locator(f".st-key-{key} label").first.click()
    page.wait_for_timeout(300)
    settle(page)


def expect_text(place: "Locator", text: str) -> None:
    """Wait until the text stands there."""
    place.get_by_text(text).first.wait_for()


def take_picture(page: "Page", name: str) -> None:
    """Leave a picture of what is on screen."""
    page.wait_for_timeout(800)
    page.screenshot(path=PICTURES / f"{name}.png")
