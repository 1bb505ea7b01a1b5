"""`train`: one run, here and now, in a run folder like any other; Ctrl-C stops it so that it can go on.

Under `torchrun`, its processes train the run together, and the first of them keeps it.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.asked_run import add_run_arguments, read_run_spec
from core.errors import SpecError
from core.spec import to_dict
from core.training import run_folder, runs, worker
from core.training.events import EpochDone, Event, RateChanged, StateChanged, StepDone
from core.training.followers import follow
from core.training.place import Place, place_of
from core.training.processes import tune
from core.training.room import refuse_small_disk
from core.training.telling import epoch_line, rate_line, state_line, step_line

if TYPE_CHECKING:
    from core.training.peers import Meeting

RUNS_ROOT = Path("runs")
STEP_SECONDS = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `train`."""
    add_run_arguments(parser)
    parser.add_argument("--title", default="", help="what the run is called (the network's name)")
    parser.add_argument("--runs", type=Path, default=RUNS_ROOT, help="where runs are kept (%(default)s)")
    parser.add_argument("--resume", metavar="RUN", help="go on with this run; the options above do not count")


def run(arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """Train, and show what happens; 0 where the run finished or was stopped, else 1."""
    place = place_of(arguments.environment)
    if place.count == 1:
        return _train(arguments, show, place, None)
    tune()
    from core.training.peers import Meeting

    meeting = Meeting(place)
    try:
        if place.rank:
            return follow(meeting, arguments.data_root)
        return _train(arguments, show, place, meeting)
    finally:
        meeting.close()


def _train(
    arguments: argparse.Namespace, show: Callable[[str], None], place: Place, meeting: "Meeting | None"
) -> int:
    run_id = arguments.resume or _create(arguments, place)
    folder = runs.find(arguments.runs, run_id)
    if runs.read_folder(folder).state == "finished":
        raise SpecError(f"run {run_id} is finished; there is nothing to go on with")
    record = run_folder.read_record(folder)
    refuse_small_disk(arguments.runs, record.spec)
    run_folder.clear_request(folder)
    tune(record.threads if place.count == 1 else 1)
    worker.stop_on_signals(folder)
    teller = Teller(folder, show)
    for event in worker.work(folder, meeting):
        if arguments.json:
            show(json.dumps({"run": run_id, "kind": event.kind, **to_dict(event, with_defaults=True)}))
        else:
            teller.tell(event)
    return worker.exit_code(event)


def _create(arguments: argparse.Namespace, place: Place) -> str:
    spec, _ = read_run_spec(arguments)
    # What torchrun starts here shares the cores.
    threads = arguments.threads or max(1, ((os.cpu_count() or 1) - 1) // place.local_count)
    return runs.create(arguments.runs, spec, arguments.data_root, arguments.device, arguments.title, threads)


class Teller:
    """Says in a line what happened, and does not say too much."""

    def __init__(self, folder: Path, show: Callable[[str], None]) -> None:
        self.folder, self.show = folder, show
        self.spec = run_folder.read_record(folder).spec
        self.told = time.monotonic()

    def tell(self, event: Event) -> None:
        """Show the event, if it is worth a line."""
        if isinstance(event, StateChanged):
            self.show(self._state(event))
        elif isinstance(event, EpochDone):
            self.show(epoch_line(event, self.spec.recipe))
            self.told = time.monotonic()
        elif isinstance(event, RateChanged):
            self.show(rate_line(event))
        elif isinstance(event, StepDone) and time.monotonic() > self.told + STEP_SECONDS:
            self.show(step_line(event))
            self.told = time.monotonic()

    def _state(self, event: StateChanged) -> str:
        if event.state == "running":
            notice = f" ({event.reason})" if event.reason else ""
            begun = f"training {self.spec.network.name} on {self.spec.dataset}"
            return f"{begun} from epoch {event.epoch + 1}{notice}"
        if event.state == "finished":
            return f"{state_line(event)}; checkpoint {self.folder / 'best'}"
        if event.state == "stopped":
            return f"stopped; go on with --runs {self.folder.parent} --resume {self.folder.name}"
        return f"queued: run {self.folder.name}" if event.state == "queued" else state_line(event)
