"""A few steps of the real engine, timed, with the memory that they take. For a process of its own."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import torch

from core.data.dataset import Dataset
from core.device import cpu_name
from core.errors import RunError
from core.network.predict import predict
from core.training.endings import is_out_of_memory
from core.training.engine import Training
from core.training.estimate import Estimate, EstimateProgress, free_memory, memory_warning
from core.training.events import StepDone, Validating
from core.training.recipe import RunSpec

WARM_UP_STEPS, WARM_UP_SECONDS = 3, 5.0
"""Not counted, and always one: the first steps make room and choose kernels."""
TIMED_STEPS, TIMED_SECONDS = 20, 8.0
VALIDATED = 250
"""Images whose validation is timed, after as many for warm-up."""


def estimate(
    run_spec: RunSpec, dataset: Dataset, device: str, threads: int
) -> Iterator[EstimateProgress | Estimate]:
    """Train for a few steps, and say what the whole run will take; the last event is the result.

    Sets the number of threads of the process. `RunError` where a step does not fit into the memory that is
    free: on a CPU before it is tried where arithmetic says so, else after it failed. `DivergedError` where
    a run would end so within these steps.
    """
    free = _free_bytes(device)
    # A GPU without room says so and nothing else happens; a machine without memory ends processes.
    if device == "cpu" and (warning := memory_warning(run_spec, free)):
        raise RunError(warning)
    torch.set_num_threads(threads)
    others = _Others()
    try:
        training = Training(run_spec, dataset, device)
        seconds = _Seconds()
        for event in training.events():
            seconds.take(event)
            yield EstimateProgress(min(seconds.steps, TIMED_STEPS), TIMED_STEPS)
            if seconds.is_enough or (seconds.timed and isinstance(event, Validating)):
                break
        validation = _validation_seconds(training)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise RunError(
            f"a step of {run_spec.recipe.batch_size:,} images does not fit into the {free / 2**30:.1f} GiB "
            "that are free; take fewer images a step, or a smaller network"
        ) from None
    batches = training.batches
    is_cuda = training.device.type == "cuda"
    yield Estimate(
        epochs=run_spec.recipe.epochs,
        steps=batches.steps,
        batch_size=run_spec.recipe.batch_size,
        step_seconds=tuple(seconds.timed or seconds.warm_up[-1:]),
        training_images=len(batches.train_indices),
        validation_seconds=validation,
        peak_bytes=torch.cuda.max_memory_reserved(training.device) if is_cuda else _peak_resident(),
        free_bytes=free,
        device=device,
        hardware=torch.cuda.get_device_name(training.device) if is_cuda else cpu_name(),
        threads=threads,
        cores=psutil.cpu_count() or 1,
        others_cores=others.cores(),
    )


@dataclass(slots=True)
class _Seconds:
    """Seconds a step, from the moments at which the engine tells them."""

    steps: int = 0
    timed: list[float] = field(default_factory=list)
    warm_up: list[float] = field(default_factory=list)
    _epoch: int = 0
    _step: int = 0
    _last: float = field(default_factory=time.perf_counter)

    def take(self, event: object) -> None:
        """Take note of an event of the engine; on a GPU it tells several steps at once."""
        now = time.perf_counter()
        if isinstance(event, StepDone):
            before = self._step if event.epoch == self._epoch else 0
            each = [(now - self._last) / (event.step - before)] * (event.step - before)
            is_warm = len(self.warm_up) >= WARM_UP_STEPS or sum(self.warm_up) >= WARM_UP_SECONDS
            (self.timed if is_warm else self.warm_up).extend(each)
            self.steps, self._epoch, self._step = len(self.timed), event.epoch, event.step
        self._last = now

    @property
    def is_enough(self) -> bool:
        return self.steps >= TIMED_STEPS or sum(self.timed) >= TIMED_SECONDS


def _validation_seconds(training: Training) -> float:
    """Of all images that choose the best epoch."""
    images, augmentation = training.batches.validation.images, training.run_spec.augmentation
    some = np.array(images[:VALIDATED])
    for _ in range(2):
        begun = time.perf_counter()
        predict(training.evaluated, some, augmentation.mean, augmentation.std, training.device)
        seconds = time.perf_counter() - begun
    return seconds * len(images) / len(some)


def _free_bytes(device: str) -> int:
    if device == "cpu":
        return free_memory()
    if not int(device.partition(":")[2] or 0) < torch.cuda.device_count():
        raise RunError(f"torch finds no {device} here; train on the cpu, or install a torch for CUDA")
    return torch.cuda.mem_get_info(device)[0]


def _peak_resident() -> int:
    """The most memory that this process had at once, in bytes.

    Of this program alone: what `getrusage` says begins with the size of the program that started it.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        memory = psutil.Process().memory_info()
        return int(getattr(memory, "peak_wset", memory.rss))
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


class _Others:
    """What other processes use of the processor, from now on."""

    def __init__(self) -> None:
        self._begun, self._all, self._own = time.perf_counter(), self._busy(), time.process_time()

    @staticmethod
    def _busy() -> float:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # are in user and nice too
        return float(sum(times) - idle - guest)

    def cores(self) -> float:
        """How many cores, on average."""
        elapsed = time.perf_counter() - self._begun
        used = self._busy() - self._all - (time.process_time() - self._own)
        return max(0.0, used / elapsed)
