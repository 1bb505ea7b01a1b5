"""The baseline is what it says: the same network and the same images as ours, trained the plain way."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.course_loop import course_epoch, course_loader, course_network
from core.augmentation import presets as augmentations
from core.augmentation.normalise import normalise
from core.network import presets
from core.network.build import build_network
from core.network.dropout import Dropout
from tests.tiny import NETWORK, random_dataset

DATASET = random_dataset(train=50)
IMAGES, LABELS = DATASET.train.images, DATASET.train.labels


pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_loader_gives_every_image_once_with_its_label_normalised():
    spec = augmentations()["none"]
    loader = course_loader(IMAGES, LABELS, spec, 16)
    batches = list(loader)
    assert [len(inputs) for inputs, _ in batches] == [16, 16, 16, 2]
    inputs, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
    expected = normalise(IMAGES, spec.mean, spec.std)
    place = {pixels.tobytes(): index for index, pixels in enumerate(np.round(expected, 3))}
    found = [place[np.round(pixels, 3).tobytes()] for pixels in inputs.numpy()]
    assert sorted(found) == list(range(50))
    assert labels.tolist() == LABELS[found].tolist()


def test_the_network_is_ours_but_for_torchs_own_dropout():
    spec = presets()["seed_000"]
    torch.manual_seed(3)
    course = course_network(spec)
    torch.manual_seed(3)
    ours = build_network(spec)
    assert course.state_dict().keys() == ours.state_dict().keys()
    assert all(torch.equal(course.state_dict()[name], tensor) for name, tensor in ours.state_dict().items())
    dropouts = [module for module in course.modules() if isinstance(module, nn.Dropout)]
    assert [type(module) for module in dropouts] == [nn.Dropout] * len(dropouts)
    assert [module.p for module in dropouts] == [m.p for m in ours.modules() if isinstance(m, Dropout)]
    assert len(dropouts) > 5
    inputs = torch.randn(2, *spec.input_shape)
    assert torch.allclose(course.eval()(inputs), ours.eval()(inputs), atol=1e-5)


def test_an_epoch_takes_a_step_for_every_batch_and_tells_the_mean_loss():
    torch.manual_seed(1)
    network = course_network(NETWORK)
    by_hand = copy.deepcopy(network).train()
    loader = course_loader(IMAGES, LABELS, augmentations()["none"], 25)
    torch.manual_seed(7)
    batches = list(loader)
    torch.manual_seed(7)
    images, loss = course_epoch(network, loader, torch.optim.SGD(network.parameters(), lr=0.1), "cpu")
    # The loader has drawn its order before the first dropout draws.
    torch.manual_seed(7)
    iter(loader)._next_index()
    losses = []
    for inputs, labels in batches:
        by_hand.zero_grad()
        one = functional.cross_entropy(by_hand(inputs), labels)
        one.backward()
        with torch.no_grad():
            for parameter in by_hand.parameters():
                parameter -= 0.1 * parameter.grad
        losses.append(one.item())
    assert images == 50
    assert loss == pytest.approx(np.mean(losses), rel=1e-4)
    for name, tensor in network.state_dict().items():
        assert torch.allclose(tensor, by_hand.state_dict()[name], atol=1e-5), name
