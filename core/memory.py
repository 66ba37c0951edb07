"""How much memory this machine has."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


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
