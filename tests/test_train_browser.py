"""The Train page in a real browser, with real training processes: watch, steer, repeat, compare, ablate."""

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from core.spec import to_link
from core.training import Run, ablation, knobs, runs
from tests.browser import AppServer, open_page, settle
from tests.tiny import NETWORK

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PATIENCE_SECONDS = 240
EPOCHS = 1000
"""More than any machine does before the test has stopped the run."""

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def form(server: AppServer, page: "Page") -> "Page":
    """The New run view with a network that trains within seconds, and a hole in its images."""
    open_page(page, f"{server.url}/Train?network={to_link(NETWORK)}&augmentation=cutout")
    type_number(page, "train_images", 1000)
    return page


def test_a_run_is_watched_steered_stopped_resumed_repeated_with_another_hole_and_compared(
    server: AppServer, form: "Page"
) -> None:
    page = form
    type_number(page, "train_epochs", EPOCHS)
    click(page, "Start training")
    charts = page.get_by_test_id("stVegaLiteChart")
    charts.nth(2).locator("svg").wait_for()
    (run,) = runs.list_runs(server.runs)
    mark = charts.first.locator("svg").evaluate("svg => svg.dataset.mark = 'kept'")
    seen = len(run.history)
    wait_for(server, run.id, lambda now: len(now.history) >= seen + 2)
    assert charts.first.locator(f"svg[data-mark={mark}]").count() == 1, "the chart is updated, not made anew"

    click(page, "×0.5")
    changed = wait_for(server, run.id, lambda now: bool(now.rate_changes))
    assert [change.factor for change in changed.rate_changes] == [0.5]
    page.get_by_text("rate ×0.5").first.wait_for()

    click(page, "Stop")
    page.get_by_role("button", name="Resume").wait_for()
    stopped = runs.read(server.runs, run.id)
    assert stopped.state == "stopped"
    assert 0 < len(stopped.history) < EPOCHS
    click(page, "Resume")
    resumed = wait_for(server, run.id, lambda now: len(now.history) > len(stopped.history))
    assert resumed.history[: len(stopped.history)] == stopped.history
    assert resumed.rate_changes == changed.rate_changes
    click(page, "Stop")
    page.get_by_role("button", name="Resume").wait_for()

    click(page, "Repeat with one thing changed")
    page.get_by_text("Nothing differs yet").wait_for()
    choose(page, "train_repeat_knob", "Hole size")
    choose(page, "train_repeat_value_hole_size", "8")
    click(page, "Change", exact=True)
    assert "hole_height_range" in table_text(page, 0)
    click(page, "Start training")
    page.get_by_role("button", name="Stop").wait_for()
    again = next(each for each in runs.list_runs(server.runs) if each.id != run.id)
    assert again.spec == knobs.turn(run.spec, "hole_size", 8)
    wait_for(server, again.id, lambda now: len(now.history) >= 2)
    click(page, "Stop")
    page.get_by_role("button", name="Resume").wait_for()

    show(page, "Compare")
    charts.nth(1).locator("svg").wait_for()
    curves = charts.first.locator("svg").text_content() or ""
    assert again.title in curves
    assert run.title in curves
    differences = table_text(page, 1)
    assert "hole_width_range" in differences
    assert "16, 16" in differences
    assert "8, 8" in differences
    assert not page.complaints  # type: ignore[attr-defined]


def test_an_ablation_of_three_values_fills_its_table_and_opens_from_its_link(
    server: AppServer, form: "Page"
) -> None:
    page = form
    type_number(page, "train_epochs", 2)
    show(page, "Ablation")
    choose(page, "train_ablation_knob", "Mixing")
    page.get_by_text("3 runs, 6 epochs in all").wait_for()
    click(page, "Queue the grid")
    main_of(page).get_by_text("runs finished").wait_for()
    (grid,) = ablation.list_ablations(server.runs)
    for each in grid.runs:
        wait_for(server, each.run, lambda now: now.state == "finished")
    page.get_by_test_id("stVegaLiteChart").locator("svg").wait_for()
    address = page.url
    found = ablation.members(server.runs, grid)
    assert [each.value for each in found] == ["none", "mixup", "cutmix"]

    page.goto("about:blank")
    open_page(page, address)
    page.get_by_test_id("stVegaLiteChart").locator("svg").wait_for()
    shown = table_text(page, 0)
    for each, run in found.items():
        assert run is not None
        assert run.spec.recipe.mix == each.value
        assert str(each.value) in shown
        assert str(run.test_accuracy) in shown, shown
    assert not page.complaints  # type: ignore[attr-defined]


def wait_for(server: AppServer, run_id: str, is_so: Callable[[Run], bool]) -> Run:
    """The run as soon as that is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so(run := runs.read(server.runs, run_id)):
        assert time.monotonic() < deadline, f"{run.state}: {run.reason}, {len(run.history)} epochs"
        time.sleep(0.1)
    return run


def main_of(page: "Page") -> "Locator":
    return page.get_by_test_id("stMain")


def click(page: "Page", name: str, *, exact: bool = False) -> None:
    page.get_by_role("button", name=name, exact=exact).first.click()
    settle(page)


def show(page: "Page", view: str) -> None:
    """Go to another view of the page."""
    page.locator(".st-key-train_view").get_by_text(view, exact=True).click()
    settle(page)


def type_number(page: "Page", key: str, number: int) -> None:
    box = page.locator(f".st-key-{key} input")
    box.fill(str(number))
    page.keyboard.press("Enter")
    settle(page)


def choose(page: "Page", key: str, text: str) -> None:
    """Choose from a select box by typing, as the keyboard does; the first option that begins so."""
    box = page.locator(f".st-key-{key} input").first
    box.click()
    box.fill(text)
    page.get_by_role("option", name=re.compile(f"^{text}")).first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("option").first.wait_for(state="detached")
    settle(page)


def table_text(page: "Page", turn: int) -> str:
    """All that the table says whose turn it is on the page, from 0, as a screen reader gets it."""
    table = page.get_by_test_id("stDataFrame").nth(turn).locator("table")
    table.wait_for(state="attached")
    return " ".join(table.locator("[role=gridcell]").all_text_contents())
