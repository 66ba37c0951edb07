"""The engine's promises: order, safety, superseding, steering, closing, death."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from dataclasses import dataclass
from itertools import pairwise

import pytest

from explorer.engine import SUPERSEDED, EngineDied


@dataclass
class Moment:
    step: int
    safe: bool = False
    idle: float = 0.0


def counting(number, log=None, pause=0.002):
    for index in range(number):
        time.sleep(pause)
        if log is not None:
            log.append(index)
        yield index
    return number


def test_a_call_runs_on_the_engine_thread_and_returns(engine, run_async):
    async def body():
        return await engine.call(threading.current_thread), await engine.call(divmod, 7, 2)

    thread, value = run_async(body())
    assert thread.name == "engine"
    assert value == (3, 1)


def test_a_call_raises_what_the_function_raises(engine, run_async):
    with pytest.raises(ValueError, match="invalid literal"):
        run_async(engine.call(int, "x"))


def test_a_newer_call_with_the_same_key_supersedes_the_older(engine, run_async):
    gate = threading.Event()

    async def body():
        blocker = asyncio.ensure_future(engine.call(gate.wait, 5))
        await asyncio.sleep(0.05)
        first = asyncio.ensure_future(engine.call(lambda: 1, key=("pane", "capture")))
        other = asyncio.ensure_future(engine.call(lambda: 3, key=("pane", "trace")))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(engine.call(lambda: 2, key=("pane", "capture")))
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(blocker, first, other, second)

    assert run_async(body()) == [True, SUPERSEDED, 3, 2]


def test_a_call_that_is_being_served_can_be_superseded(engine, run_async):
    gate = threading.Event()

    async def body():
        first = asyncio.ensure_future(engine.call(gate.wait, 5, key="k"))
        await asyncio.sleep(0.05)
        second = asyncio.ensure_future(engine.call(lambda: 2, key="k"))
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(first, second)

    assert run_async(body()) == [SUPERSEDED, 2]


def test_a_request_is_served_only_between_whole_steps(engine, run_async):
    state = {"inside": False}

    def run():
        for step in range(200):
            state["inside"] = True
            for _ in range(3):
                time.sleep(0.001)
                yield Moment(step)
            state["inside"] = False
            yield Moment(step, safe=True)

    async def body():
        job = engine.run(run(), name="run")
        seen = [await engine.call(lambda: state["inside"]) for _ in range(20)]
        job.cancel()
        await job.done()
        return seen

    assert run_async(body()) == [False] * 20


def test_a_paused_run_goes_on_to_a_safe_point_for_a_request(engine, run_async):
    def run():
        for step in range(1000):
            yield Moment(step)
            yield Moment(step, safe=True)

    async def body():
        job = engine.run(run(), name="run")
        job.pause()
        value = await engine.call(lambda: "served")
        job.cancel()
        await job.done()
        return value

    assert run_async(body()) == "served"


def test_a_request_does_not_disturb_random_numbers_and_modes(torch_engine, run_async):
    def disturb(model):
        import torch

        torch.rand(7)
        torch.set_grad_enabled(False)
        model.eval()

    def numbers(model):
        import torch

        torch.manual_seed(3)
        yield Moment(0, safe=True)
        drawn = []
        for step in range(5):
            drawn.append(float(torch.rand(())))
            time.sleep(0.01)
            yield Moment(step, safe=True)
        return drawn, model.training, torch.is_grad_enabled()

    async def body():
        import torch

        model = torch.nn.Linear(2, 2)
        job = torch_engine.run(numbers(model), name="run")
        for _ in range(4):
            await torch_engine.call(disturb, model)
        await job.done()
        quiet = torch_engine.run(numbers(model), name="quiet")
        await quiet.done()
        return job.result(), quiet.result()

    disturbed, quiet = run_async(body())
    assert disturbed == quiet
    assert disturbed[1:] == (True, True)


def test_foreground_jobs_go_before_background_jobs(engine, run_async):
    order = []

    async def body():
        gate = threading.Event()
        blocked = asyncio.ensure_future(engine.call(gate.wait, 5))
        await asyncio.sleep(0.05)
        back = engine.run(counting(5, _Tagged(order, "back")), name="back")
        front = engine.run(counting(5, _Tagged(order, "front")), name="front", foreground=True)
        gate.set()
        await blocked
        await back.done()
        await front.done()

    run_async(body())
    assert order == ["front"] * 5 + ["back"] * 5


def test_background_jobs_take_turns(engine, run_async):
    order = []

    async def body():
        gate = threading.Event()
        blocked = asyncio.ensure_future(engine.call(gate.wait, 5))
        jobs = [engine.run(counting(4, _Tagged(order, tag)), name=tag) for tag in "ab"]
        gate.set()
        await blocked
        for job in jobs:
            await job.done()

    run_async(body())
    assert order == list("abababab")


def test_pause_step_resume_and_result(engine, run_async):
    log = []

    async def body():
        job = engine.run(counting(6, log), name="count")
        job.pause()
        await asyncio.sleep(0.1)
        held = len(log)
        job.step()
        await asyncio.sleep(0.1)
        stepped = len(log)
        job.resume()
        await job.done()
        return held, stepped, job.result(), job.state

    held, stepped, result, state = run_async(body())
    assert stepped == held + 1
    assert (result, state, log) == (6, "done", list(range(6)))


def test_cancel_closes_the_generator_on_its_thread(engine, run_async):
    closed = []

    def job():
        try:
            while True:
                time.sleep(0.001)
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    async def body():
        handle = engine.run(job(), name="endless")
        await asyncio.sleep(0.05)
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


def test_idle_moments_are_not_asked_for_again_before_their_time(engine, run_async):
    times = []

    def job():
        for step in range(4):
            times.append(time.monotonic())
            yield Moment(step, safe=True, idle=0.05)

    async def body():
        await engine.run(job(), name="idle").done()

    run_async(body())
    assert all(later - earlier >= 0.045 for earlier, later in pairwise(times))


def test_progress_comes_in_batches_at_most_thirty_a_second(engine, run_async):
    batches, stamps = [], []

    def job():
        for index in range(2000):
            yield index
            time.sleep(0.0002)

    async def body():
        handle = engine.run(job(), name="many")
        handle.progressed.connect(lambda items: (batches.append(items), stamps.append(time.time())))
        await handle.done()

    run_async(body())
    assert [item for batch in batches for item in batch] == list(range(2000))
    assert len(batches) <= 2 + 31 * (stamps[-1] - stamps[0] + 0.04)


def test_a_pure_python_job_shortens_the_switch_interval(engine, run_async):
    normal = sys.getswitchinterval()
    seen = []

    async def body():
        handle = engine.run(counting(5), name="python", pure_python=True)
        await asyncio.sleep(0.005)
        seen.append(sys.getswitchinterval())
        await handle.done()
        seen.append(sys.getswitchinterval())

    run_async(body())
    assert seen == [pytest.approx(0.0005), pytest.approx(normal)]


def test_closing_drives_a_run_to_its_safe_point(engine, run_async):
    events = []

    def run():
        try:
            for step in range(10_000):
                yield Moment(step)
                time.sleep(0.002)
                events.append("half")
                yield Moment(step)
                events.append("whole")
                yield Moment(step, safe=True)
        finally:
            events.append("closed")

    async def body():
        engine.run(run(), name="run")
        await asyncio.sleep(0.05)
        return await engine.close(5)

    assert run_async(body()) is True
    assert events[-2:] == ["whole", "closed"]


def test_requests_left_at_closing_get_superseded_not_cancelled(engine, run_async):
    gate = threading.Event()

    async def body():
        first = asyncio.ensure_future(engine.call(gate.wait, 5))
        await asyncio.sleep(0.05)
        second = asyncio.ensure_future(engine.call(lambda: 2))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(engine.close(5))
        await asyncio.sleep(0)
        gate.set()
        late = await engine.call(lambda: 3)
        return await second, await closing, late, await first

    assert run_async(body()) == (SUPERSEDED, True, SUPERSEDED, True)


def test_a_dead_thread_says_so_and_can_be_restarted(engine, run_async):
    deaths = []

    def poison():
        raise SystemExit("gone")

    async def body():
        engine.died.connect(deaths.append)
        handle = engine.run(counting(10_000), name="run")
        with pytest.raises(EngineDied, match="Restart"):
            await engine.call(poison)
        state = await handle.done()
        engine.restart()
        return state, await engine.call(lambda: "alive")

    assert run_async(body()) == ("failed", "alive")
    assert isinstance(deaths[0], SystemExit)


def test_io_runs_beside_the_engine(engine, run_async):
    gate = threading.Event()

    async def body():
        blocked = asyncio.ensure_future(engine.call(gate.wait, 5))
        name = await engine.io(lambda: threading.current_thread().name)
        gate.set()
        await blocked
        return name

    assert run_async(body()).startswith("engine-io")


def test_activity_says_what_a_request_waits_for(engine, run_async):
    def run():
        for step in range(811, 900):
            yield Moment(step)
            time.sleep(0.4)
            yield Moment(step, safe=True)

    async def body():
        job = engine.run(run(), name="run")
        await asyncio.sleep(0.55)
        waiting = asyncio.ensure_future(engine.call(lambda: 1))
        await asyncio.sleep(0.01)
        text = engine.activity
        await waiting
        job.cancel()
        await job.done()
        return text, engine.activity

    text, after = run_async(body())
    assert text.startswith("waiting for step 81") and "(about 0.4 s)" in text
    assert after == ""


def test_a_job_that_has_just_ended_cannot_be_paused_any_more(engine, run_async):
    """The engine's thread ends the job while `pause` waits for the lock."""

    async def body():
        gate = threading.Event()
        job = engine.run(iter([gate.wait]), name="short")
        blocked = asyncio.ensure_future(engine.call(gate.wait, 5))
        state, lock = job._state, engine._loop.lock

        class EndsMeanwhile:
            def __enter__(self):
                lock.acquire()
                state.status = "done"

            def __exit__(self, *_):
                lock.release()

            def notify(self):
                lock.notify()

        engine._loop.lock = EndsMeanwhile()
        try:
            job.pause()
        finally:
            engine._loop.lock = lock
        seen = state.status
        gate.set()
        await blocked
        return seen, await job.done()

    assert run_async(body()) == ("done", "done")


def test_a_closed_engine_takes_no_more_work(engine, run_async):
    async def body():
        await engine.close(5)
        with pytest.raises(EngineDied, match="closed"):
            engine.run(counting(3), name="late")
        with pytest.raises(asyncio.CancelledError):
            await engine.io(int)
        return engine.jobs, engine._pool

    assert run_async(body()) == ([], None)


class _Tagged(list):
    def __init__(self, target, tag):
        super().__init__()
        self.target, self.tag = target, tag

    def append(self, _):
        self.target.append(self.tag)
