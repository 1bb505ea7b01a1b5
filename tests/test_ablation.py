"""Ablations: one knob turned and nothing else, a grid of runs that belong together, and mean with spread."""

import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from core.augmentation import presets as augmentation_presets
from core.errors import RunError, SizingError, SpecError
from core.network import presets, size_network
from core.training import ablation, knobs, runs
from core.training.differences import list_differences
from core.training.events import RateChanged
from core.training.groups import group_seeds, spread
from core.training.recipe import Recipe, RunSpec
from tests.tiny import random_dataset, run_spec

TINY = run_spec(random_dataset())
SPEC = replace(
    TINY,
    network=presets()["seed_001"],
    augmentation=augmentation_presets()["cutout"],
    recipe=Recipe(schedule="step", mix="mixup"),
    train_images=1000,
)


@pytest.mark.parametrize("key", knobs.knob_titles())
def test_turning_a_knob_changes_that_and_nothing_else(key: str) -> None:
    knob = knobs.find_knob(SPEC, key)
    assert knob.present in knob.values
    assert knobs.turn(SPEC, key, knob.present) == SPEC
    other = next(value for value in reversed(knob.values) if value != knob.present)
    turned = knobs.turn(SPEC, key, other)
    if key != "dilation":
        assert knobs.find_knob(turned, key).present == other
    parts = {path.partition(".")[0] for path in list_differences([SPEC, turned])}
    places = {"dilation": "network", "dropout": "network", "hole_size": "augmentation"}
    assert parts == {places.get(key, "train_images" if key == "train_images" else "recipe")}


def test_without_dilation_every_map_keeps_its_size_where_the_padding_allows_it() -> None:
    for preset in ("seed_000", "seed_001", "seed_002", "scope_net"):
        before = replace(SPEC, network=presets()[preset])
        after = knobs.turn(before, "dilation", "off")
        assert any(layer.dilation > 1 for layer in before.network.layers)
        assert {layer.dilation for layer in after.network.layers} == {1}
        shapes = [
            [layer.output_shape for layer in size_network(each.network).layers] for each in (before, after)
        ]
        assert shapes[0] == shapes[1]


def test_without_dilation_a_map_without_padding_grows_and_the_network_still_works() -> None:
    for preset in ("seed_003", "seed_003_less_weighted", "seed_004"):
        before = presets()[preset]
        after = knobs.turn(replace(SPEC, network=before), "dilation", "off").network
        assert {layer.dilation for layer in after.layers} == {1}
        assert size_network(after).output_shape == size_network(before).output_shape
        assert size_network(after).num_params == size_network(before).num_params


def test_a_hole_is_a_square_of_so_many_pixels_and_none_at_zero() -> None:
    eight = knobs.turn(SPEC, "hole_size", 8).augmentation
    (hole,) = [step.keywords for step in eight.steps if step.transform == "CoarseDropout"]
    assert hole["hole_height_range"] == hole["hole_width_range"] == (8, 8)
    assert hole["fill"] == (125, 123, 114)
    none = knobs.turn(SPEC, "hole_size", 0).augmentation
    assert [step.is_on for step in none.steps if step.transform == "CoarseDropout"] == [False]


def test_dropout_of_all_layers_takes_the_rate_and_keeps_its_kind() -> None:
    turned = knobs.turn(SPEC, "dropout", 0.2).network
    pairs = [
        (old, new)
        for before, after in zip(SPEC.network.layers, turned.layers, strict=True)
        for old, new in zip(before.then, after.then, strict=True)
    ]
    changed = {(old.split()[0], new) for old, new in pairs if old.startswith("dropout")}
    assert changed == {(kind, f"{kind} 0.2") for kind, _ in changed}
    assert changed
    assert all(old == new for old, new in pairs if not old.startswith("dropout"))


@pytest.mark.parametrize(
    "key, spec, remedy",
    [
        ("dilation", TINY, "give a convolution a dilation of 2 on Network"),
        ("hole_size", TINY, "add one on Augment"),
        ("dropout", replace(SPEC, network=presets()["scope_net"]), "put one behind a layer on Network"),
        ("momentum", replace(SPEC, recipe=Recipe(optimiser="adamw")), "choose sgd or muon"),
        ("step_gamma", TINY, "choose the schedule step"),
        ("mix_alpha", TINY, "choose mixup or cutmix"),
        ("train_images", TINY, "set a number of training images"),
    ],
)
def test_a_knob_that_the_spec_lacks_is_refused_with_a_remedy(key: str, spec: RunSpec, remedy: str) -> None:
    with pytest.raises(SpecError, match=remedy):
        ablation.plan(spec, key, (1,), 1)


@pytest.mark.parametrize(
    "key, typed, words",
    [
        ("batch_size", "2.5", "a whole number, got '2.5'"),
        ("learning_rate", "fast", "a number, got 'fast'"),
        ("dilation", "maybe", "one of on, off, got 'maybe'"),
    ],
)
def test_a_typed_value_of_another_kind_is_refused(key: str, typed: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        knobs.find_knob(SPEC, key).parse(typed)


def test_typed_values_are_read_as_what_the_knob_takes() -> None:
    assert knobs.find_knob(SPEC, "batch_size").parse(" 64 ") == 64
    assert knobs.find_knob(SPEC, "learning_rate").parse("1e-3") == 0.001
    assert knobs.find_knob(SPEC, "dilation").parse("off") == "off"


def test_values_that_break_a_rule_are_refused_before_anything_is_made() -> None:
    for key, value, words in [
        ("learning_rate", 0.0, "learning_rate: must be greater than 0"),
        ("hole_size", 40, "0 to 32 px, got 40"),
        ("dropout", 1.0, "below 1"),
    ]:
        with pytest.raises(SpecError, match=words):
            ablation.plan(SPEC, key, (value,), 1)
    with pytest.raises(SpecError, match="1 to 60 runs, got 17 values from 4 seeds"):
        ablation.plan(SPEC, "hole_size", tuple(range(17)), 4)
    with pytest.raises(SpecError, match="its values are the seeds"):
        ablation.plan(SPEC, "seed", (1, 2), 2)


def test_a_grid_holds_every_value_from_every_seed_once_and_all_values_of_a_seed_first() -> None:
    planned = ablation.plan(SPEC, "hole_size", (0, 8, 16, 8), 2)
    assert [(each.value, each.seed) for each in planned] == [
        (0, 1), (8, 1), (16, 1), (0, 2), (8, 2), (16, 2),
    ]  # fmt: skip
    assert [each.spec.recipe.seed for each in planned] == [1, 1, 1, 2, 2, 2]
    assert len({each.spec for each in planned}) == 6
    assert planned[1].title.endswith("Hole size (px) 8 · seed 1")


def test_a_grid_is_kept_with_its_runs_and_found_by_any_of_them(tmp_path: Path) -> None:
    planned = ablation.plan(TINY, "learning_rate", (0.1, 1.0), 1)
    made = ablation.create(tmp_path, planned, "learning_rate", tmp_path, "cpu")
    other = ablation.create(tmp_path, planned, "learning_rate", tmp_path, "cpu", "Another")
    assert ablation.read(tmp_path, made.id) == made
    assert {each.id for each in ablation.list_ablations(tmp_path)} == {made.id, other.id}
    members = ablation.members(tmp_path, made)
    assert [(member.value, run and run.spec) for member, run in members.items()] == [
        (each.value, each.spec) for each in planned
    ]
    assert ablation.find_of_run(tmp_path, other.runs[1].run) == other
    runs.delete(tmp_path, made.runs[0].run)
    assert [run is None for run in ablation.members(tmp_path, made).values()] == [True, False]
    assert len(runs.list_runs(tmp_path)) == 3
    assert runs.list_damaged(tmp_path) == ()


def test_a_grid_of_which_one_run_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    good = ablation.plan(TINY, "learning_rate", (0.1,), 1)
    huge = replace(TINY.network.layers[0], kernel_size=64)
    broken = replace(TINY, network=replace(TINY.network, layers=(huge, *TINY.network.layers[1:])))
    with pytest.raises(SizingError):
        ablation.plan(broken, "learning_rate", (0.1,), 1)
    with pytest.raises(SizingError):
        ablation.create(tmp_path, (*good, replace(good[0], spec=broken)), "learning_rate", tmp_path, "cpu")
    assert runs.list_runs(tmp_path) == ()
    assert ablation.list_ablations(tmp_path) == ()


@pytest.mark.parametrize("name", ["../../etc/passwd", "20260101-000000-seed-abcdef", ""])
def test_an_id_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="there is no ablation"):
        ablation.read(tmp_path, name)


def test_a_damaged_file_hides_no_other_ablation(tmp_path: Path) -> None:
    planned = ablation.plan(TINY, "seed", (1, 2), 1)
    made, damaged = (ablation.create(tmp_path, planned, "seed", tmp_path, "cpu") for _ in range(2))
    (tmp_path / "ablations" / f"{damaged.id}.json").write_text("{")
    assert ablation.list_ablations(tmp_path) == (made,)
    with pytest.raises(RunError, match="cannot be read"):
        ablation.read(tmp_path, damaged.id)


def test_a_grid_starts_in_its_order_and_only_what_has_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(runs, "start", lambda root, run_id: asked.append(run_id))
    planned = ablation.plan(TINY, "batch_size", (64, 16, 32), 1)
    made = ablation.create(tmp_path, planned, "batch_size", tmp_path, "cpu")
    ablation.start(tmp_path, made)
    assert asked == [each.run for each in made.runs]
    assert [each.value for each in made.runs] == [64, 16, 32]


def test_runs_are_grouped_where_only_their_seed_differs(tmp_path: Path) -> None:
    specs = [
        replace(TINY, recipe=replace(TINY.recipe, seed=seed, batch_size=size))
        for size in (16, 32)
        for seed in (1, 2, 3)
    ]
    compared = [runs.read(tmp_path, runs.create(tmp_path, spec, tmp_path, "cpu")) for spec in specs]
    mixed = [compared[turn] for turn in (0, 3, 1, 4, 2, 5)]
    groups = group_seeds(mixed)
    assert [[run.spec.recipe.seed for run in group] for group in groups] == [[1, 2, 3], [1, 2, 3]]
    assert [{run.spec.recipe.batch_size for run in group} for group in groups] == [{16}, {32}]


def test_a_repeated_seed_and_a_rate_changed_by_hand_set_a_run_apart(tmp_path: Path) -> None:
    first, again, other = (
        runs.read(
            tmp_path,
            runs.create(tmp_path, replace(TINY, recipe=replace(TINY.recipe, seed=seed)), tmp_path, "cpu"),
        )
        for seed in (1, 1, 2)
    )
    assert group_seeds([first, again, other]) == ((first, other), (again,))
    changed = replace(other, rate_changes=(RateChanged(epoch=1, step=2, factor=0.1),))
    assert group_seeds([first, changed]) == ((first,), (changed,))


def test_mean_and_spread_are_those_of_the_sample() -> None:
    values = [0.5, 0.25, 0.75]
    found = spread([*values, None])
    assert found is not None
    assert (found.mean, found.deviation, found.count) == (0.5, pytest.approx(0.25), 3)
    assert found.deviation == pytest.approx(statistics.stdev(values))
    single = spread([0.5])
    assert single is not None
    assert (single.mean, single.deviation, single.count) == (0.5, None, 1)
    assert spread([None]) is None
