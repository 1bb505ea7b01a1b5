"""What processes that train one network together say to each other; nothing else uses `torch.distributed`.

All of them make the same batch and take their slice of it; sums over all of them make up for the rest. Each
does the same steps on the same numbers, so that their weights stay equal without ever being compared.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import numpy as np
import torch
from torch import Tensor, nn

from core.arrays import Array
from core.errors import RunError
from core.training.batches import Batch
from core.training.place import Place
from core.training.shared_norm import share_norms

TIMEOUT = timedelta(minutes=10)
"""How long the others may be silent; as long as the slowest loads its images."""
POLL_SECONDS = 0.2
WORD, BEGIN, OVER = "convscope", b"begin", b"over"


class Alone:
    """A training in one process: all is its own, and nobody is asked."""

    rank, count = 0, 1

    def mine(self, total: int) -> slice:
        """Which of `total` things, one after the other, are this process's."""
        return slice(0, total)

    def share(self, batch: Batch) -> Batch:
        """This process's part of a batch, which may be empty."""
        return batch

    def sum_gradients(self, network: nn.Module, loss: Tensor) -> Tensor:
        """Put the sums over all processes into the gradients; returns that of `loss`, a scalar."""
        return loss

    def sum(self, *values: float) -> tuple[float, ...]:
        """Each value, summed over all processes."""
        return values

    def join(self, rows: Array, total: int) -> Array:
        """The rows of all processes, of which `rows` are those that `mine(total)` says."""
        return rows

    def share_norms(self, network: nn.Module) -> nn.Module:
        """The network, normalising by the statistics of whole batches."""
        return network

    def agree(self, factor: float | None) -> tuple[bool, float | None]:
        """Whether to go on, and the factor of the rate that the first process asks for, if any."""
        return True, factor

    def leave(self) -> None:
        """The first process tells the others, in its turn to `agree`, that the training is over."""


ALONE = Alone()


class Peers(Alone):
    """One of several processes; all call the same methods in the same order.

    `RunError` from any of them where another process has ended or does not answer.
    """

    def __init__(self, place: Place) -> None:
        self.rank, self.count = place.rank, place.count

    def mine(self, total: int) -> slice:
        """Slices that differ by one at most, in order of rank."""
        return slice(total * self.rank // self.count, total * (self.rank + 1) // self.count)

    def share(self, batch: Batch) -> Batch:
        """This process's part of a batch, which may be empty."""
        return batch.part(self.mine(len(batch.indices)))

    def sum_gradients(self, network: nn.Module, loss: Tensor) -> Tensor:
        """One sum for all of them: of a small network, the number of sums is what takes the time."""
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        flat = torch.cat([*(gradient.reshape(-1) for gradient in gradients), loss.detach().view(1)])
        self.add_up(flat)
        parts = torch.split_with_sizes(flat, [*(gradient.numel() for gradient in gradients), 1])
        for gradient, part in zip(gradients, parts[:-1], strict=True):
            gradient.copy_(part.view(gradient.shape))
        return parts[-1][0]

    def sum(self, *values: float) -> tuple[float, ...]:
        """Each value, summed over all processes in float64."""
        numbers = torch.tensor(values, dtype=torch.float64)
        self.add_up(numbers)
        return tuple(numbers.tolist())

    def join(self, rows: Array, total: int) -> Array:
        """The rows of all processes, of which `rows` are those that `mine(total)` says."""
        whole = np.zeros((total, *rows.shape[1:]), rows.dtype)
        whole[self.mine(total)] = rows
        self.add_up(torch.from_numpy(whole))  # to each row, zeros
        return whole

    def share_norms(self, network: nn.Module) -> nn.Module:
        """The network, normalising by the statistics of whole batches."""
        return share_norms(network, self)

    def agree(self, factor: float | None) -> tuple[bool, float | None]:
        """Whether to go on, and the factor of the rate that the first process asks for, if any."""
        is_going_on, factor = self._hear(True, factor or 0.0)
        return bool(is_going_on), factor or None

    def leave(self) -> None:
        """The first process tells the others, in its turn to `agree`, that the training is over."""
        if self.rank == 0:
            with suppress(RunError):  # who is gone need not be told
                self._hear(False, 0.0)

    def add_up(self, values: Tensor) -> None:
        """Put the sums over all processes in the place of `values`, the same to the bit in all of them."""
        with plainly(self.count):
            torch.distributed.all_reduce(values)

    def take_firsts(self, values: Tensor) -> None:
        """Put the values of the first process in the place of `values`."""
        with plainly(self.count):
            torch.distributed.broadcast(values, 0)

    def gather(self, values: Tensor) -> Tensor:
        """`(count, …)`: the values of all processes, in order of rank."""
        whole = values.new_zeros((self.count, *values.shape))
        whole[self.rank] = values
        self.add_up(whole)
        return whole

    def tell(self, content: bytes = b"") -> bytes:
        """What the first process says, to all."""
        size = torch.tensor([len(content)])
        self.take_firsts(size)
        letters = torch.zeros(int(size), dtype=torch.uint8)
        if self.rank == 0:
            letters = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        self.take_firsts(letters)
        return letters.numpy().tobytes()

    def _hear(self, *said: float) -> list[float]:
        """What the first process says, to all."""
        numbers = torch.tensor(said, dtype=torch.float64)
        self.take_firsts(numbers)
        return numbers.tolist()


class Meeting:
    """Where the processes that torchrun started find each other, before and after they train together."""

    def __init__(self, place: Place) -> None:
        from torch.distributed.rendezvous import rendezvous

        self.place, self.peers = place, None
        with plainly(place.count):
            self._store, *_ = next(rendezvous("env://"))

    def open(self) -> Peers:
        """The first process begins, when its device is free and whatever it needs is there."""
        with plainly(self.place.count):
            self._store.set(WORD, BEGIN)
        return self._join()

    def wait(self) -> Peers | None:
        """Any other waits for that, for as long as it takes; None where there is nothing to do."""
        with plainly(self.place.count):
            while not self._store.check([WORD]):
                time.sleep(POLL_SECONDS)
            word = self._store.get(WORD)
        return self._join() if word == BEGIN else None

    def close(self) -> None:
        """Part; from the first process, before it began, this sends the others home."""
        with suppress(RunError), plainly(self.place.count):
            if torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()
            elif self.place.rank == 0:
                self._store.set(WORD, OVER)

    def _join(self) -> Peers:
        # What is decided and counted on the CPU goes by gloo, so that no GPU is waited for.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        rank, count = self.place.rank, self.place.count
        with plainly(count):
            torch.distributed.init_process_group(
                backend, store=self._store, rank=rank, world_size=count, timeout=TIMEOUT
            )
        return Peers(self.place)


@contextmanager
def plainly(count: int) -> Iterator[None]:
    """What goes wrong between processes, as a `RunError` that says so."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        told = f"one of the {count} processes that trained together has ended or does not answer"
        raise RunError(
            f"{told}; start them again with --resume, and the run goes on from its last epoch"
        ) from error
