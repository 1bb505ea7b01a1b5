"""What the holes take from every unit is what counting its pixels one by one gives."""

import numpy as np
import pytest

from core.augmentation import presets as augmentations
from core.augmentation.pipeline import preview
from core.errors import SpecError
from core.evaluation.hidden_fields import LayerHidden, hidden_layers
from core.network import NetworkSpec, presets, size_network
from core.network.coverage import count_image_paths, field_box, follow_fields
from core.network.spec import LayerSpec
from tests.random_networks import draw_network

SEED_004 = presets()["seed_004"]


def by_brute_force(spec: NetworkSpec, hidden: np.ndarray) -> list[tuple[int, float, float, float]]:
    """(blind, hidden, mostly, entirely) of every layer, pixel by pixel."""
    sized = size_network(spec).layers
    fields = follow_fields(spec, sized)
    found = []
    for layer in sized:
        _, rows, columns = layer.output_shape
        shares: list[float] = []
        blind = 0
        for row in range(rows):
            for column in range(columns):
                box = field_box(fields[layer.name], row, column)
                inside = np.zeros(hidden.shape[1:], bool)
                for y in range(max(box.top, 0), min(box.top + box.height, hidden.shape[1])):
                    for x in range(max(box.left, 0), min(box.left + box.width, hidden.shape[2])):
                        inside[y, x] = True
                blind += not inside.any()
                if inside.any():
                    shares += [float(mask[inside].mean()) for mask in hidden]
        size = len(shares) or 1
        mostly, entirely = (sum(share > 0.5 for share in shares), sum(share == 1 for share in shares))
        found.append((blind, sum(shares) / size, mostly / size, entirely / size))
    return found


def figures(layers: tuple[LayerHidden, ...]) -> list[tuple[int, float, float, float]]:
    return [(layer.blind, layer.hidden, layer.mostly, layer.entirely) for layer in layers]


def small(*layers: LayerSpec, side: tuple[int, int] = (9, 9)) -> NetworkSpec:
    head = LayerSpec(op="global_avg_pool", name="head")
    channels = next(layer.out_channels for layer in reversed(layers) if layer.out_channels)
    return NetworkSpec(
        name=f"{side[0]} by {side[1]}", layers=(*layers, head), input_shape=(3, *side), num_classes=channels
    )


PADDED = small(
    LayerSpec(
        op="conv", name="wide", out_channels=4, kernel_size=3, padding=4
    ),  # some units see only padding
    LayerSpec(op="max_pool", kernel_size=2, stride=2),
    LayerSpec(op="conv", name="dilated", out_channels=4, kernel_size=3, padding=2, dilation=2),
)
OBLONG = small(LayerSpec(op="conv", out_channels=2, kernel_size=3, padding=1, stride=2), side=(7, 12))


@pytest.mark.parametrize("spec", [PADDED, OBLONG, *map(draw_network, range(4))], ids=lambda spec: spec.name)
@pytest.mark.parametrize("density", [0.1, 0.5, 0.8])
def test_every_share_is_the_one_counted_pixel_by_pixel(spec: NetworkSpec, density: float) -> None:
    hidden = np.random.default_rng(3).random((3, *spec.input_shape[1:])) < density
    ours = figures(hidden_layers(spec, size_network(spec).layers, hidden))
    assert np.array(ours) == pytest.approx(np.array(by_brute_force(spec, hidden)), abs=1e-12)


def test_the_padded_network_has_units_that_see_nothing() -> None:
    layers = hidden_layers(PADDED, size_network(PADDED).layers, np.ones((1, 9, 9), bool))
    assert layers[0].blind == 15 * 15 - 11 * 11
    assert layers[0].entirely == 1


def test_no_hole_takes_nothing_and_a_hole_over_everything_takes_all() -> None:
    sized = size_network(SEED_004).layers
    for share in (0.0, 1.0):
        hidden = np.full((2, 32, 32), bool(share))
        assert figures(hidden_layers(SEED_004, sized, hidden)) == [(0, share, share, share)] * len(sized)


def test_exactly_half_is_not_most() -> None:
    spec = small(LayerSpec(op="conv", out_channels=2, kernel_size=2, stride=2), side=(8, 8))
    hidden = np.zeros((1, 8, 8), bool)
    hidden[:, :, ::2] = True
    conv, _ = hidden_layers(spec, size_network(spec).layers, hidden)
    assert (conv.hidden, conv.mostly, conv.entirely) == (0.5, 0, 0)


def test_a_drawn_square_of_a_quarter_is_counted_as_it_lies() -> None:
    images = np.zeros((40, 32, 32, 3), np.uint8)
    hidden = preview(augmentations()["cutout"], images, 1).hidden
    layers = hidden_layers(SEED_004, size_network(SEED_004).layers, hidden)
    last = layers[-1]
    assert (last.rows, last.columns) == (1, 1)
    assert last.hidden == pytest.approx(hidden.mean())
    assert (last.mostly, last.entirely) == (0, 0)
    assert layers[0].entirely > 0.1


@pytest.mark.parametrize("seed", range(8))
def test_a_field_that_is_hidden_entirely_leaves_no_path_to_a_pixel_in_sight(seed: int) -> None:
    """Paths are counted by another code, tap by tap; where no pixel is in sight, none may lead there."""
    spec = draw_network(seed)
    sized = size_network(spec).layers
    height, width = spec.input_shape[1:]
    hidden = np.zeros((1, height, width), bool)
    hidden[:, height // 4 :, : 3 * width // 4] = True
    for index, layer in enumerate(hidden_layers(spec, sized, hidden)):
        if layer.rows * layer.columns <= 16:
            units = [(row, column) for row in range(layer.rows) for column in range(layer.columns)]
            paths = [count_image_paths(spec, sized, index, *unit) for unit in units]
            lost = sum(bool(counts.any()) and not (counts > 0)[~hidden[0]].any() for counts in paths)
            assert lost >= round(layer.entirely * (len(units) - layer.blind))


@pytest.mark.parametrize("shape", [(2, 28, 28), (0, 32, 32), (32, 32)])
def test_masks_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SpecError, match=r"holes must be \(N, 32, 32\)"):
        hidden_layers(SEED_004, size_network(SEED_004).layers, np.zeros(shape, bool))
