"""A process that trains leaves the app its share of the machine, and keeps memory that it will need again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.training.processes import NICENESS, OUT_OF_MEMORY_SCORE

SETTLED = """
import ctypes, os
from core.training.processes import step_back, tune

def mapped_by_malloc():
    class Mallinfo(ctypes.Structure):
        _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd".split()]
        _fields_ += [(name, ctypes.c_size_t) for name in "usmblks fsmblks uordblks fordblks keepcost".split()]
    glibc = ctypes.CDLL(None)
    glibc.malloc.restype, glibc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    glibc.mallinfo2.restype = Mallinfo
    before = glibc.mallinfo2().hblkhd
    glibc.malloc(67_000_000)  # the activations of a layer
    return glibc.mallinfo2().hblkhd - before > 60_000_000

nice, mapped = os.nice(0), mapped_by_malloc()
step_back()
tune()
with open("/proc/self/oom_score_adj") as score:
    print(os.nice(0) - nice, score.read().strip(), os.environ["OMP_WAIT_POLICY"], mapped, mapped_by_malloc())
"""


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="needs Linux")
def test_the_app_goes_first_and_large_memory_is_kept(project):
    command = [sys.executable, "-c", SETTLED]
    answer = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout.split()
    assert answer[:2] == [str(NICENESS), OUT_OF_MEMORY_SCORE]
    assert answer[2] in ("PASSIVE", "passive")
    assert answer[3:] == ["True", "False"], "mapped anew each time before, taken from what is kept after"


@pytest.mark.parametrize("less, waits", [(1, True), (0, False)])
def test_only_who_leaves_a_core_to_others_waits_without_spinning(project, less, waits):
    threads = (os.cpu_count() or 1) - less
    code = f"import os; from core.training.processes import tune; tune({threads}); print(dict(os.environ))"
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert ("'OMP_WAIT_POLICY': 'PASSIVE'" in told) == waits
