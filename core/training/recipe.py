"""How a network is trained, as data: the recipe, and the run spec that ties it to network and images."""

from typing import Annotated, Literal

from pydantic import Field

from core.augmentation.spec import AugmentationSpec
from core.errors import SpecError
from core.network.spec import NetworkSpec
from core.spec import describe

Rate = Annotated[float, Field(ge=0, le=10)]
Positive = Annotated[float, Field(gt=0, le=10)]


@describe
class Recipe:
    """Everything about a training but the network, the augmentation and the images."""

    epochs: int = Field(default=10, ge=1, le=1000)
    batch_size: int = Field(default=128, ge=1, le=4096)
    """Images a step."""
    optimiser: Literal["sgd", "adamw"] = "sgd"
    learning_rate: Positive = 0.05
    """The constant rate, or the peak of `one_cycle` and the start of `step` and `cosine`."""
    schedule: Literal["constant", "step", "cosine", "one_cycle"] = "one_cycle"
    """See `core.training.schedule`; `step` and `constant` move by epochs, the others at every step."""
    step_epochs: int = Field(default=8, ge=1, le=1000)
    step_gamma: float = Field(default=0.1, gt=0, le=1)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """For `sgd`."""
    nesterov: bool = False
    """For `sgd`, with a momentum."""
    weight_decay: Rate = 0.0
    """L2: `weight_decay` of the torch optimiser (decoupled for `adamw`)."""
    l1: Rate = 0.0
    """The factor of the sum of all absolute parameters that is added to the loss."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["float32", "bfloat16"] = "float32"
    """`bfloat16` is autocast while training; evaluation is always float32."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    validation: Literal["split", "test"] = "split"
    """What chooses the best epoch: some of the training images, or the test images (as the seeds did)."""
    validation_fraction: float = Field(default=0.1, gt=0, lt=0.5)
    """The share of every class's training images that `split` holds out."""

    def __post_init__(self) -> None:
        if self.nesterov and (self.optimiser != "sgd" or self.momentum == 0):
            given = f"{self.optimiser} with {self.momentum}"
            raise SpecError(f"nesterov needs sgd with a momentum, got {given}; switch it off")


@describe
class RunSpec:
    """Everything that is needed to repeat a run, given the images."""

    dataset: str = Field(min_length=1, max_length=80)
    """The dataset's name."""
    fingerprint: str = Field(min_length=1, max_length=64)
    """The dataset's fingerprint; a run refuses other images."""
    network: NetworkSpec
    augmentation: AugmentationSpec
    recipe: Recipe
    train_images: int | None = Field(default=None, ge=1)
    """Train on so many images, as many of each class, instead of on all."""
