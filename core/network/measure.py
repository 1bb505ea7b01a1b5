"""Networks timed on this machine, side by side. For a process of its own; importing this costs torch."""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import psutil
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from core.device import cpu_name
from core.errors import SpecError
from core.network.build import build_network
from core.network.measured import Conditions, Measurement, Measurements, MeasureSettings
from core.network.sizing import FLOAT_BYTES, size_network
from core.network.spec import NetworkSpec

FLOPS_A_MAC = 2
STEP_COPIES = 3
"""Activations, their gradients and workspace: a step takes at most about so many times its activations."""


@dataclass(frozen=True, slots=True)
class MeasureProgress:
    """How far a measurement is, in steps of one network each."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class _Subject:
    """A network ready for its steps: images (N, C, H, W) float32, labels (N,) int64."""

    spec: NetworkSpec
    network: nn.Module
    images: Tensor
    labels: Tensor


def measure(
    specs: Sequence[NetworkSpec], settings: MeasureSettings
) -> Iterator[MeasureProgress | Measurements]:
    """Measure forward and backward time and peak memory of every network; the last event is the result.

    The networks take turns at every repetition, in turning order, so that whatever slows the machine down
    meanwhile slows all of them. Sets the number of threads and the generator of the whole process. Raises
    `SizingError` or `SpecError`, before anything is allocated, for a network that cannot work, has nothing to
    train, or needs more memory than is free.
    """
    for spec in specs:
        _refuse_what_cannot_run(spec, settings)
    torch.set_num_threads(settings.threads)
    device = torch.device(settings.device)
    total = len(specs) * (settings.repetitions + 2)
    subjects, peaks = [], []
    for index, spec in enumerate(specs):
        yield MeasureProgress(index, total)
        subjects.append(_prepare(spec, settings, device))
        _time_step(subjects[-1])
        peaks.append(_peak_bytes(subjects[-1]))
    times: list[list[tuple[float, float]]] = [[] for _ in specs]
    for repetition in range(-1, settings.repetitions):
        for turn in range(len(specs)):
            yield MeasureProgress(len(specs) * (repetition + 2) + turn, total)
            index = (turn + repetition) % len(specs)
            step = _time_step(subjects[index])
            if repetition >= 0:
                times[index].append(step)
    measured = [_record(*row) for row in zip(subjects, times, peaks, strict=True)]
    yield Measurements(settings=settings, conditions=_conditions(device), networks=tuple(measured))


def _refuse_what_cannot_run(spec: NetworkSpec, settings: MeasureSettings) -> None:
    sizing = size_network(spec)
    if not sizing.num_params:
        raise SpecError(f"{spec.name}: it has no parameters, so there is no backward step to measure")
    if settings.device != "cpu" and not torch.cuda.is_available():
        raise SpecError(f"device must be cpu here, where torch finds no GPU; got {settings.device!r}")
    channels, rows, columns = spec.input_shape
    image_bytes = sizing.activation_bytes + channels * rows * columns * FLOAT_BYTES
    needed = STEP_COPIES * settings.batch_size * image_bytes
    free = psutil.virtual_memory().available
    if settings.device == "cpu" and needed > free:
        raise SpecError(
            f"{spec.name}: a step of {settings.batch_size} images may take {needed / 2**30:.1f} GiB, but"
            f" {free / 2**30:.1f} GiB are free; measure with fewer images"
        )


def _prepare(spec: NetworkSpec, settings: MeasureSettings, device: torch.device) -> _Subject:
    torch.manual_seed(settings.seed)
    images = torch.randn(settings.batch_size, *spec.input_shape)
    labels = torch.randint(spec.num_classes, (settings.batch_size,))
    return _Subject(spec, build_network(spec).to(device), images.to(device), labels.to(device))


def _time_step(subject: _Subject) -> tuple[float, float]:
    """Milliseconds of the forward and of the backward half of one training step; no weight changes."""
    begin = _clock(subject)
    loss = cross_entropy(subject.network(subject.images), subject.labels)
    middle = _clock(subject)
    loss.backward()  # type: ignore[no-untyped-call]
    end = _clock(subject)
    subject.network.zero_grad(set_to_none=True)
    return 1000 * (middle - begin), 1000 * (end - middle)


def _clock(subject: _Subject) -> float:
    if subject.images.is_cuda:
        torch.cuda.synchronize(subject.images.device)
    return time.perf_counter()


def _peak_bytes(subject: _Subject) -> int:
    """What is there before a step, and the most that the step adds to it at once."""
    tensors = [*subject.network.parameters(), *subject.network.buffers(), subject.images, subject.labels]
    there = sum(tensor.nbytes for tensor in tensors)
    if not subject.images.is_cuda:
        return there + _peak_added_on_cpu(subject)
    device = subject.images.device
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    _time_step(subject)
    return int(there + torch.cuda.max_memory_allocated(device) - before)


def _peak_added_on_cpu(subject: _Subject) -> int:
    """From the profiler's record of every allocation and release by torch.

    The process's resident size would hold what was freed and kept for later, and differ from time to time.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        _time_step(subject)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        events = json.loads(path.read_bytes())["traceEvents"]
    changes = [(event["ts"], int(event["args"]["Bytes"])) for event in events if event["name"] == "[memory]"]
    live, peak = 0, 0
    for _, change in sorted(changes, key=itemgetter(0)):
        live += change
        peak = max(peak, live)
    return peak


def _record(subject: _Subject, times: list[tuple[float, float]], peak_bytes: int) -> Measurement:
    forward_ms, backward_ms = zip(*times, strict=True)
    return Measurement(
        name=subject.spec.name,
        num_params=sum(tensor.numel() for tensor in subject.network.parameters()),
        macs=_count_macs(subject),
        forward_ms=forward_ms,
        backward_ms=backward_ms,
        peak_bytes=peak_bytes,
    )


def _count_macs(subject: _Subject) -> int:
    """Multiply-adds of one image."""
    images = subject.images[:2]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        subject.network(images)
    return int(counter.get_total_flops()) // FLOPS_A_MAC // len(images)


def _conditions(device: torch.device) -> Conditions:
    is_cuda = device.type == "cuda"
    return Conditions(
        hardware=torch.cuda.get_device_name(device) if is_cuda else cpu_name(),
        torch=torch.__version__,
        memory="torch.cuda.max_memory_allocated" if is_cuda else "torch profiler",
    )
