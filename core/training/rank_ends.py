"""How each rank of a failed run ended, from the events in its folder. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.training.place import LEFT_ALONE_MESSAGE
from core.training.reader import RunReader


@dataclass(frozen=True)
class RankEnd:
    """How a rank ended: "killed", "failed", "hung", or "left alone" by a rank that did.

    message  the rank's own error message; "": none
    """

    how: str
    message: str = ""

    @property
    def is_cause(self) -> bool:
        """Whether this rank ended for a reason of its own, not because another one had."""
        return self.how != "left alone"


def cause(ends: Mapping[int, RankEnd]) -> str:
    """Returns a short description of the cause: "rank 1 was killed"."""
    causes = [rank for rank, end in ends.items() if end.is_cause]
    if len(causes) != 1:
        return f"{len(causes)} ranks failed" if causes else "the run has ended"
    verbs = {"killed": "was killed", "hung": "has hung", "failed": "has failed"}
    return f"rank {causes[0]} {verbs.get(ends[causes[0]].how, 'has ended')}"


def rank_ends(runs: Sequence[RunReader]) -> dict[int, RankEnd]:
    """Returns how each rank of the last attempt ended; empty if the attempt has not failed.

    runs  readers of the same folder, rank after rank
    """
    if not runs or len(runs) < 2 or runs[0].state not in ("failed", "dead"):
        return {}
    attempt = len(runs[0].manifest["attempts"])
    told = [
        [e for e in run.events if e.get("event") == "end" and e.get("attempt") == attempt]
        for run in runs
    ]
    # The launcher writes to the events of rank 0 and names the rank that it means.
    launcher = next((event for event in told[0] if "rank" in event), {})
    ends = {}
    for rank, mine in enumerate(told):
        own = next((str(event.get("message", "")) for event in mine if "rank" not in event), "")
        if launcher.get("rank") == rank:
            ends[rank] = RankEnd(str(launcher.get("how", "failed")), own)
        elif own and own != LEFT_ALONE_MESSAGE:
            ends[rank] = RankEnd("failed", own)
        elif own or launcher:
            ends[rank] = RankEnd("left alone", own)
        elif runs[rank].state == "dead":
            ends[rank] = RankEnd("killed")
    return ends
