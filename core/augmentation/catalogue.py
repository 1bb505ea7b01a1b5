"""The transforms that are offered with controls designed by hand, for RGB images of 32x32 pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.augmentation.controls import Control, choice_control, range_control
from core.augmentation.presets import MEAN_PIXEL
from core.augmentation.spec import NORMALIZE, StepSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTransform:
    """A transform as people meet it."""

    name: str
    """Its class in albumentations."""
    title: str
    description: str
    """One sentence."""
    controls: tuple[Control, ...] = ()
    probability: float = 0.5
    """What a new step starts with."""
    fixed: tuple[tuple[str, Any], ...] = ()
    """Arguments that are not for choosing."""
    after: str = ""
    """The transform without which this one does nothing; a page adds both."""
    behind: tuple[StepSpec, ...] = ()
    """What must follow, because this one leaves images of another size; a page adds it too."""
    more_arguments: frozenset[str] = frozenset()
    """What the library takes besides `controls`, such as arguments for masks."""
    note: str = ""
    """How a new step differs from the library's defaults, and what cannot be set here."""

    def new_step(self) -> StepSpec:
        """A step with every argument at its default here; what is the library's own default stays unsaid."""
        said = [item for item in self.controls if item.absent is None and not item.is_optional]
        arguments = self.fixed + tuple((control.argument, control.default) for control in said)
        return StepSpec(transform=self.name, probability=self.probability, arguments=arguments)


BLACK_BORDER = (0, "Black")
BORDERS = (
    (4, "Mirror image"),
    (2, "Mirror image, edge pixel twice"),
    (1, "Edge pixel drawn out"),
    (3, "The other side"),
)
GREYS = (
    ("weighted_average", "Brightness as eyes see it"),
    ("average", "Mean of the channels"),
    ("desaturation", "Middle of brightest and darkest channel"),
    ("max", "Brightest channel"),
    ("from_lab", "Lightness (CIELAB)"),
    ("pca", "First principal component"),
)

SHIFT = (-0.5, 0.5), (-0.0625, 0.0625), 1 / 32  # the ends, the default and the step: 1 px
SHIFT_HELP = "1/16 of the side is 2 px. The library cuts shifts off to whole pixels."
ROTATE_HELP = "Counter-clockwise where positive."
BORDER_HELP = "What fills the part of the picture that comes from outside the image."
HOLE_HELP = "A hole always lies wholly in the image."

BORDER = choice_control("border_mode", "Beyond the edge", (*BORDERS, BLACK_BORDER), BORDER_HELP)
MARGIN = choice_control("border_mode", "Margin of", (BLACK_BORDER, *BORDERS), BORDER_HELP)
PADDING = Control(
    argument="padding",
    label="Margin",
    kind="int",
    default=4,
    minimum=1,
    maximum=16,
    unit="px",
    help="On each side. The crop then shifts the image by up to as much.",
)
KEEP_RATIO = Control(
    argument="keep_ratio",
    label="Same scale both ways",
    kind="bool",
    default=True,
    help="Off: width and height are scaled by factors of their own.",
)
FILL = Control(
    argument="fill",
    label="Fill",
    kind="colour",
    default=MEAN_PIXEL,
    choices=(
        (MEAN_PIXEL, "CIFAR-10's mean colour"),
        (0, "Black"),
        (255, "White"),
        ("random", "Noise"),
        ("random_uniform", "One random colour"),
    ),
    help="On the scale 0 to 255 of the image. Only the mean colour tells the network nothing.",
)

_OFFERED = (
    OfferedTransform(
        name="HorizontalFlip",
        title="Flip left and right",
        description="Mirrors the image: a car that drives left becomes one that drives right.",
    ),
    OfferedTransform(
        name="VerticalFlip",
        title="Flip upside down",
        description="Stands the image on its head; few things of CIFAR-10 are ever seen so.",
    ),
    OfferedTransform(
        name="Affine",
        title="Shift, scale, rotate",
        description="Moves, sizes, turns and slants the image at once.",
        controls=(
            range_control("translate_percent", "Shift", *SHIFT, "of the side", SHIFT_HELP),
            range_control("scale", "Scale", (0.5, 1.5), (0.9, 1.1), 0.05, "×", "Above 1 enlarges."),
            range_control("rotate", "Rotate", (-180, 180), (-15, 15), 1, "°", ROTATE_HELP),
            range_control("shear", "Shear", (-40, 40), (0, 0), 1, "°", "Slants the image, both ways."),
            KEEP_RATIO,
            BORDER,
        ),
    ),
    OfferedTransform(
        name="ShiftScaleRotate",
        title="ShiftScaleRotate",
        description="The name of the assignment; in release 2.0.8 it scales width and height apart.",
        controls=(
            range_control("shift_limit", "Shift", *SHIFT, "of the side", SHIFT_HELP),
            range_control(
                "scale_limit", "Scale, from 1", (-0.5, 0.5), (-0.1, 0.1), 0.05, "×", "0.1 enlarges by 10%."
            ),
            range_control("rotate_limit", "Rotate", (-180, 180), (-15, 15), 1, "°", ROTATE_HELP),
            BORDER,
        ),
    ),
    OfferedTransform(
        name="Pad",
        title="Pad",
        description="Puts a margin around the image; a random crop must follow.",
        probability=1.0,
        controls=(PADDING, MARGIN),
    ),
    OfferedTransform(
        name="RandomCrop",
        title="Random crop to 32x32",
        description="Cuts a window out of the padded image, at a place drawn anew for every image.",
        probability=1.0,
        fixed=(("height", 32), ("width", 32)),
        after="Pad",
    ),
    OfferedTransform(
        name="CoarseDropout",
        title="Coarse dropout (cutout)",
        description="Hides rectangles, so that no single part of the object can be relied upon.",
        controls=(
            range_control("num_holes_range", "Holes", (1, 16), (1, 1), 1, "", "They may overlap."),
            range_control("hole_height_range", "Height", (1, 32), (16, 16), 1, "px", HOLE_HELP),
            range_control("hole_width_range", "Width", (1, 32), (16, 16), 1, "px", HOLE_HELP),
            FILL,
        ),
    ),
    OfferedTransform(
        name="ToGray",
        title="Grey",
        description="Takes the colours away and keeps three equal channels.",
        probability=0.15,
        controls=(choice_control("method", "Grey from", GREYS, "How three channels become one."),),
    ),
    OfferedTransform(
        name="ColorJitter",
        title="Colour jitter",
        description="Changes brightness, contrast, saturation and hue, in an order drawn anew.",
        controls=(
            range_control(
                "brightness", "Brightness", (0, 2), (0.8, 1.2), 0.05, "×", "0 is black, 1 unchanged."
            ),
            range_control(
                "contrast", "Contrast", (0, 2), (0.8, 1.2), 0.05, "×", "0 is even grey, 1 unchanged."
            ),
            range_control(
                "saturation", "Saturation", (0, 2), (0.8, 1.2), 0.05, "×", "0 is grey, 1 unchanged."
            ),
            range_control(
                "hue", "Hue", (-0.5, 0.5), (-0.05, 0.05), 0.01, "turns", "0.5 is half the colour circle."
            ),
        ),
    ),
    OfferedTransform(
        name="RandomBrightnessContrast",
        title="Brightness and contrast",
        description="Adds to all pixels and stretches their differences.",
        controls=(
            range_control(
                "brightness_limit", "Brightness", (-1, 1), (-0.2, 0.2), 0.05, "", "1 adds white, -1 black."
            ),
            range_control(
                "contrast_limit", "Contrast", (-1, 1), (-0.2, 0.2), 0.05, "", "-1 leaves no contrast."
            ),
        ),
    ),
    OfferedTransform(
        name=NORMALIZE,
        title="Normalise",
        description="Applies the pipeline's mean and deviation here; without this step they come last.",
        probability=1.0,
    ),
)

TRANSFORMS: Mapping[str, OfferedTransform] = {offered.name: offered for offered in _OFFERED}
"""By the name of the class, in the order in which a page lists them; `discovery` finds all the others."""
