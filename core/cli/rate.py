"""`rate`: raise the learning rate from step to step on the untrained network, and suggest one to train at."""

import argparse
import json
from collections.abc import Callable

from core.cli.asked_run import add_run_arguments, read_run_spec
from core.spec import to_dict
from core.training.estimate import default_threads
from core.training.processes import step_back, tune
from core.training.rate_finder import HIGH, LOW, STEPS, RateSweep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `rate`: those of `train` that say what to train, and how fine the sweep is."""
    add_run_arguments(parser)
    parser.add_argument(
        "--steps", type=int, default=STEPS, help=f"between the rates {LOW:g} and {HIGH:g} (%(default)s)"
    )


def run(arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """Show the suggestions; as JSON also how far the sweep is, and every point of it."""
    run_spec, dataset = read_run_spec(arguments)
    threads = arguments.threads or default_threads()
    step_back()
    tune(threads)
    from core.training.rate_sweep import find_rate

    found = find_rate(run_spec, dataset, arguments.device, threads, arguments.steps)
    for done, event in enumerate(found, start=1):
        if isinstance(event, RateSweep):
            if arguments.json:
                show(json.dumps(to_dict(event, with_defaults=True)))
            else:
                _show_lines(event, show)
        elif arguments.json:
            show(json.dumps({"done": done, "total": arguments.steps}))
    return 0


def _show_lines(found: RateSweep, show: Callable[[str], None]) -> None:
    show(f"steepest descent        {_rate(found.steepest)}")
    show(f"a tenth of the least    {_rate(found.tenth_of_least)}")
    show(f"blows up                {_rate(found.blew_up_at)}")
    show(f"suggestion              {_rate(found.suggestion)}")


def _rate(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.3g}"
