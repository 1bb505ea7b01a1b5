"""The benchmark for a GPU says where there is none, and its ways work on a CPU."""

import re
import subprocess
import sys

import pytest
import torch

from benchmarks import gpu
from core.data import load
from core.network import presets, size_network
from core.training.engine import Training
from core.training.events import EpochDone
from tests.tiny import NETWORK, random_dataset, run_spec

DATASET = random_dataset()


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def without_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_without_a_gpu_it_says_so_in_one_line_and_measures_nothing(without_gpu, capsys, tmp_path):
    gpu.main(["--data-root", str(tmp_path)])
    assert capsys.readouterr().out == f"{gpu.NO_GPU}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_passage_ends_at_the_first_epoch_that_reaches_its_target():
    spec = run_spec(DATASET, epochs=4, validation="test", learning_rate=0.3)
    accuracies = [
        event.metrics.validation_accuracy
        for event in Training(spec, DATASET, "cpu").events()
        if isinstance(event, EpochDone)
    ]
    target = max(accuracies)
    found = gpu.train_to(target, spec, DATASET, "cpu")
    assert found.is_reached
    assert found.epochs == accuracies.index(target) + 1 == len(found.speeds)
    assert found.accuracy == target
    missed = gpu.train_to(1.1, spec, DATASET, "cpu")
    assert (missed.is_reached, missed.epochs, missed.accuracy) == (False, 4, target)


def test_the_run_is_judged_by_the_test_images_and_by_nothing_held_out():
    arguments = gpu._parse(["--batch-size", "64", "--learning-rate", "0.3"])
    spec = gpu.run_spec_of(arguments, DATASET, 7, 3)
    recipe = spec.recipe
    assert (recipe.batch_size, recipe.learning_rate, recipe.epochs, recipe.seed) == (64, 0.3, 7, 3)
    assert len(Training(spec, DATASET, "cpu").batches.train_indices) == len(DATASET.train.labels)
    assert size_network(spec.network).num_params < 200_000


def test_the_few_images_of_a_check_are_as_many_of_each_class(shapes_root):
    few = gpu.few_images(load("shapes", shapes_root))
    assert len(few.train.labels) == len(few.test.labels) == gpu.CHECK_IMAGES
    assert set(map(list(few.train.labels).count, range(10))) == {gpu.CHECK_IMAGES // 10}


def test_the_course_loop_is_timed_on_whole_epochs(monkeypatch):
    monkeypatch.setattr(gpu, "networks", lambda: {**presets(), "tiny": NETWORK})
    told = []
    monkeypatch.setattr(
        gpu, "course_epoch", lambda *given: told.append(given) or (len(given[1].dataset), 2.3)
    )
    ticks = iter([0, 100, 100, 102, 102, 106, 106, 107])
    monkeypatch.setattr(gpu.time, "perf_counter", lambda: next(ticks))
    speed = gpu.course_speed("tiny", "flip_crop", 16, 0, DATASET.train, "cpu")
    assert len(told) == 4
    assert speed == 80 / 2, "the median of 2, 4 and 1 s; the first epoch is not counted"


@pytest.mark.slow
def test_its_ways_work_on_a_cpu_and_are_no_measurement(shapes_root, project):
    command = [sys.executable, "benchmarks/gpu.py", "--cpu-check", "--data-root", str(shapes_root)]
    quick = ["--seeds", "1", "--batch-size", "20", "--images", "40", "--workers", "0"]
    done = subprocess.run(
        [*command, *quick],
        cwd=project,
        env={"PYTHONPATH": str(project), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second, *table = done.stdout.splitlines()
    assert (first, second) == (gpu.NO_GPU, gpu.CHECKED)
    text = "\n".join(table)
    assert "85% of the test images: not in 1 epochs" in text
    assert "90% of the test images: not in 1 epochs" in text
    assert re.search(r"images a second: ours [\d,]+, course loop on the same network [\d,]+", text)
    assert "extrapolated from" in text
