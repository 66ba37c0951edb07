"""No file brings the process down, fills the memory or is waited for; each is told the remedy."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from tests.core.hostile.attacks import ATTACKS
from tests.core.hostile.processes import attempts, has_remedy

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited in forks")

MOST_BYTES = 500_000_000
LONGEST_MESSAGE = 1000  # characters
# What differs from file to file is small; one of the large ones shows that they are bounded.
LARGE = ("60 MB of {}", "60 MB of numbers", "60 MB of entries", " deep", " digits", "digits each")
LIMITS = (
    *("lines as are read", "as many texts as are read", "records: as many as are read"),
    *("as many {} as are read", "as many entries as are read", "400,000 added tokens"),
    *("pieces of 1,000 letters", "a template that repeats the text"),
)
FEWER = ("tokenizer.json:", "run.json:", "training.json:", "--config:", "adapter_config.json:")
SLOW = ("30,000,000 lines", "100 MB of metadata", "99 MB header of []")
FAST = [
    name
    for name in ATTACKS
    if not name.startswith(FEWER) and not name.endswith((*LARGE, *LIMITS, *SLOW))
]
FAST += [name for name in ATTACKS if name.endswith((" 100,000 deep", "of 6,000 digits"))]


def check(names: Sequence[str]) -> None:
    wrong = []
    for told in attempts(names):
        refused = told["kind"] == "refused"
        fits = refused or (told["kind"] == "opened" and not ATTACKS[told["name"]].refused)
        is_told = has_remedy(told["message"]) and len(told["message"]) < LONGEST_MESSAGE
        if not fits or told["bytes"] > MOST_BYTES or (refused and not is_told):
            wrong.append(told)
    assert not wrong


def test_every_kind_of_hostile_file_is_refused_with_the_remedy() -> None:
    check(FAST)


@pytest.mark.full
def test_every_hostile_file_is_refused_with_the_remedy() -> None:
    check([name for name in ATTACKS if name not in FAST])
