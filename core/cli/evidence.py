"""`evidence`: how much of what a checkpoint goes by lies under the holes of an augmentation."""

import argparse
from collections.abc import Callable

import numpy as np

from core.cli.sample import add_sample_arguments, read_augmentation, read_dataset, show_json, use_threads
from core.evaluation.evidence import NEARLY_ALL, Evidence, EvidenceSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `evidence`."""
    add_sample_arguments(parser, images=500, seed=1)
    parser.add_argument(
        "--shown", type=int, default=0, help="images whose maps are given, in JSON (%(default)s)"
    )


def run(arguments: argparse.Namespace, show: Callable[[str], None]) -> int:
    """Show the share of the evidence that the holes take."""
    settings = EvidenceSettings(
        augmentation=read_augmentation(arguments),
        images=arguments.images,
        seed=arguments.seed,
        shown=arguments.shown,
    )
    dataset = read_dataset(arguments)
    use_threads(arguments)
    from core.evaluation.evidence_run import take_evidence

    for event in take_evidence(arguments.checkpoint, dataset, settings, arguments.device):
        if arguments.json:
            show_json(show, event)
        elif isinstance(event, Evidence):
            _show_figures(event, show)
    return 0


def _show_figures(evidence: Evidence, show: Callable[[str], None]) -> None:
    shares, hidden, nearly = evidence.measured, evidence.hidden, evidence.nearly_all
    show(f"{len(evidence.ids):,} test images, map of {evidence.layer}, {evidence.rows}×{evidence.columns}")
    show(f"pixels under the holes    {sum(hidden) / len(hidden):7.1%} on average")
    if len(shares):
        low, high = nearly.interval
        middle = float(np.median(shares))
        show(f"evidence under the holes  {shares.mean():7.1%} on average, {middle:.1%} in the middle")
        show(
            f"more than {NEARLY_ALL:.0%} of it      {nearly.value:7.1%} of the images "
            f"(95 %: {low:.1%} to {high:.1%}), {nearly.correct:,} of {nearly.total:,}"
        )
    show(f"without any evidence      {evidence.without:,} images, left out above")
