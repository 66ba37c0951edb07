"""The window's thread wakes at once, also on a core where the engine's thread runs.

Linux lets a thread that runs finish its turn of about 4 ms before one that wakes, which is a frame
that comes late. A thread that asks for shorter turns goes first: it gets no more of the processor,
only sooner, so that nothing starves (with nice, the engine would wait for a core while it holds the
interpreter lock that the window needs). See sched_setattr(2), `sched_runtime` of normal threads.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys

TURN = 100_000  # nanoseconds, the shortest that there is
CALLS = {"x86_64": 314, "aarch64": 274}  # sched_setattr: the C library has no function for it
TIMED = (0, 3)  # policies with turns: SCHED_OTHER, SCHED_BATCH
NOT_FOR_CHILDREN = 1  # SCHED_FLAG_RESET_ON_FORK: threads and processes begun from here


class Attributes(ctypes.Structure):
    """struct sched_attr, as every kernel that has the call knows it."""

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
    """On the thread that paints. False where the system, or the policy under which the program was
    started, has no such thing: all goes on without.
    """
    call = CALLS.get(platform.machine())
    if sys.platform != "linux" or call is None:
        return False
    policy = os.sched_getscheduler(0)  # the call sets it and nice, too: they are left as they are
    if policy not in TIMED:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = Attributes(ctypes.sizeof(Attributes), policy, NOT_FOR_CHILDREN, nice, 0, TURN)
    return ctypes.CDLL(None).syscall(call, 0, ctypes.byref(wanted), 0) == 0
