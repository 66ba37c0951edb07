"""How much memory this machine has."""

from __future__ import annotations

import os
from pathlib import Path

LARGE = 0.5  # of the memory: what takes more is asked for first
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class LargeModelError(ValueError):
    """A model whose weights, `needed` bytes in fp32, take more than `LARGE` of the memory."""

    def __init__(self, name: str, needed: int, there: int) -> None:
        remedy = "open it in bf16, which takes half of it, or choose a smaller model"
        super().__init__(_told(f"{name} in fp32", needed, there, remedy))
        self.needed, self.there = needed, there


def check_large(name: str, needed: int) -> None:
    """Raises LargeModelError where a person had better be asked before so much is opened."""
    there = physical_bytes()
    if there and needed > LARGE * there:
        raise LargeModelError(name, needed, there)


def shortage(what: str, needed: int, remedy: str) -> str:
    """Why something that takes so many bytes cannot be; "" where the memory holds it, and where
    nobody knows. What needs more than all of it would be killed by the system, and other programs
    with it.
    """
    there = physical_bytes()
    return _told(what, needed, there, remedy) if there and needed > there else ""


def check_memory(what: str, needed: int, remedy: str) -> None:
    """Raises ValueError, with the remedy, where the memory cannot hold what takes so many bytes."""
    if why := shortage(what, needed, remedy):
        raise ValueError(why)


def _told(what: str, needed: int, there: int, remedy: str) -> str:
    return (
        f"{what} takes {needed / 1e9:,.1f} GB of memory, and this machine has "
        f"{there / 1e9:,.1f} GB: {remedy}"
    )


def physical_bytes() -> int:
    """Bytes of memory that this process may hope for; 0 where the system does not say."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _windows_bytes()
    return min([whole, *_container_limits()])


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
