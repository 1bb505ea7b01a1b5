"""The same numbers from the same inputs on a GPU, and float32 where float32 is said."""

import os

import torch


def make_exact(device: torch.device) -> None:
    """Set torch for this process, if `device` is a GPU, so that it computes as exactly as it does on a CPU.

    As torch is by default, convolutions of float32 round their inputs to the 10 bits of TF32, and choose
    among ways to compute that add up in another order every time. Where an operation has no repeatable way
    (the gradient of max pooling), torch warns of it.
    """
    if device.type != "cuda":
        return
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    # cuBLAS reads this when it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # That would also fill every new tensor, in case somebody reads what was never written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
