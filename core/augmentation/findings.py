"""What a careful reader would point out in an augmentation, with the arithmetic and the remedy."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from core.augmentation.controls import is_upside_down
from core.augmentation.hole_chances import DROPOUT
from core.augmentation.holes import hidden_share, hidden_together
from core.augmentation.place import Colour, Place, Problem, pixels, words
from core.augmentation.spec import NORMALIZE, AugmentationSpec
from core.findings import Finding

COLOUR_TRANSFORMS = frozenset(
    {"ColorJitter", "HueSaturationValue", "RGBShift", "RandomBrightnessContrast", "RandomGamma", "ToGray"}
)
MOST_HIDDEN, LEAST_HIDDEN = 0.5, 0.05
"""Shares of the image: above the one most objects are gone, below the other there is hardly a hole."""
OFF_CENTRE, OFF_SPREAD = 0.03, 0.03
"""How far from 0 and from 1 the normalised pixels of the dataset may have their mean and deviation."""
PIXELS = 32 * 32
NEUTRAL = 0.02
"""How far from 0, in normalised units, a fill still tells the network nothing."""
ONE_SQUARE = {"num_holes_range": (1, 1), "hole_height_range": (16, 16), "hole_width_range": (16, 16)}
ONE_STRIPE = {"num_masks_x": (1, 1), "mask_x_length": (4, 8), "num_masks_y": (1, 1), "mask_y_length": (4, 8)}
PIXELWISE = ("PixelDropout", "SaltAndPepper")
LESS: Mapping[str, tuple[dict[str, Any], str]] = {
    DROPOUT: (ONE_SQUARE, "Use one square of 16x16 px"),
    "Erasing": ({"scale": (0.02, 0.29), "ratio": (0.3, 3.3)}, "Erase 2% to 29% of the image"),
    "GridDropout": ({"ratio": 0.5}, "Set the ratio to 0.5"),
    "PixelDropout": ({"dropout_prob": 0.1}, "Drop every tenth pixel"),
    "SaltAndPepper": ({"amount": (0.01, 0.06)}, "Change 1% to 6% of the pixels"),
    "XYMasking": (ONE_STRIPE, "Use one stripe of 4 to 8 px each way"),
}
"""Arguments with which a transform hides less than half, and what they are in words."""


def find_problems(spec: AugmentationSpec, dataset_mean: Colour, dataset_std: Colour) -> tuple[Problem, ...]:
    """The faults of `spec` on images with this mean and deviation per channel, scaled to [0, 1].

    In the order of the steps; steps that are off or never act have none. The statistics of a pipeline that
    normalises last are found behind its last step.
    """
    problems = list(_find_statistics(spec, dataset_mean, dataset_std))
    for index, step in enumerate(spec.steps):
        if step.is_on and step.probability > 0:
            place = Place(spec, index, dataset_mean)
            problems += [problem for find in FINDERS if (problem := find(place))]
    if "hides_most" not in {problem.kind for problem in problems}:
        problems += _find_hidden_together(spec)
    return tuple(sorted(problems, key=lambda problem: problem.index))


def _find_statistics(spec: AugmentationSpec, mean: Colour, std: Colour) -> Iterator[Problem]:
    centre = tuple((m - ours) / s for m, ours, s in zip(mean, spec.mean, spec.std, strict=True))
    spread = tuple(theirs / ours for theirs, ours in zip(std, spec.std, strict=True))
    if max(map(abs, centre)) <= OFF_CENTRE and max(abs(ratio - 1) for ratio in spread) <= OFF_SPREAD:
        return
    names = [step.transform for step in spec.steps]
    yield Finding(
        "other_statistics",
        "warning",
        names.index(NORMALIZE) if NORMALIZE in names else len(names),
        NORMALIZE,
        "The mean and deviation are not those of these images.",
        f"Normalised with mean {words(spec.mean)} and deviation {words(spec.std)}, these images have mean "
        f"{words(centre)} instead of 0 and deviation {words(spread)} instead of 1.",
        f"Use these images' own: mean {words(mean)}, deviation {words(std)}.",
        replace(spec, mean=mean, std=std),
    )


def _find_upside_down(place: Place) -> Problem | None:
    wrong = {name: value for name, value in place.step.arguments if is_upside_down(name, value)}
    if not wrong:
        return None
    swapped = {name: (most, least) for name, (least, most) in wrong.items()}
    return place.finding(
        "least_above_most",
        "error",
        "A range runs from more to less, and nothing can be drawn from it.",
        ", ".join(f"{name} runs from {least} down to {most}" for name, (least, most) in wrong.items()) + ".",
        "Swap the two numbers, or give the same number twice for a fixed size.",
        remedied=place.with_arguments(**swapped),
    )


def _find_fill_after_normalise(place: Place) -> Problem | None:
    fill = place.fill()
    if fill is None or not place.is_normalised or max(map(abs, fill)) <= NEUTRAL:
        return None
    is_mean = max(abs(level - mean) for level, mean in zip(fill, place.spec.mean, strict=True)) <= NEUTRAL
    problem = (
        "The hole is filled with the mean of the pixels before they are normalised; it meets them after."
        if is_mean
        else "The hole is filled with a colour, where the pixels are normalised already."
    )
    shown = [
        level * std + mean for level, mean, std in zip(fill, place.spec.mean, place.spec.std, strict=True)
    ]
    return place.finding(
        "fill_after_normalise",
        "warning",
        problem,
        f"The hole sits at {words(fill, signed=True)}, where the mean is 0: as pixels {pixels(shown)} "
        f"instead of {pixels(place.spec.mean)}.",
        "Fill it with 0, which is the mean behind Normalize.",
        remedied=place.with_arguments(fill=0),
    )


def _find_fill_as_share(place: Place) -> Problem | None:
    fill = place.fill()
    if fill is None or place.is_normalised or not 0 < max(fill) <= 1:
        return None
    meant = tuple(round(255 * level) for level in fill)
    cut = ", ".join(dict.fromkeys(str(int(level)) for level in fill))
    return place.finding(
        "fill_as_share",
        "warning",
        "The fill is a colour on the scale 0 to 1, but the pixels run from 0 to 255: the hole is black.",
        f"8-bit pixels cut {words(fill)} off to {cut}; "
        f"on their scale it is {pixels(fill)}. {_black_words(place)}",
        f"Fill it with {pixels(fill)}.",
        remedied=place.with_arguments(fill=meant),
    )


def _find_black_hole(place: Place) -> Problem | None:
    fill = place.fill()
    if fill is None or place.is_normalised or max(fill) > 0:
        return None
    mean = tuple(round(255 * level) for level in place.dataset_mean)
    return place.finding(
        "black_hole",
        "note",
        "The hole is black, which the network can tell from an image with nothing there.",
        _black_words(place),
        f"Fill it with the mean colour of these images, {pixels(place.dataset_mean)}.",
        remedied=place.with_arguments(fill=mean),
    )


def _black_words(place: Place) -> str:
    black = tuple(-mean / std for mean, std in zip(place.spec.mean, place.spec.std, strict=True))
    return f"Normalised, black is {words(black, signed=True)}; the mean is 0."


def _find_much_hidden(place: Place) -> Problem | None:
    share, step = hidden_share(place.step), place.step
    if share is None or share <= MOST_HIDDEN:
        return None
    arguments, advice = LESS[step.transform]
    remedied = place.with_arguments(**arguments)
    return place.finding(
        "hides_most",
        "warning",
        "Most of the pixels are gone." if step.transform in PIXELWISE else "The holes cover most objects.",
        f"Where the step acts, it hides {share:.0%} of the image on average.",
        f"{advice}, which hides {hidden_share(remedied.steps[place.index]) or 0:.0%}.",
        remedied=remedied,
    )


def _find_hidden_together(spec: AugmentationSpec) -> Iterator[Problem]:
    """Steps that hide little each, but most of the image together, on the images that one of them changes.

    For one step that is the rule for a step alone. Of steps that act by chance few images meet all.
    """
    hiding = [
        index
        for index, step in enumerate(spec.steps)
        if step.is_on and step.probability > 0 and hidden_share(step)
    ]
    share = hidden_together(spec.steps[index] for index in hiding)
    if len(hiding) < 2 or share <= MOST_HIDDEN:
        return
    first, rest = hiding[0], hiding[1:]
    upto = (hiding[:end] for end in range(2, len(hiding) + 1))
    here = next(some[-1] for some in upto if hidden_together(map(spec.steps.__getitem__, some)) > MOST_HIDDEN)
    alone = hidden_share(spec.steps[first]) or 0
    is_certain = all(spec.steps[index].probability == 1 for index in hiding)
    where = "" if is_certain else ", where at least one of them acts"
    numbers = f"{', '.join(str(index + 1) for index in hiding[:-1])} and {hiding[-1] + 1}"
    steps = tuple(
        replace(step, is_on=False) if index in rest else step for index, step in enumerate(spec.steps)
    )
    yield Finding(
        "hides_most",
        "warning",
        here,
        spec.steps[here].transform,
        "The holes of all steps together cover most objects.",
        f"Steps {numbers} together hide {share:.0%} of the image on average{where}.",
        f"Keep step {first + 1}, which hides {alone:.0%}, and switch the other{'s' * (len(rest) > 1)} off.",
        replace(spec, steps=steps),
    )


def _find_little_hidden(place: Place) -> Problem | None:
    share = hidden_share(place.step)
    if share is None or share >= LEAST_HIDDEN or place.step.transform != DROPOUT:
        return None
    return place.finding(
        "hides_nothing",
        "note",
        "The holes are almost nothing.",
        f"Where the step acts, they hide {share:.1%} of the image on average: {share * PIXELS:.0f} of "
        f"{PIXELS:,} pixels. The square of the Cutout paper, 16x16 px, hides 25%.",
        "Use one square of 16x16 px.",
        remedied=place.with_arguments(**ONE_SQUARE),
    )


def _find_colour_after_normalise(place: Place) -> Problem | None:
    """ToGray gives three equal numbers, which are no grey once each channel has its own scale."""
    if place.step.transform not in COLOUR_TRANSFORMS or not place.is_normalised:
        return None
    spec, at = place.spec, [step.transform for step in place.spec.steps].index(NORMALIZE)
    rest = (*spec.steps[: place.index], *spec.steps[place.index + 1 :])
    scales = list(zip(spec.mean, spec.std, strict=True))
    if place.step.transform == "ToGray":
        low, high = (pixels(level * std + mean for mean, std in scales) for level in (-1, 1))
        arithmetic = f"Three equal numbers behind Normalize are no grey: −1 is the pixel {low}, +1 is {high}."
    else:
        black, white = (words((level - mean) / std for mean, std in scales) for level in (0, 1))
        arithmetic = f"Behind Normalize black is {black} and white {white}; the transform expects 0 and 1."
    return place.finding(
        "colour_after_normalise",
        "warning",
        "The colours are changed after the normalisation, on numbers that are no colours any more.",
        arithmetic,
        "Move the step in front of Normalize.",
        remedied=replace(spec, steps=(*rest[:at], place.step, *rest[at:])),
    )


FINDERS: tuple[Callable[[Place], Problem | None], ...] = (
    _find_upside_down,
    _find_fill_after_normalise,
    _find_fill_as_share,
    _find_black_hole,
    _find_much_hidden,
    _find_little_hidden,
    _find_colour_after_normalise,
)
