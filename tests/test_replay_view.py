"""The Replay view shows the batch of any place of a run, and says whether it is the one that was recorded."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.data import load
from core.training import Run, run_folder, runs, worker
from core.training.events import BatchSeen
from tests.browser import PROJECT
from tests.tiny import run_spec

PAGE = "pages/4_Train.py"


@pytest.fixture
def run(tmp_path: Path, shapes_root: Path) -> Run:
    """A finished run of two epochs of four steps of 27 images, of which the first was recorded."""
    spec = run_spec(load("shapes", shapes_root), train_images=120, batch_size=30, epochs=2, mix="mixup")
    run_id = runs.create(tmp_path / "runs", spec, shapes_root, "cpu", threads=1)
    list(worker.work(tmp_path / "runs" / run_id))
    return runs.read(tmp_path / "runs", run_id)


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The view, not opened yet."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).switch_page(PAGE)
    app.query_params["train_view"] = "Replay"
    return app


def words(app: AppTest) -> str:
    assert not app.exception
    assert not app.error
    return "\n".join(each.value for each in app.markdown)


def captions(app: AppTest) -> list[str]:
    return [image.caption for element in app.image for image in element.proto.imgs]


def test_without_a_run_the_view_says_where_to_start_one(app: AppTest):
    app.run()
    assert not app.exception
    assert "There is no run yet" in app.info[0].value


def test_a_recorded_batch_is_shown_with_the_losses_that_the_run_recorded(app: AppTest, run: Run):
    app.run()
    seen = run.batches[0]
    text = words(app)
    assert "bit-equal: yes" in text
    assert seen.sha256[:16] in text
    assert f"mean loss **{sum(seen.losses) / len(seen.losses):.3f}** nats, before this step" in text
    shown = [float(caption.rpartition(" ")[2].replace("\\", "")) for caption in captions(app)]
    assert shown == [round(loss, 3) for loss in sorted(seen.losses, reverse=True)[:24]]
    app.segmented_control(key="train_replay_order").set_value("Lowest loss first").run()
    shown = [float(caption.rpartition(" ")[2].replace("\\", "")) for caption in captions(app)]
    assert shown == [round(loss, 3) for loss in sorted(seen.losses)[:24]]


def test_mixed_images_carry_both_classes_with_their_shares(app: AppTest, run: Run):
    app.run()
    assert not app.exception
    assert any("%" in caption and "\\+" in caption for caption in captions(app))


def test_another_step_is_shown_with_the_losses_of_a_checkpoint_and_says_so(app: AppTest, run: Run):
    app.run().number_input(key="train_replay_step").set_value(3).run()
    text = words(app)
    assert "not recorded" in text
    assert "under the best checkpoint of epoch" in text
    assert app.selectbox(key="train_replay_recorded").value is None
    app.selectbox(key="train_replay_recorded").select((2, 1)).run()
    assert app.number_input(key="train_replay_epoch").value == 2
    assert "bit-equal: yes" in words(app)


def test_a_hash_that_differs_is_told(app: AppTest, run: Run):
    changed = replace(run.batches[0], sha256="0" * 64)
    events = run.folder / "events.jsonl"
    kept = [line for line in events.read_text().splitlines() if json.loads(line)["kind"] != "batch"]
    events.write_text("\n".join(kept) + "\n")
    assert isinstance(changed, BatchSeen)
    run_folder.append_event(run.folder, changed)
    app.run()
    assert "bit-equal: no" in words(app)
