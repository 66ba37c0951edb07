"""Place: which rank of how many a process is, as whoever started it says in the environment.

`rank_processes` starts ranks on one machine, `torchrun` on many, by the same names: RANK,
WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, and MASTER_ADDR with MASTER_PORT. On one machine a file
takes the place of the last two (RANKS_STORE): no port can be taken, no host name must be known.
RANKS_TIMEOUT is how many seconds a rank waits for the others before it gives up. Loads no torch.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

STORE = "RANKS_STORE"
TIMEOUT = "RANKS_TIMEOUT"
# Where it is 1, torchrun opens a new store for each start of the group. In the one that it shares
# otherwise, ranks meet under the number of their machine's restarts, which may differ: they would
# wait for each other without end.
NEW_STORE = "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"
# How often all ranks are started again after a failure, and how often they were: torchrun's names.
RESTARTS = "TORCHELASTIC_MAX_RESTARTS"
RESTARTED = "TORCHELASTIC_RESTART_COUNT"
RANKS_A_MACHINE = 8  # at most: as many GPUs as a usual one has
USUAL_TIMEOUT = 100.0  # seconds; a step, an evaluation's batch and a checkpoint take less
# The exit code of a rank that could not go on because another one had gone.
LEFT_ALONE = 3
LEFT_ALONE_MESSAGE = "another rank has ended or does not answer; this one cannot go on without it"


@dataclass(frozen=True)
class Place:
    """Which rank of how many a process is, in all and on its machine.

    store    the file by which ranks of one machine find each other; "": MASTER_ADDR and MASTER_PORT
    timeout  seconds after which a rank that does not answer is given up, once all have done a step
    """

    rank: int
    ranks: int
    local_rank: int
    local_ranks: int
    store: str = ""
    timeout: float = USUAL_TIMEOUT

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Place | None:
        """As torchrun or `rank_processes` says it; None where neither started this process.

        Raises ValueError, with the remedy, where only a part of it is said.
        """
        if "RANK" not in environment or "WORLD_SIZE" not in environment:
            return None
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        usual = {"LOCAL_RANK": environment["RANK"], "LOCAL_WORLD_SIZE": environment["WORLD_SIZE"]}
        try:
            numbers = [int(environment.get(name, usual.get(name, ""))) for name in names]
        except ValueError:
            raise ValueError(
                f"{', '.join(names)} must be whole numbers, as torchrun sets them; unset RANK to "
                "train in one process"
            ) from None
        rank, ranks, local_rank, local_ranks = numbers
        if not (0 <= rank < ranks and 0 <= local_rank < local_ranks <= ranks):
            raise ValueError(
                f"rank {rank} of {ranks} (on this machine {local_rank} of {local_ranks}) cannot "
                "be; ranks count from 0. Start them by torchrun"
            )
        store = environment.get(STORE, "")
        if not store and not {"MASTER_ADDR", "MASTER_PORT"} <= set(environment):
            raise ValueError("MASTER_ADDR and MASTER_PORT are not set; start ranks by torchrun")
        try:
            timeout = float(environment.get(TIMEOUT, USUAL_TIMEOUT))
        except ValueError:
            timeout = -1.0
        if not 0 < timeout < float("inf"):
            raise ValueError(f"{TIMEOUT} must be a number of seconds; {USUAL_TIMEOUT:g} is usual")
        return cls(rank, ranks, local_rank, local_ranks, store, timeout)


def restarts_left(environment: Mapping[str, str]) -> int:
    """How often whoever started this rank will start all again when one fails; 0: not told."""
    try:
        return max(int(environment[RESTARTS]) - int(environment.get(RESTARTED, "0")), 0)
    except (KeyError, ValueError):
        return 0


def is_left_alone(error: BaseException) -> bool:
    """Whether an error says that another rank is gone, however gloo and NCCL put it."""
    told = str(error)
    known = ("gloo", "NCCL", "ProcessGroup", "TCPStore", "Connection closed by peer")
    return isinstance(error, RuntimeError) and any(name in told for name in known)


def torchrun_command(folder: str, name: str, ranks: int) -> str:
    """What trains the run in a folder that all machines share, for a shell on each of them; HOST
    stands for the first machine. As few machines as can hold equally many of the ranks.

    name  of the job, by which its machines find each other
    """
    fewest = -(-ranks // RANKS_A_MACHINE)
    machines = next(count for count in range(fewest, ranks + 1) if ranks % count == 0)
    return (
        f"{NEW_STORE}=1 torchrun --nnodes {machines} --nproc-per-node {ranks // machines} "
        f"--rdzv-backend c10d --rdzv-id {shlex.quote(name)} --rdzv-endpoint HOST:29400 "
        f"--max-restarts 3 -m core.training --run-folder {shlex.quote(folder)} --resume"
    )
