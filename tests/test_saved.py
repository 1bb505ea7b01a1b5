"""Pipelines are saved, renamed, replaced and deleted by name, as networks are."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.augmentation import AugmentationSpec, presets
from core.errors import SpecError
from core.network import presets as networks
from core.saved import SpecFolder
from core.spec import to_json

SPEC = presets()["cutout"]


@pytest.fixture
def saved(tmp_path: Path) -> SpecFolder[AugmentationSpec]:
    return SpecFolder(AugmentationSpec, "a pipeline", tmp_path / "augmentations")


def names(saved: SpecFolder[AugmentationSpec]) -> list[str]:
    return [each.spec.name if each.spec else f"damaged {each.key}" for each in saved.list()]


@pytest.mark.parametrize("key", presets())
def test_a_saved_pipeline_comes_back_equal(saved, key):
    spec = presets()[key]
    assert saved.load(saved.save(spec, spec.name)) == spec


def test_a_name_is_replaced_only_by_itself(saved):
    first = saved.save(SPEC, "Mine")
    assert saved.save(presets()["none"], "Mine") == first
    assert saved.load(first).steps == ()
    assert saved.save(SPEC, "mine!") != first
    assert names(saved) == ["Mine", "mine!"]


def test_a_renamed_pipeline_is_found_under_its_new_name_alone(saved):
    key = saved.save(SPEC, "Old")
    new_key = saved.rename(key, "New")
    assert names(saved) == ["New"]
    assert saved.load(new_key) == replace(SPEC, name="New")
    assert saved.rename(new_key, "New") == new_key
    assert names(saved) == ["New"]


def test_renamed_to_the_name_of_another_it_takes_its_place(saved):
    saved.save(presets()["none"], "Taken")
    saved.rename(saved.save(SPEC, "Mine"), "Taken")
    assert names(saved) == ["Taken"]
    assert saved.list()[0].spec.steps == SPEC.steps


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_name_that_none_can_have_leaves_all_as_it_was(saved, name):
    key = saved.save(SPEC, "Mine")
    with pytest.raises(SpecError, match="name"):
        saved.rename(key, name)
    assert names(saved) == ["Mine"]


def test_what_is_no_pipeline_is_listed_with_its_problem(saved):
    saved.save(SPEC, "good")
    (saved.folder / "network.json").write_text(to_json(networks()["scope_net"]))
    bad, good = sorted(saved.list(), key=lambda each: each.key == "good")
    assert good.spec is not None
    assert bad.spec is None
    assert bad.problem.startswith("network.json: ")


def test_a_name_without_letters_gets_a_key_from_what_it_is(saved):
    assert saved.save(SPEC, "🔬") == "pipeline"
    assert saved.load("pipeline").name == "🔬"
