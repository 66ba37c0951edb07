"""How each rank of a run that failed has ended, by what it left in the folder. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.training.place import LEFT_ALONE_MESSAGE
from core.training.reader import RunReader


@dataclass(frozen=True)
class RankEnd:
    """What became of a rank: "killed", "failed", "hung", or "left alone" by one that did.

    message  what it said itself; "": nothing
    """

    how: str
    message: str = ""

    @property
    def is_cause(self) -> bool:
        """Whether it did not just follow another rank."""
        return self.how != "left alone"


def cause(ends: Mapping[int, RankEnd]) -> str:
    """In a few words whose fault it was: "rank 1 was killed"."""
    causes = [rank for rank, end in ends.items() if end.is_cause]
    if len(causes) != 1:
        return f"{len(causes)} ranks failed" if causes else "the run has ended"
    verbs = {"killed": "was killed", "hung": "has hung", "failed": "has failed"}
    return f"rank {causes[0]} {verbs.get(ends[causes[0]].how, 'has ended')}"


def rank_ends(runs: Sequence[RunReader]) -> dict[int, RankEnd]:
    """By rank, of the last attempt; none where it has not failed.

    runs  of the same folder, rank after rank
    """
    if not runs or len(runs) < 2 or runs[0].state not in ("failed", "dead"):
        return {}
    attempt = len(runs[0].manifest["attempts"])
    told = [
        [e for e in run.events if e.get("event") == "end" and e.get("attempt") == attempt]
        for run in runs
    ]
    # The launcher writes in the name of rank 0, and says which rank it means.
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
