"""The form of a recipe: presets and files fill it, every field can be changed, the link carries the whole."""

from dataclasses import fields
from typing import Any

import streamlit as st

from core.errors import SpecError
from core.spec import from_link, to_link
from core.training import Recipe, recipe_notes, recipe_presets
from ui import state
from ui.spec_file import file_popover
from ui.text import plain
from ui.training import recipe_fields
from ui.widgets import hold

DEFAULT = "quick"
OWN = "own settings"


def prepare() -> None:
    """Take the recipe of a new link, and start from the default where there is none yet."""
    _take_link()
    if "train_epochs" not in st.session_state:
        fill(recipe_presets()[DEFAULT])


def recipe_in_hand() -> Recipe:
    """The recipe that the form holds, also where the form is not drawn."""
    prepare()
    return Recipe(**_values())


def protocol_choice() -> None:
    """Draw the one field that stands apart from the others, before them: what chooses the best epoch."""
    prepare()
    recipe_fields.widget("validation")


def recipe_form() -> Recipe:
    """Draw the other fields and return the recipe; `SpecError` names the field that breaks a rule."""
    values = _values()
    recipe = _try_recipe(values)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _preset_choice(recipe)
        file_popover("train_recipe_file", recipe, "recipe", fill, Recipe)
    if note := recipe_notes().get(st.session_state["train_recipe_preset"]):
        st.caption(plain(note))
    recipe_fields.draw(recipe_fields.MAIN, values)
    for turn, (title, names) in enumerate(recipe_fields.GROUPS.items()):
        # What differs is not in the label: where that changes, the browser draws the fields anew, and takes
        # the focus away.
        with st.expander(title, icon=":material/tune:", key=f"train_recipe_group{turn}"):
            recipe_fields.draw(names, values)
    told = [recipe_fields.told(names, values) for names in recipe_fields.GROUPS.values()]
    st.caption(f"Set there: {', '.join(filter(None, told)) or 'nothing but the defaults'}")
    if recipe is None:
        recipe = Recipe(**values)  # says what is wrong
    link = to_link(recipe)
    st.session_state["train_recipe_link"] = link
    state.write_link("recipe", link)
    return recipe


def fill(recipe: Recipe) -> None:
    """Put `recipe` into the form."""
    for field in fields(Recipe):
        st.session_state[f"train_{field.name}"] = getattr(recipe, field.name)


def _values() -> dict[str, Any]:
    """What the form holds, the fields that it does not show among them, so that a recipe stays whole."""
    values = {field.name: st.session_state[f"train_{field.name}"] for field in fields(Recipe)}
    for name in ("nesterov", "cycle_momentum"):  # refused where they do not matter, and not shown there
        values[name] = values[name] and recipe_fields.FIELDS[name].matters(values)
    return values


def _try_recipe(values: dict[str, Any]) -> Recipe | None:
    try:
        return Recipe(**values)
    except SpecError:
        return None


def _preset_choice(recipe: Recipe | None) -> None:
    """The preset that the form is at, or that it is at none."""
    presets = recipe_presets()
    chosen = st.session_state.get("train_recipe_preset", DEFAULT)
    present = chosen if presets.get(chosen) == recipe else state.preset_key(recipe, presets)
    hold("train_recipe_preset", present or OWN)
    st.selectbox(
        "Recipe",
        list(presets) if present else [OWN, *presets],
        key="train_recipe_preset",
        format_func=lambda key: key.replace("_", " "),
        on_change=_fill_from_preset,
        help="Fills the fields below; change any of them afterwards.",
    )


def _fill_from_preset() -> None:
    recipe = recipe_presets().get(st.session_state["train_recipe_preset"])
    if recipe is not None:
        fill(recipe)


def _take_link() -> None:
    link = st.query_params.get("recipe")
    if not link or link == st.session_state.get("train_recipe_link"):
        return
    st.session_state["train_recipe_link"] = link
    try:
        fill(from_link(Recipe, link))
    except SpecError as error:
        st.error(f"{error}. The recipe in hand is kept.", icon=":material/link_off:")
