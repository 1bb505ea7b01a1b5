"""Ablations: one knob of a run spec at several values, each from one or more seeds, queued as runs.

They are runs like all others; which belong together is kept beside them, in `<runs>/ablations/<id>.json`.
"""

import json
import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from core.errors import ConvScopeError, RunError, SpecError
from core.files import write_atomically
from core.network import size_network
from core.spec import describe, from_json, to_dict
from core.training import knobs, runs
from core.training.knobs import Value
from core.training.recipe import RunSpec
from core.training.runs import Run

FOLDER = "ablations"
ABLATION_ID = re.compile(r"\d{8}-\d{6}-[a-z0-9_]{1,20}-[0-9a-f]{6}")
MAX_RUNS = 60


@dataclass(frozen=True, slots=True)
class Planned:
    """One run of a grid, before it is made."""

    title: str
    value: Value
    seed: int
    spec: RunSpec


@describe
class AblationRun:
    """One run of a grid."""

    value: Value
    seed: int
    run: str
    """The run's id."""


@describe
class Ablation:
    """A grid that was queued."""

    schema: Literal[1] = 1
    id: str
    title: str = Field(min_length=1, max_length=80)
    knob: str
    """A key of `knobs.knob_titles()`."""
    created: str
    """ISO 8601, UTC."""
    runs: tuple[AblationRun, ...] = Field(max_length=MAX_RUNS)


def plan(spec: RunSpec, key: str, values: tuple[Value, ...], num_seeds: int) -> tuple[Planned, ...]:
    """The runs of a grid: every value from every seed, `spec`'s own and those that follow it; seed by seed.

    `SpecError` where the spec lacks the knob, a value breaks a rule, or the grid is too large; `SizingError`
    where the network cannot work with a value.
    """
    knob = knobs.find_knob(spec, key)
    values = tuple(dict.fromkeys(values))
    if not values:
        raise SpecError(f"{knob.title}: an ablation needs values, got none; choose some")
    if key == "seed" and num_seeds != 1:
        raise SpecError(f"seed: its values are the seeds, got {num_seeds} seeds a value; choose 1")
    if not 1 <= len(values) * num_seeds <= MAX_RUNS:
        given = f"{len(values)} values from {num_seeds} seeds"
        raise SpecError(f"an ablation has 1 to {MAX_RUNS} runs, got {given}; choose fewer")
    turned = [(value, knobs.turn(spec, key, value)) for value in values]
    for _, each in turned:
        size_network(each.network)
    return tuple(
        _planned(knob, value, each, turn, num_seeds) for turn in range(num_seeds) for value, each in turned
    )


def _planned(knob: knobs.Knob, value: Value, spec: RunSpec, turn: int, num_seeds: int) -> Planned:
    seed = spec.recipe.seed + turn
    title = f"{_head(spec)} · {knob.title} {knobs.value_text(value)}"
    if num_seeds > 1:
        title += f" · seed {seed}"
    return Planned(title, value, seed, replace(spec, recipe=replace(spec.recipe, seed=seed)))


def _head(spec: RunSpec) -> str:
    return spec.network.name.partition(":")[0][:30]


def create(
    root: Path, planned: tuple[Planned, ...], key: str, data_root: Path, device: str, title: str = ""
) -> Ablation:
    """Make all runs of a grid, none of them started, and keep that they belong together.

    Nothing of it stays where one cannot be made.
    """
    moment = datetime.now(UTC)
    made: list[AblationRun] = []
    try:
        for each in planned:
            run_id = runs.create(root, each.spec, data_root, device, each.title)
            made.append(AblationRun(value=each.value, seed=each.seed, run=run_id))
        ablation = Ablation(
            id=f"{moment:%Y%m%d-%H%M%S}-{key[:20]}-{secrets.token_hex(3)}",
            title=title.strip()[:80] or f"{_head(planned[0].spec)} · {knobs.knob_titles()[key]}",
            knob=key,
            created=moment.isoformat(timespec="seconds"),
            runs=tuple(made),
        )
        (root / FOLDER).mkdir(exist_ok=True)
        text = json.dumps(to_dict(ablation, with_defaults=True), indent=1, ensure_ascii=False)
        write_atomically(root / FOLDER / f"{ablation.id}.json", text.encode())
    except (OSError, ConvScopeError) as error:
        for each_run in made:
            runs.delete(root, each_run.run)
        if isinstance(error, OSError):
            raise RunError(f"the grid cannot be written: {error}; see that there is disk space") from None
        raise
    return ablation


def start(root: Path, ablation: Ablation) -> None:
    """Start the runs that have not begun, in the order of the grid; the queue does one after the other."""
    for run in members(root, ablation).values():
        if run is not None and not run.is_live and not run.queued_at:
            runs.start(root, run.id)


def request_stop(root: Path, ablation: Ablation) -> None:
    """Ask all runs of the grid to stop, the waiting ones first, so that none of them begins meanwhile."""
    live = [run for run in members(root, ablation).values() if run is not None and run.is_live]
    for run in sorted(live, key=lambda run: run.state != "queued"):
        runs.request_stop(root, run.id)


def resume(root: Path, ablation: Ablation) -> None:
    """Go on with the runs of the grid that are not finished."""
    for run in members(root, ablation).values():
        if run is not None and not run.is_live and run.state != "finished":
            runs.resume(root, run.id)


def members(root: Path, ablation: Ablation) -> dict[AblationRun, Run | None]:
    """The runs of the grid as they are now; None where one was deleted or cannot be read."""
    return {each: _try_read(root, each.run) for each in ablation.runs}


def _try_read(root: Path, run_id: str) -> Run | None:
    try:
        return runs.read(root, run_id)
    except RunError:
        return None


def read(root: Path, ablation_id: str) -> Ablation:
    """The ablation with this id; `RunError` where there is none or its file cannot be read."""
    path = root / FOLDER / f"{ablation_id}.json"
    if not ABLATION_ID.fullmatch(ablation_id) or not path.is_file():
        raise RunError(f"there is no ablation {ablation_id!r} in {path.parent}; choose one from the list")
    try:
        return from_json(Ablation, path.read_bytes())
    except (OSError, SpecError) as error:
        raise RunError(f"{path} cannot be read ({error}); restore or delete the file") from None


def list_ablations(root: Path) -> tuple[Ablation, ...]:
    """Every ablation that can be read, newest first."""
    names = sorted((path.stem for path in (root / FOLDER).glob("*.json")), reverse=True)
    listed = []
    for name in names:
        try:
            listed.append(read(root, name))
        except RunError:
            continue
    return tuple(listed)


def find_of_run(root: Path, run_id: str) -> Ablation | None:
    """The ablation that the run belongs to, if any."""
    listed = list_ablations(root)
    return next((each for each in listed if any(member.run == run_id for member in each.runs)), None)
