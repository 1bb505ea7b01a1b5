"""What to train, and on what, on the command line; `train`, `estimate` and `rate` ask for it alike."""

import argparse
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args, get_type_hints

from core import augmentation, data, network
from core.augmentation import AugmentationSpec
from core.cli.data import DATA_ROOT
from core.cli.specs import read_spec
from core.data import Dataset
from core.network import NetworkSpec
from core.spec import from_dict, to_dict
from core.training import Recipe, RunSpec, recipe_presets


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Network, augmentation, recipe, images and device; every field of the recipe is an option."""
    parser.add_argument("--network", default="scope_net", help="a preset's key or a JSON file (%(default)s)")
    parser.add_argument(
        "--augmentation", default="flip_crop", help="a preset's key or a JSON file (%(default)s)"
    )
    parser.add_argument("--recipe", default="quick", help="a preset's key or a JSON file (%(default)s)")
    parser.add_argument("--dataset", help="its name, as `data list` tells (the best that is ready)")
    parser.add_argument("--train-images", type=int, help="train on so many, as many of each class (all)")
    parser.add_argument(
        "--spec", metavar="FILE", help="a whole run spec as JSON, in place of the five options above"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, … (%(default)s)")
    parser.add_argument("--threads", type=int, help="CPU threads (all cores but one)")
    parser.add_argument(
        "--data-root", type=Path, default=DATA_ROOT, help="where datasets are kept (%(default)s)"
    )
    group = parser.add_argument_group("recipe", "each replaces what the recipe says")
    hints = get_type_hints(Recipe)
    for field in fields(Recipe):
        option = f"--{field.name.replace('_', '-')}"
        if hints[field.name] is bool:
            group.add_argument(option, action=argparse.BooleanOptionalAction, default=None)
        elif choices := get_args(hints[field.name]):
            group.add_argument(option, choices=choices)
        else:
            group.add_argument(option, metavar=hints[field.name].__name__.upper())


def read_run_spec(arguments: argparse.Namespace) -> tuple[RunSpec, Dataset]:
    """The run spec that is asked for, and its images."""
    if arguments.spec:
        spec: RunSpec = read_spec(RunSpec, {}, arguments.spec)
        dataset = data.load(spec.dataset, arguments.data_root)
    else:
        dataset = data.load(arguments.dataset or data.default_name(arguments.data_root), arguments.data_root)
        spec = RunSpec(
            dataset=dataset.name,
            fingerprint=dataset.fingerprint,
            network=read_spec(NetworkSpec, network.presets(), arguments.network),
            augmentation=read_spec(AugmentationSpec, augmentation.presets(), arguments.augmentation),
            recipe=read_spec(Recipe, recipe_presets(), arguments.recipe),
            train_images=arguments.train_images,
        )
    given = {field.name: getattr(arguments, field.name) for field in fields(Recipe)}
    changes = {name: value for name, value in given.items() if value is not None}
    return replace(spec, recipe=from_dict(Recipe, to_dict(spec.recipe) | changes)), dataset
