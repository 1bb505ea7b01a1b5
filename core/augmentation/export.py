"""An augmentation to take away, as Python source for albumentations 2.0.8. JSON is `core.spec.to_json`."""

import json
import keyword
from typing import Any

from core.augmentation.spec import MAX_STEPS, NORMALIZE, AugmentationSpec, StepSpec, thaw
from core.errors import SpecError

WIDTH = 88
"""Columns of the source: what `ruff format` and `black` keep to."""
INDENT = "    "
NORMALIZE_CALL = "A.Normalize(mean=MEAN, std=STD)"


def to_python(spec: AugmentationSpec, seed: int = 1) -> str:
    """The pipelines for training and test images as the source of a module, as `ruff format` leaves it.

    `train_transform(image=image)["image"]` takes (32, 32, 3) uint8 RGB and puts out a (3, 32, 32) float32
    tensor; it draws from `seed` what `build_pipeline(spec, seed)` draws. Steps that are off or never act are
    left out. Raises `SpecError` for names that are no names in Python, as only a tampered link has them.
    """
    steps = [step for step in spec.steps if step.is_on and step.probability > 0]
    if NORMALIZE not in [step.transform for step in steps]:
        steps.append(StepSpec(transform=NORMALIZE))
    return "\n".join(
        (
            '"""An augmentation exported from ConvScope, for albumentations 2.0.8 and torch."""',
            "",
            "import albumentations as A",
            "from albumentations.pytorch import ToTensorV2",
            "",
            f"# {_plain(spec.name)}",
            "",
            "# Of pixels scaled to [0, 1], for red, green and blue.",
            f"MEAN = {_literal(spec.mean)}",
            f"STD = {_literal(spec.std)}",
            f"SEED = {seed}",
            "",
            '# For RGB images (32, 32, 3) uint8: train_transform(image=image)["image"]',
            "train_transform = A.Compose(",
            f"{INDENT}[",
            *_write_steps([*map(_write_step, steps), "ToTensorV2()"]),
            f"{INDENT}],",
            f"{INDENT}seed=SEED,",
            ")",
            "# Compose gives every transform the same seed; with one each, they draw independently.",
            "for number, transform in enumerate(train_transform.transforms):",
            f"{INDENT}transform.set_random_seed({MAX_STEPS} * SEED + number)",
            f"test_transform = A.Compose([{NORMALIZE_CALL}, ToTensorV2()])",
            "",
        )
    )


def _write_steps(calls: list[str]) -> list[str]:
    """The calls as items of the list in a Compose."""
    return [f"{INDENT * 2}{line}" for call in calls for line in f"{call},".split("\n")]


def _write_step(step: StepSpec) -> str:
    """The call of one transform, broken into a line an argument where it is too long."""
    _check_name(step.transform)
    if step.transform == NORMALIZE:
        return NORMALIZE_CALL
    arguments = [f"{_check_name(name)}={_literal(value)}" for name, value in step.arguments]
    arguments.append(f"p={_literal(step.probability)}")
    call = f"A.{step.transform}({', '.join(arguments)})"
    if len(INDENT) * 2 + len(call) + 1 <= WIDTH:
        return call
    lines = [f"{INDENT}{argument}," for argument in arguments]
    return "\n".join((f"A.{step.transform}(", *lines, ")"))


def _plain(name: str) -> str:
    """A name as a comment of one line can hold it."""
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in name)


def _check_name(name: str) -> str:
    if name.isascii() and name.isidentifier() and not keyword.iskeyword(name):
        return name
    raise SpecError(f"{name!r:.40} is no name in Python and so no part of albumentations; take the step out")


def _literal(value: Any) -> str:
    """A plain value as Python writes it, with double quotes."""
    value = thaw(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(name)}: {_literal(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, tuple):
        inner = ", ".join(map(_literal, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)
