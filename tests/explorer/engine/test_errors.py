"""Every exception, from wherever it comes, is one card with a count."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QPushButton

from core.download import broken_line
from core.training import records
from explorer.engine import errors, tasks
from explorer.engine.errors import CrashLog, Hooks
from explorer.shell.notices import MOST_SHOWN, Notices
from tests.explorer.waiting import HANGS, until


@pytest.fixture
def reports(qapp, caplog):
    caplog.set_level(logging.CRITICAL)
    shown = errors.reports()
    shown.problems.clear()
    yield shown
    shown.problems.clear()


def fail(text="broken"):
    raise ValueError(text)


def caught(text="broken"):
    try:
        fail(text)
    except ValueError as error:
        return error


def test_the_same_error_at_the_same_place_counts_up(reports):
    for _ in range(3):
        errors.report(caught(), "here")
    (problem,) = reports.problems.values()
    assert (problem.count, problem.text) == (3, "broken")
    assert "fail" in problem.details


def test_two_broken_files_are_two_problems(reports):
    for name in ("one.json", "two.json", "one.json"):
        errors.report(caught(f"{name} is broken"), "here")
    counts = {problem.text: problem.count for problem in reports.problems.values()}
    assert counts == {"one.json is broken": 2, "two.json is broken": 1}


def test_problems_that_always_differ_stay_bounded(reports, qtbot):
    notices = Notices()
    qtbot.addWidget(notices)
    reports.changed.connect(notices.show_problem)
    for number in range(errors.MOST_KEPT + 5):
        errors.report(ValueError("broken"), f"place {number}")
    reports.changed.disconnect(notices.show_problem)
    assert len(reports.problems) == errors.MOST_KEPT
    assert len(notices.cards) == MOST_SHOWN


def test_of_several_errors_the_newest_is_seen_and_shows_the_others(reports, qtbot):
    notices = Notices()
    qtbot.addWidget(notices)
    reports.changed.connect(notices.show_problem)
    notices.offer("offer", "info", "An offer", "It stays.", {"Do it": print})

    def seen() -> list[str]:
        return [card.message for card in notices.cards.values() if not card.isHidden()]

    def actions() -> list[str]:
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # those of before
        newest = list(notices.cards.values())[-1]
        return [button.text() for button in newest.findChildren(QPushButton) if button.text()]

    for number in (1, 2, 3):
        errors.report(ValueError(f"error {number}"), f"place {number}")
    assert seen() == ["It stays.", "error 3"] and actions() == ["Copy details", "2 more"]
    list(notices.cards.values())[-1].actionTriggered.emit("2 more")
    assert seen() == ["It stays.", "error 1", "error 2", "error 3"]
    list(notices.cards.values())[-1].actionTriggered.emit(actions()[-1])
    assert seen() == ["It stays.", "error 3"]
    assert notices.close_last() and seen() == ["It stays.", "error 2"]
    assert actions() == ["Copy details", "1 more"]
    assert notices.close_last() and actions() == ["Copy details"]
    assert len(reports.problems) == 1
    reports.changed.disconnect(notices.show_problem)


def test_an_error_whose_text_varies_is_counted_on_one_card_and_logged_once(reports, qtbot, caplog):
    caplog.set_level(logging.WARNING)
    notices = Notices()
    qtbot.addWidget(notices)
    reports.changed.connect(notices.show_problem)
    for step in range(100):
        errors.report(caught(f"no loss at step {step}"), "here")
    reports.changed.disconnect(notices.show_problem)
    assert [problem.count for problem in reports.problems.values()] == [1, 1, 1, 1, 96]
    card = list(notices.cards.values())[-1]
    assert (card.message, card.count) == ("no loss at step 99", 96)
    assert "no loss at step 99" in list(reports.problems.values())[-1].details
    assert len(caplog.records) == errors.MOST_TEXTS + 1
    assert "Traceback" not in caplog.records[-1].getMessage()
    errors.report(TypeError("another"), "here")
    assert len(reports.problems) == errors.MOST_TEXTS + 1


def test_a_card_that_cannot_be_shown_is_reported_once(reports, caplog):
    """Its own error would come back to it, and so on without end."""
    caplog.set_level(logging.ERROR)
    hooks = Hooks()
    hooks.install()
    calls = []

    def show(problem):
        calls.append(problem.text)
        raise TypeError("no card")

    reports.changed.connect(show)
    try:
        errors.report(caught(), "here")
        errors.report(caught("another"), "here")
    finally:
        reports.changed.disconnect(show)
        hooks.remove()
    assert calls == ["broken", "another"]
    assert caplog.text.count("TypeError: no card") == 2
    assert [problem.text for problem in reports.problems.values()] == ["broken", "another"]


def test_a_download_that_breaks_is_a_matter_of_the_connection_and_no_file():
    error = broken_line("https://example.org/model", TimeoutError("timed out"), kept=False)
    assert errors.title_of(error) == "The connection failed"
    assert "check the network connection" in errors.text_of(error)
    assert errors.title_of(FileNotFoundError()) == "A file could not be used"


def test_errors_at_different_places_are_different(reports):
    errors.report(caught(), "here")
    try:
        raise ValueError("broken")
    except ValueError as error:
        errors.report(error, "there")
    assert len(reports.problems) == 2


def test_an_error_may_be_reported_from_any_thread(reports, qtbot):
    thread = threading.Thread(target=lambda: errors.report(caught(), "thread"))
    with qtbot.waitSignal(reports.changed):
        thread.start()
    thread.join()
    assert len(reports.problems) == 1


def test_the_hooks_catch_threads_and_come_off_again(reports, qtbot):
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    hooks = Hooks()
    hooks.install()
    try:
        with qtbot.waitSignal(reports.changed):
            thread = threading.Thread(target=fail)
            thread.start()
            thread.join()
        sys.excepthook(ValueError, caught(), None)
        assert sum(p.count for p in reports.problems.values()) == 2
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
        assert sum(p.count for p in reports.problems.values()) == 2
    finally:
        hooks.remove()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


def test_a_slot_that_raises_reaches_the_hook(reports, qtbot):
    hooks = Hooks()
    hooks.install()
    hook = sys.excepthook
    try:
        with qtbot.waitSignal(reports.changed), qtbot.captureExceptions():
            sys.excepthook = hook
            QTimer.singleShot(0, fail)
    finally:
        hooks.remove()
    assert len(reports.problems) == 1


def test_a_coroutine_that_fails_is_reported_with_its_owner(reports, run_async):
    owner = QObject()
    owner.setObjectName("attention")

    async def bad():
        fail("no tokens")

    async def body():
        tasks.spawn(bad(), owner)
        await tasks.wait_for(owner)
        await asyncio.sleep(0)

    run_async(body())
    (problem,) = reports.problems.values()
    assert (problem.where, problem.text) == ("attention", "no tokens")


def test_tasks_end_with_their_owner(reports, run_async):
    ended = []

    async def endless():
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(True)

    async def body():
        owner = QObject()
        tasks.spawn(endless(), owner)
        await asyncio.sleep(0)
        owner.deleteLater()
        await until(lambda: not tasks.running())

    run_async(body())
    assert ended == [True]
    assert not reports.problems


def test_cards_count_make_room_and_close(reports, qtbot):
    notices = Notices()
    qtbot.addWidget(notices)
    reports.changed.connect(notices.show_problem)
    for _ in range(4):
        errors.report(caught(), "here")
    (card,) = notices.cards.values()
    assert card.count == 4
    chosen = []
    for name in "abc":
        notices.offer(name, "info", name, "text", {"Do": lambda name=name: chosen.append(name)})
    assert len(notices.cards) == 4, "an offer stays until it is answered"
    notices.cards["b"].actionTriggered.emit("Do")
    assert chosen == ["b"]
    assert list(notices.cards)[1:] == ["a", "c"]
    for _ in range(3):
        assert notices.close_last()
    assert not notices.close_last()
    assert notices.isHidden()
    reports.changed.disconnect(notices.show_problem)


def test_an_offer_stays_however_many_errors_come(reports, qtbot):
    notices = Notices()
    qtbot.addWidget(notices)
    notices.offer("engine", "error", "The calculation has stopped", "", {"Restart": lambda: None})
    for number in range(5):
        problem = errors.Problem((str(number), "here", ""), "Broken", "text", "here", "details")
        notices.show_problem(problem)
    assert list(notices.cards) == ["engine", *[(str(number), "here", "") for number in (2, 3, 4)]]


def test_a_crash_report_is_offered_at_the_next_start(tmp_path):
    program = """
import os, pathlib, sys
from explorer.engine.errors import CrashLog
log = CrashLog(pathlib.Path(sys.argv[1]))
assert log.open() == ""
os.abort()
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", program, str(tmp_path)]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, timeout=HANGS, check=False)
    assert ended.returncode
    second = CrashLog(tmp_path)
    assert "Aborted" in second.open()
    second.close()
    third = CrashLog(tmp_path)
    assert third.open() == ""
    third.close()
    assert not third.path.exists()


def disk():
    open("/no/such/folder/at all")  # noqa: SIM115


def refused():
    records.check_probe_id("step-1")


def surprise():
    np.zeros(2) + np.zeros(3)


@pytest.mark.parametrize(
    ("function", "told"), [(disk, True), (refused, True), (surprise, False), (fail, False)]
)
def test_an_error_that_says_its_remedy_is_one_line_in_the_log(reports, caplog, function, told):
    """`fail` raises outside of core and the app: nobody has written its words for a person."""
    caplog.set_level(logging.WARNING)
    try:
        function()
    except Exception as error:
        errors.report(error, "opening")
    (record,) = caplog.records
    assert ("Traceback" in record.getMessage()) != told
    assert record.levelname == ("WARNING" if told else "ERROR")
    (problem,) = reports.problems.values()
    assert "Traceback" in problem.details, "to be copied all the same"
    caplog.clear()
