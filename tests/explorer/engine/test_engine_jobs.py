"""The engine's jobs: whose turn it is, steering, errors, progress."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest

from explorer.engine.engine import DELIVERY, Engine
from explorer.engine.jobs import JobState
from explorer.engine.loop import QUICK_SWITCH
from tests.explorer.conftest import dispose
from tests.explorer.small_jobs import Moment, counting
from tests.explorer.waiting import HANGS, Gate, until


def test_foreground_jobs_go_before_background_jobs(engine, run_async):
    order = []

    async def body():
        gate = Gate()
        blocked = asyncio.ensure_future(engine.call(gate))
        await gate.reached()
        back = engine.run(counting(5, _Tagged(order, "back")), name="back")
        front = engine.run(counting(5, _Tagged(order, "front")), name="front", foreground=True)
        gate.open()
        await blocked
        await back.done()
        await front.done()

    run_async(body())
    assert order == ["front"] * 5 + ["back"] * 5


def test_background_jobs_take_turns(engine, run_async):
    order = []

    async def body():
        gate = Gate()
        blocked = asyncio.ensure_future(engine.call(gate))
        jobs = [engine.run(counting(4, _Tagged(order, tag)), name=tag) for tag in "ab"]
        gate.open()
        await blocked
        for job in jobs:
            await job.done()

    run_async(body())
    assert order == list("abababab")


def test_pause_step_resume_and_result(engine, run_async):
    log = []

    async def body():
        gate = Gate()  # nobody begins before the job is held
        blocked = asyncio.ensure_future(engine.call(gate))
        await gate.reached()
        job = engine.run(counting(6, log), name="count")
        job.pause()
        gate.open()
        await blocked
        await engine.call(int)  # the engine had time for the job, too
        held = len(log)
        job.step()
        await until(lambda: len(log) > held)
        await engine.call(int)
        stepped = len(log)
        job.resume()
        await job.done()
        return held, stepped, job.result(), job.state

    held, stepped, result, state = run_async(body())
    assert (held, stepped) == (0, 1)
    assert (result, state, log) == (6, "done", list(range(6)))


def test_cancel_closes_the_generator_on_its_thread(engine, run_async):
    closed, begun = [], threading.Event()

    def job():
        try:
            while True:
                begun.set()
                time.sleep(0.001)
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    async def body():
        handle = engine.run(job(), name="endless")
        await until(begun.is_set)
        handle.cancel()
        return await handle.done()

    assert run_async(body()) == "cancelled"
    assert closed == ["engine"]


def test_a_failed_job_hands_its_error_over(engine, run_async):
    def job():
        yield 1
        raise ValueError("the corpus is empty; choose another")

    async def body():
        handle = engine.run(job(), name="bad")
        await handle.done()
        return handle

    handle = run_async(body())
    assert handle.state == "failed"
    with pytest.raises(ValueError, match="corpus is empty"):
        handle.result()


def test_idle_moments_are_not_asked_for_again_before_their_time():
    job = JobState(iter(()), "idle", foreground=False, pure_python=False)
    job.note(Moment(0, safe=True, idle=0.05), now=10.0)
    assert not job.runnable(10.04) and job.runnable(10.06)
    job.note(Moment(1, safe=True), now=10.06)
    assert job.runnable(10.06)


def test_progress_comes_in_batches_at_most_thirty_a_second(engine, run_async):
    batches, took = [], []

    def job():
        for index in range(2000):
            yield index
            time.sleep(0.0002)

    async def body():
        handle = engine.run(job(), name="many")
        handle.progressed.connect(batches.append)
        begun = time.monotonic()
        await handle.done()
        took.append(time.monotonic() - begun)

    run_async(body())
    assert [item for batch in batches for item in batch] == list(range(2000))
    assert 1 < len(batches) <= 2 + took[0] / DELIVERY


def test_a_job_shortens_the_switch_interval(engine, run_async):
    normal = sys.getswitchinterval()
    seen, log = [], []

    async def body():
        handle = engine.run(counting(100_000, log), name="counts")
        await until(lambda: log)
        seen.append(sys.getswitchinterval())
        handle.cancel()
        await handle.done()
        seen.append(sys.getswitchinterval())

    run_async(body())
    assert seen == [pytest.approx(QUICK_SWITCH), pytest.approx(normal)]


def test_a_job_that_is_held_leaves_the_switch_interval_as_it_was(engine, run_async):
    normal, seen = sys.getswitchinterval(), []

    async def body():
        handle = engine.run(counting(500), name="counts")
        for steer in (handle.pause, handle.resume, handle.pause, handle.step):
            steer()
            seen.append(sys.getswitchinterval())
        await until(lambda: sys.getswitchinterval() == pytest.approx(normal), "the step's end")
        seen.append(sys.getswitchinterval())
        handle.cancel()
        await handle.done()

    run_async(body())
    quick = QUICK_SWITCH
    assert seen == [pytest.approx(one) for one in (normal, quick, normal, quick, normal)]
    assert sys.getswitchinterval() == normal


def test_a_job_that_has_just_ended_cannot_be_paused_any_more(run_async, monkeypatch):
    """The engine's thread ends the job while `pause` waits for the lock."""
    window, waits, over = threading.current_thread(), threading.Event(), threading.Event()

    class EndsMeanwhile(threading.Condition):
        """Whoever takes it on the window's thread has it once the job has ended."""

        def __enter__(self):
            if waits.is_set() and threading.current_thread() is window:
                gate.open()
                assert over.wait(HANGS)
            return super().__enter__()

    gate = Gate()

    def short():
        yield
        gate()

    def next_one():
        yield
        over.set()

    async def body():
        monkeypatch.setattr(threading, "Condition", EndsMeanwhile)
        engine = Engine(with_torch=False)
        engine.start()
        monkeypatch.undo()
        job = engine.run(short(), name="short", foreground=True)
        other = engine.run(next_one(), name="next")
        await gate.reached()
        waits.set()
        job.pause()
        waits.clear()
        await other.done()
        await until(lambda: job.state != "running")
        ended = job.state
        await engine.close(HANGS)
        dispose(engine)
        return ended

    assert run_async(body()) == "done"


class _Tagged(list):
    """Logs whose job it was, not what it yielded."""

    def __init__(self, target, tag):
        super().__init__()
        self.target, self.tag = target, tag

    def append(self, _):
        self.target.append(self.tag)
