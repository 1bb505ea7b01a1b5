"""Every evaluation goes one way: the same pixels, float32, evaluation mode, and the network left as found."""

from collections.abc import Iterator
from pathlib import Path

import albumentations
import numpy as np
import pytest
import torch
from torch import nn

from core.errors import ImageError
from core.network import presets
from core.network.build import Network, build_network
from core.network.predict import normalise, predict, predict_batches

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def make_images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(count, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def network() -> Iterator[Network]:
    """Seed 004 with batch norms that have seen other images, so that evaluation mode shows."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    built = build_network(presets()["seed_004"])
    with torch.no_grad():
        built(3 * torch.randn(16, 3, 32, 32) + 1)
    yield built
    torch.set_num_threads(num_threads)


def test_pixels_are_those_of_albumentations() -> None:
    images = make_images(6)
    transform = albumentations.Normalize(mean=MEAN, std=STD, max_pixel_value=255.0)
    theirs = np.stack([transform(image=image)["image"] for image in images]).transpose(0, 3, 1, 2)
    ours = normalise(images, MEAN, STD, "cpu")
    assert ours.dtype == torch.float32
    assert ours.shape == (6, 3, 32, 32)
    assert np.abs(ours.numpy() - theirs).max() < 1e-5


def test_probabilities_are_the_softmax_of_the_scores_in_evaluation_mode(network: Network) -> None:
    images = make_images(5)
    probabilities = predict(network, images, MEAN, STD, "cpu")
    pixels = (images / 255 - np.array(MEAN)) / np.array(STD)
    network.eval()
    with torch.no_grad():
        scores = network(torch.tensor(pixels.transpose(0, 3, 1, 2), dtype=torch.float32))
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (5, 10)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.allclose(probabilities, scores.exp().numpy(), atol=1e-5), (
        "log_softmax must not be applied twice"
    )


def test_an_image_alone_gets_what_it_gets_in_a_batch(network: Network) -> None:
    images = make_images(7)
    whole = predict(network, images, MEAN, STD, "cpu")
    alone = np.concatenate(
        [predict(network, images[i : i + 1], MEAN, STD, "cpu") for i in range(len(images))]
    )
    assert np.abs(alone - whole).max() < 1e-6
    assert np.abs(predict(network, images, MEAN, STD, "cpu", batch_size=3) - whole).max() < 1e-6


def test_batches_come_one_by_one_in_order(network: Network) -> None:
    images = make_images(7)
    batches = list(predict_batches(network, images, MEAN, STD, "cpu", batch_size=3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert np.array_equal(np.concatenate(batches), predict(network, images, MEAN, STD, "cpu", batch_size=3))


def test_no_images_give_no_probabilities(network: Network) -> None:
    assert predict(network, make_images(0), MEAN, STD, "cpu").shape == (0, 10)


def modes(network: nn.Module) -> list[bool]:
    return [module.training for module in network.modules()]


def test_every_mode_and_statistic_is_as_it_was(network: Network) -> None:
    network.train()
    network.get_submodule("conv2").eval()
    before, weights = modes(network), {key: t.clone() for key, t in network.state_dict().items()}
    predict(network, make_images(4), MEAN, STD, "cpu", batch_size=2)
    assert modes(network) == before
    assert all(torch.equal(weights[key], tensor) for key, tensor in network.state_dict().items())
    assert torch.is_grad_enabled()


def test_between_two_batches_the_network_can_be_trained(network: Network) -> None:
    network.train()
    for _ in predict_batches(network, make_images(4), MEAN, STD, "cpu", batch_size=2):
        assert all(modes(network))
        assert torch.is_grad_enabled()


def test_the_mode_is_restored_after_an_error() -> None:
    class Failing(nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            assert not self.training
            raise RuntimeError("out of memory")

    network = Failing().train()
    with pytest.raises(RuntimeError, match="out of memory"):
        predict(network, make_images(1), MEAN, STD, "cpu")
    assert network.training
    assert torch.is_grad_enabled()


def test_evaluation_is_float32_even_within_autocast(network: Network) -> None:
    images = make_images(4)
    plain = predict(network, images, MEAN, STD, "cpu")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        halved = torch.nn.functional.conv2d(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 3, 3))
        assert halved.dtype == torch.bfloat16
        assert np.array_equal(predict(network, images, MEAN, STD, "cpu"), plain)


def test_memory_mapped_read_only_images_are_read_and_left_alone(network: Network, tmp_path: Path) -> None:
    images = make_images(5)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    expected = predict(network, images, MEAN, STD, "cpu")
    assert np.array_equal(predict(network, mapped, MEAN, STD, "cpu"), expected)
    assert np.array_equal(mapped, make_images(5))


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((2, 3, 32, 32), np.uint8),
        np.zeros((2, 32, 32, 3), np.float32),
        np.zeros((2, 32, 32, 4), np.uint8),
    ],
)
def test_arrays_that_are_not_rgb_images_are_refused(images: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"must be \(N, H, W, 3\) uint8 RGB, got"):
        predict(nn.Identity(), images, MEAN, STD, "cpu")
