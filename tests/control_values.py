"""What a person can set a control to: its default, the ends of its sliders and every choice."""

from core.augmentation import AugmentationSpec, StepSpec
from core.augmentation.catalogue import OfferedTransform
from core.augmentation.controls import Control
from core.augmentation.discovery import offered_transforms


def values_of(control: Control) -> list[object]:
    """The default, every choice, and the ends of a slider, together and each alone."""
    return [
        control.default,
        *([None] if control.is_optional else []),
        *ends_of(control),
        *choices_of(control),
    ]


def ends_of(control: Control) -> list[object]:
    """All at the least, all at the most, and a range from the one to the other, as the page settles them."""
    least, most = (int if control.kind.startswith("int") else float)(control.minimum), control.maximum
    if control.kind.endswith("range"):
        return [control.settle(ends) for ends in ((least, least), (most, most), (least, most))]
    if control.kind == "box":
        return [control.settle(box) for box in ((least,) * 4, (most,) * 4, (least, least, most, most))]
    if control.kind.endswith("tuple"):
        return [(least,) * len(control.default), (most,) * len(control.default)]
    return [least, most] if control.is_numeric else []


def choices_of(control: Control) -> list[object]:
    """What is chosen, not slid."""
    own_colours = [(0, 0, 0), (255, 255, 255), (10, 200, 30)] if control.kind == "colour" else []
    return (
        ([True, False] if control.kind == "bool" else [])
        + [value for value, _ in control.choices]
        + own_colours
    )


def spec_with(offered: OfferedTransform, step: StepSpec) -> AugmentationSpec:
    """The step between those that the page adds with it."""
    offers = offered_transforms()
    before = (offers[offered.after].new_step(),) if offered.after else ()
    behind = (offers["RandomCrop"].new_step(),) if offered.name == "Pad" else offered.behind
    return AugmentationSpec(name="test", steps=(*before, step, *behind))


def step_with(offered: OfferedTransform, **arguments: object) -> StepSpec:
    """A new step with some arguments set, which acts on every image."""
    keywords = offered.new_step().keywords | arguments
    return StepSpec(transform=offered.name, arguments=tuple(keywords.items()))
