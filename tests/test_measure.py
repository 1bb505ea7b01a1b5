"""Measured networks: the process runs, counts what sizing counts, and takes turns; memory is torch's own."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import SizingError, SpecError
from core.network import LayerSpec, NetworkSpec, presets, size_network
from core.network import measure as measure_module
from core.network.measure import MeasureProgress, measure
from core.network.measured import Measurement, Measurements, MeasureSettings
from core.spec import from_dict, to_json
from tests.tiny import NETWORK

QUICK = MeasureSettings(batch_size=4, repetitions=2, threads=1)


@pytest.fixture(autouse=True)
def _process_as_before():
    """Measuring sets the number of threads, as its process is its own."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def last(specs: list[NetworkSpec], settings: MeasureSettings = QUICK) -> Measurements:
    """What measuring them gives."""
    *_, result = measure(specs, settings)
    assert isinstance(result, Measurements)
    return result


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A file that describes the smallest network."""
    path = tmp_path / "tiny.json"
    path.write_text(to_json(NETWORK))
    return str(path)


def measure_beside(project: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`python -m core measure` in a process of its own."""
    command = [sys.executable, "-m", "core", "measure", *arguments, "--repetitions", "3", "--threads", "1"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)


def test_the_process_tells_how_far_it_is_and_counts_what_sizing_counts(project: Path, tiny: str) -> None:
    answer = measure_beside(project, tiny, "scope_net", "--batch-size", "2", "--json")
    assert answer.returncode == 0, answer.stderr
    *progress, result = map(json.loads, answer.stdout.splitlines())
    assert [line["done"] for line in progress] == list(range(2 * 5))
    assert {line["total"] for line in progress} == {2 * 5}
    measured = from_dict(Measurements, result)
    for spec, found in zip((NETWORK, presets()["scope_net"]), measured.networks, strict=True):
        sizing = size_network(spec)
        assert (found.name, found.num_params, found.macs) == (spec.name, sizing.num_params, sizing.macs)
        assert len(found.forward_ms) == len(found.backward_ms) == 3
        assert min(*found.forward_ms, *found.backward_ms) > 0
    assert measured.settings == MeasureSettings(batch_size=2, repetitions=3, threads=1)
    assert measured.conditions.torch == torch.__version__
    assert measured.conditions.memory == "torch profiler"
    small, large = measured.networks
    assert large.times_slower(small) > 1 > small.times_slower(large)


def test_the_table_states_the_conditions(project: Path, tiny: str) -> None:
    answer = measure_beside(project, tiny, "--batch-size", "2")
    assert answer.returncode == 0, answer.stderr
    head, row, foot = answer.stdout.splitlines()
    assert head.startswith("network")
    assert row.startswith("Tiny")
    assert f"{size_network(NETWORK).num_params:,}" in row
    assert "3 steps of 2 images, float32" in foot
    assert f"1 threads, torch {torch.__version__}" in foot


def test_peak_memory_is_the_same_every_time_and_grows_with_the_images() -> None:
    spec = presets()["scope_net"]
    few, again, many = (
        last([spec], replace(QUICK, batch_size=size, repetitions=1)).networks[0].peak_bytes
        for size in (4, 4, 16)
    )
    assert few == again
    activations = size_network(spec).activation_bytes
    # Sizing adds up all outputs; the peak holds almost all of them, at the end of the forward half.
    assert 0.8 * activations < (many - few) / 12 < 1.3 * activations
    assert few > 2 * 4 * size_network(spec).num_params


def test_networks_take_turns_in_turning_order(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []
    time_step = measure_module._time_step

    def spy(subject):
        turns.append(subject.spec.name)
        return time_step(subject)

    monkeypatch.setattr(measure_module, "_time_step", spy)
    names = ["a", "b", "c"]
    result = last([replace(NETWORK, name=name) for name in names], replace(QUICK, repetitions=3))
    counted = turns[-9:]
    rounds = [counted[start : start + 3] for start in (0, 3, 6)]
    assert rounds == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]
    assert [network.name for network in result.networks] == names


def test_ratios_are_of_steps_taken_side_by_side() -> None:
    def taking(*milliseconds: float) -> Measurement:
        return Measurement(
            name="n", num_params=1, macs=1, forward_ms=milliseconds, backward_ms=milliseconds, peak_bytes=1
        )

    slow, fast = taking(20, 200, 40), taking(10, 100, 10)
    assert slow.times_slower(fast) == 2
    assert slow.middle_half_slower(fast) == (2, 3)
    assert taking(3).middle_half_slower(taking(2)) == (1.5, 1.5)
    assert (slow.forward, fast.backward) == (40, 10)


def test_progress_comes_before_every_step() -> None:
    events = list(measure([NETWORK], QUICK))
    assert [event.done for event in events if isinstance(event, MeasureProgress)] == [0, 1, 2, 3]


NOTHING_TO_TRAIN = NetworkSpec(
    name="pooled", layers=(LayerSpec(op="global_avg_pool"),), input_shape=(10, 4, 4), num_classes=10
)
HUGE = NetworkSpec(
    name="huge",
    layers=(
        *[LayerSpec(op="conv", out_channels=900, kernel_size=1) for _ in range(16)],
        LayerSpec(op="global_avg_pool"),
        LayerSpec(op="conv", out_channels=10, kernel_size=1),
    ),
    input_shape=(3, 64, 64),
)


@pytest.mark.parametrize(
    "spec, settings, reason",
    [
        (NOTHING_TO_TRAIN, QUICK, "pooled: it has no parameters"),
        (
            HUGE,
            replace(QUICK, batch_size=1024),
            "huge: a step of 1024 images may take .* measure with fewer images",
        ),
        (NETWORK, replace(QUICK, device="cuda"), "device must be cpu here"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_allocated(
    spec: NetworkSpec, settings: MeasureSettings, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(measure_module, "build_network", lambda _: pytest.fail("it was built"))
    with pytest.raises(SpecError, match=reason):
        last([NETWORK, spec], settings)


def test_a_network_that_cannot_work_is_refused(project: Path, tmp_path: Path) -> None:
    broken = NetworkSpec(name="broken", layers=(LayerSpec(op="conv", out_channels=10, kernel_size=64),))
    with pytest.raises(SizingError):
        last([broken])
    path = tmp_path / "broken.json"
    path.write_text(to_json(broken))
    answer = measure_beside(project, str(path))
    assert answer.returncode == 2
    assert "python -m core measure: layer 1 (conv1, conv)" in answer.stderr


@pytest.mark.parametrize(
    "changes", [{"batch_size": 1}, {"repetitions": 0}, {"device": "tpu"}, {"device": "cpu; rm"}]
)
def test_settings_that_break_a_rule_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(SpecError, match=next(iter(changes))):
        replace(QUICK, **changes)
