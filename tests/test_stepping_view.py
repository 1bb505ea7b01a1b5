"""The view of single steps: its buttons take steps, and its numbers are those of the step."""

import re
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.training.stepping import Walk, take_steps
from tests.browser import PROJECT


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The view on the stand-in images, drawn once."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    app.switch_page("pages/4_Train.py").query_params["train_view"] = "Single steps"
    return app.run()


def walk_of(app: AppTest) -> Walk:
    assert not app.exception
    walk = app.session_state["train_step_walk"]
    assert isinstance(walk, Walk)
    return walk


def test_one_step_shows_the_loss_before_and_after_and_the_rule_with_its_numbers(app: AppTest):
    before = walk_of(app)
    assert app.metric[0].value == f"{before.losses[0]:.4f}"
    app.button(key="train_step_one").click().run()
    after = walk_of(app)
    assert after.losses == take_steps(before, 0.1).losses
    assert app.metric[0].value == f"{after.losses[1]:.4f}"
    assert app.metric[0].delta.endswith(f"from {before.losses[0]:.4f}")
    app.selectbox(key="train_step_parameter").select("classifier.linear.bias").run()
    rule = next(each.value for each in app.latex)
    old, rate, slope, new = map(float, re.findall(r"-?\d+\.\d+", rule))
    assert (old, rate) == (pytest.approx(before.weights["classifier.linear.bias"][0], abs=1e-6), 0.1)
    assert new == pytest.approx(old - rate * slope, abs=2e-6)
    assert new == pytest.approx(after.weights["classifier.linear.bias"][0], abs=1e-6)


def test_ten_steps_at_another_rate_and_back_to_the_start(app: AppTest):
    app.select_slider(key="train_step_rate").set_value(0.05).run()
    app.button(key="train_step_many").click().run()
    assert walk_of(app).steps == 10
    assert walk_of(app).last.rate == 0.05
    app.button(key="train_step_afresh").click().run()
    assert walk_of(app).steps == 0


def test_another_batch_begins_anew_with_other_images(app: AppTest):
    first = walk_of(app)
    app.button(key="train_step_one").click().run()
    app.number_input(key="train_step_batch").set_value(2).run()
    assert walk_of(app).steps == 0
    assert walk_of(app).indices.tolist() != first.indices.tolist()


def test_a_step_that_cannot_be_taken_is_told_and_what_was_reached_is_kept(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
):
    app.button(key="train_step_one").click().run()
    monkeypatch.setattr("core.training.stepping.MOST_STEPS", 5)
    app.button(key="train_step_many").click().run()
    assert "start over" in app.error[0].value
    assert walk_of(app).steps == 1


def test_a_step_is_quick_enough_to_be_live(app: AppTest):
    walk = take_steps(walk_of(app), 0.1)
    times = []
    for _ in range(9):
        begun = time.process_time()
        walk = take_steps(walk, 0.1)
        times.append(time.process_time() - begun)
    assert sorted(times)[4] < 0.3
