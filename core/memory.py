"""The memory of this machine."""

from __future__ import annotations

import os
from pathlib import Path

LARGE = 0.5  # share of the memory above which the user is asked first
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class LargeModelError(ValueError):
    """Raised if a model's weights, `needed` bytes in fp32, take more than `LARGE` of the memory."""

    def __init__(self, name: str, needed: int, there: int) -> None:
        remedy = "open it in bf16, which takes half of it, or choose a smaller model"
        super().__init__(_told(f"{name} in fp32", needed, there, remedy))
        self.needed, self.there = needed, there


def check_large(name: str, needed: int) -> None:
    """Raises LargeModelError if a model is so large that the user should be asked first."""
    there = physical_bytes()
    if there and needed > LARGE * there:
        raise LargeModelError(name, needed, there)


def shortage(what: str, needed: int, remedy: str) -> str:
    """Returns why the memory cannot hold `needed` bytes, or "" if it can, or its size is unknown.
    The system would kill a process that needs more than all of it, and other programs as well.
    """
    there = physical_bytes()
    return _told(what, needed, there, remedy) if there and needed > there else ""


def check_memory(what: str, needed: int, remedy: str) -> None:
    """Raises ValueError, with a remedy, if the memory cannot hold `needed` bytes."""
    if why := shortage(what, needed, remedy):
        raise ValueError(why)


def _told(what: str, needed: int, there: int, remedy: str) -> str:
    return (
        f"{what} takes {needed / 1e9:,.1f} GB of memory, and this machine has "
        f"{there / 1e9:,.1f} GB: {remedy}"
    )


def physical_bytes() -> int:
    """Returns the bytes of memory available to this process at most, or 0 if unknown."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _windows_bytes()
    return min([whole, *_container_limits()])


def _container_limits() -> list[int]:
    """Returns a container's memory limits; [] outside of one."""
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
