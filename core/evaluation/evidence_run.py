"""Taking the evidence that holes remove. Importing this module costs torch and albumentations."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import checkpoint as checkpoints
from core.augmentation.holes_alone import holes_alone
from core.augmentation.pipeline import preview
from core.data import Dataset
from core.evaluation.evidence import Evidence, EvidenceSettings, Row, ShownEvidence, removed_shares
from core.evaluation.fit import check_fits
from core.evaluation.grad_cam import attention_layer, grad_cam, scoring_network
from core.evaluation.run import EvaluationProgress
from core.evaluation.strength_run import sample_ids


def take_evidence(
    folder: Path, dataset: Dataset, settings: EvidenceSettings, device: str = "cpu"
) -> Iterator[EvaluationProgress | Evidence]:
    """Take the maps of the checkpoint in `folder` on a sample of test images, and what holes take of them.

    Progress counts images; the evidence comes last. `SpecError` where no step makes holes, or the network
    has no map; `CheckpointError` where the checkpoint is damaged or has other classes than the dataset.
    """
    checkpoint = checkpoints.load(folder)
    check_fits(checkpoint, dataset)
    only_holes = holes_alone(settings.augmentation)
    layer = attention_layer(checkpoint.run_spec.network)
    network = scoring_network(checkpoint.run_spec.network, checkpoints.load_weights(folder)).to(device)
    ids = sample_ids(dataset, settings.images, settings.seed)
    images, labels = dataset.test.images[ids], dataset.test.labels[ids]
    hidden = preview(only_holes, images, settings.seed).hidden
    pixels = checkpoint.run_spec.augmentation
    parts: list[NDArray[np.float32]] = []
    for part in grad_cam(network, images, labels, pixels.mean, pixels.std, device):
        parts.append(part)
        yield EvaluationProgress(sum(map(len, parts)), len(ids))
    attention = np.concatenate(parts)
    shares = removed_shares(attention, hidden)
    yield Evidence(
        settings=settings,
        layer=layer.name,
        rows=layer.output_shape[1],
        columns=layer.output_shape[2],
        ids=tuple(ids.tolist()),
        shares=tuple(None if np.isnan(share) else float(share) for share in shares),
        hidden=tuple(hidden.mean(axis=(1, 2)).tolist()),
        shown=_most_removed(ids, shares, attention, hidden, settings.shown),
    )


def _most_removed(
    ids: NDArray[np.int64],
    shares: NDArray[np.float64],
    attention: NDArray[np.float32],
    hidden: NDArray[np.bool_],
    count: int,
) -> tuple[ShownEvidence, ...]:
    """The images that lose the most, the most first, and of equals the first."""
    order = np.argsort(-np.nan_to_num(shares, nan=-1.0), kind="stable")
    chosen = [index for index in order[:count] if not np.isnan(shares[index])]
    return tuple(
        ShownEvidence(
            id=int(ids[index]),
            share=float(shares[index]),
            attention=_rows(np.rint(255 * (attention[index] / attention[index].max()))),
            hidden=_rows(hidden[index]),
        )
        for index in chosen
    )


def _rows(picture: NDArray[np.generic]) -> tuple[Row, ...]:
    return tuple(tuple(row) for row in picture.astype(int).tolist())
