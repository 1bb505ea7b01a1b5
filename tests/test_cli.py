"""`python -m core` does what the app does, answers in JSON if asked, and refuses bad input with code 2."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from core import checkpoint
from core.__main__ import VERBS, main
from core.augmentation import presets as augmentation_presets
from core.network import NetworkSpec, size_network
from core.network import presets as network_presets
from core.spec import from_json, to_json
from core.training import recipe_presets, runs
from tests.tiny import NETWORK


@pytest.fixture(autouse=True)
def _process_as_before():
    """The verb `train` takes signals and sets the number of threads, as its process is its own."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def tiny(tmp_path):
    """A file that describes the smallest network."""
    path = tmp_path / "tiny.json"
    path.write_text(to_json(NETWORK))
    return str(path)


@pytest.fixture
def places(tmp_path, shapes_root):
    """The options that say where data and runs are."""
    return ["--data-root", str(shapes_root), "--runs", str(tmp_path / "runs")]


QUICK = ["--dataset", "shapes", "--train-images", "100", "--epochs", "1", "--threads", "1"]


@pytest.mark.parametrize("verb", [[], *([name] for name in VERBS)])
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*verb, "--help"])
    assert ended.value.code == 0
    assert "usage: python -m core" in capsys.readouterr().out


def test_help_comes_without_importing_torch(project):
    code = "import sys, core.__main__; print('torch' in sys.modules or 'albumentations' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"


def test_train_makes_a_run_like_any_other(tmp_path, tiny, places, capsys):
    assert (
        main(["train", "--network", tiny, "--augmentation", "none", *QUICK, *places, "--title", "By hand"])
        == 0
    )
    told = capsys.readouterr().out.splitlines()
    (run,) = runs.list_runs(tmp_path / "runs")
    assert (run.state, run.title, run.threads) == ("finished", "By hand", 1)
    assert (run.spec.network, run.spec.train_images, run.spec.recipe.epochs) == (NETWORK, 100, 1)
    assert any(line.startswith("epoch 1/1  train ") and "(best)" in line for line in told)
    assert told[-1].startswith(f"finished: test accuracy {run.test_accuracy:.2%}")
    assert checkpoint.load(run.folder / "best").test_accuracy == run.test_accuracy


def test_train_answers_programs_with_one_event_a_line(tmp_path, tiny, places, capsys):
    assert main(["train", "--json", "--network", tiny, "--augmentation", "none", *QUICK, *places]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (run,) = runs.list_runs(tmp_path / "runs")
    assert {event["run"] for event in events} == {run.id}
    assert [event["state"] for event in events if event["kind"] == "state"] == [
        "queued",
        "running",
        "finished",
    ]
    (epoch,) = (event for event in events if event["kind"] == "epoch")
    assert epoch["metrics"]["validation_accuracy"] == run.history[0].validation_accuracy


def test_options_replace_what_the_recipe_says_and_leave_the_rest(tmp_path, tiny, places):
    options = ["--recipe", "scope_net", "--learning-rate", "0.01", "--no-nesterov", "--seed", "7"]
    assert main(["train", "--network", tiny, "--augmentation", "none", *options, *QUICK, *places]) == 0
    (run,) = runs.list_runs(tmp_path / "runs")
    recipe, preset = run.spec.recipe, recipe_presets()["scope_net"]
    assert (recipe.learning_rate, recipe.nesterov, recipe.seed) == (0.01, False, 7)
    assert (recipe.schedule, recipe.weight_decay) == (preset.schedule, preset.weight_decay)


def test_a_run_that_fails_says_so_in_its_exit_code(tmp_path, tiny, places, capsys):
    wild = ["--schedule", "constant", "--learning-rate", "10", "--weight-decay", "10", "--epochs", "50"]
    assert main(["train", "--network", tiny, "--augmentation", "none", *QUICK, *wild, *places]) == 1
    assert "diverged: the training diverged" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["train", "--batch-size", "0"], "batch_size: must be greater than or equal to 1, got '0'"),
        (["train", "--learning-rate", "fast"], "learning_rate"),
        (["train", "--network", "no_such"], "NetworkSpec must be a JSON file or one of seed_000"),
        (["train", "--recipe", "no_such"], "Recipe must be a JSON file or one of quick"),
        (["train", "--device", "tpu"], "device must be cpu, cuda"),
        (["train", "--dataset", "no_such"], "no_such"),
        (["train", "--train-images", "0"], "train_images"),
        (["train", "--resume", "no_such"], "there is no run 'no_such'"),
        (["size", "no_such"], "one of seed_000"),
        (["presets", "network", "no_such"], "network must be one of seed_000"),
        (["data", "register"], "needs the path"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_its_reason_and_nothing_is_written(
    arguments, words, tmp_path, places, capsys
):
    verb = arguments[0]
    where = places if verb == "train" else places[:2] if verb == "data" else []
    assert main([*arguments, *where]) == 2
    answer = capsys.readouterr()
    assert words in answer.err
    assert answer.out == ""
    assert not list((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "x"}', "\x00"])
def test_a_file_that_describes_nothing_is_refused(tmp_path, content, capsys):
    path = tmp_path / "network.json"
    path.write_text(content)
    assert main(["size", str(path)]) == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize("key", network_presets())
def test_size_shows_what_sizing_computes(key, capsys):
    assert main(["size", "--json", key]) == 0
    shown, sizing = json.loads(capsys.readouterr().out), size_network(network_presets()[key])
    assert (shown["num_params"], shown["macs"]) == (sizing.num_params, sizing.macs)
    assert len(shown["layers"]) == len(sizing.layers)
    assert main(["size", key]) == 0
    assert f"{sizing.num_params:,}" in capsys.readouterr().out


def test_presets_are_listed_and_what_is_printed_can_be_given_back(tmp_path, tiny, capsys):
    assert main(["presets"]) == 0
    listed = capsys.readouterr().out
    for key in (*network_presets(), *augmentation_presets(), *recipe_presets()):
        assert f" {key}" in listed
    assert main(["presets", "network", "seed_004"]) == 0
    printed = capsys.readouterr().out
    assert from_json(NetworkSpec, printed) == network_presets()["seed_004"]
    assert main(["presets", "--json"]) == 0
    assert json.loads(capsys.readouterr().out).keys() == {"network", "augmentation", "recipe"}


def test_data_lists_what_is_ready(shapes_root, capsys):
    assert main(["data", "list", "--json", "--data-root", str(shapes_root)]) == 0
    ready = {row["name"]: row["is_ready"] for row in json.loads(capsys.readouterr().out)}
    assert ready["shapes"] is True
    assert ready["cifar10"] is False


def test_evaluate_recounts_a_checkpoint(tmp_path, tiny, places, shapes_root, capsys):
    assert main(["train", "--network", tiny, "--augmentation", "none", *QUICK, *places]) == 0
    (run,) = runs.list_runs(tmp_path / "runs")
    for probabilities in (run.folder / "best").glob("probabilities-*"):
        probabilities.unlink()
    capsys.readouterr()
    command = ["evaluate", str(run.folder / "best"), "--data-root", str(shapes_root)]
    assert main([*command, "--json"]) == 0
    *progress, shown = map(json.loads, capsys.readouterr().out.splitlines())
    assert progress[-1]["done"] == progress[-1]["total"] == shown["images"]
    assert shown["accuracy"] == run.test_accuracy
    assert sum(row["correct"] for row in shown["classes"].values()) == shown["correct"]
    assert shown["low"] < shown["accuracy"] < shown["high"]
    assert main(command) == 0
    assert f"{run.test_accuracy:.2%}" in capsys.readouterr().out


@pytest.mark.slow
def test_ctrl_c_stops_a_training_so_that_it_can_go_on(tmp_path, tiny, places, project):
    command = [
        sys.executable,
        "-m",
        "core",
        "train",
        "--network",
        tiny,
        "--augmentation",
        "none",
        *QUICK,
        *places,
    ]
    command += ["--train-images", "1000", "--batch-size", "4", "--epochs", "3"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        deadline = time.monotonic() + 180
        while not any(run.last_step for run in runs.list_runs(tmp_path / "runs")):
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.05)
        os.kill(child.pid, signal.SIGINT)
        told, _ = child.communicate(timeout=30)
    assert child.returncode == 0
    (run,) = runs.list_runs(tmp_path / "runs")
    assert run.state == "stopped"
    assert "Traceback" not in told
    assert f"--resume {run.id}" in told
    assert main(["train", "--resume", run.id, *places]) == 0
    assert runs.read(tmp_path / "runs", run.id).state == "finished"
