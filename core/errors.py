"""Everything that ConvScope refuses, as one tree of exceptions.

    ConvScopeError
    ├── SpecError            a network, augmentation or recipe that breaks a rule
    │   └── SizingError      a layer that cannot work on the feature map it gets
    ├── DataError            a dataset that is missing, truncated, empty or wrongly labelled
    │   └── DownloadError    a download that did not arrive whole
    ├── ImageError           an image file that is refused or cannot be read
    ├── CheckpointError      a checkpoint that is damaged, incomplete or does not fit
    └── RunError             a run that cannot be created, started, stopped or resumed
        └── DivergedError    a training whose loss or weights are no longer numbers

Every message says where, what rule, what was given, and the remedy, in words fit for the page.
"""


class ConvScopeError(Exception):
    """Base of every refusal; pages catch this and nothing broader."""


class SpecError(ConvScopeError):
    """A description that breaks a rule: the field, the rule, the value and the remedy."""


class SizingError(SpecError):
    """A layer that cannot work on the feature map it gets.

    `layer` is the layer's index in the network, from 0; `sized` holds the `LayerSizing` of every layer
    before it, so that a page can still show how far the network gets.
    """

    def __init__(self, message: str, layer: int, sized: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.layer = layer
        self.sized = sized


class DataError(ConvScopeError):
    """A dataset that cannot be used: which file or folder, why, and what to do."""


class DownloadError(DataError):
    """A download that stopped, or whose checksum is wrong; nothing half-done is left in use."""


class ImageError(ConvScopeError):
    """An image that is refused: its format, size or content."""


class CheckpointError(ConvScopeError):
    """A checkpoint that is damaged, incomplete, or made for something else."""


class RunError(ConvScopeError):
    """A run that cannot be created, started, stopped or resumed."""


class DivergedError(RunError):
    """A training whose loss or weights are no longer numbers: the epoch and step, and what to do."""
