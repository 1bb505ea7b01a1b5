"""The Mistakes page under real hands: cells clicked, classes typed, a link passed on."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.data import Dataset, load
from tests.browser import AppServer, open_page, open_window, settle
from tests.scored import save_checkpoint

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGE_SIZE = 12


@pytest.fixture(scope="module")
def dataset(shapes_root: Path) -> Dataset:
    """The stand-in dataset."""
    return load("shapes", shapes_root)


@pytest.fixture(scope="module")
def answers(served: "tuple[AppServer, np.ndarray]") -> np.ndarray:
    """The predicted class of every test image, (N,)."""
    return served[1].argmax(axis=1)


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, shapes_root: Path, dataset: Dataset
) -> Iterator[tuple[AppServer, np.ndarray]]:
    """A server with one checkpoint, and what that one says."""
    folder = tmp_path_factory.mktemp("mistakes")
    probabilities = save_checkpoint(folder / "checkpoints" / "made_up", dataset)
    server = AppServer(folder, checkpoints=folder / "checkpoints")
    shutil.copytree(shapes_root, server.data)
    server.start()
    yield server, probabilities
    server.stop()


@pytest.fixture
def url(served: tuple[AppServer, np.ndarray]) -> str:
    """The page's address."""
    return f"{served[0].url}/Mistakes"


def ids_in_cell(dataset: Dataset, answers: np.ndarray, true: str, predicted: str) -> set[int]:
    """The test images of one cell."""
    row, column = dataset.classes.index(true), dataset.classes.index(predicted)
    return set(np.flatnonzero((dataset.test.labels == row) & (answers == column)).tolist())


def click_cell(page: "Page", true: str, predicted: str) -> None:
    """Click the middle of a cell of the matrix."""
    cell = page.locator(f'path[aria-label^="predicted: {predicted}; true: {true};"]').first
    cell.click()
    wait(page)


def wait(page: "Page") -> None:
    """Wait until what was done has had its effect."""
    page.wait_for_timeout(400)
    settle(page)


def type_class(page: "Page", label: str, name: str) -> None:
    """Choose a class by keyboard alone, as someone does who cannot click a cell."""
    box = page.get_by_role("combobox", name=label, exact=True)
    box.focus()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    wait(page)


def boxes(page: "Page") -> tuple[str, str]:
    """What the two class boxes say."""
    true, predicted = (
        page.get_by_role("combobox", name=label, exact=True).input_value()
        for label in ("True class", "Predicted class")
    )
    return true, predicted


def shown_ids(page: "Page", pages: int = 1) -> set[int]:
    """The ids of the pictures on the first pages of the gallery."""
    ids: set[int] = set()
    for number in range(1, pages + 1):
        if number > 1:
            buttons = page.locator(".st-key-mistakes_page").get_by_role("button")
            buttons.filter(has_text=re.compile(f"^{number}$")).click()
            wait(page)
        alts = [image.get_attribute("alt") or "" for image in page.locator('img[alt^="Test image"]').all()]
        ids |= {int(alt.removeprefix("Test image ").partition(":")[0]) for alt in alts}
    return ids


def pages_of(ids: set[int]) -> int:
    """How many pages of the gallery they fill."""
    return -(-len(ids) // PAGE_SIZE)


def test_a_click_shows_exactly_the_images_of_the_cell(
    page: "Page", url: str, dataset: Dataset, answers: np.ndarray
) -> None:
    open_page(page, url)
    for true, predicted in (("circle", "ring"), ("star", "arrow"), ("heart", "heart")):
        click_cell(page, true, predicted)
        expected = ids_in_cell(dataset, answers, true, predicted)
        assert boxes(page) == (true, predicted)
        assert shown_ids(page, pages_of(expected)) == expected
        assert f"mistakes_true={true}" in page.url
        assert f"mistakes_predicted={predicted}" in page.url
    assert page.complaints == []


def test_clicks_and_boxes_never_disagree(
    page: "Page", url: str, dataset: Dataset, answers: np.ndarray
) -> None:
    open_page(page, url)
    click_cell(page, "circle", "ring")
    type_class(page, "True class", "star")
    assert boxes(page) == ("star", "ring")
    assert shown_ids(page) <= ids_in_cell(dataset, answers, "star", "ring")
    click_cell(page, "circle", "ring")
    assert boxes(page) == ("circle", "ring")
    click_cell(page, "circle", "ring")
    assert boxes(page) == ("circle", "ring")
    page.get_by_role("button", name="Leave the cell").click()
    wait(page)
    assert boxes(page) == ("", "")
    click_cell(page, "circle", "ring")
    assert boxes(page) == ("circle", "ring")


def test_another_cell_begins_on_its_first_page(page: "Page", url: str) -> None:
    open_page(page, url)
    click_cell(page, "heart", "heart")
    shown_ids(page, 2)
    assert "mistakes_page=2" in page.url
    click_cell(page, "star", "star")
    assert "mistakes_page" not in page.url


def test_a_copied_link_shows_the_same_in_a_new_browser(page: "Page", browser: "Browser", url: str) -> None:
    open_page(page, url)
    type_class(page, "True class", "circle")
    type_class(page, "Predicted class", "circle")
    page.get_by_role("radio", name="lowest loss first").click()
    wait(page)
    shown = shown_ids(page)
    other = open_window(browser, color_scheme="dark")
    open_page(other, page.url)
    assert boxes(other) == ("circle", "circle")
    assert shown_ids(other) == shown
    other.context.close()
