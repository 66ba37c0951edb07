"""The thread that paints has short turns; what it begins has the system's."""

import ctypes
import os
import platform
import threading

import pytest

from explorer.short_turns import CALLS, TURN, Attributes, take_short_turns


def asked() -> tuple[int, int, int]:
    """Policy, nice and turn of this thread, as the kernel tells them."""
    found = Attributes()
    size = ctypes.sizeof(found)
    call = CALLS[platform.machine()] + 1  # sched_getattr
    assert ctypes.CDLL(None).syscall(call, 0, ctypes.byref(found), size, 0) == 0
    return found.policy, found.nice, found.runtime


def on_a_thread(work) -> list:
    """What `work` returns there: the thread of the tests stays as it is."""
    results: list = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


@pytest.mark.skipif(
    platform.system() != "Linux" or platform.machine() not in CALLS, reason="only Linux has turns"
)
def test_only_the_thread_that_asks_has_short_turns() -> None:
    def work() -> tuple:
        before = asked()
        took = take_short_turns()
        return before, took, asked(), on_a_thread(asked)

    before, took, after, begun = on_a_thread(work)
    assert took
    if not before[2]:
        pytest.skip("this kernel tells no turns")
    assert after == (before[0], os.getpriority(os.PRIO_PROCESS, 0), TURN)
    assert begun == before


@pytest.mark.skipif(
    platform.system() != "Linux" or platform.machine() not in CALLS, reason="only Linux has turns"
)
def test_the_policy_under_which_the_program_was_started_stays() -> None:
    def work(policy: int) -> tuple:
        os.sched_setscheduler(0, policy, os.sched_param(0))
        return take_short_turns(), asked()[0]

    assert on_a_thread(lambda: work(os.SCHED_BATCH)) == (True, os.SCHED_BATCH)
    assert on_a_thread(lambda: work(os.SCHED_IDLE)) == (False, os.SCHED_IDLE)


def test_a_system_without_turns_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert not take_short_turns()
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    assert not take_short_turns()
