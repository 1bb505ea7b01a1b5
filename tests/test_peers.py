"""Several processes under torchrun train what one trains: their sums, their batch norm, and whole runs."""

import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from core import checkpoint
from core.__main__ import main
from core.data import load
from core.errors import RunError, SpecError
from core.network.spec import LayerSpec
from core.spec import to_json
from core.training import run_folder, runs
from core.training.batches import Batches, seed_of
from core.training.engine import Training
from core.training.events import BatchSeen, EpochDone, RateChanged, StepDone
from core.training.peers import Peers, plainly
from core.training.place import Place, place_of
from core.training.shared_norm import share_norms
from core.training.tally import Clock, Tally
from tests.tiny import NETWORK, random_dataset, run_spec

PATIENCE = 240
"""Seconds: importing torch in several processes takes many on a busy machine."""
TOLERANCE = 1e-5
"""Of the largest weight of a tensor, after two epochs. A ReLU would jump where rounding decides its side."""
NORMED = replace(
    NETWORK,
    layers=(
        LayerSpec(op="conv", out_channels=8, kernel_size=3, stride=2, then=("batch_norm", "silu")),
        LayerSpec(op="conv", out_channels=12, kernel_size=3, stride=3, then=("silu", "batch_norm")),
        LayerSpec(op="conv", out_channels=10, kernel_size=3, stride=2),
        LayerSpec(op="global_avg_pool"),
    ),
)


def test_torchrun_says_by_four_variables_which_process_this_is():
    assert place_of({"HOME": "/"}) == Place(rank=0, count=1)
    assert place_of({"RANK": "3", "WORLD_SIZE": "4"}) == Place(rank=0, count=1)
    told = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    assert place_of(told) == Place(rank=3, count=4, local_rank=1, local_count=2)


@pytest.mark.parametrize("wrong", [{"RANK": "4"}, {"RANK": ""}, {"WORLD_SIZE": "many"}, {"LOCAL_RANK": "2"}])
def test_numbers_that_do_not_fit_together_are_refused_by_name(wrong):
    told = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    name, value = next(iter(wrong.items()))
    with pytest.raises(SpecError, match=f"{name}={value}"):
        place_of(told | wrong)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_parts_of_all_processes_are_the_batch_each_image_once_in_order(count):
    batch = Batches(run_spec(random_dataset(), mix="mixup"), random_dataset(), "cpu").at(1, 5)
    assert len(batch.indices) == 6
    parts = [Peers(Place(rank, count)).share(batch) for rank in range(count)]
    assert max(len(part.indices) for part in parts) - min(len(part.indices) for part in parts) <= 1
    for name in ("indices", "inputs", "labels", "others"):
        joined = np.concatenate([np.asarray(getattr(part, name)) for part in parts])
        np.testing.assert_array_equal(joined, np.asarray(getattr(batch, name)))
    scores = torch.randn(6, 10)
    losses = [part.losses(scores[Peers(Place(i, count)).mine(6)]) for i, part in enumerate(parts)]
    assert torch.allclose(torch.cat(losses), batch.losses(scores))


class Threads(Peers):
    """Peers in the threads of one process; `board` is where each writes what it adds."""

    def __init__(self, place, board, barrier):
        super().__init__(place)
        self.board, self.barrier = board, barrier

    def add_up(self, values):
        self.board[self.rank] = values.clone()
        self.barrier.wait(timeout=60)
        total = sum(self.board[rank] for rank in range(self.count))
        self.barrier.wait(timeout=60)
        values.copy_(total)

    def take_firsts(self, values):
        self.board[self.rank] = values.clone()
        self.barrier.wait(timeout=60)
        first = self.board[0]
        self.barrier.wait(timeout=60)
        values.copy_(first)


def in_threads(count, work):
    """What `work(peers)` returns in each of so many threads."""
    board, barrier, done = {}, threading.Barrier(count), {}

    def begin(rank):
        try:
            done[rank] = work(Threads(Place(rank, count), board, barrier))
        except BaseException as error:
            barrier.abort()
            done[rank] = error
            raise

    threads = [threading.Thread(target=begin, args=(rank,)) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return [done[rank] for rank in range(count)]


@pytest.mark.parametrize("sizes", [(3, 3), (1, 4), (2, 0, 3)], ids=str)
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last], ids=str)
def test_batch_norm_over_parts_is_torchs_over_the_whole(sizes, order):
    draw = torch.Generator().manual_seed(0)
    # Far from 0 and narrow: a variance as a difference of sums of squares would be lost.
    inputs = 100 + torch.randn(sum(sizes), 5, 4, 6, generator=draw, dtype=torch.float64) / 10
    slopes = torch.randn(inputs.shape, generator=draw, dtype=torch.float64)
    whole = nn.BatchNorm2d(5, momentum=0.3, eps=1e-3).double()
    with torch.no_grad():
        whole.weight.copy_(torch.rand(5, generator=draw))
        whole.bias.copy_(torch.rand(5, generator=draw))
    norms = [nn.BatchNorm2d(5, momentum=0.3, eps=1e-3).double() for _ in sizes]
    for norm in norms:
        norm.load_state_dict(whole.state_dict())
    given = inputs.clone().requires_grad_()
    expected = whole(given)
    expected.backward(slopes)

    def work(peers):
        network = share_norms(nn.Sequential(norms[peers.rank]), peers)
        part = inputs.split(sizes)[peers.rank].to(memory_format=order).requires_grad_()
        outputs = network(part)
        outputs.backward(slopes.split(sizes)[peers.rank])
        return outputs.detach(), part.grad, network[0]

    outputs, gradients, shared = zip(*in_threads(len(sizes), work), strict=True)
    assert torch.allclose(torch.cat(outputs), expected, atol=1e-9)
    assert torch.allclose(torch.cat(gradients), given.grad, atol=1e-9)
    for name in ("weight", "bias"):
        total = sum(getattr(norm, name).grad for norm in shared)
        assert torch.allclose(total, getattr(whole, name).grad, atol=1e-9), name
    for norm in shared:
        assert norm.state_dict().keys() == whole.state_dict().keys()
        for name, tensor in whole.state_dict().items():
            assert torch.allclose(norm.state_dict()[name], tensor), name
        assert torch.equal(norm.eval()(inputs), norms[0].eval()(inputs))


def test_batch_norm_of_a_layer_that_is_called_like_a_method_is_shared_too():
    network = nn.Sequential()
    network._modules["train"] = nn.Sequential(nn.BatchNorm2d(3))
    share_norms(network, Peers(Place(0, 2)))
    assert type(network._modules["train"][0]).__name__ == "SharedBatchNorm"


def test_what_goes_wrong_between_processes_is_said_plainly_and_too_little_memory_as_such():
    with pytest.raises(RunError, match=r"one of the 3 processes .* has ended .*--resume"), plainly(3):
        raise RuntimeError("[../gloo/transport/tcp/pair.cc:525] Connection closed by peer")
    with pytest.raises(torch.OutOfMemoryError), plainly(3):
        raise torch.OutOfMemoryError("CUDA out of memory")


DATASET = random_dataset(train=50)
SPEC = run_spec(
    DATASET, network=NORMED, epochs=2, validation="test", averaging=0.8, l1=0.0001, mix="cutmix",
    label_smoothing=0.1, optimiser="muon", nesterov=True,
)  # fmt: skip
"""50 images are three batches of 16 and one of 2, of which the first of three processes has none."""


@pytest.fixture
def start():
    """Weights from which all begin: threads share torch's random numbers, so none of them may draw any."""
    torch.set_num_threads(1)
    return Training(SPEC, DATASET, "cpu").snapshot()


def train_changing_the_rate(training, rank=0):
    """Every event; the process of this rank asks for half the rate on the way, if it is the first."""
    told = []
    for event in training.events():
        told.append(event)
        if isinstance(event, StepDone) and (event.epoch, event.step) == (1, 3) and rank == 0:
            training.change_rate(0.5)
    return training.snapshot().weights, told


def expect_alike(event, other):
    """Two processes tell the same, but for how long it took and how sums are rounded."""
    assert type(event) is type(other)
    if isinstance(event, StepDone):
        assert event.loss == pytest.approx(other.loss, rel=TOLERANCE)
        assert (event.epoch, event.step, event.learning_rate) == (
            other.epoch, other.step, other.learning_rate
        )  # fmt: skip
    elif isinstance(event, BatchSeen):
        assert event.sha256 == other.sha256
        assert event.losses == pytest.approx(other.losses, rel=1e-3)
    elif isinstance(event, EpochDone):
        assert event.metrics.train_loss == pytest.approx(other.metrics.train_loss, rel=TOLERANCE)
        assert event.metrics.train_accuracy == other.metrics.train_accuracy
        assert event.metrics.validation_loss == pytest.approx(other.metrics.validation_loss, rel=TOLERANCE)
    else:
        assert event == other


def test_peers_end_with_the_weights_losses_and_rates_of_one_process(start):
    def work(peers):
        return train_changing_the_rate(Training(SPEC, DATASET, "cpu", resume=start, peers=peers), peers.rank)

    expected, expected_events = train_changing_the_rate(Training(SPEC, DATASET, "cpu", resume=start))
    together = in_threads(3, work)
    assert any(isinstance(event, RateChanged) for event in expected_events)
    for weights, told in together:
        for event, other in zip(told, expected_events, strict=True):
            expect_alike(event, other)
        for name, array in expected.items():
            assert np.array_equal(weights[name], together[0][0][name]), f"{name} differs between processes"
            atol = TOLERANCE * max(float(np.abs(array).max()), 1e-2)
            np.testing.assert_allclose(weights[name], array, rtol=0, atol=atol, err_msg=name)


def test_every_process_drops_by_a_seed_of_its_own_and_the_first_by_that_of_one_process(monkeypatch):
    monkeypatch.setattr(Peers, "add_up", lambda peers, values: None)
    seeds = []
    for rank in range(3):
        training = Training(SPEC, DATASET, "cpu", peers=Peers(Place(rank, 3)))
        next(training._train_epoch(1, Tally(), Clock(first=1, epochs=2, steps=4)))
        seeds.append(torch.initial_seed())
    assert seeds[0] == seed_of(SPEC.recipe.seed, 1)
    assert len(set(seeds)) == 3


def test_where_the_first_leaves_the_others_end_at_the_same_event(start):
    def work(peers):
        told = []
        with closing(Training(SPEC, DATASET, "cpu", resume=start, peers=peers).events()) as events:
            for event in events:
                epoch = event.metrics.epoch if isinstance(event, EpochDone) else event.epoch
                told.append((type(event).__name__, epoch, getattr(event, "step", None)))
                if peers.rank == 0 and told[-1] == ("StepDone", 1, 3):
                    break
        return told

    first, *others = in_threads(3, work)
    assert first[-1] == ("StepDone", 1, 3)
    assert others == [first, first]


def test_numbers_of_torchrun_that_cannot_be_are_refused_on_the_command_line(monkeypatch, capsys):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, "2")
    assert main(["train"]) == 2
    assert "torchrun numbers processes from 0" in capsys.readouterr().err


class Launcher:
    """Runs of the tiny network, each under torchrun from the command line."""

    def __init__(self, root, data_root):
        self.root, self.data_root, self.started = root, data_root, []

    def start(self, count, *options):
        """The process of torchrun with so many of its own."""
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
        places = ["--data-root", str(self.data_root), "--runs", str(self.root)]
        process = subprocess.Popen(
            [*torchrun, str(count), "-m", "core", "train", *places, *options, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def end(self, process):
        """Its exit code, the events that it told, and what it complained of."""
        told, complaint = process.communicate(timeout=PATIENCE)
        return process.returncode, [json.loads(line) for line in told.splitlines()], complaint

    def wait(self, process, until):
        """The one run that is live, once `until` says so."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for run in runs.list_runs(self.root):
                if run.is_live and until(run):
                    return run
            assert time.monotonic() < deadline, "the run does not come so far"
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)


@pytest.fixture
def launcher(tmp_path, shapes_root):
    launched = Launcher(tmp_path / "runs", shapes_root)
    yield launched
    for process in launched.started:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def options(tmp_path):
    """The options of a run of the network with batch norm and without dropout."""
    path = tmp_path / "normed.json"
    path.write_text(to_json(NORMED))
    common = ["--dataset", "shapes", "--train-images", "50", "--batch-size", "16", "--threads", "1"]
    return ["--network", str(path), *common]


@pytest.mark.slow
def test_three_processes_end_with_the_weights_of_one(launcher, options, shapes_root):
    """50 images: three batches of 16, and one of 2, of which the first process has none."""
    recipe = ["--epochs", "2", "--validation", "test", "--averaging", "0.8", "--l1", "0.0001"]
    code, told, complaint = launcher.end(launcher.start(3, *options, *recipe))
    assert code == 0, complaint
    (run,) = runs.list_runs(launcher.root)
    assert run.state == "finished"
    assert "3 processes train together" in run.log_tail
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    alone = Training(run.spec, load("shapes", shapes_root), "cpu")
    events = list(alone.events())
    torch.set_num_threads(threads)
    found, expected = checkpoint.load_weights(run.folder / "last"), alone.snapshot().weights
    for name, array in expected.items():
        atol = TOLERANCE * float(np.abs(array).max())
        if name.endswith("conv.bias") and name != "conv3.conv.bias":
            atol = TOLERANCE  # batch norm takes it out again, so that all that moves it is rounding
        np.testing.assert_allclose(found[name], array, rtol=0, atol=atol, err_msg=name)
    for metrics, other in zip(run.history, alone.history, strict=True):
        assert metrics.train_loss == pytest.approx(other.train_loss, rel=TOLERANCE)
        assert metrics.validation_loss == pytest.approx(other.validation_loss, rel=TOLERANCE)
        assert metrics.train_accuracy == other.train_accuracy
    seen = [event for event in events if isinstance(event, BatchSeen)]
    assert [batch.sha256 for batch in run.batches] == [batch.sha256 for batch in seen]
    assert run.batches[-1].losses == pytest.approx(seen[-1].losses, rel=1e-3)
    steps = [event for event in told if event["kind"] == "step"]
    assert steps[0]["steps"] == 4


@pytest.mark.slow
def test_stopped_and_with_a_process_killed_the_run_goes_on_to_the_same_weights(launcher, options):
    recipe = ["--epochs", "12", "--learning-rate", "0.02", "--batch-size", "4"]
    code, _, complaint = launcher.end(launcher.start(2, *options, *recipe))
    assert code == 0, complaint
    (undisturbed,) = runs.list_runs(launcher.root)

    process = launcher.start(2, *options, *recipe)
    run = launcher.wait(process, lambda run: len(run.history) >= 2)
    runs.request_stop(launcher.root, run.id)
    code, told, complaint = launcher.end(process)
    assert (code, told[-1]["state"]) == (0, "stopped"), complaint
    assert 2 <= len(runs.read(launcher.root, run.id).history) < 12

    process = launcher.start(2, "--resume", run.id)
    before = len(run.history)
    launcher.wait(process, lambda run: run.state == "running" and len(run.history) > before + 1)
    second = next(
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if child.environ().get("RANK") == "1"
    )
    second.send_signal(signal.SIGKILL)
    code, told, complaint = launcher.end(process)
    assert code == 1
    assert told[-1]["state"] == "failed"
    assert "one of the 2 processes that trained together has ended" in told[-1]["reason"]
    assert not run_folder.lock(run.folder).is_locked

    code, told, complaint = launcher.end(launcher.start(2, "--resume", run.id))
    assert (code, told[-1]["state"]) == (0, "finished"), complaint
    digests = {checkpoint.load(each.folder / "last").weights_sha256 for each in (run, undisturbed)}
    assert len(digests) == 1


@pytest.mark.slow
def test_where_the_first_process_dies_the_others_end_with_a_plain_message(launcher, options):
    process = launcher.start(2, *options, "--epochs", "500", "--batch-size", "4")
    run = launcher.wait(process, lambda run: len(run.history) >= 1)
    signal_to = psutil.Process(json.loads((run.folder / "heartbeat").read_text())["pid"])
    signal_to.kill()
    code, _, complaint = launcher.end(process)
    assert code == 1
    assert "train: one of the 2 processes that trained together has ended or does not answer" in complaint
    assert runs.read(launcher.root, run.id).state == "lost"
    assert checkpoint.load_weights(run.folder / "last")
