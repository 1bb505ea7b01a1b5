"""Learning from a training, under real hands: a batch looked at again, and steps taken one at a time."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.data import load
from core.training import Run, runs, worker
from tests.browser import AppServer, open_page, settle
from tests.tiny import run_spec

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, shapes_root: Path) -> Iterator[tuple[AppServer, Run]]:
    """A server with the stand-in images and one finished run."""
    server = AppServer(tmp_path_factory.mktemp("learning"))
    shutil.copytree(shapes_root, server.data)
    spec = run_spec(load("shapes", server.data), train_images=120, batch_size=30, epochs=2, mix="mixup")
    run_id = runs.create(server.runs, spec, server.data, "cpu", threads=1)
    list(worker.work(server.runs / run_id))
    server.start()
    yield server, runs.read(server.runs, run_id)
    server.stop()


def press(page: "Page", key: str) -> None:
    """Press the button of that key from the keyboard."""
    page.locator(f".st-key-{key} button").first.focus()
    page.keyboard.press("Enter")


def test_a_batch_of_a_run_is_found_and_checked_from_the_keyboard(
    served: tuple[AppServer, Run], page: "Page"
) -> None:
    server, run = served
    open_page(page, f"{server.url}/Train?train_view=Replay")
    page.get_by_text("bit-equal: yes").wait_for()
    settle(page)
    assert page.get_by_text(run.batches[0].sha256[:16]).is_visible()
    shown = page.get_by_alt_text("as augmented")
    assert shown.count() == 24
    alt = shown.first.get_attribute("alt")
    assert alt is not None
    assert f"loss {max(run.batches[0].losses):.3f} nats" in alt

    step = page.get_by_role("spinbutton", name="Step, of 4")
    step.focus()
    step.fill("3")
    page.keyboard.press("Enter")
    page.get_by_text("not recorded", exact=False).first.wait_for()
    page.get_by_text("in evaluation mode").wait_for()
    settle(page)

    recorded = page.get_by_role("combobox", name="Recorded batches (2)")
    recorded.focus()
    recorded.press_sequentially("epoch 2")
    page.get_by_role("option", name="epoch 2, step 1").wait_for()
    recorded.press("Enter")
    page.get_by_text("bit-equal: yes").wait_for()
    page.get_by_text(run.batches[1].sha256[:16]).wait_for()
    settle(page)
    assert page.complaints == []  # type: ignore[attr-defined]


def test_steps_are_taken_from_the_keyboard_and_everything_they_change_is_shown(
    served: tuple[AppServer, Run], page: "Page"
) -> None:
    server, _ = served
    open_page(page, f"{server.url}/Train?train_view=Single+steps")
    page.get_by_text("Loss before the first step").wait_for()
    press(page, "train_step_one")
    page.get_by_text("Loss after step 1, in nats").wait_for()
    settle(page)
    assert page.get_by_alt_text("Kernel 1 of first").count() == 4
    press(page, "train_step_many")
    page.get_by_text("Loss after step 11, in nats").wait_for()
    page.get_by_role("slider", name="Learning rate η").focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    press(page, "train_step_one")
    page.get_by_text("Loss after step 12, in nats").wait_for()
    rule = page.locator('annotation[encoding="application/x-tex"]', has_text="partial").first
    rule.wait_for(state="attached")
    assert "- 0.2 " in (rule.text_content() or "")
    press(page, "train_step_afresh")
    page.get_by_text("Loss before the first step").wait_for()
    settle(page)
    assert page.complaints == []  # type: ignore[attr-defined]
