"""How long a hostile file is looked at before it is refused, and how much memory that takes."""

from __future__ import annotations

import sys

from tests.benchmarks.harness import Report

MOST_SECONDS = 2.0
MOST_MEGABYTES = 500.0


def fast(report: Report) -> None:
    """Each kind of file by itself, in a process forked for it. Judged is how long its processor
    worked, which is what a person waits on an idle machine; one that waits for ever is an abort.
    """
    if sys.platform != "linux":  # memory is limited in forks
        return
    from tests.core.hostile.attacks import ATTACKS
    from tests.core.hostile.processes import attempts, has_remedy

    found = list(attempts(list(ATTACKS)))
    refused = [told for told in found if told["kind"] == "refused"]
    for kind in dict.fromkeys(_kind(told["name"]) for told in refused):
        ours = [told for told in refused if _kind(told["name"]) == kind]
        slowest = max(told["worked"] for told in ours)
        largest = max(told["bytes"] for told in ours) / 1e6
        report.at_most(f"{kind}: {len(ours)} refused, the slowest", slowest, MOST_SECONDS, "s")
        report.at_most(f"{kind}: {len(ours)} refused, the largest", largest, MOST_MEGABYTES, "MB")
    for told in found:
        if told["kind"] == "opened":
            report.tell(f"{told['name']}: opened", told["worked"], "s")
    report.tell("the slowest by the clock", max(told["seconds"] for told in refused), "s")
    unsound = [told for told in found if told["kind"] in ("abort", "raised")]
    report.equal("files that ended the process, or raised what is no refusal", len(unsound), 0)
    silent = [told for told in refused if not has_remedy(told["message"])]
    report.equal("refusals without a remedy", len(silent), 0)


def _kind(name: str) -> str:
    return name.partition(": ")[0] if ": " in name else name.partition(" is ")[2]
