"""On a GPU float32 means float32, and the same inputs give the same numbers; a CPU is left as it is."""

import os

import pytest
import torch

from core.network.exact import make_exact

CUDNN, MATMUL = torch.backends.cudnn, torch.backends.cuda.matmul


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    flags = CUDNN.allow_tf32, CUDNN.benchmark, CUDNN.deterministic, MATMUL.allow_tf32
    fills = torch.utils.deterministic.fill_uninitialized_memory
    CUDNN.allow_tf32, CUDNN.benchmark, CUDNN.deterministic, MATMUL.allow_tf32 = True, True, False, True
    yield
    CUDNN.allow_tf32, CUDNN.benchmark, CUDNN.deterministic, MATMUL.allow_tf32 = flags
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = fills


def test_a_gpu_computes_in_float32_and_in_one_order():
    make_exact(torch.device("cuda:0"))
    assert (CUDNN.allow_tf32, CUDNN.benchmark, CUDNN.deterministic, MATMUL.allow_tf32) == (
        False, False, True, False
    )  # fmt: skip
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_cpu_is_left_as_it_is():
    make_exact(torch.device("cpu"))
    assert (CUDNN.allow_tf32, CUDNN.benchmark, CUDNN.deterministic, MATMUL.allow_tf32) == (
        True, True, False, True
    )  # fmt: skip
    assert not torch.are_deterministic_algorithms_enabled()
