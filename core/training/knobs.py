"""The knobs of a run spec: one thing at a time that can be given another value, and the spec that results."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

from core.augmentation.spec import AugmentationSpec, StepSpec
from core.errors import SizingError, SpecError
from core.network import size_network
from core.network.spec import STEPS_WITH_RATE, LayerSpec, NetworkSpec, parse_step
from core.training.recipe import Recipe, RunSpec

Value = int | float | str
Kind = Literal["integer", "number", "choice"]

ON, OFF = "on", "off"
HOLE = "CoarseDropout"
SIDES = ("hole_height_range", "hole_width_range")


@dataclass(frozen=True, slots=True)
class Knob:
    """Something about a run that can be given another value."""

    key: str
    title: str
    """For people, with its unit."""
    kind: Kind
    present: Value
    """Its value in the spec at hand."""
    values: tuple[Value, ...]
    """Some to try, the present one among them; all there are, of a `choice`."""

    def parse(self, text: str) -> Value:
        """The value that somebody typed; `SpecError` where it is of another kind."""
        text = text.strip()
        try:
            value: Value = {"integer": int, "number": float, "choice": str}[self.kind](text)
        except ValueError:
            rule = {"integer": "a whole number", "number": "a number"}[self.kind]
            raise SpecError(f"{self.title}: a value must be {rule}, got {text!r}; type another") from None
        if self.kind == "choice" and value not in self.values:
            given = f"got {text!r}"
            raise SpecError(f"{self.title}: must be one of {', '.join(map(str, self.values))}, {given}")
        return value


class _Rule(NamedTuple):
    title: str
    kind: Kind
    values: tuple[Value, ...]
    read: Callable[[RunSpec], Value]
    """The present value; `SpecError` with a remedy where the spec lacks what the knob turns."""
    write: Callable[[RunSpec, Any], RunSpec]


def knob_titles() -> dict[str, str]:
    """Every knob by its key, also those that a spec may lack."""
    return {key: rule.title for key, rule in _RULES.items()}


def find_knob(spec: RunSpec, key: str) -> Knob:
    """The knob `key` as it stands in `spec`; `SpecError` says what the spec lacks, and what to do."""
    if key not in _RULES:
        raise SpecError(f"there is no knob {key!r}; choose one of {', '.join(_RULES)}")
    rule = _RULES[key]
    present, values = rule.read(spec), rule.values
    if rule.kind != "choice":
        values = tuple(sorted({*values, present}, key=float))
    return Knob(key, rule.title, rule.kind, present, values)


def turn(spec: RunSpec, key: str, value: Value) -> RunSpec:
    """`spec` with the knob `key` at `value` and nothing else changed.

    `SpecError` where the spec lacks the knob or the value breaks a rule. Whether the network works then,
    `core.network.size_network` tells.
    """
    find_knob(spec, key)
    return _RULES[key].write(spec, value)


def value_text(value: Value) -> str:
    """A value as people write it: 0.1, 16, on."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _recipe_rule(
    field: str, title: str, kind: Kind, values: tuple[Value, ...], lack: Callable[[Recipe], str] | None = None
) -> _Rule:
    def read(spec: RunSpec) -> Value:
        if lack is not None and (remedy := lack(spec.recipe)):
            raise SpecError(f"{title.lower()} has no effect in this recipe; {remedy}")
        value: Value = getattr(spec.recipe, field)
        return value

    def write(spec: RunSpec, value: Value) -> RunSpec:
        fields: dict[str, Any] = {field: value}
        return replace(spec, recipe=replace(spec.recipe, **fields))

    return _Rule(title, kind, values, read, write)


def _choices(field: str) -> tuple[str, ...]:
    return get_args(Recipe.__annotations__[field])


def _needs_momentum(recipe: Recipe) -> str:
    return "choose sgd or muon as optimiser" if recipe.optimiser == "adamw" else ""


def _needs_steps(recipe: Recipe) -> str:
    return "" if recipe.schedule == "step" else "choose the schedule step"


def _needs_mix(recipe: Recipe) -> str:
    return "choose mixup or cutmix" if recipe.mix == "none" else ""


def _dilation(spec: RunSpec) -> Value:
    if not any(layer.dilation > 1 for layer in spec.network.layers):
        raise SpecError("the network has no dilated layer; give a convolution a dilation of 2 on Network")
    return ON


def _switch_dilation(spec: RunSpec, value: str) -> RunSpec:
    if value == ON:
        return spec
    if value != OFF:
        raise SpecError(f"dilation must be {ON} or {OFF}, got {value!r}")
    network = replace(spec.network, layers=tuple(map(_undilated, spec.network.layers)))
    try:
        size_network(network)
    except SizingError:  # a map has grown out of the window that is to average the whole of it
        network = replace(network, layers=_pool_whole(spec.network, network))
    return replace(spec, network=network)


def _undilated(layer: LayerSpec) -> LayerSpec:
    """The layer with dilation 1, its padding less by what the window shrinks, so that the map keeps its size.

    Where there is less padding than that, none is left, and the map grows by the rest.
    """
    if layer.dilation == 1:
        return layer
    shrinks = (layer.dilation - 1) * ((layer.kernel_size or 1) - 1)
    return replace(layer, dilation=1, padding=max(0, layer.padding - shrinks // 2))


def _pool_whole(before: NetworkSpec, after: NetworkSpec) -> tuple[LayerSpec, ...]:
    """The layers of `after`, each average over a whole map of `before` over the whole map, of any size."""
    sized = zip(before.layers, size_network(before).layers, strict=True)
    whole = {
        layer.name
        for layer, row in sized
        if layer.op == "avg_pool" and (layer.kernel_size, layer.kernel_size) == row.input_shape[1:]
    }
    return tuple(
        LayerSpec(op="global_avg_pool", name=each.name, block=each.block, then=each.then)
        if each.name in whole
        else each
        for each in after.layers
    )


def _hole_size(spec: RunSpec) -> Value:
    sizes = {max(step.keywords.get(side, (16,))) for step in _holes(spec.augmentation) for side in SIDES}
    if not sizes:
        raise SpecError("the augmentation has no Coarse dropout that is on; add one on Augment")
    return int(max(sizes))


def _holes(augmentation: AugmentationSpec) -> list[StepSpec]:
    return [step for step in augmentation.steps if step.transform == HOLE and step.is_on]


def _set_hole_size(spec: RunSpec, value: int) -> RunSpec:
    """Square holes of `value` pixels; 0 switches the step off."""
    if not 0 <= value <= 32:
        raise SpecError(f"a hole must be 0 to 32 px, got {value}")
    sides = dict.fromkeys(SIDES, (value, value))

    def change(step: StepSpec) -> StepSpec:
        if step.transform != HOLE or not step.is_on:
            return step
        arguments: Any = step.keywords | sides  # kept as sorted pairs
        return replace(step, arguments=arguments) if value else replace(step, is_on=False)

    steps = tuple(map(change, spec.augmentation.steps))
    return replace(spec, augmentation=replace(spec.augmentation, steps=steps))


def _dropout(spec: RunSpec) -> Value:
    rates = {rate for layer in spec.network.layers for step in layer.then if (rate := parse_step(step)[1])}
    if not rates:
        raise SpecError("the network has no dropout above 0; put one behind a layer on Network")
    return max(rates)


def _set_dropout(spec: RunSpec, value: float) -> RunSpec:
    def change(step: str) -> str:
        kind, _ = parse_step(step)
        return f"{kind} {value_text(float(value))}" if kind in STEPS_WITH_RATE else step

    layers = tuple(replace(each, then=tuple(map(change, each.then))) for each in spec.network.layers)
    return replace(spec, network=replace(spec.network, layers=layers))


def _train_images(spec: RunSpec) -> Value:
    if spec.train_images is None:
        raise SpecError("the run trains on all images; set a number of training images first")
    return spec.train_images


def _set_train_images(spec: RunSpec, value: int) -> RunSpec:
    return replace(spec, train_images=value)


_RULES = {
    "dilation": _Rule("Dilation", "choice", (ON, OFF), _dilation, _switch_dilation),
    "hole_size": _Rule("Hole size (px)", "integer", (0, 4, 8, 12, 16), _hole_size, _set_hole_size),
    "dropout": _Rule("Dropout rate", "number", (0.0, 0.02, 0.05, 0.1), _dropout, _set_dropout),
    "learning_rate": _recipe_rule("learning_rate", "Learning rate", "number", (0.01, 0.03, 0.1, 0.3)),
    "batch_size": _recipe_rule("batch_size", "Images a step", "integer", (32, 64, 128, 256)),
    "seed": _recipe_rule("seed", "Seed", "integer", (1, 2, 3)),
    "epochs": _recipe_rule("epochs", "Epochs", "integer", (2, 5, 10, 20)),
    "train_images": _Rule(
        "Training images", "integer", (1000, 2000, 5000, 10000), _train_images, _set_train_images
    ),
    "optimiser": _recipe_rule("optimiser", "Optimiser", "choice", _choices("optimiser")),
    "schedule": _recipe_rule("schedule", "Schedule", "choice", _choices("schedule")),
    "mix": _recipe_rule("mix", "Mixing", "choice", _choices("mix")),
    "momentum": _recipe_rule("momentum", "Momentum", "number", (0.0, 0.5, 0.9, 0.95), _needs_momentum),
    "weight_decay": _recipe_rule("weight_decay", "Weight decay (L2)", "number", (0.0, 0.0001, 0.0005, 0.005)),
    "l1": _recipe_rule("l1", "L1", "number", (0.0, 0.000001, 0.00001)),
    "label_smoothing": _recipe_rule("label_smoothing", "Label smoothing", "number", (0.0, 0.05, 0.1, 0.2)),
    "averaging": _recipe_rule("averaging", "Weight averaging", "number", (0.0, 0.9, 0.99, 0.999)),
    "mix_alpha": _recipe_rule("mix_alpha", "Mixing, alpha", "number", (0.2, 0.5, 1.0), _needs_mix),
    "step_epochs": _recipe_rule("step_epochs", "Epochs a step", "integer", (2, 4, 8), _needs_steps),
    "step_gamma": _recipe_rule("step_gamma", "Factor a step", "number", (0.1, 0.3, 0.5), _needs_steps),
}
