"""How long it takes to size the 13 layers of seed 004: `size_network` beside `torchinfo.summary`.

    make bench                          # or: python benchmarks/sizing.py

Both start from nothing but the description: torchinfo needs the built module and a forward pass, so building
it is part of its time. They take turns within one process, so that whatever else the machine does hits both.
"""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
import torchinfo

from core.network import presets, size_network
from core.network.build import build_network

SIZINGS_A_ROUND = 50


@dataclass(frozen=True, slots=True)
class Comparison:
    """Times in milliseconds over `rounds` turns."""

    rounds: int
    sizing_ms: float
    """The median turn, as the mean of its `SIZINGS_A_ROUND` calls."""
    best_sizing_ms: float
    torchinfo_ms: float
    """The median turn."""
    best_torchinfo_ms: float

    @property
    def ratio(self) -> float:
        """How many times faster the arithmetic is, median to median."""
        return self.torchinfo_ms / self.sizing_ms


def compare(rounds: int) -> Comparison:
    """Let both take `rounds` turns, after one that is not counted."""
    spec = presets()["seed_004"]

    def summarise() -> object:
        network = build_network(spec)
        return torchinfo.summary(network, input_size=(1, *spec.input_shape), verbose=0, device="cpu")

    def size() -> object:
        return size_network(spec)

    turns = [(time_calls(size, SIZINGS_A_ROUND), time_calls(summarise, 1)) for _ in range(rounds + 1)][1:]
    sizing, baseline = zip(*turns, strict=True)
    return Comparison(rounds, median(sizing), min(sizing), median(baseline), min(baseline))


def time_calls(work: Callable[[], object], calls: int) -> float:
    """Milliseconds a call."""
    start = perf_counter()
    for _ in range(calls):
        work()
    return (perf_counter() - start) / calls * 1000


def describe_machine() -> str:
    """CPU model and the versions that matter."""
    cpu_info = Path("/proc/cpuinfo")
    lines = cpu_info.read_text().splitlines() if cpu_info.is_file() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    cpu = f"{models[0]}, {len(models)} cores" if models else platform.processor() or platform.machine()
    versions = (
        f"Python {platform.python_version()}, torch {torch.__version__}, torchinfo {torchinfo.__version__}"
    )
    return f"{cpu}; {versions}"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    both = compare(rounds=200)
    print(f"Sizing the 13 layers of seed 004, medians of {both.rounds} turns (best in brackets)")
    print(describe_machine())
    print(f"  size_network               {both.sizing_ms:8.3f} ms  ({both.best_sizing_ms:.3f})")
    print(f"  build + torchinfo.summary  {both.torchinfo_ms:8.3f} ms  ({both.best_torchinfo_ms:.3f})")
    print(f"  ratio                      {both.ratio:8.0f} x")


if __name__ == "__main__":
    main()
