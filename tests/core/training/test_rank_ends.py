"""How ranks have ended: who failed, whom it left alone, and whether somebody begins again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.training import records
from core.training.place import LEFT_ALONE_MESSAGE, RESTARTED, RESTARTS, restarts_left
from core.training.rank_ends import RankEnd, rank_ends
from core.training.reader import RunReader
from core.training.runs import create_run
from core.training.writer import RunWriter, end_attempt
from tests.core.training.small import small_config

ALONE = RankEnd("left alone", LEFT_ALONE_MESSAGE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return create_run(tmp_path / "run", small_config(tmp_path, ranks=2))


def ended(folder: Path, *messages: str) -> None:
    """Ranks that have each said this before they went; "": nothing."""
    for rank, message in enumerate(messages):
        writer = RunWriter(folder, 0, rank, ranks=len(messages))
        if message:
            writer.event("end", 2, {"reason": "failed", "message": message})
        writer.close()


def ends(folder: Path) -> dict[int, RankEnd]:
    return rank_ends([RunReader(folder, rank) for rank in (0, 1)])


def test_the_launcher_names_the_rank_that_was_killed(folder: Path) -> None:
    ended(folder, LEFT_ALONE_MESSAGE, "")
    end_attempt(folder, "rank 1 of 2 was killed (SIGKILL)", rank=1, how="killed")
    assert ends(folder) == {0: ALONE, 1: RankEnd("killed")}
    assert [end.is_cause for end in ends(folder).values()] == [False, True]


def test_rank_0_may_be_the_one_that_was_killed(folder: Path) -> None:
    ended(folder, "", LEFT_ALONE_MESSAGE)
    end_attempt(folder, "rank 0 of 2 was killed (SIGKILL)", rank=0, how="killed")
    assert ends(folder) == {0: RankEnd("killed"), 1: ALONE}


def test_without_a_launcher_s_word_a_rank_that_is_gone_was_killed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under torchrun, which writes nothing into the folder."""
    ended(folder, LEFT_ALONE_MESSAGE, "")
    monkeypatch.setattr(records, "is_living", lambda identity: False)
    assert ends(folder) == {0: ALONE, 1: RankEnd("killed")}


def test_a_rank_s_own_words_are_told(folder: Path) -> None:
    ended(folder, LEFT_ALONE_MESSAGE, "no space left on the disk")
    assert ends(folder)[1] == RankEnd("failed", "no space left on the disk")


def test_a_run_that_goes_on_or_was_stopped_has_no_ends(folder: Path) -> None:
    writers = [RunWriter(folder, 0, rank, ranks=2) for rank in (0, 1)]
    assert ends(folder) == {} == rank_ends([])
    for writer in writers:
        writer.event("end", 2, {"reason": "stopped", "message": "stopped after step 2"})
        writer.close()
    assert ends(folder) == {}


def test_whoever_has_restarts_left_begins_again_while_it_lives(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RESTARTS, "3")
    monkeypatch.setenv(RESTARTED, "2")
    assert restarts_left(os.environ) == 1 and restarts_left({RESTARTS: "many"}) == 0
    writers = [RunWriter(folder, 0, rank, ranks=2) for rank in (0, 1)]
    assert not RunReader(folder).restarts  # it runs
    for writer in writers:
        writer.event("end", 2, {"reason": "failed", "message": LEFT_ALONE_MESSAGE})
        writer.close()
    assert RunReader(folder).restarts
    monkeypatch.setattr(records, "is_living", lambda identity: False)
    assert not RunReader(folder).restarts
    monkeypatch.undo()
    monkeypatch.setenv(RESTARTS, "3")
    monkeypatch.setenv(RESTARTED, "3")
    ended(folder, LEFT_ALONE_MESSAGE, "")
    assert not RunReader(folder).restarts
