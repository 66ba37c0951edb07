"""Numbers that are told while a player plays, and jobs that let the window go first."""

from __future__ import annotations

import threading
import time

import pytest
from PySide6.QtCore import QTimer

from explorer import theme
from explorer.engine import courtesy
from explorer.state.player import Player
from explorer.state.tracks import ListTrack
from explorer.widgets.pacing import Pacing
from tests.explorer.conftest import dispose
from tests.explorer.waiting import HANGS, timer_of, turn, until, wait_until


@pytest.fixture
def player(qapp):
    player = Player(clock=lambda: 0.0)  # it plays, and its ticks are given by hand
    player.set_track(ListTrack(["a", "b", "c"]))
    yield player
    player.pause()
    dispose(player)


@pytest.fixture
def told(player):
    """One item for each time that numbers were told."""
    pace, told = Pacing(player, player), []
    pace.due.connect(lambda: told.append(1))
    player.pace = pace
    return told


def play(player):
    player.play()
    timer_of(player).stop()


def waits(pace):
    """Milliseconds of the timers that run."""
    return [timer.interval() for timer in pace.findChildren(QTimer) if timer.isActive()]


def test_what_stands_still_is_told_at_once_and_once(player, told):
    for _ in range(3):
        player.pace.soon()
    assert told == [] and waits(player.pace) == [0]
    turn()
    assert told == [1]


def test_while_it_plays_numbers_are_told_after_a_frame_at_most_eight_times_a_second(player, told):
    play(player)
    player.pace.soon()
    assert waits(player.pace) == [theme.MOTION["live_number"]] == [125]
    wait_until(lambda: not waits(player.pace))
    turn()
    assert told == []  # no frame has come since
    player.tick()
    assert told == []  # the frame is painted first
    turn()
    assert told == [1]
    player.tick()
    turn()
    assert told == [1]  # nobody asked again


def test_a_pause_tells_what_waited_for_a_frame(player, told):
    play(player)
    player.pace.soon()
    wait_until(lambda: not waits(player.pace))
    player.pause()
    turn()
    assert told == [1]


def test_what_is_pending_can_be_told_now_or_not_at_all(player, told):
    player.pace.flush()
    assert told == []
    player.pace.soon()
    assert player.pace.pending
    player.pace.flush()
    assert told == [1]
    player.pace.soon()
    player.pace.stop()
    turn()
    assert told == [1]
    assert not player.pace.pending


def test_a_job_of_pure_python_goes_on_when_the_window_rests(engine, run_async, monkeypatch):
    monkeypatch.setattr(courtesy, "PATIENCE", HANGS)
    works, went = threading.Event(), threading.Event()

    def job():
        assert works.wait(HANGS)
        yield 0
        went.set()
        yield 1

    async def body():
        handle = engine.run(job(), name="python", pure_python=True)
        courtesy.window_works()
        works.set()
        assert not went.wait(0.1)  # all that time the window's thread is in one call
        await handle.done()  # and now it waits for events
        assert went.is_set()

    run_async(body())


def test_the_window_does_not_rest_between_the_parts_of_a_frame(qapp):
    resting, rests = courtesy.Resting(), []

    def begin():
        courtesy.window_works()
        QTimer.singleShot(0, lay_out)

    def lay_out():
        rests.append(courtesy.is_resting())
        QTimer.singleShot(0, paint)

    def paint():  # after a posted event a timer of no time comes before the next posted one
        rests.append(courtesy.is_resting())
        courtesy.window_works()
        QTimer.singleShot(0, shown)

    def shown():
        rests.append(courtesy.is_resting())

    resting.mind(True)
    try:
        begin()
        wait_until(courtesy.is_resting)
        assert rests == [False, False, False]
    finally:
        resting.mind(False)


def test_no_job_of_pure_python_gets_between_the_parts_of_a_frame(engine, run_async, monkeypatch):
    monkeypatch.setattr(courtesy, "PATIENCE", HANGS)
    log: list[str] = []

    def job():
        while "painted" not in log:
            log.append("job")
            time.sleep(0.001)
            yield

    def begin():
        courtesy.window_works()
        log.append("begun")
        QTimer.singleShot(0, lambda: (time.sleep(0.03), QTimer.singleShot(0, paint)))

    def paint():
        courtesy.window_works()
        time.sleep(0.03)
        log.append("painted")

    async def body():
        handle = engine.run(job(), name="python", pure_python=True)
        await until(lambda: log.count("job") > 1)
        begin()
        await handle.done()

    run_async(body())
    frame = log[log.index("begun") : log.index("painted")]
    assert frame.count("job") <= 1  # the one that was on its way


def test_a_window_that_never_rests_holds_a_job_up_for_a_moment_only(monkeypatch):
    monkeypatch.setattr(courtesy, "PATIENCE", 0.01)
    resting = courtesy.Resting()
    resting.mind(True)
    courtesy.window_works()
    try:
        thread = threading.Thread(target=courtesy.after_the_window)
        thread.start()
        thread.join(HANGS)
        assert not thread.is_alive()
    finally:
        resting.mind(False)
