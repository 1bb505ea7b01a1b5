"""`estimate`: what a run would take in time and memory on this machine, from a few timed steps."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict

from core.cli.asked_run import add_run_arguments, read_run_spec
from core.spec import to_dict
from core.training.estimate import Estimate, default_threads
from core.training.processes import step_back, tune


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `estimate`: those of `train` that say what to train."""
    add_run_arguments(parser)


def run(arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """Show the estimate; as JSON also how far it is."""
    run_spec, dataset = read_run_spec(arguments)
    threads = arguments.threads or default_threads()
    step_back()
    tune(threads)
    from core.training.timing import estimate

    for event in estimate(run_spec, dataset, arguments.device, threads):
        if isinstance(event, Estimate):
            if arguments.json:
                show(json.dumps(to_dict(event, with_defaults=True)))
            else:
                _show_lines(event, show)
        elif arguments.json:
            show(json.dumps(asdict(event)))
    return 0


def _show_lines(found: Estimate, show: Callable[[str], None]) -> None:
    show(f"an epoch    {found.epoch_seconds:,.1f} s ({found.validation_seconds:,.1f} s of it validation)")
    show(f"the run     {found.seconds:,.0f} s for {found.epochs} epochs of {found.steps} steps")
    show(f"pace        {found.images_per_second:,.0f} images a second while training")
    free = f"{found.free_bytes / 2**30:.2f} GiB were free"
    show(f"memory      {found.peak_bytes / 2**30:.2f} GiB at most, {free}")
    show(f"measured    {len(found.step_seconds)} steps, {found.hardware}, {found.threads} threads")
    if found.is_busy:
        others = f"others used {found.others_cores:.1f} of {found.cores} cores"
        show(f"busy        {others}: it may be quicker later")
