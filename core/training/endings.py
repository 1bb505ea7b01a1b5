"""Why a run ended early, in words for the page."""

import shutil
from pathlib import Path

from core.errors import ConvScopeError

LEAST_FREE_BYTES = 10_000_000


def plain_reason(error: Exception, folder: Path) -> str:
    """What went wrong and what to do, in a sentence; `folder` is where the run is kept."""
    # By free space and not by the error: a full disk shows in many libraries as an error without a number.
    if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        return f"the disk that holds {folder.parent} is full; free some space and resume the run"
    if isinstance(error, ConvScopeError):
        return str(error)
    if isinstance(error, MemoryError) or is_out_of_memory(error):
        return "the device ran out of memory; lower the batch size or the channels, or free some memory"
    return f"{type(error).__name__}: {error}; log.txt in {folder} tells where it happened"


def is_out_of_memory(error: Exception) -> bool:
    """Whether torch could not get memory; on a CPU it says so only in a plain `RuntimeError`."""
    return type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
