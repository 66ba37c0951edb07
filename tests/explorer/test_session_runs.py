"""Runs in the window: the strip's controls, the cards of those that wait, where they go on."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.training import new_run_folder
from core.training.control import ControlLog
from core.training.writer import RunWriter
from explorer import errors, tasks, theme
from explorer.jobs import EngineDied
from explorer.session import Session
from explorer.settings import write_object
from explorer.sources import models_among
from tests.explorer.conftest import dispose
from tests.explorer.demo import save_tiny_model, spec, tiny_training
from tests.explorer.waiting import until


@pytest.fixture
def sitting(qapp, tmp_path, monkeypatch):
    """`async with sitting as session`: without torch; a run "trains" until its stop command."""
    errors.reports().problems.clear()
    theme.apply(qapp, "light", 1.0, "full")

    def training(folder, resume):
        log = ControlLog(folder)
        while not any(command.name == "stop" for command in log.commands):
            log.refresh()
            yield SimpleNamespace(safe=True, idle=0.01)

    monkeypatch.setattr("explorer.live._train", training)

    session = Session(
        folder=tmp_path / "config",
        runs_folder=tmp_path / "runs",
        specs=(spec("attention"), spec("training")),
        with_torch=False,
    )
    session.settings.callouts_seen = True
    session.open().show()

    @contextlib.asynccontextmanager
    async def started():
        session.engine.start()
        try:
            yield session
        finally:
            await session.close(10)

    yield started()
    dispose(session)
    errors.reports().problems.clear()


def commands(folder):
    log = ControlLog(folder)
    log.refresh()
    return [command.name for command in log.commands if command.name != "start"]


def test_every_run_that_trains_is_steered_from_the_strip_of_any_pane(sitting, run_async):
    async def body():
        async with sitting as session:
            window, status = session.window, session.window.status
            folders = [session.runs.new(tiny_training(), name) for name in ("first", "second")]
            session.runs.start(folders[0])
            await until(lambda: status.run is not None)
            assert session.workspace.run == str(folders[0])

            session.workspace.set_run(None)  # New run
            await until(lambda: status.run is not None and status.run.name == "first")
            assert not status.line.pause.isHidden() and not status.line.stop.isHidden()
            status.line.pause.click()
            await until(lambda: commands(folders[0]) == ["pause"])

            session.runs.start(folders[1])
            session.workspace.set_run(str(folders[1]))
            await until(lambda: len(status.training) == 2)
            assert status.run.name == "second"
            window.show_pane("attention")
            assert window.actions_list.run("run.list")
            status.list.lines[str(folders[0])].stop.click()
            await until(lambda: commands(folders[0]) == ["pause", "stop"])
            await until(lambda: [run.name for run in status.training] == ["second"])
            assert commands(folders[1]) == []

            status.list.lines[str(folders[1])].name.click()
            assert window.pane.objectName() == "training"
            window.actions_list.run("run.stop")
            await until(lambda: not status.training)
            assert commands(folders[1]) == ["stop"]
            assert not window.actions_list.run("run.list")

    run_async(body())


def test_the_strip_says_what_a_run_computes_on_and_else_what_the_engine_does(
    sitting, run_async, monkeypatch
):
    monkeypatch.setattr("explorer.session.torch_threads", lambda: 3)

    async def body():
        async with sitting as session:
            device = session.window.status._device
            session._on_activity()
            assert device.text() == "cpu, fp32, 3 threads"
            folder = session.runs.new(tiny_training(precision="bf16"), "run")
            session.runs.start(folder)
            writer = RunWriter(folder)
            writer.event("model", 0, {"device": "cpu", "ranks": 2, "threads": 1})
            await until(lambda: device.text() == "cpu, bf16, 2 ranks, 1 thread")
            writer.event("end", 0, {"reason": "stopped", "message": ""})
            writer.close()
            session.steer("stop")
            await until(lambda: device.text() == "cpu, fp32, 3 threads")

    run_async(body())


def test_a_job_that_is_held_is_not_said_to_go_on(sitting, run_async):
    def beats():
        while True:
            yield SimpleNamespace(idle=0.01)

    async def body():
        async with sitting as session:
            said = session.window.status._jobs
            job = session.engine.run(beats(), name="the playground learns")
            await until(lambda: said.text() == "the playground learns")
            job.pause()
            await until(lambda: said.text() == "" and said.isHidden())
            job.resume()
            await until(lambda: said.text() == "the playground learns")
            job.cancel()
            await until(lambda: said.text() == "")

    run_async(body())


@pytest.fixture
def stopped(tmp_path):
    """Four runs that were training when the last session ended."""
    folders = [new_run_folder(tmp_path / "runs", name, tiny_training(9)) for name in "abcd"]
    for folder in folders:
        writer = RunWriter(folder)
        writer.step({"step": 4, "loss": 1.0, "seconds": 0.5 if folder.name == "b" else 0.01})
        writer.event("end", 4, {"reason": "stopped", "message": ""})
        writer.close()
    listed = {"runs": [str(folder) for folder in folders]}
    write_object(tmp_path / "runs" / "unfinished.json", listed)
    return folders


def test_runs_that_wait_share_one_card_and_leave_it_one_by_one(sitting, stopped, run_async):
    folders = stopped

    async def body():
        async with sitting as session:
            await session.offers.waiting()
            cards = session.window.notices.cards
            (card,) = cards.values()
            assert card.accessibleName().startswith(
                "Runs are waiting: a stopped at step 4 of 9; b stopped at step 4 of 9"
            )
            assert len(card.buttons) == 6, "two rows, three buttons each"
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
            assert await session.runs.interrupted() == [], "who was answered is not asked again"

    run_async(body())


def test_escape_answers_no_question(sitting, stopped, run_async):
    """Runs that wait are offered again at the next start; only a button decides about them."""

    async def body():
        async with sitting as session:
            await session.offers.waiting()
            notices = session.window.notices
            assert notices.close_last() and not notices.cards
            assert [folder for folder, *_ in await session.runs.interrupted()] == stopped

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


def test_a_run_with_long_steps_goes_on_in_a_process(sitting, stopped, run_async, monkeypatch):
    started = []

    async def body():
        async with sitting as session:
            start = session.runs.start
            monkeypatch.setattr(
                session.runs, "start", lambda run, to: started.append((run.name, to))
            )
            await session.offers.waiting()
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


def test_cards_take_one_line_where_there_is_room(sitting, run_async):
    async def body():
        async with sitting as session:
            window = session.window
            window.resize(1100, 680)
            notices = window.notices
            card = notices.offer("a", "error", "Title", "What to do.", {"Do it": print})
            other = notices.offer("b", "error", "Title", "What to do. " * 20, {"Do it": print})
            await until(lambda: card.height() <= 40 < other.height())
            line = card._message.fontMetrics().height()
            assert other._message.height() >= 2 * line, "all of a long message can be read"
            assert other.height() <= 100
            assert card._title.geometry().center().y() == card._message.geometry().center().y()

    run_async(body())


def test_a_model_that_opens_retires_the_card_about_one_that_did_not(
    sitting, tmp_path, run_async, caplog
):
    caplog.set_level(logging.CRITICAL)
    good, bad = save_tiny_model(tmp_path / "good"), save_tiny_model(tmp_path / "bad")
    (bad / "model.safetensors").write_bytes(b"cut off")

    async def body():
        async with sitting as session:
            cards = session.window.notices.cards
            assert not await session.open_paths_now([bad])
            await session.open_model("stories")  # what the start falls back to
            assert len(cards) == 1
            await session.open_paths_now([tmp_path / "nowhere.txt"])
            assert len(cards) == 2
            assert await session.open_paths_now([good])
            (card,) = cards.values()
            assert "nowhere.txt" in card.message
            (tmp_path / "there.txt").write_text("a text")
            await session.open_paths_now([tmp_path / "there.txt"])
            assert not cards
            if hasattr(os, "mkfifo"):
                os.mkfifo(tmp_path / "pipe.txt")
                await session.open_paths_now([tmp_path / "pipe.txt"])
                (card,) = cards.values()
                assert "a pipe or a device; choose a text file" in card.message

    run_async(body())


def test_only_what_could_be_used_is_offered_again_and_only_models_as_models(
    sitting, tmp_path, run_async
):
    model, bad = save_tiny_model(tmp_path / "model"), tmp_path / "bad"
    text, binary, empty = (tmp_path / name for name in ("a.txt", "binary.txt", "empty.txt"))
    text.write_text("a text to learn from")
    binary.write_bytes(bytes(range(256)) * 20)
    empty.write_text("")
    bad.mkdir()
    (bad / "run.json").write_text("no run")

    async def body():
        async with sitting as session:
            run = session.runs.new(tiny_training(), "run")
            await session.open_paths_now([binary, empty, bad, text, model, run])
            await tasks.wait_for(session.window)
            recent = session.settings.recent
            assert {Path(path).name for path in recent} == {"a.txt", "model", "run"}
            assert models_among([*recent, str(tmp_path / "gone")]) == [str(model.resolve())]

    run_async(body())


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
                await session.offers.waiting()
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

    monkeypatch.setattr("explorer.live._train", training)

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
            assert card._title.text() == title and "Errno" not in card.message

    run_async(body())
