"""A run started from the page does not care about browsers and servers: both may go, and come back."""

import os
import shutil
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from core.training import runs
from tests.browser import AppServer, open_page, open_window, settle
from tests.watching import PATIENCE, pid_of, wait

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

EPOCHS = 200
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def server(app_server: AppServer, shapes_root: "Path") -> AppServer:
    """A server whose stand-in dataset is drawn already."""
    shutil.copytree(shapes_root, app_server.data, dirs_exist_ok=True)
    return app_server


def end_by(server: AppServer, number: signal.Signals) -> None:
    """End the server as a terminal does by Ctrl-C, as the system does, or by force; its port is free then."""
    assert server.process is not None
    if number == signal.SIGINT:
        os.killpg(server.process.pid, number)  # whatever it started and did not set free gets it too
    else:
        server.process.send_signal(number)
    server.process.wait(timeout=20)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", server.port))
        probe.listen()
    server.stop()


def place(run: runs.Run) -> tuple[int, int]:
    """The epoch and step that the run told last."""
    return (run.last_step.epoch, run.last_step.step) if run.last_step else (0, 0)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_run_goes_on_without_browser_and_server_and_the_next_one_shows_it_and_stops_it(
    server: AppServer, browser: "Browser", number: signal.Signals
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

    run = wait(server.runs, run.id, lambda run: run.last_step)
    worker, seen = pid_of(run), place(run)
    end_by(server, number)
    run = wait(server.runs, run.id, lambda run: place(run) > seen or not run.is_live)
    assert (run.state, pid_of(run)) == ("running", worker)

    server.start()
    second = open_window(browser)
    open_page(second, f"{server.url}/Train?train_view=Runs&run={run.id}")
    second.get_by_test_id("stMain").get_by_text("running").first.wait_for()
    assert pid_of(run) == worker
    second.get_by_role("button", name="Stop").click()
    second.get_by_role("button", name="Resume").wait_for(timeout=PATIENCE * 1000)
    assert runs.read(server.runs, run.id).state == "stopped"
    second.context.close()
