"""The fields of a recipe as widgets: what they are called, where they stand, and when they matter."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

import streamlit as st

from core.training import Recipe

Values = Mapping[str, Any]

OPTIMISERS = {"sgd": "SGD", "adamw": "AdamW", "muon": "Muon"}
SCHEDULES = {
    "constant": "constant",
    "step": "step",
    "cosine": "cosine",
    "one_cycle": "one cycle",
    "triangular": "triangular",
}
PACES = {"step": "at every step", "epoch": "once an epoch"}
MIXES = {"none": "none", "mixup": "mixup", "cutmix": "cutmix"}
PRECISIONS = {"float32": "float32", "bfloat16": "bfloat16 while training"}
PROTOCOLS = {
    "split": "a split of the training images (test is read once)",
    "test": "the test images (the seeds' protocol: optimistic)",
}


class Field(NamedTuple):
    """How a field of the recipe is drawn: a number by its `step`, a choice by its `options`, or a switch."""

    label: str
    step: float | None = None
    options: Mapping[str, str] | None = None
    help: str | None = None
    matters: Callable[[Values], bool] = lambda values: True


def _has_momentum(values: Values) -> bool:
    return bool(values["optimiser"] != "adamw")


def _is_step(values: Values) -> bool:
    return bool(values["schedule"] == "step")


FIELDS = {
    "epochs": Field("Epochs", 1),
    "batch_size": Field("Images a step", 1),
    "optimiser": Field(
        "Optimiser", options=OPTIMISERS, help="Muon makes the steps of convolution kernels orthogonal."
    ),
    "learning_rate": Field("Learning rate", 0.01, help="The highest that the schedule comes to."),
    "schedule": Field("Schedule", options=SCHEDULES, help="How the rate moves over the training."),
    "schedule_every": Field(
        "The rate moves",
        options=PACES,
        help="Once an epoch is what code does that calls its scheduler outside the loop over steps.",
        matters=lambda values: values["schedule"] not in ("constant", "step"),
    ),
    "step_epochs": Field("Epochs a step", 1, matters=_is_step),
    "step_gamma": Field("Factor a step", 0.05, matters=_is_step),
    "momentum": Field("Momentum", 0.05, matters=_has_momentum),
    "nesterov": Field("Nesterov momentum", matters=_has_momentum),
    "cycle_momentum": Field(
        "Momentum against the rate",
        help="Along one cycle it goes from 0.95 to 0.85 while the rate rises, and back (Smith 2018).",
        matters=lambda values: values["schedule"] == "one_cycle" and _has_momentum(values),
    ),
    "fresh_optimiser": Field(
        "A new optimiser every epoch",
        help="As code does that makes it inside the loop over epochs: its momentum is lost each time.",
    ),
    "weight_decay": Field("Weight decay (L2)", 0.0001),
    "l1": Field("L1", 0.00001),
    "label_smoothing": Field("Label smoothing", 0.05),
    "averaging": Field(
        "Weight averaging",
        0.01,
        help="The decay a step of a moving average of the weights, which is what is then measured and "
        "saved: 0.99 looks back over about 100 steps, 0 keeps none.",
    ),
    "mix": Field(
        "Mixing",
        options=MIXES,
        help="Mixup blends every image and its label with another one's, cutmix pastes a box of it.",
    ),
    "mix_alpha": Field(
        "Mixing, alpha",
        0.1,
        help="Of the Beta distribution that the share is drawn from: 1 is even, below 1 leaves most as is.",
        matters=lambda values: values["mix"] != "none",
    ),
    "alternate_flips": Field(
        "Alternate flips",
        help="Where the augmentation flips: every image is mirrored in every other epoch, not by chance.",
    ),
    "precision": Field("Precision", options=PRECISIONS),
    "seed": Field("Seed", 1, help="Two runs with the same seed give the same weights on the same machine."),
    "validation": Field("What chooses the best epoch", options=PROTOCOLS),
    "validation_fraction": Field(
        "Share held out", 0.05, matters=lambda values: values["validation"] == "split"
    ),
}
MAIN = ("epochs", "batch_size", "optimiser", "learning_rate", "schedule")
GROUPS = {
    "Optimiser and schedule": (
        "schedule_every", "step_epochs", "step_gamma", "momentum", "nesterov",
        "cycle_momentum", "fresh_optimiser",
    ),
    "Regularisation and mixing": (
        "weight_decay", "l1", "label_smoothing", "averaging", "mix", "mix_alpha", "alternate_flips",
    ),
    "Precision, seed and the images held out": ("precision", "seed", "validation_fraction"),
}  # fmt: skip
DEFAULTS = {field.name: getattr(Recipe(), field.name) for field in fields(Recipe)}


def draw(names: tuple[str, ...], values: Values) -> None:
    """The widgets of those fields that matter, numbers and choices in a grid and switches below."""
    shown = [name for name in names if FIELDS[name].matters(values)]
    switches = [name for name in shown if FIELDS[name].step is None and FIELDS[name].options is None]
    with st.grid(min_column_width=140, vertical_alignment="bottom"):
        for name in shown:
            if name not in switches:
                widget(name)
    if switches:
        with st.container(horizontal=True):
            for name in switches:
                field = FIELDS[name]
                st.checkbox(field.label, key=f"train_{name}", help=field.help, persist_state="session")


def widget(name: str) -> None:
    """The box of a number or a choice."""
    field, key = FIELDS[name], f"train_{name}"
    if field.options is not None:
        st.selectbox(
            field.label,
            list(field.options),
            key=key,
            format_func=field.options.__getitem__,
            help=field.help,
            persist_state="session",
        )
        return
    digits = None if isinstance(DEFAULTS[name], int) else "%g"
    st.number_input(
        field.label, key=key, step=field.step, format=digits, help=field.help, persist_state="session"
    )


def told(names: tuple[str, ...], values: Values) -> str:
    """Those fields that matter and are not at their default, in a few words: weight decay 0.0005."""
    parts = []
    for name in names:
        field, value = FIELDS[name], values[name]
        if value == DEFAULTS[name] or not field.matters(values):
            continue
        label = field.label.partition(" (")[0]
        label = label if label.isupper() or label[1:2].isdigit() else label[0].lower() + label[1:]
        if field.options is not None:
            parts.append(f"{label} {field.options[value]}")
        else:
            parts.append(label if value is True else f"{label} {value:g}")
    return ", ".join(parts)
