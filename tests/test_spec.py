"""Specs are refused with our words, read back exactly, and safe to take from a link."""

import base64
import zlib

import pytest

from core.augmentation import AugmentationSpec, StepSpec
from core.errors import SpecError
from core.network import NetworkSpec, presets
from core.spec import MAX_LINK_BYTES, from_dict, from_json, from_link, to_dict, to_json, to_link
from core.training import Recipe, recipe_presets

SPECS = [*presets().values(), *recipe_presets().values()]
NAMES = [*presets(), *(f"{key} recipe" for key in recipe_presets())]


@pytest.mark.parametrize("spec", SPECS, ids=NAMES)
def test_json_and_links_bring_back_an_equal_spec(spec):
    cls = type(spec)
    assert from_json(cls, to_json(spec)) == spec
    assert from_link(cls, to_link(spec)) == spec
    assert from_dict(cls, to_dict(spec, with_defaults=True)) == spec
    assert hash(from_link(cls, to_link(spec))) == hash(spec)


def test_every_preset_fits_in_a_link_that_browsers_and_chat_programs_take():
    assert max(len(to_link(spec)) for spec in SPECS) < 2000


def test_a_direct_mistake_and_the_same_mistake_in_json_are_refused_alike():
    with pytest.raises(SpecError, match=r"batch_size: must be greater than or equal to 1, got 0"):
        Recipe(batch_size=0)
    with pytest.raises(SpecError, match=r"batch_size: must be greater than or equal to 1, got 0"):
        from_json(Recipe, '{"batch_size": 0}')


def test_an_unknown_field_is_named_with_its_place_counted_from_one():
    with pytest.raises(SpecError, match=r"layers\[1\]\.kernel: there is no such field; remove it"):
        from_json(NetworkSpec, '{"name": "a", "layers": [{"op": "flatten", "kernel": 3}]}')


def test_a_fault_in_a_field_is_told_once_and_not_again_for_what_holds_it():
    with pytest.raises(SpecError) as refusal:
        from_json(NetworkSpec, '{"name": "a", "layers": [{"op": "flatten", "stride": 0}]}')
    assert str(refusal.value).count(";") == 0


STEP = StepSpec(transform="ToGray")
RULES = {
    "steps: must have at most 20 items, got 21; take 1 away": {"steps": (STEP,) * 21},
    "name: must have at least 1 character, got none; add 1": {"name": ""},
    "name: must have at most 60 characters, got 75; take 15 away": {"name": "x" * 75},
    "std: must have at most 3 items, got 5; take 2 away": {"std": (0.1,) * 5},
    "steps: must be a list, got a step": {"steps": STEP},
    "name: must be a valid string, got 9 items": {"name": (STEP,) * 9},
    "steps[1]: must be fields by name, got an augmentation": {"steps": (AugmentationSpec(name="a"),)},
    "mean[2]: must be a valid number, got a step": {"mean": (0.5, STEP, 0.5)},
}


@pytest.mark.parametrize("message", RULES)
def test_what_is_too_long_too_short_or_a_description_is_told_by_the_rule_and_in_short(message):
    with pytest.raises(SpecError) as refusal:
        AugmentationSpec(**{"name": "a"} | RULES[message])
    assert str(refusal.value) == message


def test_whatever_field_has_bounds_for_its_length_is_told_alike():
    with pytest.raises(SpecError, match="^layers: must have at least 1 item, got none; add 1$"):
        NetworkSpec(name="a", layers=())
    layers = presets()["seed_001"].layers
    too_many = [to_dict(layers[0])] * 9999
    with pytest.raises(SpecError, match=r"^layers: must have at most \d+ items, got 9999; take \d+ away$"):
        from_dict(NetworkSpec, {"name": "a", "layers": too_many})


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", ": it is empty"),
        (b" \n", ": it is empty"),
        ("{", ": it breaks off in line 1, column 2"),
        ('{"name": flip}', " from line 1, column 10 on, got 'flip}'"),
        ('{"name": "a"\n "steps": []}', " from line 2, column 2 on, got '\"steps\": []}'"),
        (b"\x89PNG\r\n\xff", ": it is not text"),
        ("[" * 100_000, ": its lists lie too deep in one another"),
        ("1" * 10_000, ": it holds a number that is too long"),
    ],
)
def test_where_a_file_stops_to_be_json_is_told_without_the_words_of_the_parser(text, reason):
    with pytest.raises(SpecError) as refusal:
        from_json(AugmentationSpec, text)
    assert str(refusal.value) == f"augmentation: this is not JSON{reason}; export it again"


@pytest.mark.parametrize("text", ["", "{", "[1]", '"a"', "NaN", '{"epochs": NaN}', "[" * 100_000])
def test_text_that_is_no_recipe_is_refused(text):
    with pytest.raises(SpecError):
        from_json(Recipe, text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_refused(number):
    with pytest.raises(SpecError):
        from_json(Recipe, f'{{"learning_rate": {number}}}')


@pytest.mark.parametrize(
    "link", ["", "ü", "A", "not a link", "AAAA", "../../etc/passwd", to_link(Recipe())[:-4]]
)
def test_a_damaged_link_is_refused(link):
    with pytest.raises(SpecError):
        from_link(Recipe, link)


def test_a_link_that_unpacks_without_end_is_refused_before_it_fills_the_memory():
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * (50 * MAX_LINK_BYTES), 9)).decode()
    assert len(bomb) < MAX_LINK_BYTES
    with pytest.raises(SpecError, match="larger than"):
        from_link(Recipe, bomb)


def test_a_spec_cannot_be_changed_after_its_checks():
    with pytest.raises(AttributeError):
        Recipe().epochs = 0  # type: ignore[misc]
