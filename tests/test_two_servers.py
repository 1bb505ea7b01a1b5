"""Several servers over one folder agree, without knowing of each other, on who starts and who trains."""

import os
import select
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from core.training import run_folder, run_log, runs
from core.training.events import StateChanged
from core.training.processes import started_at
from core.training.pulse import Pulse
from core.training.queue import device_turn
from tests.tiny import random_dataset, run_spec
from tests.watching import PATIENCE, has_ended, pid_of, wait

ROUNDS = 50
RACERS = 5

RACER = """
import os, sys, time
from pathlib import Path
from core.errors import RunError
from core.training import queue, run_folder, runs
from core.training.pulse import Pulse
from core.training.events import StateChanged

root, act = Path(sys.argv[1]), sys.argv[2]
queue.POLL_SECONDS = 0.005
queue._is_first = lambda folder: True  # the order is a courtesy: only the lock may decide
runs.start_worker = lambda folder: os.getppid()

def start(run_id):
    try:
        runs.start(root, run_id)
    except RunError:
        return "lost"
    return "won"

def turn(run_id):
    run_folder.append_event(root / run_id, StateChanged(state="queued", time=run_folder.now()))
    with queue.device_turn(root / run_id, Pulse(root / run_id)) as is_ours:
        if is_ours:
            print("won", flush=True)
            sys.stdin.readline()
    return "let go" if is_ours else "lost"

print("ready", flush=True)
for line in sys.stdin:
    print({"start": start, "turn": turn}[act](line.strip()), flush=True)
"""


class Racers:
    """Processes that act at once when told to."""

    def __init__(self, root: Path, act: str) -> None:
        command = [sys.executable, "-c", RACER, str(root), act]
        project = Path(__file__).resolve().parent.parent
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        self.processes = [subprocess.Popen(command, cwd=project, **pipes) for _ in range(RACERS)]
        assert self.hear() == ["ready"] * RACERS

    def tell(self, lines):
        for process, line in zip(self.processes, lines, strict=True):
            process.stdin.write(f"{line}\n")

    def hear(self):
        return [process.stdout.readline().strip() for process in self.processes]


@pytest.fixture
def race(tmp_path):
    started = []

    def begin(act):
        started.append(Racers(tmp_path, act))
        return started[-1]

    yield begin
    for racers in started:
        for process in racers.processes:
            process.communicate()


def create(root):
    return runs.create(root, run_spec(random_dataset()), root, "cpu")


@pytest.mark.slow
def test_of_several_servers_that_start_one_run_at_once_exactly_one_does(tmp_path, race):
    racers = race("start")
    for _ in range(ROUNDS):
        run_id = create(tmp_path)
        racers.tell([run_id] * RACERS)
        assert sorted(racers.hear()) == ["lost"] * (RACERS - 1) + ["won"]
        assert runs.read(tmp_path, run_id).state == "queued"


@pytest.mark.slow
def test_of_several_runs_that_want_one_device_at_once_exactly_one_has_it(tmp_path, race):
    racers, winners = race("turn"), set()
    ids = [create(tmp_path) for _ in range(RACERS)]
    for _ in range(ROUNDS):
        for run_id in ids:
            run_folder.clear_request(tmp_path / run_id)
        racers.tell(ids)
        select.select([process.stdout for process in racers.processes], [], [], PATIENCE)
        time.sleep(0.03)  # for any second winner to come forward
        for run_id in ids:
            run_folder.ask_to_stop(tmp_path / run_id)
        said = racers.hear()
        assert sorted(said) == ["lost"] * (RACERS - 1) + ["won"]
        winner = said.index("won")
        racers.processes[winner].stdin.write("let go\n")
        assert racers.processes[winner].stdout.readline() == "let go\n"
        winners.add(winner)
    assert len(winners) > 1, "it was no race"


SERVER = """
import sys
from pathlib import Path
from core.training import runs
from tests.forked import Forker

forker = Forker()
runs.start_worker = forker.start_worker
for line in sys.stdin:
    runs.start(Path(sys.argv[1]), line.strip())
    print("started", flush=True)
forker.close()
"""


def spans(root, ids):
    """When each run had its device, as it told itself."""
    found = []
    for run_id in ids:
        lines = (root / run_id / "events.jsonl").read_bytes().splitlines()
        events = [run_log.parse_event(line) for line in lines]
        times = {event.state: event.time for event in events if isinstance(event, StateChanged)}
        found.append((times["running"], times["finished"]))
    return sorted(found)


@pytest.mark.slow
def test_runs_of_two_servers_never_train_at_once_on_one_device(tmp_path, make_run, project):
    ids = [make_run(epochs=8) for _ in range(6)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    servers = [subprocess.Popen(command, cwd=project, **pipes) for _ in range(2)]
    for server, mine in zip(servers, (ids[::2], ids[1::2]), strict=True):
        server.stdin.write("".join(f"{run_id}\n" for run_id in mine))
    for server in servers:
        assert server.communicate()[0].splitlines() == ["started"] * 3
        assert server.returncode == 0
    for run_id in ids:
        assert wait(tmp_path, run_id, has_ended).state == "finished"
    for earlier, later in pairwise(spans(tmp_path, ids)):
        assert earlier[0] < earlier[1] < later[0] < later[1]


def test_a_killed_run_lets_the_next_one_have_its_device_within_a_second(tmp_path, make_run, forked_workers):
    run_id = make_run(epochs=1000)
    runs.start(tmp_path, run_id)
    run = wait(tmp_path, run_id, lambda run: run.state == "running")
    waiting = tmp_path / make_run()
    run_folder.append_event(waiting, StateChanged(state="queued", time=run_folder.now()))
    pid, started = pid_of(run), started_at(pid_of(run))
    os.kill(pid, signal.SIGKILL)
    while started_at(pid) == started:
        time.sleep(0.001)
    begun = time.monotonic()
    with device_turn(waiting, Pulse(waiting)) as is_ours:
        assert is_ours
        assert time.monotonic() - begun < 1
