"""Before a run starts, the page tells what it will take, finds a rate, and warns of what cannot fit."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import ConvScopeError
from core.spec import from_json, to_dict, to_link
from core.training import Recipe, RunSpec
from core.training.estimate import Estimate
from core.training.rate_finder import HIGH, judge, sweep
from tests.browser import PROJECT
from tests.test_estimate import HUGE
from ui import own_process

ESTIMATE = Estimate(
    epochs=2, steps=14, batch_size=128, step_seconds=(1.0,), training_images=1800, validation_seconds=1.0,
    peak_bytes=2**30, free_bytes=2**31, device="cpu", hardware="A processor", threads=1, cores=2,
    others_cores=1.7,
)  # fmt: skip


def bowl(rate: float) -> float:
    """A loss that is least where the rate is about 1."""
    return 3 - 2 * min(rate, 1.0) + max(0.0, rate - 1) ** 2


SWEEP = judge(list(sweep(bowl)), HIGH)


@pytest.fixture
def app(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None) -> AppTest:
    """The page, not opened yet."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.chdir(PROJECT)
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    return app.switch_page("pages/4_Train.py")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, RunSpec]]:
    """What was asked of a process of its own, which answers at once."""
    questions: list[tuple[str, RunSpec]] = []

    def answer(verb: str, *arguments: str) -> Iterator[dict[str, Any]]:
        file = arguments[arguments.index("--spec") + 1]
        questions.append((verb, from_json(RunSpec, Path(file).read_text())))
        yield {"done": 1, "total": 2}
        yield json.loads(json.dumps(to_dict(ESTIMATE if verb == "estimate" else SWEEP, with_defaults=True)))

    monkeypatch.setattr(own_process, "run_verb", answer)
    return questions


def metrics(app: AppTest) -> dict[str, str]:
    assert not app.exception
    assert not app.error
    return {metric.label: metric.value for metric in app.metric}


def test_an_estimate_is_shown_and_kept_for_the_spec_that_it_is_of(
    app: AppTest, asked: list[tuple[str, RunSpec]]
):
    app.run()
    assert metrics(app) == {}
    app.button(key="train_estimate").click().run()
    assert metrics(app) == {
        "The whole run": "30 s",
        "An epoch": "15 s",
        "Images a second": "129",
        "Memory at most": "1.00 GiB",
    }
    assert any("Other processes used 1.7 of the 2 cores" in each.value for each in app.caption)
    app.number_input(key="train_epochs").set_value(5).run()
    assert metrics(app) == {}
    app.number_input(key="train_epochs").set_value(2).run()
    assert metrics(app)["The whole run"] == "30 s"
    assert [verb for verb, _ in asked] == ["estimate"]


def test_the_estimate_is_asked_of_exactly_what_the_form_shows(app: AppTest, asked: list[tuple[str, RunSpec]]):
    recipe = Recipe(epochs=7, batch_size=64, mix="cutmix", seed=3)
    app.query_params["recipe"] = to_link(recipe)
    app.run().number_input(key="train_images").set_value(500).run()
    app.button(key="train_estimate").click().run()
    ((_, spec),) = asked
    assert spec.recipe == recipe
    assert spec.train_images == 500


def test_a_rate_that_was_found_goes_into_the_form_and_the_curve_stays(
    app: AppTest, asked: list[tuple[str, RunSpec]]
):
    app.run().button(key="train_find_rate").click().run()
    assert SWEEP.suggestion is not None
    (button,) = [each for each in app.button if each.key == "train_use_rate_a_tenth_of_the_least"]
    expected = float(f"{SWEEP.suggestion:.2g}")
    assert f"{expected:g}" in button.label
    button.click().run()
    assert not app.exception
    assert app.number_input(key="train_learning_rate").value == expected
    assert [each for each in app.button if each.key == "train_use_rate_a_tenth_of_the_least"]
    app.selectbox(key="train_optimiser").select("adamw").run()
    assert not [each for each in app.button if each.key == "train_use_rate_a_tenth_of_the_least"]
    assert [verb for verb, _ in asked] == ["rate"]


def test_a_batch_that_cannot_fit_is_warned_of_before_anything_is_started(app: AppTest):
    app.query_params["network"] = to_link(replace(HUGE, name="Huge"))
    app.query_params["recipe"] = to_link(Recipe(batch_size=4096))
    app.run()
    assert not app.exception
    (warning,) = [each.value.replace("\\", "") for each in app.warning]
    assert "A step of 4,096 images may take" in warning
    assert "take fewer images a step" in warning


def test_what_the_process_complains_of_is_told(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: str) -> Iterator[dict[str, Any]]:
        raise ConvScopeError("the training diverged")
        yield {}

    monkeypatch.setattr(own_process, "run_verb", refuse)
    app.run().button(key="train_estimate").click().run()
    assert not app.exception
    assert [each.value for each in app.error] == ["the training diverged"]
