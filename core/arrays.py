"""Arrays by name in safetensors files: numbers and nothing else, so that reading one can run no code."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors
from safetensors.numpy import save as format_safetensors

from core.errors import CheckpointError
from core.files import write_atomically

Array = np.ndarray[Any, np.dtype[Any]]

MAX_HEADER_BYTES = 1_000_000
REMEDY = "restore the file or choose another checkpoint"


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Put the arrays at `path`, atomically."""
    write_atomically(path, format_arrays(arrays))


def format_arrays(arrays: Mapping[str, Array]) -> bytes:
    """The arrays as the content of a file; equal arrays give equal bytes."""
    # Not by ascontiguousarray, which makes one dimension of none.
    return format_safetensors({name: np.asarray(array, order="C") for name, array in arrays.items()})


def read_arrays(path: Path, digest: str | None = None) -> dict[str, Array]:
    """The arrays at `path`, whose SHA-256 must be `digest` if given.

    `FileNotFoundError` where there is no file, `CheckpointError` where it is not as it was saved.
    """
    with path.open("rb") as file:
        start, size = file.read(8), path.stat().st_size
        header_bytes = int.from_bytes(start, "little")
        # A hostile header could ask for gigabytes of memory: refuse it before reading on.
        if len(start) < 8 or header_bytes > min(MAX_HEADER_BYTES, size - 8):
            rule = f"its header must fit the file and {MAX_HEADER_BYTES:,} bytes, got {header_bytes:,}"
            raise CheckpointError(f"{path} is cut off or no safetensors file: {rule}; {REMEDY}")
        content = start + file.read()
    found = sha256(content).hexdigest()
    if digest is not None and found != digest:
        raise CheckpointError(
            f"{path} was changed: its SHA-256 must be {digest[:8]}…, got {found[:8]}…; {REMEDY}"
        )
    try:
        return parse_safetensors(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} is no safetensors file ({error}); {REMEDY}") from None
