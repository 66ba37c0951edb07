"""How long tests wait: as long as something works, however slow the machine is.

Nothing here imports Qt.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
import pytest_timeout

from explorer.studio.hang_detector import EVERY, QUIET, HangDetector

HANGS = 3600.0  # seconds: a limit for calls that need one; a hang is found long before
GUARDED = 3 * QUIET  # seconds without work in a test, which what waits in it notices before


def wait_for(condition: Callable[[], Any], what: str = "") -> None:
    """Returns when `condition()` holds; raises AssertionError once nothing works any more."""
    detector = HangDetector()
    while not condition():
        reason = detector.look()
        assert not reason, f"never came: {what or condition}: {reason}"
        time.sleep(0.01)


class TestGuard:
    """Fails a test that hangs, and ends the process if that does not end the test.

    `settings.timeout` is the limit of processor seconds. It looks from a signal's handler, not from
    a thread: garbage collected in a thread of its own would take Qt's objects with it.
    """

    __test__ = False

    def __init__(self, item: pytest.Item, settings: Any) -> None:
        self._item, self._settings = item, settings
        self._failed = False
        every = min(GUARDED / 10, 4 * EVERY)
        self._detector = HangDetector(GUARDED, settings.timeout, every)
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, every, every)

    def _look(self, *_: object) -> None:
        __tracebackhide__ = True
        reason = self._detector.look()
        if not reason or pytest_timeout.is_debugging():
            return
        self._detector.progress()
        if self._failed:
            pytest_timeout.timeout_timer(self._item, self._settings)
        self._failed = True
        pytest_timeout.dump_stacks(self._item.config.get_terminal_writer())
        pytest.fail(f"hangs: {reason}")

    def cancel(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
