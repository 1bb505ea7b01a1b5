"""A checkpoint, an augmentation and a sample of test images on the command line: strength and evidence."""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core import checkpoint, data
from core.augmentation import AugmentationSpec, presets
from core.cli.data import DATA_ROOT
from core.cli.specs import read_spec
from core.data import Dataset
from core.errors import SpecError
from core.spec import to_dict


def add_sample_arguments(parser: argparse.ArgumentParser, images: int, seed: int) -> None:
    """What is asked of which checkpoint, on which test images; `images` and `seed` are the defaults."""
    parser.add_argument("checkpoint", type=Path, help="its folder, such as runs/<id>/best")
    parser.add_argument("augmentation", help="a preset's key or a JSON file")
    parser.add_argument(
        "--images", type=int, default=images, help="test images, as many of each class (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=seed, help="of the sample and the draws (%(default)s)")
    parser.add_argument("--dataset", help="its name (the one that the checkpoint was trained on)")
    parser.add_argument(
        "--data-root", type=Path, default=DATA_ROOT, help="where datasets are kept (%(default)s)"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, … (%(default)s)")
    # One core is left to whoever waits, such as the app: threads that fight for one are many times slower.
    threads = max(1, (os.cpu_count() or 1) - 1)
    parser.add_argument("--threads", type=int, default=threads, help="CPU threads (%(default)s)")


def read_augmentation(arguments: argparse.Namespace) -> AugmentationSpec:
    """The augmentation that is named."""
    return read_spec(AugmentationSpec, presets(), arguments.augmentation)


def read_dataset(arguments: argparse.Namespace) -> Dataset:
    """The dataset that is named, else the checkpoint's own."""
    name = arguments.dataset or checkpoint.load(arguments.checkpoint).run_spec.dataset
    return data.load(name, arguments.data_root)


def use_threads(arguments: argparse.Namespace) -> None:
    """Let torch take as many CPU threads as are named; `SpecError` unless it is one or more."""
    if arguments.threads < 1:
        raise SpecError(f"threads must be at least 1, got {arguments.threads}; leave the option out")
    import torch

    torch.set_num_threads(arguments.threads)


def show_json(show: Callable[[str], None], event: Any) -> None:
    """Show progress or a result as one line of JSON."""
    show(json.dumps(to_dict(event, with_defaults=True), ensure_ascii=False))
