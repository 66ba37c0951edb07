"""Whether a run fits into this machine's memory, and what is said where it does not."""

from __future__ import annotations

import os
from pathlib import Path

from core.training.place import LEFT_ALONE_MESSAGE, is_left_alone

CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
OUT_OF_MEMORY = (
    "there is not enough memory for this model; choose fewer layers, a smaller width, a shorter "
    "context or a smaller batch"
)


def physical_bytes() -> int:
    """Bytes of memory that this process may hope for; 0 where the system does not say."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _windows_bytes()
    return min([whole, *_container_limits()])


def too_large(needed: int, there: int | None = None) -> str:
    """Why a run that needs so many bytes cannot be, with the remedy; "" where it fits.

    `there` are the machine's bytes, where they are known already. What needs more than all of it
    would be killed by the system, and other programs with it.
    """
    there = physical_bytes() if there is None else there
    if not there or needed <= there:
        return ""
    return (
        f"this model needs about {needed / 1e9:,.0f} GB of memory to train, and this machine has "
        f"{there / 1e9:,.0f} GB; choose fewer layers, a smaller width or a smaller batch"
    )


def end_message(error: BaseException) -> str:
    """An error that ended a run, for people: torch tells of missing memory by a RuntimeError."""
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    if is_left_alone(error):
        return LEFT_ALONE_MESSAGE
    return str(error) or type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is used up, however torch puts it."""
    if isinstance(error, MemoryError):
        return True
    told = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "allocate memory" in told or "out of memory" in told or "not enough memory" in told
    )


def _container_limits() -> list[int]:
    """What a container leaves of the machine's memory; [] outside of one."""
    found = []
    for path in CGROUP_LIMITS:
        try:
            text = Path(path).read_text("ascii").strip()
        except (OSError, ValueError):
            continue
        if text.isdecimal():
            found.append(int(text))
    return found


def _windows_bytes() -> int:
    import ctypes

    if not hasattr(ctypes, "windll"):
        return 0

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX; its third field is the physical memory."""

        _fields_ = [
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("physical", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 6),
        ]

    status = Status()
    status.length = ctypes.sizeof(Status)
    known = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.physical) if known else 0
