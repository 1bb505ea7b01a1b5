"""Which of several processes this one is, as torchrun tells each by its environment. Light."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import SpecError

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


@dataclass(frozen=True, slots=True)
class Place:
    """Of one process among those that train one network together."""

    rank: int = 0
    """Among all, from 0; the first one keeps the run."""
    count: int = 1
    local_rank: int = 0
    """Among those on this machine, from 0: the number of its GPU."""
    local_count: int = 1


def place_of(environment: Mapping[str, str]) -> Place:
    """What torchrun wrote into `environment`; the only process where it wrote nothing.

    `SpecError` where the variables are no numbers that fit together.
    """
    given = [environment.get(name) for name in VARIABLES]
    if None in given:
        return Place()
    try:
        rank, count, local_rank, local_count = (int(value or "") for value in given)
    except ValueError:
        rank, count, local_rank, local_count = -1, 0, 0, 0
    if not (0 <= rank < count and 0 <= local_rank < local_count <= count):
        told = ", ".join(f"{name}={value}" for name, value in zip(VARIABLES, given, strict=True))
        raise SpecError(f"torchrun numbers processes from 0 to WORLD_SIZE - 1, got {told}; unset these")
    return Place(rank, count, local_rank, local_count)
