"""The transforms on offer and their documentation; the first call imports albumentations, for a second."""

from collections.abc import Mapping

from core.augmentation.catalogue import TRANSFORMS, OfferedTransform


def offered_transforms() -> Mapping[str, OfferedTransform]:
    """By the name of the class: first the common ones, designed by hand, then all others from A to Z."""
    from core.augmentation import discovery

    return discovery.offered_transforms()


def documentation(name: str) -> str:
    """What albumentations says about its transform `name`, as Markdown."""
    from core.augmentation import discovery

    return discovery.documentation(name).text


def search_label(name: str) -> str:
    """The line of `name` in the box of transforms, where people type any part of it."""
    offered = offered_transforms()[name]
    if name not in TRANSFORMS:
        return f"{name} · {offered.description}"
    return f"Common · {offered.title}" + ("" if offered.title == name else f" ({name})")
