"""The form of a recipe: presets fill it, every field can be changed, and the link carries the whole."""

from dataclasses import fields
from typing import Any

import streamlit as st

from core.errors import SpecError
from core.spec import from_link, to_link
from core.training import Recipe, recipe_presets

DEFAULT = "quick"
OWN = "own settings"

SCHEDULES = {"constant": "constant", "step": "step", "cosine": "cosine", "one_cycle": "one cycle"}
PRECISIONS = {"float32": "float32", "bfloat16": "bfloat16 while training"}
PROTOCOLS = {
    "split": "a split of the training images (test is read once)",
    "test": "the test images (the seeds' protocol: optimistic)",
}


def recipe_form() -> Recipe:
    """Draw the form and return its recipe; `SpecError` names the field that breaks a rule."""
    _take_link()
    if "train_epochs" not in st.session_state:
        _fill(recipe_presets()[DEFAULT])
    values: dict[str, Any] = {"validation_fraction": st.session_state["train_validation_fraction"]}
    _preset_choice()
    with st.grid(min_column_width=140, vertical_alignment="bottom"):
        values["epochs"] = _number("Epochs", "epochs", step=1)
        values["batch_size"] = _number("Images a step", "batch_size", step=1)
        values["optimiser"] = _choice("Optimiser", "optimiser", {"sgd": "SGD", "adamw": "AdamW"})
        values["learning_rate"] = _number("Learning rate", "learning_rate", step=0.01, digits="%g")
        values["schedule"] = _choice("Schedule", "schedule", SCHEDULES)
    with st.expander("Regularisation, precision and seed", icon=":material/tune:"):
        values |= _further_fields(values["optimiser"], values["schedule"])
    values["validation"] = _choice("What chooses the best epoch", "validation", PROTOCOLS)
    recipe = Recipe(**values)
    link = to_link(recipe)
    st.session_state["train_recipe_link"] = link
    st.query_params["recipe"] = link
    return recipe


def _further_fields(optimiser: str, schedule: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    with st.grid(min_column_width=140, vertical_alignment="bottom"):
        if schedule == "step":
            values["step_epochs"] = _number("Epochs a step", "step_epochs", step=1)
            values["step_gamma"] = _number("Factor a step", "step_gamma", step=0.05, digits="%g")
        if optimiser == "sgd":
            values["momentum"] = _number("Momentum", "momentum", step=0.05, digits="%g")
        values["weight_decay"] = _number("Weight decay (L2)", "weight_decay", step=0.0001, digits="%g")
        values["l1"] = _number("L1", "l1", step=0.00001, digits="%g")
        values["label_smoothing"] = _number("Label smoothing", "label_smoothing", step=0.05, digits="%g")
        values["precision"] = _choice("Precision", "precision", PRECISIONS)
        values["seed"] = _number("Seed", "seed", step=1)
    if optimiser == "sgd":
        values["nesterov"] = st.checkbox("Nesterov momentum", key="train_nesterov", persist_state="session")
    return values


def _preset_choice() -> None:
    presets = recipe_presets()
    current = st.session_state.get("train_recipe_preset")
    options = [*presets, OWN]
    st.selectbox(
        "Recipe",
        options,
        index=options.index(current) if current in options else options.index(DEFAULT),
        key="train_recipe_preset",
        format_func=lambda key: key.replace("_", " "),
        on_change=_fill_from_preset,
        persist_state="session",
        help="Fills the fields below; change any of them afterwards.",
    )


def _fill_from_preset() -> None:
    recipe = recipe_presets().get(st.session_state["train_recipe_preset"])
    if recipe is not None:
        _fill(recipe)


def _fill(recipe: Recipe) -> None:
    for field in fields(Recipe):
        st.session_state[f"train_{field.name}"] = getattr(recipe, field.name)


def _take_link() -> None:
    link = st.query_params.get("recipe")
    if not link or link == st.session_state.get("train_recipe_link"):
        return
    st.session_state["train_recipe_link"] = link
    try:
        _fill(from_link(Recipe, link))
        st.session_state["train_recipe_preset"] = OWN
    except SpecError as error:
        st.error(f"{error}. The recipe in hand is kept.", icon=":material/link_off:")


def _number(label: str, field: str, step: float, digits: str | None = None) -> Any:
    return st.number_input(label, key=f"train_{field}", step=step, format=digits, persist_state="session")


def _choice(label: str, field: str, options: dict[str, str]) -> Any:
    return st.selectbox(
        label,
        list(options),
        key=f"train_{field}",
        format_func=options.__getitem__,
        persist_state="session",
    )
