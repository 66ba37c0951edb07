"""What hangs is told from what is slow, without a clock."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from explorer.studio.hang_detector import Activity, HangDetector, Threads

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


class Machine:
    """A clock that moves by one look, and a program that does what it is told."""

    def __init__(self) -> None:
        self.now, self.activity = 0.0, Activity(False)
        self.detector = HangDetector(
            quiet=10, most=100, every=0.5, activity=lambda: self.activity, clock=lambda: self.now
        )

    def looks(self, count: int, activity: Activity, slowness: float = 1.0) -> str:
        self.activity = activity
        for _ in range(count):
            self.now += 0.5 * slowness
            if reason := self.detector.look():
                return reason
        return ""


def test_a_program_whose_threads_sleep_hangs():
    machine = Machine()
    assert machine.looks(19, Activity(False)) == ""
    assert "10 s" in machine.looks(1, Activity(False))


def test_a_program_that_works_does_not_however_long_it_takes():
    machine = Machine()
    for _ in range(50):
        assert machine.looks(17, Activity(False)) == ""
        assert machine.looks(3, Activity(True)) == ""


def test_a_machine_that_stood_still_is_no_hang():
    machine = Machine()
    assert machine.looks(19, Activity(False), slowness=1000) == ""


def test_progress_begins_anew():
    machine = Machine()
    machine.looks(19, Activity(False))
    machine.detector.progress()
    assert machine.looks(19, Activity(False)) == ""


def test_a_loop_without_an_end_hangs_and_a_starved_one_does_not():
    machine = Machine()
    assert machine.looks(10_000, Activity(True, {1: 5.0}), slowness=100) == ""
    assert "100 s" in machine.looks(1, Activity(True, {1: 106.0}))


def test_time_of_threads_that_have_ended_counts():
    machine = Machine()
    machine.looks(1, Activity(True, {}))
    reasons = [machine.looks(1, Activity(True, {thread: 9.0})) for thread in range(1, 13)]
    assert not any(reasons[:11]) and "100 s" in reasons[11]


@LINUX
def test_a_busy_child_is_seen_and_a_sleeping_one_is_not():
    threads = Threads()
    for code, busy in (("while True: pass", True), ("input()", False)):
        ready = f"print(flush=True)\n{code}"
        child = subprocess.Popen(
            [sys.executable, "-c", ready], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert child.stdout is not None
            child.stdout.readline()
            while Threads(child.pid).activity().busy is not busy:
                pass
            assert child.pid in threads.activity().seconds
        finally:
            child.kill()
            child.communicate()


@LINUX
def test_another_thread_that_computes_is_seen():
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(1000))

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        threads = Threads()
        while not threads.activity().busy:
            pass
    finally:
        over.set()
        thread.join()
