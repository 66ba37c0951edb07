"""Ranks: the base of DDP and FSDP2. Several processes train one model, each on its rows of a batch.

`place` describes how a process learns its rank.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from core.training.parallel import Single
from core.training.place import Place
from core.training.scaler import LossScaler

# For loading libraries, text and model on every rank.
FIRST_WAIT = timedelta(minutes=10)


class Ranks(Single):
    """One process of a group. Call `join` first and `close` last.

    Sums and agreements use the group's own collectives; the loop ensures that each rank calls the
    same ones in the same order.
    """

    def __init__(
        self,
        place: Place,
        device: str | torch.device = "cpu",
        scaler: LossScaler | None = None,
    ) -> None:
        super().__init__(device, scaler)
        self.place = place
        self.rank, self.ranks, self.writes = place.rank, place.ranks, place.rank == 0
        self._waits_long = True

    def join(self) -> None:
        """Joins the other ranks. Raises ValueError, with a remedy, if they are not found."""
        options: dict[str, Any] = {"rank": self.rank, "world_size": self.ranks}
        if self.place.store:
            options["store"] = dist.FileStore(self.place.store, self.ranks)
        else:
            _check_name(os.environ.get("MASTER_ADDR", ""), self.rank)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
            options["device_id"] = self.device
        backend = "nccl" if self.device.type == "cuda" else "gloo"
        try:
            dist.init_process_group(backend, timeout=FIRST_WAIT, **options)
        except (RuntimeError, ValueError) as error:
            raise ValueError(_not_met(error, self.place)) from error

    def close(self) -> None:
        """Leaves the group; otherwise torch warns when the process ends."""
        if dist.is_initialized():
            with suppress(RuntimeError):  # another rank is gone
                dist.destroy_process_group()

    def stepped(self, applied: bool) -> None:
        super().stepped(applied)
        if self._waits_long:  # all ranks have finished a step: from now on none takes long
            self._waits_long = False
            dist.distributed_c10d._set_pg_timeout(timedelta(seconds=self.place.timeout))

    @contextmanager
    def patience(self) -> Iterator[None]:
        if self._waits_long:
            yield
            return
        dist.distributed_c10d._set_pg_timeout(FIRST_WAIT)
        try:
            yield
        finally:
            dist.distributed_c10d._set_pg_timeout(timedelta(seconds=self.place.timeout))

    def sums(self, values: Sequence[float]) -> list[float]:
        start = self.spans.exchange()
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)  # step: sum
        self.spans.add("sum", start, self.spans.mark(), tensor.nbytes)
        return tensor.tolist()

    def first(self, text: str) -> str:
        self.spans.count_exchange()
        data = text.encode()
        lengths = torch.zeros(self.ranks, dtype=torch.int64, device=self.device)
        lengths[self.rank] = len(data)
        dist.all_reduce(lengths)
        told = [(source, length) for source, length in enumerate(lengths.tolist()) if length]
        return self._broadcast(data, *told[0]).decode() if told else ""

    def agree(self, value: Any) -> Any:
        self.spans.count_exchange()
        data = json.dumps(value).encode() if self.writes else b""
        length = torch.tensor([len(data)], dtype=torch.int64, device=self.device)
        dist.broadcast(length, 0)
        return json.loads(self._broadcast(data, 0, int(length)))

    def _broadcast(self, data: bytes, source: int, length: int) -> bytes:
        """Returns the `length` bytes of the rank `source`, on every rank."""
        given = data if self.rank == source else bytes(length)
        tensor = torch.frombuffer(bytearray(given), dtype=torch.uint8).to(self.device)
        dist.broadcast(tensor, source)
        return bytes(tensor.tolist())

    def wait(self) -> None:
        self.spans.count_exchange()
        dist.barrier()

    def write(self, folder: Path, files: Mapping[str, Mapping[str, Tensor]]) -> None:
        if self.writes:
            super().write(folder, files)


def _check_name(host: str, rank: int) -> None:
    """Raises ValueError, with a remedy, for a host without an address: torch would retry the lookup
    for minutes.
    """
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        raise ValueError(
            f"rank {rank} cannot meet the others: the name {host} has no address here; is it right "
            "in --rdzv-endpoint or --master-addr? An address (127.0.0.1 on one machine) needs no "
            f"name server ({error.strerror or error})"
        ) from error


def _not_met(error: Exception, place: Place) -> str:
    """Returns a message for the user on why a group was not formed."""
    told = str(error)
    lines = told.splitlines() or [type(error).__name__]
    where = f"{os.environ.get('MASTER_ADDR', '')}:{os.environ.get('MASTER_PORT', '')}"
    if "libuv" in told:
        remedy = "this torch was built without libuv: set USE_LIBUV=0"
    elif "address already in use" in told.lower() or "EADDRINUSE" in told:
        remedy = f"{where} is in use by another program: choose another port"
    elif place.store:
        remedy = f"remove {place.store}, and start the run again"
    else:
        remedy = (
            f"is {where} right, and can this machine reach it? An address (127.0.0.1 on one "
            "machine) needs no name server"
        )
    return f"rank {place.rank} did not meet the others ({lines[0]}); {remedy}"
