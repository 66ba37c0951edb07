"""Place: the rank of a process among all ranks, read from its environment.

`rank_processes` starts ranks on one machine, `torchrun` on several, with the same variables: RANK,
WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, and MASTER_ADDR with MASTER_PORT. On one machine a file
replaces the last two (RANKS_STORE), so that no port can be taken and no host name is needed.
RANKS_TIMEOUT is the time in seconds that a rank waits for the others. Loads no torch.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

STORE = "RANKS_STORE"
TIMEOUT = "RANKS_TIMEOUT"
# If 1, torchrun opens a new store for each start of the group. In its default, shared store ranks
# meet under the restart count of their machine; the counts may differ, and the ranks would wait for
# each other forever.
NEW_STORE = "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"
# Number of restarts of all ranks allowed after failures, and number so far (torchrun's names).
RESTARTS = "TORCHELASTIC_MAX_RESTARTS"
RESTARTED = "TORCHELASTIC_RESTART_COUNT"
RANKS_A_MACHINE = 8  # at most: the usual number of GPUs in a machine
USUAL_TIMEOUT = 100.0  # seconds; a step, an evaluation's batch and a checkpoint take less
# Exit code of a rank that could not continue because another one had ended.
LEFT_ALONE = 3
LEFT_ALONE_MESSAGE = "another rank has ended or does not answer; this one cannot go on without it"


@dataclass(frozen=True)
class Place:
    """The rank of a process among all ranks and on its machine.

    store    file by which the ranks of one machine find each other; "": MASTER_ADDR and MASTER_PORT
    timeout  seconds, from the first finished step on, after which a silent rank counts as failed
    """

    rank: int
    ranks: int
    local_rank: int
    local_ranks: int
    store: str = ""
    timeout: float = USUAL_TIMEOUT

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Place | None:
        """Returns the place set by torchrun or `rank_processes`, or None if neither started it.

        Raises ValueError, with a remedy, if the variables are incomplete or contradictory.
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
    """Returns how many restarts of all ranks are left after a failure; 0 if unknown."""
    try:
        return max(int(environment[RESTARTS]) - int(environment.get(RESTARTED, "0")), 0)
    except (KeyError, ValueError):
        return 0


def is_left_alone(error: BaseException) -> bool:
    """Returns whether an error of gloo or NCCL means that another rank is gone."""
    told = str(error)
    known = ("gloo", "NCCL", "ProcessGroup", "TCPStore", "Connection closed by peer")
    return isinstance(error, RuntimeError) and any(name in told for name in known)


def torchrun_command(folder: str, name: str, ranks: int) -> str:
    """Returns the command that trains the run in a folder shared by all machines, for a shell on
    each of them; HOST is the first machine. Uses as few machines as hold equal numbers of ranks.

    name  name of the job, by which its machines find each other
    """
    fewest = -(-ranks // RANKS_A_MACHINE)
    machines = next(count for count in range(fewest, ranks + 1) if ranks % count == 0)
    return (
        f"{NEW_STORE}=1 torchrun --nnodes {machines} --nproc-per-node {ranks // machines} "
        f"--rdzv-backend c10d --rdzv-id {shlex.quote(name)} --rdzv-endpoint HOST:29400 "
        f"--max-restarts 3 -m core.training --run-folder {shlex.quote(folder)} --resume"
    )
