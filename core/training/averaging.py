"""An average of the weights over the steps of a training: less noisy than the last ones."""

import torch
from torch import Tensor, nn


class WeightAverage:
    """The exponential moving average of parameters and of batch norm's running statistics.

    At step t its decay is the lesser of the given one and (1 + t) / (10 + t), so that the first weights,
    which are random, are soon forgotten.
    """

    def __init__(self, network: nn.Module, average: nn.Module, decay: float) -> None:
        """`average` has the architecture of `network`, and the weights to start from."""
        self.average, self.decay = average.requires_grad_(False), decay
        pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
        self._pairs: list[tuple[Tensor, Tensor]] = list(pairs)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after `step`, counted from 1 over the whole training."""
        decay = min(self.decay, (1 + step) / (10 + step))
        moving = [(kept, new) for kept, new in self._pairs if kept.dtype.is_floating_point]
        torch._foreach_lerp_([kept for kept, _ in moving], [new for _, new in moving], 1 - decay)
        for kept, new in self._pairs:
            if not kept.dtype.is_floating_point:
                kept.copy_(new)
