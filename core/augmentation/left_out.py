"""Which of albumentations' transforms, arguments and choices are not offered for one RGB image, and why."""

from collections.abc import Mapping

OTHER_PICTURES = "needs other pictures beside the one that it changes"
BOXES = "works on masks, bounding boxes or key points, which images with one label have not"
TYPES = "changes the type or the channels of the image, which the pipeline does last and by itself"
SPECTROGRAMS = "is made for spectrograms; {} does the same to pictures"
SQUARES = "does to a square image what Resize does"

LEFT_OUT: Mapping[str, str] = {
    "FDA": OTHER_PICTURES,
    "HistogramMatching": OTHER_PICTURES,
    "PixelDistributionAdaptation": OTHER_PICTURES,
    "Mosaic": OTHER_PICTURES,
    "OverlayElements": OTHER_PICTURES,
    "HEStain": "is made for stained tissue, and two of its methods fail at an image that is almost white",
    "TextImage": "needs a file with a font and texts beside the image",
    "AtLeastOneBBoxRandomCrop": BOXES,
    "BBoxSafeRandomCrop": BOXES,
    "ConstrainedCoarseDropout": BOXES,
    "CropNonEmptyMaskIfExists": BOXES,
    "MaskDropout": BOXES,
    "RandomCropNearBBox": BOXES,
    "RandomSizedBBoxSafeCrop": BOXES,
    "FromFloat": TYPES,
    "ToFloat": TYPES,
    "ToRGB": TYPES,
    "Lambda": "runs a function of its user, and a pipeline here is plain data",
    "NoOp": "does nothing",
    "FrequencyMasking": SPECTROGRAMS.format("XYMasking"),
    "TimeMasking": SPECTROGRAMS.format("XYMasking"),
    "TimeReverse": SPECTROGRAMS.format("HorizontalFlip"),
    "SquareSymmetry": "is another name of D4",
    "LongestMaxSize": SQUARES,
    "SmallestMaxSize": SQUARES,
}
"""Transforms of single images that are not offered; those of volumes, 3D, are left out as well."""

NO_EFFECT = frozenset(
    {"fill_mask", "mask", "mask_params", "mask_drop_value", "mask_interpolation", "keypoint_remapping_method"}
    | {"rotate_method", "p", "strict"}
)
"""Arguments that change masks, key points and boxes, or that are not the transform's own."""

OTHERWISE_SIZED = "the image must stay 32x32 px"
INSTEAD = "it excludes {}, which is set here"
LEFT_OUT_ARGUMENTS: Mapping[str, str] = {
    "CropAndPad.keep_size": OTHERWISE_SIZED,
    "CropAndPad.px": INSTEAD.format("percent"),
    "PadIfNeeded.pad_height_divisor": INSTEAD.format("min_height"),
    "PadIfNeeded.pad_width_divisor": INSTEAD.format("min_width"),
    "Perspective.keep_size": OTHERWISE_SIZED,
    "PiecewiseAffine.absolute_scale": "the scale is a share of the image here",
    "RandomResizedCrop.size": OTHERWISE_SIZED,
    "RandomSizedCrop.size": OTHERWISE_SIZED,
    "Resize.height": OTHERWISE_SIZED,
    "Resize.width": OTHERWISE_SIZED,
    "Rotate.crop_border": OTHERWISE_SIZED,
}
LEFT_OUT_CHOICES = frozenset(
    {
        ("area_for_downscale", "image_mask"),  # is "image", and masks besides
        ("ChromaticAberration.interpolation", 5),  # OpenCV's remap does not know these two
        ("ChromaticAberration.interpolation", 6),
    }
)


def is_left_out(transform: str, argument: str) -> bool:
    """Whether an argument has no control."""
    return argument in NO_EFFECT or f"{transform}.{argument}" in LEFT_OUT_ARGUMENTS
