"""Files that were changed at random: each opens, or a ValueError or OSError says the remedy."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.core.hostile.mutations import JUNK, change_json
from tests.core.hostile.processes import ROOT, environment, has_remedy

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="memory is limited by setrlimit")

FEW, MANY = 300, 3000


def test_a_file_changed_at_random_opens_or_is_refused_with_the_remedy() -> None:
    check(0, FEW)


@pytest.mark.full
@pytest.mark.timeout(36_000)
def test_many_files_changed_at_random_open_or_are_refused_with_the_remedy() -> None:
    check(FEW, MANY)


def test_a_change_is_a_function_of_its_seed_alone() -> None:
    """What a file was changed to once became a part of what later ones were changed to."""
    before = repr(JUNK)
    for seed in range(300):
        rng, value = random.Random(seed), {"a": 1, "b": [1, 2]}
        for _ in range(4):
            value = change_json(value, rng)
    assert repr(JUNK) == before


def check(first: int, count: int) -> None:
    """An abort shows by the seed that has begun and not ended; the next process goes on after it.

    One seed by itself: python -m tests.core.hostile.fuzzing SEED 1 --keep FOLDER
    """
    wrong: list[dict[str, Any]] = []
    seed = first
    while seed < first + count:
        last = None
        for told in _lines(seed, first + count - seed):
            last = told
            if "kind" in told and not _is_fine(told):
                wrong.append(told)
        assert last is not None
        if "kind" not in last:
            wrong.append({**last, "kind": "abort"})
        seed = last["seed"] + 1
    print(f"seeds {first} to {first + count - 1}")
    assert not wrong, "\n".join(map(str, wrong))


def _is_fine(told: dict[str, Any]) -> bool:
    refused = told["kind"] == "refused" and has_remedy(told["message"])
    return refused or told["kind"] == "opened"


def _lines(first: int, count: int) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.core.hostile.fuzzing", str(first), str(count)]
    ended = subprocess.run(command, capture_output=True, env=environment(), cwd=ROOT, check=False)
    lines = ended.stdout.splitlines()
    assert lines, ended.stderr.decode(errors="replace")[-3000:]
    return map(json.loads, lines)
