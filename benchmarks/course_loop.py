"""Training as the course projects write it: the baseline of every comparison, in this one place.

A torch `Dataset` that sends each image through albumentations, a `DataLoader`, float32, images in the order
N, C, H, W, torch's own dropout where the network has one, and a loop that reads loss and hits at every step.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from core.augmentation import AugmentationSpec
from core.augmentation.check import active_steps, build_step
from core.augmentation.library import albumentations
from core.augmentation.spec import NORMALIZE
from core.network.build import build_network
from core.network.dropout import Dropout
from core.network.spec import NetworkSpec


class CourseDataset(Dataset[tuple[Tensor, int]]):
    """Images `(N, 32, 32, 3)` uint8 and labels `(N,)`, each image through the steps of `spec`."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64], spec: AugmentationSpec) -> None:
        self.images, self.labels = images, labels
        active = active_steps(spec)
        steps = [build_step(spec, index) for index, _ in active]
        if NORMALIZE not in {step.transform for _, step in active}:
            steps.append(albumentations.Normalize(mean=spec.mean, std=spec.std))
        self.compose = albumentations.Compose([*steps, albumentations.ToTensorV2()], seed=0)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.compose(image=self.images[index])["image"], int(self.labels[index])


def course_loader(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    augmentation_spec: AugmentationSpec,
    batch_size: int,
    workers: int = 0,
) -> DataLoader[tuple[Tensor, int]]:
    """Shuffled batches of augmented, normalised images `(n, 3, 32, 32)` float32 with their labels `(n,)`."""
    dataset = CourseDataset(images, labels, augmentation_spec)
    # Pinned where there is a GPU, as every course notebook sets it.
    is_pinned = torch.cuda.is_available()
    return DataLoader(dataset, batch_size, shuffle=True, num_workers=workers, pin_memory=is_pinned)


def course_network(network_spec: NetworkSpec) -> nn.Module:
    """The network of the spec, with torch's own dropout, contiguous; on the CPU."""
    network: nn.Module = build_network(network_spec)
    for module in list(network.modules()):
        for name, part in module._modules.items():
            if isinstance(part, Dropout):
                module._modules[name] = nn.Dropout(part.p)
    return network.to(memory_format=torch.contiguous_format)


def course_epoch(
    network: nn.Module,
    loader: DataLoader[tuple[Tensor, int]],
    optimiser: torch.optim.Optimizer,
    device: str | torch.device,
) -> tuple[int, float]:
    """Train on every batch; returns the images trained on, and their mean loss in nats."""
    network.train()
    images, total, correct = 0, 0.0, 0
    for inputs, labels in loader:
        inputs, labels = inputs.to(device), labels.to(device)
        optimiser.zero_grad()
        scores = network(inputs)
        loss = functional.cross_entropy(scores, labels)
        loss.backward()
        optimiser.step()
        images += len(inputs)
        # Read at every step for the progress bar, as they do; a GPU is waited for each time.
        total += loss.item() * len(inputs)
        correct += int(scores.argmax(dim=1).eq(labels).sum().item())
    return images, total / images
