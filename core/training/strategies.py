"""Which strategy a run's config asks for, on the devices that are here."""

from __future__ import annotations

import torch

from core.training.config import TrainingConfig
from core.training.parallel import Parallel, Single
from core.training.place import Place
from core.training.precision import build_scaler
from core.training.this_machine import this_machine


def strategy_for(config: TrainingConfig, place: Place | None) -> Parallel:
    """The strategy for a process at `place`; None, or a group of one: alone.

    A strategy of several ranks is to be joined before it is used, and closed after. Raises
    ValueError, with the remedy, for a device that is not here.
    """
    scaler = build_scaler(config)
    local_rank, local_ranks = (place.local_rank, place.local_ranks) if place else (0, 1)
    device = device_for(config.device, local_rank, local_ranks)
    if place is None or place.ranks == 1:
        return Single(device, scaler)
    # Loaded here: a run of one process needs neither, and FSDP2 takes a second.
    if config.parallel == "fsdp2":
        from core.training.fully_sharded import FSDP2

        return FSDP2(place, device, scaler)
    from core.training.data_parallel import DDP

    return DDP(place, device, scaler)


def device_for(wanted: str, local_rank: int = 0, local_ranks: int = 1) -> torch.device:
    """The device of a rank: "auto" takes a GPU where there is one for each rank of this machine.

    Raises ValueError, with the remedy, for one that is not here.
    """
    machine = this_machine()
    if why := machine.refusal(wanted, local_ranks):
        raise ValueError(why)
    if wanted == "auto":
        wanted = "cuda" if machine.gpus >= local_ranks else "cpu"
    return torch.device(wanted, local_rank) if wanted == "cuda" else torch.device(wanted)
