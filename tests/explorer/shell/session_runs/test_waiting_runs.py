"""Runs that wait to go on: their card, where they go on, why they ended."""

from __future__ import annotations

import errno
import logging
import os
from types import SimpleNamespace

import pytest

from core.training import ProcessLauncher
from core.training.control import RunControl
from core.training.writer import RunWriter
from explorer.engine import errors, tasks
from explorer.engine.jobs import EngineDied
from tests.explorer.demo import tiny_training
from tests.explorer.shell.session_runs.conftest import commands
from tests.explorer.waiting import until


def test_runs_that_wait_share_one_card_and_leave_it_one_by_one(sitting, stopped, run_async):
    folders = stopped

    async def body():
        async with sitting as session:
            await session.offers.runs_left()
            cards = session.window.notices.cards
            (card,) = cards.values()
            assert card.accessibleName().startswith(
                "Runs are waiting: a stopped at step 4 of 9; b stopped at step 4 of 9"
            )
            assert len(card.buttons) == 6, "two rows, three buttons each"
            assert card.all.text() == "Dismiss all"
            assert card.buttons[str(folders[0]), "Resume"].accessibleName() == "Resume: a"

            card.buttons[str(folders[0]), "Dismiss"].click()
            assert [row.name for row in card.rows] == ["b", "c", "d"]
            card.buttons[str(folders[1]), "Look"].click()
            assert session.workspace.run == str(folders[1])
            assert not session.runs.running_here(folders[1])
            session.runs.start(folders[2])  # by another button than the card's
            await until(lambda: [row.name for row in card.rows] == ["d"])
            card.buttons[str(folders[3]), "Resume"].click()
            await until(lambda: session.runs.running_here(folders[3]))
            assert not cards and session.workspace.run == str(folders[3])
            for folder in folders[2:]:
                session.steer("stop", str(folder))
            await until(lambda: not session.runs.live)
            await tasks.wait_for(session.offers)
            assert await session.runs.waiting() == [], "who was answered is not asked again"

    run_async(body())


def test_a_run_in_sight_is_not_offered_again_above_its_own_card(sitting, stopped, run_async):
    async def body():
        async with sitting as session:
            session.workspace.set_run(str(stopped[0]))
            session.window.show_pane("training")
            await session.offers.runs_left()
            cards = session.window.notices.cards
            assert [row.name for row in cards["runs"].rows] == ["b", "c", "d"]
            session.workspace.set_run(str(stopped[1]))
            assert [row.name for row in cards["runs"].rows] == ["c", "d"]
            waiting = [run.folder.name for run in await session.runs.waiting()]
            assert waiting == ["a", "b", "c", "d"], "no one has decided about them"

    run_async(body())


def test_a_run_without_a_checkpoint_says_that_it_begins_again(sitting, stopped, run_async):
    (stopped[0] / "checkpoints" / "step-000004").rmdir()

    async def body():
        async with sitting as session:
            await session.offers.runs_left()
            card = session.window.notices.cards["runs"]
            (first, second), resume = card.rows[:2], "Resume"
            assert first.text == "stopped at step 4 of 9 without a checkpoint"
            assert card.buttons[first.id, resume].text() == "Begin again at step 0"
            assert card.buttons[first.id, resume].accessibleName() == "Begin again at step 0: a"
            assert second.text == "stopped at step 4 of 9"
            assert card.buttons[second.id, resume].text() == "Resume"

    run_async(body())


def test_a_run_that_trained_without_the_window_is_told_until_it_is_looked_at_or_ends(
    sitting, run_async, monkeypatch
):
    async def body():
        async with sitting as session:
            window, runs = session.window, session.runs
            window.show_pane("attention")
            folders = [runs.new(tiny_training(), name) for name in ("one", "two", "three")]
            for folder in folders:
                runs.start(folder)

            async def take_up(elsewhere):
                return list(folders)

            monkeypatch.setattr(runs, "take_up", take_up)
            session.workspace.set_run(None)
            await session.offers.runs_left()
            card = window.notices.cards["went on"]
            assert card.message.startswith("one and 2 more kept running")
            session.steer("stop", str(folders[0]))
            await until(lambda: card.message.startswith("two and three kept"))
            session.workspace.set_run(str(folders[1]))
            assert card.message.startswith("two and three"), "another pane is shown"
            window.show_pane("training")
            assert card.message.startswith("three kept running")
            session.workspace.set_run(str(folders[2]))
            assert not window.notices.cards
            for folder in folders[1:]:
                session.steer("stop", str(folder))
            await until(lambda: not runs.live)

    run_async(body())


def test_many_runs_are_dismissed_at_once_and_stay_so(sitting, stopped, run_async):
    async def body():
        async with sitting as session:
            await session.offers.runs_left()
            card = session.window.notices.cards["runs"]
            card.all.click()
            assert not session.window.notices.cards
            await tasks.wait_for(session.offers)
            return await session.runs.waiting(), [commands(folder) for folder in stopped]

    assert run_async(body()) == ([], [["stop"]] * 4)


def test_a_run_that_another_window_takes_up_or_dismisses_is_offered_no_longer(
    sitting, stopped, run_async, monkeypatch
):
    monkeypatch.setattr("explorer.shell.offers.EVERY", 20)

    async def body():
        async with sitting as session:
            await session.offers.runs_left()
            card = session.window.notices.cards["runs"]
            writer = RunWriter(stopped[0])
            await until(lambda: [row.name for row in card.rows] == ["b", "c", "d"])
            RunControl(stopped[1]).stop()
            await until(lambda: [row.name for row in card.rows] == ["c", "d"])
            own = ProcessLauncher(bound=False)
            monkeypatch.setattr(
                "core.training.launch.launched",
                lambda folder: own if folder == stopped[2] else None,
            )
            await until(lambda: [row.name for row in card.rows] == ["d"])
            whole = (stopped[3] / "run.json").read_text()
            looks, settled = [], session.runs.settled

            async def counted(folders):
                looks.append(await settled(folders))
                return looks[-1]

            monkeypatch.setattr(session.runs, "settled", counted)
            (stopped[3] / "run.json").write_text("{")  # while it is copied, for instance
            seen = len(looks)
            await until(lambda: len(looks) > seen + 1)
            assert [row.name for row in card.rows] == ["d"], "what cannot be read may wait still"
            (stopped[3] / "run.json").write_text(whole)
            session.window.notices.close_last()
            await until(lambda: not session.offers.looks)
            writer.close()

    run_async(body())


def test_what_a_run_is_asked_to_be_is_shown_before_its_folder_says_so(sitting, stopped, run_async):
    folder = stopped[0]

    async def body():
        async with sitting as session:
            status, shown = session.window.status, []
            session.workspace.set_run(str(folder))
            await until(lambda: status.run is not None and status.run.folder == str(folder))
            shown.append(status.run.state)
            session.runs.start(folder)
            shown.append(status.run.state)
            for command in ("pause", "resume", "stop"):
                session.steer(command, str(folder))
                await until(lambda command=command: commands(folder)[-1:] == [command])
                shown.append(status.run.state)
            return shown

    expected = ["stopped", "running", "paused", "running", "stopped"]
    assert run_async(body()) == expected, "its folder says stopped all the time"


def test_escape_answers_no_question(sitting, stopped, run_async):
    """Runs that wait are offered again at the next start; only a button decides about them."""

    async def body():
        async with sitting as session:
            await session.offers.runs_left()
            notices = session.window.notices
            assert notices.close_last() and not notices.cards
            assert [run.folder for run in await session.runs.waiting()] == stopped

    run_async(body())


def test_a_folder_that_is_no_run_says_which_one_is_meant(sitting, run_async, tmp_path, caplog):
    caplog.set_level(logging.CRITICAL)

    async def body():
        async with sitting as session:
            session.open_run_folder(tmp_path)
            (problem,) = errors.reports().problems.values()
            assert "no run folder" in problem.text and session.workspace.run is None

    run_async(body())
    errors.reports().problems.clear()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("name", ["run.json", "rank0.steps"])
def test_a_pipe_in_a_run_folder_is_named_and_nothing_else_is_touched(
    sitting, stopped, run_async, name, caplog
):
    caplog.set_level(logging.CRITICAL)
    bad = stopped[0]
    (bad / name).unlink(missing_ok=True)
    os.mkfifo(bad / name)

    async def body():
        async with sitting as session:
            model = session.workspace.model_source
            session.workspace.runChanged.connect(  # as the training pane does at its first look
                lambda folder: folder and session.workspace.set_run(None)
            )
            await session.offers.runs_left()
            card = session.window.notices.cards["runs"]
            assert bad.name not in [row.name for row in card.rows]
            await session.open_paths_now([bad])
            await until(lambda: errors.reports().problems)
            await tasks.wait_for(session.follower)
            (problem,) = errors.reports().problems.values()
            assert str(bad / name) in problem.text
            assert "not a file: put the file itself there" in problem.text
            assert problem.count == 1 and session.workspace.model_source is model

    run_async(body())
    errors.reports().problems.clear()


def test_a_run_with_long_steps_goes_on_in_a_process(sitting, stopped, run_async, monkeypatch):
    started = []

    async def body():
        async with sitting as session:
            start = session.runs.start
            monkeypatch.setattr(
                session.runs, "start", lambda run, to: started.append((run.name, to))
            )
            await session.offers.runs_left()
            card = session.window.notices.cards["runs"]
            for folder in stopped[:2]:
                card.buttons[str(folder), "Resume"].click()
            await until(lambda: len(started) == 2)
            session.settings.run_in = "thread"
            card.buttons[str(stopped[2]), "Resume"].click()
            await until(lambda: len(started) == 3)
            monkeypatch.setattr(session.runs, "start", start)

    run_async(body())
    assert sorted(started) == [("a", "thread"), ("b", "process"), ("c", "thread")]


def test_a_run_that_cannot_go_on_for_the_engine_has_died_is_told_with_the_remedy(
    sitting, stopped, run_async, caplog, monkeypatch
):
    caplog.set_level(logging.CRITICAL)

    def dead(*_):
        raise EngineDied("choose Restart in its card")

    async def body():
        async with sitting as session:
            with monkeypatch.context() as patch:
                patch.setattr(session.runs, "start", dead)
                await session.offers.runs_left()
                card = session.window.notices.cards["runs"]
                card.buttons[str(stopped[0]), "Resume"].click()
                await until(lambda: errors.reports().problems)
            return [problem.where for problem in errors.reports().problems.values()]

    assert run_async(body()) == ["resuming run a"]


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (OSError(errno.ENOSPC, "training stopped after step 3: make room"), "The disk is full"),
        (ValueError("training stopped after step 3: make room"), "That did not work"),
    ],
)
def test_why_a_run_ended_is_told_once_where_one_looks(
    sitting, run_async, monkeypatch, caplog, error, title
):
    caplog.set_level(logging.CRITICAL)

    def training(folder, resume):
        yield SimpleNamespace(safe=True, idle=0.01)
        raise error

    monkeypatch.setattr("explorer.runs.live.training_steps", training)

    async def body():
        async with sitting as session:
            window, runs = session.window, session.runs
            for pane, cards in (("training", 0), ("attention", 1)):
                folder = runs.new(tiny_training(), pane)
                session.workspace.set_run(str(folder))
                window.show_pane(pane)
                runs.start(folder)
                await until(lambda folder=folder: not runs.running_here(folder))
                await until(lambda folder=folder: runs.failure(folder))
                assert runs.failure(folder) == "training stopped after step 3: make room"
                assert len(window.notices.cards) == cards
            (card,) = window.notices.cards.values()
            assert card.title_label.text() == title and "Errno" not in card.message

    run_async(body())
