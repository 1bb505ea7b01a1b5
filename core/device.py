"""What can train on this machine, found without importing torch."""

import platform
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

DRIVER_TIMEOUT_S = 5


@lru_cache(maxsize=1)
def list_devices() -> dict[str, str]:
    """The devices as torch names them, each with the name of its hardware: `{"cpu": "AMD EPYC, 2 cores"}`.

    GPUs come first and are those that the NVIDIA driver reports; a torch without CUDA refuses them at the
    start of a run.
    """
    gpus = {f"cuda:{index}": name for index, name in enumerate(_gpu_names())}
    return gpus | {"cpu": cpu_name()}


def cpu_name() -> str:
    """The processor's model name, as the operating system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0]}, {len(models)} logical cores" if models else platform.machine()


def _gpu_names() -> list[str]:
    driver = shutil.which("nvidia-smi")
    if driver is None:
        return []
    command = [driver, "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=DRIVER_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]
