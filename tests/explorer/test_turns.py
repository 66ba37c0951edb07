"""What happens between two pieces of long work."""

from __future__ import annotations

import time
from itertools import pairwise

from PySide6.QtCore import QObject, Qt

from explorer.turns import next_turn
from tests.explorer.waiting import wait_until

PIECES = 6


def test_a_timer_ticks_between_any_two_pieces(qapp):
    told = []

    class Clock(QObject):
        def timerEvent(self, _):
            told.append("tick")

    clock = Clock()
    clock.startTimer(1, Qt.TimerType.PreciseTimer)

    def piece():
        time.sleep(0.01)  # longer than the timer
        told.append("piece")
        if told.count("piece") < PIECES:
            next_turn(clock, piece)

    next_turn(clock, piece)
    wait_until(lambda: told.count("piece") == PIECES)
    assert ("piece", "piece") not in pairwise(told)


def test_nothing_is_called_for_an_owner_that_is_gone(qapp):
    told, owner, other = [], QObject(), QObject()
    next_turn(owner, lambda: told.append("gone"))
    next_turn(other, lambda: told.append("there"))
    del owner
    wait_until(lambda: "there" in told)
    assert told == ["there"]
