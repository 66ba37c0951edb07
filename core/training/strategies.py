"""The parallel strategy that a run's config asks for, on the available devices."""

from __future__ import annotations

import torch

from core.training.config import TrainingConfig
from core.training.parallel import Parallel, Single
from core.training.place import Place
from core.training.precision import build_scaler
from core.training.this_machine import this_machine


def strategy_for(config: TrainingConfig, place: Place | None) -> Parallel:
    """Returns the strategy for a process at `place`; `Single` without a place or in a group of one.

    A strategy of several ranks must be joined before use, and closed afterwards. Raises ValueError,
    with a remedy, for a device that this machine lacks.
    """
    scaler = build_scaler(config)
    local_rank, local_ranks = (place.local_rank, place.local_ranks) if place else (0, 1)
    device = device_for(config.device, local_rank, local_ranks)
    if place is None or place.ranks == 1:
        return Single(device, scaler)
    # Imported here: a run of one process needs neither, and FSDP2 takes a second.
    if config.parallel == "fsdp2":
        from core.training.fully_sharded import FSDP2

        return FSDP2(place, device, scaler)
    from core.training.data_parallel import DDP

    return DDP(place, device, scaler)


def device_for(wanted: str, local_rank: int = 0, local_ranks: int = 1) -> torch.device:
    """Returns the device of a rank: "auto" is a GPU if this machine has one for each of its ranks.

    Raises ValueError, with a remedy, for a device that this machine lacks.
    """
    machine = this_machine()
    if why := machine.refusal(wanted, local_ranks):
        raise ValueError(why)
    if wanted == "auto":
        wanted = "cuda" if machine.gpus >= local_ranks else "cpu"
    return torch.device(wanted, local_rank) if wanted == "cuda" else torch.device(wanted)
