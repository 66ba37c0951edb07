"""Ctrl+C while a program still loads: one sentence instead of a traceback."""

from __future__ import annotations

import os
import signal
from types import FrameType

INTERRUPTED = 130  # the exit code of a program that Ctrl+C ended, as shells know it


def leave_at_interrupt(message: str) -> None:
    """From now on Ctrl+C prints `message` and ends the program with exit code 130, at once.

    Holds while there is nothing to save; whoever begins such work installs a handler of its own.
    An exception would not end the program: libraries swallow it while they are imported.
    """

    def leave(_: int, __: FrameType | None) -> None:
        os.write(2, f"{message}\n".encode())
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, leave)
