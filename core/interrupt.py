"""Ctrl+C while a program still loads: one sentence instead of a traceback."""

from __future__ import annotations

import os
import signal
from types import FrameType

INTERRUPTED = 130  # the exit code of a program that Ctrl+C ended, as shells know it


def leave_at_interrupt(message: str) -> None:
    """From now on Ctrl+C prints `message` and ends the program with exit code 130, at once.

    For as long as nothing is begun that would have to be kept; whoever begins it installs another
    handler. An exception would do neither: libraries that are being imported swallow it.
    """

    def leave(_: int, __: FrameType | None) -> None:
        os.write(2, f"{message}\n".encode())
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, leave)
