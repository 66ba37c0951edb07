"""Wakes the window's thread at once, even on a core where the engine's thread runs.

Linux lets a running thread finish its time slice of about 4 ms before one that wakes, which delays
a frame. A thread that requests shorter slices goes first: it gets no more processor time, only
sooner, so that nothing starves (with nice, the engine would wait for a core while it holds the
interpreter lock that the window needs). See sched_setattr(2), `sched_runtime` of normal threads.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys

TURN = 100_000  # nanoseconds, the shortest possible
CALLS = {"x86_64": 314, "aarch64": 274}  # sched_setattr: the C library has no function for it
TIMED = (0, 3)  # policies with time slices: SCHED_OTHER, SCHED_BATCH
NOT_FOR_CHILDREN = 1  # SCHED_FLAG_RESET_ON_FORK: not for threads and processes started from here


class Attributes(ctypes.Structure):
    """struct sched_attr, in the version of every kernel that has the call."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    ]


def take_short_turns() -> bool:
    """Requests short time slices for the GUI thread. Returns False, without effect, if the system
    or the program's scheduling policy does not support them.
    """
    call = CALLS.get(platform.machine())
    if sys.platform != "linux" or call is None:
        return False
    policy = os.sched_getscheduler(0)  # the call also sets policy and nice: they keep their values
    if policy not in TIMED:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = Attributes(ctypes.sizeof(Attributes), policy, NOT_FOR_CHILDREN, nice, 0, TURN)
    return ctypes.CDLL(None).syscall(call, 0, ctypes.byref(wanted), 0) == 0
