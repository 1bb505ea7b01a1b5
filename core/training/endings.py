"""Why a run ended early: the state it is in then, and the reason in words for the page."""

import errno
import shutil
from pathlib import Path
from typing import Literal

from core.errors import ConvScopeError, DivergedError

LEAST_FREE_BYTES = 1_000_000
CPU_ALLOCATOR = ("can't allocate memory", "not enough memory: you tried")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

EarlyEnd = Literal["diverged", "out of memory", "disk full", "failed"]


def explain_end(error: Exception, folder: Path) -> tuple[EarlyEnd, str]:
    """The state that `error` puts the run in `folder` into; what went wrong and what to do, in a sentence."""
    if isinstance(error, DivergedError):
        return "diverged", str(error)
    if isinstance(error, MemoryError) or is_out_of_memory(error):
        remedy = "lower the batch size or the channels, or free some memory"
        return "out of memory", f"the device ran out of memory; {remedy}"
    if is_disk_full(error, folder):
        remedy = "free some space and resume the run"
        return "disk full", f"the disk that holds {folder.parent} is full; {remedy}"
    if isinstance(error, ConvScopeError):
        return "failed", str(error)
    return "failed", f"{type(error).__name__}: {error}; log.txt in {folder} tells where it happened"


def is_out_of_memory(error: Exception) -> bool:
    """Whether torch could not get memory; on a CPU it says so only in a plain `RuntimeError`."""
    if type(error).__name__ == "OutOfMemoryError":
        return True
    return any(words in str(error) for words in CPU_ALLOCATOR)


def is_disk_full(error: Exception, folder: Path) -> bool:
    """Whether there is no room left; a full disk shows in many libraries as an error without a number."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    return shutil.disk_usage(folder).free < LEAST_FREE_BYTES
