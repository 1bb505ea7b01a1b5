"""Images a second of a whole training step: the loop of the course projects, ours, and ours less one trick.

    make bench                          # or: python benchmarks/training.py --threads 2 --rounds 9

Seed 004's network, its augmentation as intended, batches of 128. Its dropout drops whole channels, which
costs little; that of most course projects, `nn.Dropout(0.05)` after every convolution, costs a fifth of a
step. Both are measured, each beside a course loop on the very same network. Every way is a process of its
own, so that what one sets does not help another; they take turns, and the table gives medians. Pixels and
labels are random: nothing here is faster or slower for what is on them.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

BATCH_SIZE = 128
STEPS = 6
"""In a turn."""
WARM_UP = 3
EPOCH_IMAGES = 50_000
SEED_004_EPOCHS = 110
"""Its own log first passes 85 % of the test images at this epoch."""
COURSE, COURSE_WORKERS, OURS, COURSE_2D, OURS_2D, FAST = (
    "course loop, no workers",
    "course loop, 2 workers",
    "ours",
    "course loop, no workers, dropout of channels",
    "ours, dropout of channels",
    "ours, ScopeNet with the recipe scope_net_fast",
)
TRICKS = {
    "tensors": "ours, augmented image by image",
    "channels_last": "ours, not channels_last",
    "dropout": "ours, torch's dropout",
    "bfloat16": "ours, float32",
    "malloc": "ours, malloc as it is",
}
WAYS = (COURSE, COURSE_WORKERS, OURS, *TRICKS.values(), COURSE_2D, OURS_2D, FAST)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of torch (%(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="turns of every way (%(default)s)")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        take_turns(arguments.way, arguments.threads)
        return
    turns = compare(arguments.threads, arguments.rounds)
    show(turns, arguments.threads)


def compare(threads: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Let all ways take `rounds` turns, one after the other; what each turn told."""
    command = [sys.executable, __file__, "--threads", str(threads), "--way"]
    project = Path(__file__).resolve().parents[1]
    environment = os.environ | {"PYTHONPATH": str(project), "PYTHONWARNINGS": "ignore"}
    children = {
        way: subprocess.Popen(
            [*command, way], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        for way in WAYS
    }
    turns: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    try:
        for turn in range(rounds + 1):
            for way, child in children.items():
                assert child.stdin is not None
                assert child.stdout is not None
                child.stdin.write("go\n")
                child.stdin.flush()
                told = json.loads(child.stdout.readline())
                if turn:  # the first is not counted
                    turns[way].append(told)
    finally:
        for child in children.values():
            child.kill()
            child.wait()
    return turns


def take_turns(way: str, threads: int) -> None:
    """In a process of its own: train for a turn at every line that comes in, and print how it went."""
    if way not in (COURSE, COURSE_WORKERS, COURSE_2D, TRICKS["malloc"]):
        from core.training.processes import tune

        tune(threads)
    import torch

    torch.set_num_threads(threads)
    turns = course_turns(way) if way in (COURSE, COURSE_WORKERS, COURSE_2D) else our_turns(way)
    for _ in sys.stdin:
        print(json.dumps(next(turns)), flush=True)


def random_dataset() -> Any:
    """CIFAR-10's shapes, with noise for pixels."""
    import numpy as np

    from core.data.dataset import Dataset, Split

    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (EPOCH_IMAGES, 32, 32, 3), dtype=np.uint8)
    split = Split(images=images, labels=np.arange(EPOCH_IMAGES) % 10)
    few = Split(images=images[:100], labels=split.labels[:100])
    half = (0.5, 0.5, 0.5)
    return Dataset("noise", "Noise", True, tuple("abcdefghij"), split, few, "0" * 64, half, half)


def network_of(way: str) -> Any:
    """Seed 004's network, with its own dropout or with the one of most course projects."""
    from core.network import presets as networks

    network = networks()["seed_004"]
    if way in (COURSE_2D, OURS_2D):
        return network
    layers = tuple(
        replace(layer, then=tuple("dropout 0.05" if "dropout" in step else step for step in layer.then))
        for layer in network.layers
    )
    return replace(network, layers=layers)


def course_turns(way: str) -> Iterator[dict[str, float]]:
    """Turns of the course loop; its loader starts anew with every pass over the images, as always."""
    import torch

    from benchmarks.course_loop import course_epoch, course_loader, course_network
    from core.augmentation import presets as augmentations

    data, network = random_dataset().train, course_network(network_of(way))
    augmentation, workers = augmentations()["seed_004_as_intended"], 2 if way == COURSE_WORKERS else 0
    loader = course_loader(data.images, data.labels, augmentation, BATCH_SIZE, workers)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    passing = _batches(loader)
    list(take(passing, WARM_UP))
    while True:
        with measured() as told:
            told["images"], _ = course_epoch(network, take(passing, STEPS), optimiser, "cpu")  # type: ignore[arg-type]
        yield told


def _batches(loader: Any) -> Iterator[Any]:
    while True:
        yield from loader


def take(items: Iterator[Any], count: int) -> Iterator[Any]:
    """The next `count` items."""
    for _ in range(count):
        yield next(items)


def our_turns(way: str) -> Iterator[dict[str, float]]:
    """Turns of the engine, with one trick left out where `way` says so."""
    from core.training import batches
    from core.training.engine import Training
    from core.training.events import StepDone

    leave_out(way)
    spent = [0.0]
    batches.Batches.at = _timed(batches.Batches.at, spent)  # type: ignore[method-assign]
    dataset = random_dataset()
    steps = (
        event for event in Training(run_spec(way), dataset, "cpu").events() if isinstance(event, StepDone)
    )
    list(take(steps, WARM_UP))
    while True:
        spent[0] = 0.0
        with measured() as told:
            told["images"] = BATCH_SIZE * len(list(take(steps, STEPS)))
        told["data_seconds"] = spent[0]
        yield told


def run_spec(way: str) -> Any:
    """Seed 004 as the engine trains it best, or our own network with its recipe."""
    from core.augmentation import presets as augmentations
    from core.network import presets as networks
    from core.training import Recipe, RunSpec, recipe_presets

    precision = "float32" if way == TRICKS["bfloat16"] else "bfloat16"
    recipe = Recipe(epochs=1000, learning_rate=0.01, schedule="constant", precision=precision)
    network, augmentation = network_of(way), augmentations()["seed_004_as_intended"]
    if way == FAST:
        recipe = recipe_presets()["scope_net_fast"]
        network, augmentation = networks()["scope_net"], augmentations()["flip_crop_2"]
    return RunSpec(
        dataset="noise", fingerprint="0" * 64, network=network, augmentation=augmentation, recipe=recipe
    )


def leave_out(way: str) -> None:
    """Take one trick out of this process."""
    import torch

    from core.network import dropout
    from core.training import batches, engine

    if way == TRICKS["tensors"]:
        batches.supports = lambda spec: (False, "left out")
    elif way == TRICKS["channels_last"]:
        engine.MEMORY_FORMAT = torch.contiguous_format
    elif way == TRICKS["dropout"]:
        dropout.MOST = 0.0


def _timed(method: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    def timed(*arguments: Any) -> Any:
        start = time.perf_counter()
        outcome = method(*arguments)
        spent[0] += time.perf_counter() - start
        return outcome

    return timed


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Seconds by the clock and on the processors, of this process."""
    told: dict[str, float] = {}
    start, processor_start = time.perf_counter(), time.process_time()
    yield told
    told["seconds"] = time.perf_counter() - start
    told["processor_seconds"] = time.process_time() - processor_start


def show(turns: dict[str, list[dict[str, float]]], threads: int) -> None:
    """The table, and what follows from it for whole trainings."""
    from benchmarks.machine import describe_machine

    speeds = {way: median(turn["images"] / turn["seconds"] for turn in told) for way, told in turns.items()}
    baseline, rounds = max(speeds[COURSE], speeds[COURSE_WORKERS]), len(turns[OURS])
    print(f"Seed 004, batches of {BATCH_SIZE}, {threads} threads, medians of {rounds} turns of {STEPS} steps")
    print(f"{describe_machine()}; load average {os.getloadavg()[0]:.1f}")
    for way, told in turns.items():
        processor = median(turn["processor_seconds"] / turn["images"] for turn in told) * 1e6
        print(
            f"  {way:46s} {speeds[way]:7,.0f} images/s  {speeds[way] / baseline:5.2f} x the better course"
            f" loop  {processor:6.0f} us/image on the processors"
        )
    print(f"With dropout of channels: {speeds[OURS_2D] / speeds[COURSE_2D]:.2f} x its course loop")
    print("What each trick is worth: ours over ours without it")
    for trick, way in TRICKS.items():
        print(f"  {trick:14s} {speeds[OURS] / speeds[way]:5.2f} x")
    share = median(turn["data_seconds"] / turn["seconds"] for turn in turns[OURS])
    print(f"Data path: {share:.1%} of a step of ours")
    _show_epochs(speeds, baseline)


def _show_epochs(speeds: dict[str, float], baseline: float) -> None:
    from core.training import recipe_presets

    epochs = recipe_presets()["scope_net_fast"].epochs
    course, ours = EPOCH_IMAGES / baseline, EPOCH_IMAGES / speeds[FAST]
    print(
        f"An epoch of {EPOCH_IMAGES:,} images: course loop {course:.0f} s; scope_net_fast {ours:.0f} s. "
        f"To 85 %: seed 004 passes it at epoch {SEED_004_EPOCHS}, {SEED_004_EPOCHS * course / 60:.0f} min; "
        f"scope_net_fast is done after {epochs} epochs, {epochs * ours / 60:.1f} min, "
        f"{epochs * ours / (SEED_004_EPOCHS * course):.3f} of it"
    )


if __name__ == "__main__":
    main()
