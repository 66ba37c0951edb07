"""Checks for a display before Qt starts, which would abort the process without one."""

from __future__ import annotations

import contextlib
import ctypes
import re
import socket
from collections.abc import Mapping
from pathlib import Path


def why_no_display(environment: Mapping[str, str], platform: str) -> str:
    """Returns what is missing, as a sentence without its full stop; "" if there is a display."""
    if platform in ("win32", "darwin", "cygwin") or environment.get("QT_QPA_PLATFORM"):
        return ""
    if _wayland_answers(environment):
        return ""
    display = environment.get("DISPLAY", "")
    if not display:
        return "There is no display to open a window on"
    if not _x_answers(display):
        return f"The display {display} does not answer"
    return _missing_library()


def _wayland_answers(environment: Mapping[str, str]) -> bool:
    name = environment.get("WAYLAND_DISPLAY", "")
    if not name:
        return False
    path = (
        Path(name) if name.startswith("/") else Path(environment.get("XDG_RUNTIME_DIR", "")) / name
    )
    return _connects(socket.AF_UNIX, str(path))


def _x_answers(display: str) -> bool:
    match = re.fullmatch(r"(?P<host>.*):(?P<number>\d+)(\.\d+)?", display)
    if match is None:
        return False
    host, number = match["host"], int(match["number"])
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return _connects(socket.AF_UNIX, path) or _connects(socket.AF_UNIX, f"\0{path}")
    return _connects(socket.AF_INET, (host.rpartition("/")[2], 6000 + number))


def _connects(family: int, address: object) -> bool:
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        probe.connect(address)
        return True
    return False


def _missing_library() -> str:
    """Returns the first library missing of those that Qt's X11 part needs and some systems lack."""
    for name, package in (
        ("libxcb-cursor.so.0", "libxcb-cursor0"),
        ("libxcb-icccm.so.4", "libxcb-icccm4"),
        ("libxcb-keysyms.so.1", "libxcb-keysyms1"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ):
        try:
            ctypes.CDLL(name)
        except OSError:
            return f"Qt needs the system library {name} (Debian, Ubuntu: apt install {package})"
    return ""
