"""Caps torch's threads, so that one core is left to the window. No Qt."""

from __future__ import annotations

import os


def torch_threads() -> int:
    """Returns the largest number of torch threads that leaves one core to the window."""
    return max(1, (os.cpu_count() or 2) - 1)
