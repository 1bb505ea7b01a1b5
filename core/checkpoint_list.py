"""The checkpoints that lie about: shipped ones, and the best and the last of every run."""

import re
from dataclasses import dataclass
from pathlib import Path

from core.arrays import REMEDY
from core.checkpoint import RECORD, Checkpoint, load
from core.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class ListedCheckpoint:
    """A checkpoint found on the disk: its record, or what is wrong with it."""

    folder: Path
    title: str
    """For people."""
    checkpoint: Checkpoint | None
    problem: str | None
    """In one sentence, where `checkpoint` is None."""


def list_checkpoints(*roots: Path) -> tuple[ListedCheckpoint, ...]:
    """The checkpoints `<root>/<name>`, `<root>/<run>/best` and `…/last`, newest first, damaged ones last."""
    # No name with a dot in front: what was deleted, and may still be restored, is not offered.
    patterns = (f"[!.]*/{RECORD}", f"[!.]*/best/{RECORD}", f"[!.]*/last/{RECORD}")
    listed = [_list_one(path.parent) for root in roots for pattern in patterns for path in root.glob(pattern)]
    listed.sort(key=lambda item: item.checkpoint.created if item.checkpoint else "", reverse=True)
    return tuple(listed)


def _list_one(folder: Path) -> ListedCheckpoint:
    place = _place(folder)
    try:
        checkpoint = load(folder)
        if not (folder / checkpoint.weights_file).is_file():
            raise CheckpointError(f"{folder / checkpoint.weights_file} is missing; {REMEDY}")
    except CheckpointError as error:
        return ListedCheckpoint(folder, place, None, str(error))
    title = f"{checkpoint.run_spec.network.name}, epoch {checkpoint.epoch} ({place})"
    return ListedCheckpoint(folder, title, checkpoint, None)


def _place(folder: Path) -> str:
    """Where a checkpoint lies, for people: a shipped one's name, or which of the two of which run."""
    if folder.name not in ("best", "last"):
        return folder.name
    began = re.match(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)", folder.parent.name)
    run = "{}-{}-{} {}:{}".format(*began.groups()) if began else folder.parent.name
    return f"{folder.name} of the run of {run}"
