"""From images to probabilities: the one way in which a network is evaluated."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import ImageError
from core.network.exact import make_exact


def predict(
    network: nn.Module,
    images: np.ndarray,
    mean: Sequence[float],
    std: Sequence[float],
    device: str | torch.device,
    batch_size: int = 250,
) -> np.ndarray:
    """Probabilities (N, num_classes) float32 of images (N, H, W, 3) uint8 RGB, in their order.

    `mean` and `std` are those of pixels scaled to [0, 1]. The network must be on `device` already; it runs in
    float32 and in evaluation mode, and its mode is restored. Raises `ImageError` for other arrays.
    """
    return np.concatenate(list(predict_batches(network, images, mean, std, device, batch_size)))


def predict_batches(
    network: nn.Module,
    images: np.ndarray,
    mean: Sequence[float],
    std: Sequence[float],
    device: str | torch.device,
    batch_size: int = 250,
) -> Iterator[np.ndarray]:
    """`predict` batch by batch: yields (n, num_classes); in between, the network is as it was found."""
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        given = f"{images.shape} {images.dtype}"
        raise ImageError(f"images must be (N, H, W, 3) uint8 RGB, got {given}; convert them")
    make_exact(torch.device(device))
    for start in range(0, max(len(images), 1), batch_size):
        pixels = normalise(images[start : start + batch_size], mean, std, device)
        with _evaluating(network), torch.no_grad(), torch.autocast(pixels.device.type, enabled=False):
            probabilities = network(pixels).softmax(dim=1)
        yield probabilities.cpu().numpy()


def normalise(
    images: np.ndarray, mean: Sequence[float], std: Sequence[float], device: str | torch.device
) -> Tensor:
    """Images (N, H, W, 3) uint8 as pixels (N, 3, H, W) float32: scaled to [0, 1], minus mean, over std."""
    pixels = torch.from_numpy(np.array(images)).to(device).permute(0, 3, 1, 2).float()
    centre, spread = (torch.tensor(values, device=device).view(3, 1, 1) for values in (mean, std))
    return pixels.div_(255).sub_(centre).div_(spread)


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
