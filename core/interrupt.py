"""Ctrl+C while a program still loads: one sentence instead of a traceback."""

from __future__ import annotations

import os
import signal
from types import FrameType

INTERRUPTED = 130  # exit code of a program ended by Ctrl+C, as in shells


def leave_at_interrupt(message: str) -> None:
    """Makes Ctrl+C print `message` and end the program at once, with exit code 130.

    For use while there is nothing to save; code that starts such work installs its own handler. An
    exception would not end the program: libraries swallow it during their import.
    """

    def leave(_: int, __: FrameType | None) -> None:
        os.write(2, f"{message}\n".encode())
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, leave)
