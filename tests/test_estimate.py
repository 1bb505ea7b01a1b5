"""What a run will take is told before it starts, near enough, and what cannot fit is refused."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from statistics import median

import psutil
import pytest

from core.__main__ import main
from core.errors import DivergedError, RunError
from core.network.spec import LayerSpec, NetworkSpec
from core.spec import from_dict, to_json
from core.training import timing
from core.training.engine import Training
from core.training.estimate import Estimate, EstimateProgress, free_memory, memory_warning, step_bytes
from tests.tiny import run_spec

FACTOR = 3.0
"""How far the estimate may be from the run that follows it, either way."""
HUGE = NetworkSpec(
    name="Huge",
    layers=(
        LayerSpec(op="conv", out_channels=4096, kernel_size=3, padding=1),
        LayerSpec(op="conv", out_channels=10, kernel_size=1),
        LayerSpec(op="global_avg_pool"),
    ),
)


pytestmark = pytest.mark.usefixtures("one_thread")


def estimate_of(spec, dataset):
    *progress, found = timing.estimate(spec, dataset, "cpu", threads=1)
    assert all(isinstance(event, EstimateProgress) for event in progress)
    assert isinstance(found, Estimate)
    return found


@pytest.mark.slow
def test_the_estimate_is_near_the_run_that_follows(shapes):
    """The median of three pairs, because this machine does other things too."""
    spec = run_spec(shapes, train_images=1000, batch_size=16, epochs=2)
    ratios = []
    for _ in range(3):
        found = estimate_of(spec, shapes)
        begun = time.perf_counter()
        training = Training(spec, shapes, "cpu")
        for _ in training.events():
            pass
        ratios.append(found.seconds / (time.perf_counter() - begun))
    assert 1 / FACTOR < median(ratios) < FACTOR
    assert (found.steps, found.epochs, found.training_images) == (training.batches.steps, 2, 900)


def test_the_sums_are_those_of_the_timed_steps():
    found = Estimate(
        epochs=3, steps=10, batch_size=4, step_seconds=(0.1, 0.3), training_images=40, validation_seconds=1.0,
        peak_bytes=100, free_bytes=99, device="cpu", hardware="", threads=1, cores=2, others_cores=1.5,
    )  # fmt: skip
    assert found.epoch_seconds == pytest.approx(10 * 0.2 + 1)
    assert found.seconds == pytest.approx(9)
    assert found.images_per_second == pytest.approx(20)
    assert not found.fits
    assert replace(found, free_bytes=100).fits
    assert found.is_busy  # 1.5 of the others and 1 of ours are more than 2
    assert not replace(found, others_cores=1.0).is_busy


@pytest.mark.slow
def test_its_memory_is_that_of_a_process_and_grows_with_the_batch(shapes):
    """In processes of their own: the peak of this one is that of all tests before."""
    peaks = []
    for batch_size in (16, 300):
        spec = run_spec(shapes, train_images=400, batch_size=batch_size, epochs=1, network=wide(64))
        code = (
            "import json, sys; from pathlib import Path; from core.data import load;"
            "from core.spec import from_json; from core.training.recipe import RunSpec;"
            "from core.training.timing import estimate;"
            "spec = from_json(RunSpec, sys.argv[1]); dataset = load('shapes', Path(sys.argv[2]));"
            "*_, found = estimate(spec, dataset, 'cpu', 1); print(found.peak_bytes, found.free_bytes)"
        )
        root = str(shapes.train.images.filename).rpartition("/cache/")[0]
        answer = subprocess.run(
            [sys.executable, "-c", code, to_json(spec), root], capture_output=True, text=True, check=True
        )
        peak, free = map(int, answer.stdout.split())
        assert 50e6 < peak < free < psutil.virtual_memory().total
        peaks.append(peak)
    # The output of the convolution alone, 64 maps of 32×32 in float32, of 284 images more.
    assert peaks[1] - peaks[0] > 284 * 64 * 32 * 32 * 4


def wide(channels):
    return NetworkSpec(
        name="Wide",
        layers=(
            LayerSpec(op="conv", out_channels=channels, kernel_size=3, padding=1),
            LayerSpec(op="conv", out_channels=10, kernel_size=1, stride=4),
            LayerSpec(op="global_avg_pool"),
        ),
    )


def test_a_batch_beyond_the_memory_is_refused_before_it_is_tried(shapes):
    spec = run_spec(shapes, batch_size=4096, network=HUGE)
    assert step_bytes(spec) > 4096 * 4096 * 32 * 32 * 4  # the first layer's output: 64 GiB
    if step_bytes(spec) < free_memory():
        pytest.skip("this machine has the memory")
    begun = time.perf_counter()
    with pytest.raises(RunError, match=r"4,096 images may take .* GiB are free; take fewer"):
        list(timing.estimate(spec, shapes, "cpu", threads=1))
    assert time.perf_counter() - begun < 5
    assert memory_warning(spec, free_memory()) is not None
    assert memory_warning(replace(spec, recipe=replace(spec.recipe, batch_size=1)), 10**9) is None


def test_memory_that_runs_out_all_the_same_is_told_in_the_same_words(shapes, monkeypatch):
    def refuse(*_):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to …")

    monkeypatch.setattr(Training, "_take_step", refuse)
    with pytest.raises(RunError, match="16 images does not fit into the .* take fewer images a step"):
        estimate_of(run_spec(shapes, train_images=100), shapes)


def test_a_run_that_diverges_within_these_steps_is_told(shapes):
    spec = run_spec(shapes, train_images=400, learning_rate=10.0, optimiser="sgd", schedule="constant")
    wild = replace(spec, recipe=replace(spec.recipe, weight_decay=10.0))
    with pytest.raises(DivergedError, match="lower the learning rate"):
        estimate_of(wild, shapes)


def test_a_run_shorter_than_the_warm_up_is_estimated_too(shapes):
    found = estimate_of(run_spec(shapes, train_images=100, batch_size=90, epochs=1), shapes)
    assert found.steps == 1
    assert found.seconds > 0


def test_the_verb_tells_how_far_it_is_and_then_the_estimate(
    shapes, shapes_root, tmp_path, monkeypatch, capsys
):
    file = tmp_path / "spec.json"
    file.write_text(to_json(run_spec(shapes, train_images=400)))
    monkeypatch.setattr("core.cli.estimate.step_back", lambda: None)  # it would be for good
    monkeypatch.setattr("core.cli.estimate.tune", lambda threads: None)
    options = ["--spec", str(file), "--data-root", str(shapes_root), "--epochs", "7", "--json"]
    assert main(["estimate", *options]) == 0
    *progress, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert progress[-1]["done"] == progress[-1]["total"]
    found = from_dict(Estimate, last)
    assert found.epochs == 7
    assert found.batch_size == 16
    assert found.seconds == pytest.approx(7 * found.epoch_seconds)
