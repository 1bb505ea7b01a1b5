"""What an augmentation means for a network: the view shows what core counts, and measures only when asked."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from core import checkpoint as checkpoints
from core.__main__ import main
from core.augmentation import presets
from core.augmentation.pipeline import preview
from core.data import load
from core.data.splits import take_balanced
from core.errors import ConvScopeError
from core.evaluation.evidence import ShownEvidence
from core.evaluation.hidden_fields import hidden_layers
from core.network import presets as networks
from core.network import size_network
from tests.browser import PROJECT
from ui import own_process
from ui.augmentation.meaning_evidence import overlay

SHAPES_NET = PROJECT / "checkpoints" / "shapes_scope_net"
SAMPLE = 40
PATIENCE_SECONDS = 90
SIDE = "augment_step3_CoarseDropout_hole_{}_range"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, ...]]]:
    """The words of every measurement; the real verb runs, but in this process, where torch is already."""
    words: list[tuple[str, ...]] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def run_verb(verb: str, *arguments: str, started: object) -> Iterator[dict[str, Any]]:
        words.append((verb, *arguments))
        with redirect_stdout(io.StringIO()) as lines:
            assert main([verb, *arguments, "--json"]) == 0
        yield from map(json.loads, lines.getvalue().splitlines())

    monkeypatch.setattr(own_process, "run_verb", run_verb)
    yield words
    torch.set_num_threads(threads)


@pytest.fixture
def start(tmp_path: Path, shapes_root: Path, monkeypatch: pytest.MonkeyPatch, clear_caches: None):
    """Opens a question over the stand-in images, with the augmentation in the link and the least sample."""
    monkeypatch.setattr("ui.paths.DATA", shapes_root)
    monkeypatch.setattr("ui.paths.RUNS", tmp_path / "runs")
    monkeypatch.setattr("ui.augmentation.meaning.IMAGES", (SAMPLE, 500))
    monkeypatch.chdir(PROJECT)

    def open_page(question: str, augmentation: str = "cutout", **link: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=90).run()
        app.query_params["augmentation"] = augmentation
        app.query_params["augment_view"] = "For the network"
        app.query_params["augment_meaning"] = question
        app.query_params["augment_meaning_images"] = str(SAMPLE)
        for name, value in link.items():
            app.query_params[name] = value
        return checked(app.switch_page("pages/1_Augment.py").run())

    return open_page


def slide(app: AppTest, key: str, ends: tuple[int, int]) -> AppTest:
    """Move a slider, which has only what follows from it drawn; then draw the whole page."""
    varies = app.toggle(key=f"{key}_varies")
    if not varies.value and ends[0] == ends[1]:
        return app.slider(key=f"{key}_one").set_value(ends[0]).run().run()
    varies.set_value(True).run()
    return app.slider(key=key).set_value(ends).run().run()


def checked(app: AppTest) -> AppTest:
    assert [problem.value for problem in app.exception] == []
    return app


def table(app: AppTest, column: str) -> dict[str, list[Any]]:
    """The table that has this column, column by column."""
    (found,) = [each.value for each in app.dataframe if column in each.value]
    columns: dict[str, list[Any]] = found.to_dict("list")
    return columns


def words(app: AppTest) -> str:
    return " ".join(each.value for each in (*app.markdown, *app.caption, *app.info))


def buttons(app: AppTest) -> list[str]:
    return [each.key for each in app.button if each.key.startswith("augment_meaning")]


def bars(app: AppTest) -> list[str]:
    return [each.proto.text for each in app.get("progress")]


def until(app: AppTest, is_true: Callable[[], bool]) -> None:
    """Draw the page again and again, as its browser would ask for, until it is as expected."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        assert time.monotonic() < end, (bars(app), buttons(app))
        time.sleep(0.05)
        checked(app.run())


def measure(app: AppTest, verb: str) -> None:
    """Click the button of this measurement, and wait for what comes of it."""
    checked(app.button(key=f"augment_meaning_{verb}").click().run())
    until(app, lambda: bars(app) == [])


def charts(app: AppTest) -> int:
    return len(app.get("vega_lite_chart"))


def test_the_shares_of_every_layer_are_those_of_the_holes_really_drawn(start, shapes_root: Path) -> None:
    app = start("Receptive fields", "seed_001_as_intended", network="scope_net", augment_meaning_seed="7")
    train = load("shapes", shapes_root).train
    images = train.images[np.sort(take_balanced(train.labels, SAMPLE, 7))]
    hidden = preview(presets()["seed_001_as_intended"], images, 7).hidden
    with_hole = hidden[hidden.any(axis=(1, 2))]
    assert 0 < len(with_hole) < SAMPLE
    spec = networks()["scope_net"]
    layers = hidden_layers(spec, size_network(spec).layers, with_hole)
    columns = table(app, "mostly")
    assert columns["layer"] == [layer.name for layer in spec.layers]
    assert columns["mostly"] == pytest.approx([layer.mostly for layer in layers])
    assert columns["entirely"] == pytest.approx([layer.entirely for layer in layers])
    assert f"**{100 * len(with_hole) / SAMPLE:.1f} %** of the images have a hole" in words(app)
    assert charts(app) == 1


def test_the_network_in_hand_can_be_changed_there(start) -> None:
    app = start("Receptive fields", network="scope_net")
    checked(app.selectbox(key="augment_meaning_network").select("seed_000").run())
    assert table(app, "mostly")["layer"] == [layer.name for layer in networks()["seed_000"].layers]
    assert app.session_state["network_spec"] == networks()["seed_000"]


def test_without_holes_every_unit_sees_all(start) -> None:
    app = start("Receptive fields", "flip_crop")
    assert f"None of {SAMPLE} images has a hole" in words(app)
    assert charts(app) == 0


def test_a_curve_is_measured_when_asked_and_starts_at_the_stored_accuracy(
    start, asked: list[tuple[str, ...]], shapes_root: Path
) -> None:
    app = start("Strength curve")
    assert (buttons(app), asked, charts(app)) == (["augment_meaning_strength"], [], 0)
    measure(app, "strength")
    dataset = load("shapes", shapes_root)
    stored = checkpoints.load_probabilities(SHAPES_NET, dataset.fingerprint)
    assert stored is not None
    ids = take_balanced(dataset.test.labels, SAMPLE, 1)
    is_right = stored[ids].argmax(axis=1) == dataset.test.labels[ids]
    columns = table(app, "confidence")
    assert columns["value"] == ["off", "0", "4", "8", "12", "16 (present)", "20", "24", "28", "32"]
    assert columns["accuracy"][0] == columns["accuracy"][1] == is_right.mean()
    assert columns["accuracy"][-1] == 0.1
    assert columns["class3"][0] == is_right[dataset.test.labels[ids] == 3].mean()
    assert f"The stored evaluation says exactly {is_right.sum()} of these images" in words(app)
    assert charts(app) == 1
    assert buttons(app) == []


def test_a_curve_is_kept_while_its_own_argument_moves_and_no_longer(
    start, asked: list[tuple[str, ...]]
) -> None:
    app = start("Strength curve")
    measure(app, "strength")
    for side in ("height", "width"):
        checked(slide(app, SIDE.format(side), (8, 20)))
    assert buttons(app) == []
    present = [value for value in table(app, "confidence")["value"] if value.endswith("(present)")]
    assert present == ["8 (present)", "12 (present)", "16 (present)", "20 (present)"]
    checked(slide(app, SIDE.format("width"), (8, 8)))
    assert "no single number" in words(app)
    checked(slide(app, "augment_step3_CoarseDropout_num_holes_range", (2, 2)))
    assert buttons(app) == ["augment_meaning_strength"]
    assert len(asked) == 1


def test_classes_are_drawn_beside_and_every_step_with_a_number_is_offered(
    start, asked: list[tuple[str, ...]]
) -> None:
    app = start("Strength curve")
    step = app.selectbox(key="augment_meaning_step")
    assert step.options == ["2 · Pad", "4 · CoarseDropout"]
    assert app.selectbox(key="augment_meaning_argument").options[0] == "Side of the holes"
    measure(app, "strength")
    chart = app.get("vega_lite_chart")[0].proto.spec
    checked(app.button_group(key="augment_meaning_classes").set_value(["star"]).run())
    assert '"star"' not in chart
    assert '"star"' in app.get("vega_lite_chart")[0].proto.spec
    checked(app.selectbox(key="augment_meaning_step").select(1).run())
    assert app.selectbox(key="augment_meaning_argument").value == "Margin"
    measure(app, "strength")
    assert table(app, "confidence")["value"][:3] == ["off", "1", "2"]
    assert [words[words.index("--argument") + 1] for words in asked] == ["hole_height_range", "padding"]


def test_an_augmentation_without_a_number_says_so(start) -> None:
    assert "No step of this augmentation has a number" in words(start("Strength curve", "none"))


def test_the_evidence_is_taken_when_asked_and_shown_with_its_images(
    start, asked: list[tuple[str, ...]]
) -> None:
    app = start("Evidence removed", "seed_004_as_written")
    assert buttons(app) == ["augment_meaning_evidence"]
    before = len(app.image)
    measure(app, "evidence")
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Pixels removed"] == "25.0 %"
    assert 10 < float(figures["Evidence removed"].split()[0]) < 90
    lost, _, measured = figures["Lose more than 90 %"].split()
    assert int(measured) + int(figures["Without evidence"]) == SAMPLE
    assert len(app.image) > before
    assert ("No image loses more than 90 %" in words(app)) == (lost == "0")
    assert charts(app) == 1
    verb, folder, *_ = asked[0]
    assert (verb, Path(folder).name) == ("evidence", "shapes_scope_net")


def test_a_hole_over_everything_takes_all_evidence_of_every_image(
    start, asked: list[tuple[str, ...]]
) -> None:
    app = start("Evidence removed")
    for side in ("height", "width"):
        checked(slide(app, SIDE.format(side), (32, 32)))
    measure(app, "evidence")
    figures = {metric.label: metric.value for metric in app.metric}
    assert (figures["Evidence removed"], figures["Pixels removed"]) == ("100.0 %", "100.0 %")
    lost, _, measured = figures["Lose more than 90 %"].split()
    assert lost == measured
    assert "24 of the" in words(app)


def test_without_holes_there_is_no_evidence_to_remove(start) -> None:
    app = start("Evidence removed", "flip_crop")
    assert any(hint.value.startswith("No step of this augmentation makes holes") for hint in app.info)
    assert list(app.error) == []
    assert buttons(app) == []


@pytest.mark.parametrize("question", ["Strength curve", "Evidence removed"])
def test_a_checkpoint_of_other_classes_is_refused_with_the_way_out(start, question: str) -> None:
    app = start(question, checkpoint="checkpoints/cifar10_jpeg_scope_net")
    assert any("The checkpoint tells apart" in error.value for error in app.error)
    assert buttons(app) == []


def test_a_measurement_that_fails_is_told_in_its_words(start, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_verb(verb: str, *arguments: str, started: object) -> Iterator[dict[str, Any]]:
        raise ConvScopeError("Measuring failed. The weights are damaged")
        yield {}

    monkeypatch.setattr(own_process, "run_verb", run_verb)
    app = start("Strength curve")
    measure(app, "strength")
    assert any("The weights are damaged" in error.value for error in app.error)
    assert buttons(app) == ["augment_meaning_strength"], "it can be tried again"


def test_a_measurement_goes_on_while_the_pipeline_changes_and_is_there_when_it_is_back(
    start, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def run_verb(verb: str, *arguments: str, started: object) -> Iterator[dict[str, Any]]:
        yield {"done": 1500, "total": 6000}
        assert goes_on.wait(60)
        raise ConvScopeError("Nothing came of it")

    monkeypatch.setattr(own_process, "run_verb", run_verb)
    app = start("Strength curve")
    app.button(key="augment_meaning_strength").click()
    try:
        until(app, lambda: "Looked at 1,500 of 6,000 pictures" in bars(app))
        assert buttons(app) == ["augment_meaning_stop"]
        checked(slide(app, "augment_step3_CoarseDropout_num_holes_range", (2, 2)))
        assert bars(app) == ["Another measurement is running: looked at 1,500 of 6,000 pictures"]
        assert buttons(app) == ["augment_meaning_strength", "augment_meaning_stop"]
        checked(app.button(key="augment_meaning_strength").click().run())
        assert bars(app) == ["Waiting, 1 measurement before it"]
        checked(app.button(key="augment_meaning_stop").click().run())
        assert bars(app) == ["Another measurement is running: looked at 1,500 of 6,000 pictures"]
        assert list(app.error) == []
    finally:
        goes_on.set()
    until(app, lambda: bars(app) == [])
    assert list(app.error) == [], "it was of another setting"
    checked(slide(app, "augment_step3_CoarseDropout_num_holes_range", (1, 1)))
    assert [error.value for error in app.error] == ["Nothing came of it"]


@pytest.mark.slow
def test_a_curve_comes_from_a_process_of_its_own(start) -> None:
    app = start("Strength curve")
    measure(app, "strength")
    assert len(table(app, "confidence")["value"]) == 10


def test_attention_is_laid_over_a_grey_image_where_it_is() -> None:
    image = np.full((2, 2, 3), (200, 40, 90), np.uint8)
    shown = ShownEvidence(id=0, share=1.0, attention=((255, 0), (0, 0)), hidden=((0, 0), (0, 0)))
    laid = overlay(image, shown)
    grey = round(0.299 * 200 + 0.587 * 40 + 0.114 * 90)
    assert laid[0, 1].tolist() == [grey] * 3
    red, green, blue = laid[0, 0].tolist()
    assert red > green > blue
