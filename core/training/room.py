"""Room on the disk: whether a run may begin, and whether its next checkpoint still fits."""

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from core.arrays import Array
from core.errors import RunError
from core.network import size_network
from core.training.recipe import RunSpec

LEAST_BYTES = 200_000_000
"""What else a run may need, and the system beside it."""
CHECKPOINTS = 3
"""The last two and the best."""
COPIES = {"sgd": 2, "muon": 2, "adamw": 3}
"""float32 numbers that are kept for every parameter: the weight itself, and what the optimiser remembers."""
RECORD_BYTES = 1_000_000
"""More than a checkpoint's record and the headers of its files ever take."""


def checkpoint_bytes(run_spec: RunSpec) -> int:
    """How large a checkpoint of this run is, about."""
    recipe = run_spec.recipe
    copies = COPIES[recipe.optimiser] + (recipe.averaging > 0)
    return 4 * copies * size_network(run_spec.network).num_params


def refuse_small_disk(folder: Path, run_spec: RunSpec, least_bytes: int = LEAST_BYTES) -> None:
    """`RunError` where the disk of `folder` has no room for the run's checkpoints and `least_bytes` more."""
    needed = CHECKPOINTS * checkpoint_bytes(run_spec) + least_bytes
    free = shutil.disk_usage(folder).free
    if free < needed:
        given = f"needs {needed / 1e6:,.0f} MB free, the disk that holds {folder} has {free / 1e6:,.0f} MB"
        raise RunError(f"the run {given}; delete runs that you need no longer, or free some space")


def refuse_full_disk(folder: Path, *saved: Mapping[str, Array]) -> None:
    """`OSError` where these arrays would not fit on the disk of `folder`: before anything is written."""
    needed = sum(array.nbytes for arrays in saved for array in arrays.values()) + RECORD_BYTES
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
