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
    optimiser: Literal["sgd", "adamw", "muon"] = "sgd"
    """`muon` moves the kernels of convolutions by orthogonalised steps, and the rest as `sgd` does."""
    learning_rate: Positive = 0.05
    """The constant rate, or the peak of `one_cycle` and the start of `step` and `cosine`."""
    schedule: Literal["constant", "step", "cosine", "one_cycle", "triangular"] = "one_cycle"
    """See `core.training.schedule`; `step` moves by epochs, the others at every step."""
    schedule_every: Literal["step", "epoch"] = "step"
    """`epoch` keeps the rate for a whole epoch, as code does that moves its schedule once an epoch."""
    step_epochs: int = Field(default=8, ge=1, le=1000)
    step_gamma: float = Field(default=0.1, gt=0, le=1)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """For `sgd` and `muon`."""
    cycle_momentum: bool = False
    """With `one_cycle`: from 0.95 down to 0.85 as the rate rises, and back, as torch's does by default."""
    nesterov: bool = False
    """For `sgd` and `muon`, with a momentum."""
    fresh_optimiser: bool = False
    """A new optimiser at every epoch, as code has that makes it in the loop: what it remembered is lost."""
    weight_decay: Rate = 0.0
    """L2: `weight_decay` of the torch optimiser (decoupled for `adamw`)."""
    l1: Rate = 0.0
    """The factor of the sum of all absolute parameters that is added to the loss."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    averaging: float = Field(default=0.0, ge=0, lt=1)
    """The decay, at every step, of an exponential moving average of the weights; 0 keeps none.

    The average is what is validated, tested and saved.
    """
    mix: Literal["none", "mixup", "cutmix"] = "none"
    """Blend every image and its label with another of the batch (Zhang 2018), or paste a box (Yun 2019)."""
    mix_alpha: float = Field(default=1.0, gt=0, le=10)
    """Of the Beta distribution from which the share of the other image is drawn."""
    alternate_flips: bool = False
    """Mirror every image in every other epoch, by chance only in the first (Jordan 2024), where the
    augmentation flips horizontally; every image is then seen both ways in any two epochs."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """`bfloat16` is autocast while training; evaluation is always float32."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    validation: Literal["split", "test"] = "split"
    """What chooses the best epoch: some of the training images, or the test images (as the seeds did)."""
    validation_fraction: float = Field(default=0.1, gt=0, lt=0.5)
    """The share of every class's training images that `split` holds out."""

    def __post_init__(self) -> None:
        if self.nesterov and (self.optimiser == "adamw" or self.momentum == 0):
            given = f"{self.optimiser} with {self.momentum}"
            raise SpecError(f"nesterov needs sgd or muon with a momentum, got {given}; switch it off")
        if self.cycle_momentum and (self.schedule != "one_cycle" or self.optimiser == "adamw"):
            given = f"{self.schedule} with {self.optimiser}"
            raise SpecError(f"cycle_momentum needs one_cycle with sgd or muon, got {given}; switch it off")


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
