"""How much of what a checkpoint goes by lies under the holes of an augmentation: what is asked, what comes.

The evidence is the Grad-CAM map of the true class on the image as it is, without an augmentation: what speaks
for the label that a training keeps when the hole takes the pixels away. Taking it costs torch:
`core.evaluation.evidence_run`.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from core.augmentation import AugmentationSpec
from core.evaluation.metrics import Accuracy
from core.spec import describe

NEARLY_ALL = 0.9
"""From which share on, exclusive, an image counts as one that lost nearly all of its evidence."""

Row = tuple[int, ...]


@describe
class EvidenceSettings:
    """What is taken; any change may change it."""

    augmentation: AugmentationSpec
    """Only its steps that make holes act, and they act on every image."""
    images: int = Field(default=500, ge=1, le=100_000)
    """Test images, as many of each class; all of them where there are fewer."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Of the choice of images, and of the holes."""
    shown: int = Field(default=24, ge=0, le=200)
    """Of how many images the maps are kept: those that lose the most."""


@describe
class ShownEvidence:
    """One image with its map and its holes."""

    id: int
    """Of the test image."""
    share: float
    """Of its evidence, what lies under the holes."""
    attention: tuple[Row, ...]
    """(H, W): the map, from 0 to 255, which is its largest value."""
    hidden: tuple[Row, ...]
    """(H, W): 1 where a hole lies, else 0."""


@describe
class Evidence:
    """What the holes take from a sample of test images."""

    settings: EvidenceSettings
    layer: str
    """Whose map it is: the last one before the network pools it to 1×1."""
    rows: int
    """Of that map, in units; columns likewise."""
    columns: int
    ids: tuple[int, ...]
    shares: tuple[float | None, ...]
    """Of each image's evidence, what lies under the holes; None where no unit speaks for the class."""
    hidden: tuple[float, ...]
    """Of each image's pixels, what lies under the holes."""
    shown: tuple[ShownEvidence, ...]
    """Those that lose the most, the most first."""

    @property
    def measured(self) -> NDArray[np.float64]:
        """The shares of the images that have evidence at all, (M,)."""
        return np.array([share for share in self.shares if share is not None])

    @property
    def without(self) -> int:
        """Images of whose class the map holds no positive evidence; they have no share."""
        return sum(share is None for share in self.shares)

    @property
    def nearly_all(self) -> Accuracy:
        """How many of the measured images lose more than `NEARLY_ALL`, with the interval of that share."""
        measured = self.measured
        return Accuracy(int(np.count_nonzero(measured > NEARLY_ALL)), len(measured))


def removed_shares(attention: NDArray[np.floating], hidden: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N,): of the sum of each map (N, H, W), which is nowhere negative, what lies where `hidden` (N, H, W).

    NaN where a map is 0 everywhere. All hidden gives exactly 1, nothing hidden exactly 0.
    """
    maps = attention.astype(np.float64)
    totals = maps.sum(axis=(1, 2))
    under = (maps * hidden).sum(axis=(1, 2))
    shares = np.full(len(maps), np.nan)
    np.divide(under, totals, out=shares, where=totals > 0)
    return shares
