"""Mixup and CutMix do what their papers say, and their labels go by the pixels really taken."""

import numpy as np
import pytest
import torch
from scipy import stats

from core.training.batches import Batch
from core.training.mixing import draw_mix


def test_mixup_blends_pixel_by_pixel():
    torch.manual_seed(0)
    inputs = torch.randn(6, 3, 8, 8)
    mix = draw_mix("mixup", 0.4, 6, 8, 8, seed=5)
    order = torch.from_numpy(mix.order)
    torch.testing.assert_close(mix.apply(inputs, order), mix.share * inputs + (1 - mix.share) * inputs[order])


@pytest.mark.parametrize("seed", range(20))
def test_cutmix_pastes_one_box_and_its_share_is_that_of_the_pixels_kept(seed):
    inputs = torch.arange(5.0)[:, None, None, None].expand(5, 3, 32, 32)
    mix = draw_mix("cutmix", 1.0, 5, 32, 32, seed)
    mixed = mix.apply(inputs, torch.from_numpy(mix.order))
    for own, other, image in zip(range(5), mix.order, mixed, strict=True):
        assert set(image.unique().tolist()) <= {own, other}
        if own != other:
            assert (image == own).float().mean().item() == pytest.approx(mix.share)
    assert torch.equal(inputs[:, 0, 0, 0], torch.arange(5.0)), "the images given stay as they are"


def test_shares_of_mixup_follow_their_beta_distribution():
    shares = [draw_mix("mixup", 0.4, 2, 8, 8, seed).share for seed in range(2000)]
    assert stats.kstest(shares, stats.beta(0.4, 0.4).cdf).pvalue > 1e-3


def test_boxes_of_cutmix_are_centred_anywhere():
    boxes = np.array([draw_mix("cutmix", 1.0, 2, 32, 32, seed).box for seed in range(2000)])
    whole = boxes[(boxes[:, 0] > 0) & (boxes[:, 2] < 32) & (boxes[:, 1] > 0) & (boxes[:, 3] < 32)]
    centres = (whole[:, 0] + whole[:, 2]) / 2
    assert abs(centres.mean() - 16) < 0.7
    assert boxes.min() == 0
    assert boxes.max() == 32


def test_the_loss_of_a_mixed_batch_is_the_cross_entropy_with_the_mixed_label():
    torch.manual_seed(1)
    scores, labels, others = torch.randn(4, 10), torch.tensor([1, 2, 3, 4]), torch.tensor([4, 3, 2, 1])
    batch = Batch(np.arange(4), torch.empty(4, 3, 8, 8), labels, others, 0.3)
    targets = 0.3 * torch.eye(10)[labels] + 0.7 * torch.eye(10)[others]
    expected = torch.nn.functional.cross_entropy(scores, targets, label_smoothing=0.1, reduction="none")
    torch.testing.assert_close(batch.losses(scores, 0.1), expected)
