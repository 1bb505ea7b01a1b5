"""A run started from the page does not care about browsers and servers: both may go, and come back."""

import json
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from core.training import runs
from tests.browser import AppServer, open_page, open_window, settle

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

PATIENCE_SECONDS = 240
EPOCHS = 8

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def server(app_server: AppServer, shapes_root: "Path") -> AppServer:
    """A server whose stand-in dataset is drawn already."""
    shutil.copytree(shapes_root, app_server.data, dirs_exist_ok=True)
    return app_server


def test_a_run_goes_on_without_browser_and_server_and_is_shown_live_by_the_next_one(
    server: AppServer, browser: "Browser"
) -> None:
    first = open_window(browser)
    open_page(first, f"{server.url}/Train?network=scope_net&augmentation=none")
    first.locator(".st-key-train_epochs input").fill(str(EPOCHS))
    first.keyboard.press("Enter")
    settle(first)
    first.get_by_role("button", name="Start training").click()
    first.get_by_test_id("stMain").get_by_text("running").first.wait_for()
    (run,) = runs.list_runs(server.runs)
    assert run.spec.recipe.epochs == EPOCHS
    first.context.close()
    worker = pid_of(run)

    server.stop()
    seen = wait_for_step(server, after=(0, 0))
    server.start()
    second = open_window(browser)
    open_page(second, f"{server.url}/Train?train_view=Runs&run={run.id}")
    second.get_by_test_id("stMain").get_by_text("running").first.wait_for()
    wait_for_step(server, after=seen)
    assert pid_of(run) == worker
    second.get_by_role("button", name="Stop").click()
    second.get_by_role("button", name="Resume").wait_for(timeout=PATIENCE_SECONDS * 1000)
    stopped = runs.read(server.runs, run.id)
    assert stopped.state == "stopped"
    second.get_by_role("button", name="Resume").click()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (ended := runs.read(server.runs, run.id)).is_live or ended.state == "stopped":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert ended.state == "finished", ended.reason
    assert [row.epoch for row in ended.history] == list(range(1, EPOCHS + 1))
    assert ended.history[: len(stopped.history)] == stopped.history
    second.get_by_test_id("stMain").get_by_text("finished").first.wait_for()
    second.context.close()


def pid_of(run: runs.Run) -> int:
    """The process that trains the run."""
    return int(json.loads((run.folder / "heartbeat").read_bytes())["pid"])


def wait_for_step(server: AppServer, after: tuple[int, int]) -> tuple[int, int]:
    """The first step that the only run tells after this (epoch, step)."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        (run,) = runs.list_runs(server.runs)
        if run.last_step and (run.last_step.epoch, run.last_step.step) > after:
            return run.last_step.epoch, run.last_step.step
        time.sleep(0.1)
    raise AssertionError(f"no step after {after} within {PATIENCE_SECONDS} s: {run}")
