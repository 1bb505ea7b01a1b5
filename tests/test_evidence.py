"""What holes take of the evidence: the map is that of the paper, all of it is all, and nothing is nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from core import checkpoint as checkpoints
from core.__main__ import main
from core.augmentation import AugmentationSpec, StepSpec, presets
from core.augmentation.holes_alone import holes_alone
from core.augmentation.pipeline import preview
from core.data import Dataset
from core.errors import CheckpointError, SpecError
from core.evaluation.evidence import Evidence, EvidenceSettings, removed_shares
from core.evaluation.evidence_run import take_evidence
from core.evaluation.grad_cam import attention_layer, grad_cam, scoring_network
from core.evaluation.run import EvaluationProgress
from core.evaluation.strength_run import sample_ids
from core.network import NetworkSpec
from core.network import presets as networks
from core.network.build import Network, build_network
from core.network.predict import normalise
from core.network.spec import LayerSpec
from core.spec import from_dict, to_dict
from tests.browser import PROJECT
from tests.tiny import random_dataset

SHAPES_NET = PROJECT / "checkpoints" / "shapes_scope_net"
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
CUTOUT = presets()["cutout"]


pytestmark = pytest.mark.usefixtures("one_thread")


def some_images(count: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def square(side: int) -> AugmentationSpec:
    ends = (side, side)
    arguments = {"num_holes_range": (1, 1), "hole_height_range": ends, "hole_width_range": ends, "fill": 0}
    step = StepSpec(transform="CoarseDropout", probability=0.5, arguments=tuple(arguments.items()))
    return AugmentationSpec(name="square", steps=(step,))


def take(
    folder: Path, dataset: Dataset, spec: AugmentationSpec, images: int = 60, shown: int = 5
) -> Evidence:
    settings = EvidenceSettings(augmentation=spec, images=images, seed=2, shown=shown)
    *_, evidence = take_evidence(folder, dataset, settings)
    assert isinstance(evidence, Evidence)
    return evidence


def trained(spec: NetworkSpec) -> tuple[NetworkSpec, Network]:
    """A network of random weights whose batch norms have seen images."""
    torch.manual_seed(4)
    network = build_network(spec)
    with torch.no_grad():
        network(torch.randn(32, 3, 32, 32))
    return spec, network


def maps_of(spec: NetworkSpec, network: Network, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    weights = {key: tensor.numpy() for key, tensor in network.state_dict().items()}
    return np.concatenate(list(grad_cam(scoring_network(spec, weights), images, labels, MEAN, STD)))


def by_autograd(network: Network, layer: str, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Grad-CAM one image at a time, from the formula: the channel's mean gradient weighs the channel."""
    network.eval()
    kept: list[torch.Tensor] = []
    module = dict(network.named_children())[layer]
    hook = module.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    maps = []
    for image, label in zip(images, labels, strict=True):
        kept.clear()
        scores = network(normalise(image[None], MEAN, STD, "cpu"))
        score = scores[0, label]
        (gradient,) = torch.autograd.grad(score, kept[0])
        alpha = gradient[0].mean(dim=(1, 2))
        small = torch.relu((alpha[:, None, None] * kept[0][0]).sum(dim=0)).detach()
        maps.append(interpolate(small[None, None], (32, 32), mode="bilinear")[0, 0].numpy())
    hook.remove()
    return np.stack(maps)


def test_the_map_is_the_one_that_autograd_gives_image_by_image() -> None:
    """ScopeNet: residual adds behind the last convolution, then pooling and a classifier."""
    spec, network = trained(networks()["scope_net"])
    images, labels = some_images(7), np.array([3, 1, 4, 1, 5, 9, 2])
    ours = maps_of(spec, network, images, labels)
    theirs = by_autograd(network, "add3", images, labels)
    assert ours.shape == (7, 32, 32)
    assert theirs.max() > 0
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * theirs.max())


def test_where_pooling_and_one_classifier_follow_the_map_is_the_class_activation_map() -> None:
    """Zhou et al. (2016), without any gradient: the classifier's weights of the class, over the map."""
    spec, network = trained(networks()["scope_net"])
    images, labels = some_images(3), np.array([0, 6, 8])
    network.eval()
    kept: list[torch.Tensor] = []
    dict(network.named_children())["add3"].register_forward_hook(lambda *call: kept.append(call[2]))
    with torch.no_grad():
        network(normalise(images, MEAN, STD, "cpu"))
    weights = network.state_dict()["classifier.conv.weight"][:, :, 0, 0]
    area = kept[0].shape[2] * kept[0].shape[3]
    small = torch.relu(torch.einsum("nk,nkyx->nyx", weights[labels], kept[0]) / area)
    wide = interpolate(small[:, None], (32, 32), mode="bilinear")[:, 0].numpy()
    np.testing.assert_allclose(maps_of(spec, network, images, labels), wide, atol=1e-5 * wide.max())


def test_a_network_that_ends_with_log_softmax_is_asked_for_its_scores() -> None:
    with_log = networks()["seed_004"]
    last = with_log.layers[-1]
    assert last.then[-1] == "log_softmax"
    without = replace(with_log, layers=(*with_log.layers[:-1], replace(last, then=last.then[:-1])))
    spec, network = trained(with_log)
    plain = build_network(without)
    plain.load_state_dict(network.state_dict())
    images, labels = some_images(4), np.array([7, 7, 0, 2])
    layer = attention_layer(spec).name
    theirs = by_autograd(plain, layer, images, labels)
    of_logs = by_autograd(network, layer, images, labels)
    ours = maps_of(spec, network, images, labels)
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * theirs.max())
    assert np.abs(of_logs - theirs).max() > 1e-3 * theirs.max(), "else this test could not fail"


@pytest.mark.parametrize("key, name, side", [("scope_net", "add3", 8), ("seed_004", "classifier", 4)])
def test_the_map_is_the_last_before_pooling(key: str, name: str, side: int) -> None:
    layer = attention_layer(networks()[key])
    assert (layer.name, layer.output_shape[1:]) == (name, (side, side))


@pytest.mark.parametrize("key", networks())
def test_every_preset_has_a_map(key: str) -> None:
    spec = networks()[key]
    layer = attention_layer(spec)
    assert layer.output_shape[1] > 1
    assert layer.op in ("conv", "add", "max_pool", "avg_pool")


def test_a_network_without_a_map_is_refused() -> None:
    flat = NetworkSpec(name="flat", layers=(LayerSpec(op="flatten"), LayerSpec(op="linear", out_channels=10)))
    with pytest.raises(SpecError, match="no layer puts out a map"):
        attention_layer(flat)


def test_a_hole_over_everything_takes_all_exactly_and_no_hole_nothing(shapes: Dataset) -> None:
    for side, share in ((32, 1.0), (0, 0.0)):
        evidence = take(SHAPES_NET, shapes, square(side))
        assert set(evidence.measured.tolist()) == {share}
        assert set(evidence.hidden) == {share}
        assert evidence.nearly_all.value == share


def test_shares_are_those_of_the_maps_under_the_masks_that_are_drawn(shapes: Dataset) -> None:
    evidence = take(SHAPES_NET, shapes, CUTOUT)
    record = checkpoints.load(SHAPES_NET)
    ids = sample_ids(shapes, 60, 2)
    assert evidence.ids == tuple(ids)
    images, labels = shapes.test.images[ids], shapes.test.labels[ids]
    network = scoring_network(record.run_spec.network, checkpoints.load_weights(SHAPES_NET))
    pixels = record.run_spec.augmentation
    maps = np.concatenate(list(grad_cam(network, images, labels, pixels.mean, pixels.std)))
    hidden = preview(holes_alone(CUTOUT), images, 2).hidden
    assert hidden.any(axis=(1, 2)).all(), "the step acts on every image"
    for share, attention, mask in zip(evidence.shares, maps, hidden, strict=True):
        expected = attention[mask].sum() / attention.sum() if attention.any() else None
        assert share == (None if expected is None else pytest.approx(expected, rel=1e-3))
    order = sorted((share for share in evidence.shares if share is not None), reverse=True)
    assert [one.share for one in evidence.shown] == order[:5]
    first = evidence.shown[0]
    at = list(ids).index(first.id)
    assert np.array_equal(np.array(first.hidden, bool), hidden[at])
    assert max(map(max, first.attention)) == 255
    assert from_dict(Evidence, to_dict(evidence, with_defaults=True)) == evidence


def test_images_without_positive_evidence_are_counted_and_have_no_share() -> None:
    attention = np.zeros((3, 4, 4))
    attention[0, 0, 0] = attention[2, 3, :2] = 2
    hidden = np.zeros((3, 4, 4), bool)
    hidden[:, :, 0] = True
    shares = removed_shares(attention, hidden)
    assert shares[[0, 2]].tolist() == [1, 0.5]
    assert np.isnan(shares[1])
    settings = EvidenceSettings(augmentation=CUTOUT)
    evidence = Evidence(
        settings=settings,
        layer="conv",
        rows=4,
        columns=4,
        ids=(4, 5, 6),
        shares=(1.0, None, 0.5),
        hidden=(0.25,) * 3,
        shown=(),
    )
    assert evidence.without == 1
    assert evidence.measured.tolist() == [1, 0.5]
    assert (evidence.nearly_all.correct, evidence.nearly_all.total) == (1, 2)


def test_exactly_nine_tenths_are_not_nearly_all() -> None:
    settings = EvidenceSettings(augmentation=CUTOUT)
    shares = (0.9, np.nextafter(0.9, 1).item())
    evidence = Evidence(
        settings=settings,
        layer="x",
        rows=2,
        columns=2,
        ids=(0, 1),
        shares=shares,
        hidden=(0.5, 0.5),
        shown=(),
    )
    assert evidence.nearly_all.correct == 1


def test_a_dead_network_has_no_evidence_and_nothing_is_divided_by_it(shapes: Dataset, tmp_path: Path) -> None:
    record = checkpoints.load(SHAPES_NET)
    dead = {key: np.zeros_like(array) for key, array in checkpoints.load_weights(SHAPES_NET).items()}
    kept = ("run_spec", "epoch", "history", "chosen_by", "classes", "dataset_title", "is_stand_in")
    kept += ("num_params", "device", "threads")
    checkpoints.save(tmp_path / "dead", weights=dead, **{name: getattr(record, name) for name in kept})
    evidence = take(tmp_path / "dead", shapes, CUTOUT, images=20)
    assert evidence.without == 20
    assert evidence.shown == ()
    assert evidence.nearly_all.value is None


def test_only_the_holes_are_left_and_always_act() -> None:
    mixed = presets()["seed_004_as_written"]
    assert [(step.transform, step.probability) for step in holes_alone(mixed).steps] == [("CoarseDropout", 1)]
    with pytest.raises(SpecError, match="makes holes"):
        holes_alone(presets()["flip_crop"])
    off = replace(
        mixed, steps=tuple(replace(step, is_on=step.transform == "Normalize") for step in mixed.steps)
    )
    with pytest.raises(SpecError, match="makes holes"):
        holes_alone(off)


def test_progress_ends_at_all_images_and_other_classes_are_refused(shapes: Dataset) -> None:
    settings = EvidenceSettings(augmentation=CUTOUT, images=130)
    *progress, _ = take_evidence(SHAPES_NET, shapes, settings)
    assert progress == [EvaluationProgress(100, 130), EvaluationProgress(130, 130)]
    with pytest.raises(CheckpointError, match="tells apart"):
        next(take_evidence(SHAPES_NET, random_dataset(), settings))


def test_the_verb_prints_the_figures(
    shapes: Dataset, shapes_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data-root", str(shapes_root), "--images", "60", "--seed", "2"]
    assert main(["evidence", str(SHAPES_NET), "cutout", *options]) == 0
    evidence = take(SHAPES_NET, shapes, CUTOUT)
    first, pixels, shares, nearly, without = capsys.readouterr().out.splitlines()
    assert first == "60 test images, map of add3, 8×8"
    assert "25.0% on average" in pixels
    assert f"{evidence.measured.mean():.1%} on average, {np.median(evidence.measured):.1%}" in shares
    assert f"{evidence.nearly_all.correct} of {evidence.nearly_all.total}" in nearly
    assert f"{evidence.without} images, left out" in without
    assert main(["evidence", str(SHAPES_NET), "flip_crop", *options]) == 2
    assert "makes holes" in capsys.readouterr().err
