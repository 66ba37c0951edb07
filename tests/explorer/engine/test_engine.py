"""The engine's promises to who asks: order, safety, superseding, closing, death."""

from __future__ import annotations

import asyncio
import gc
import re
import subprocess
import sys
import threading
import time

import pytest

from explorer.engine.jobs import SUPERSEDED, EngineDied, Job
from tests.explorer.small_jobs import Moment, counting
from tests.explorer.waiting import HANGS, Gate, until


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
    gate = Gate()

    async def body():
        blocker = asyncio.ensure_future(engine.call(gate))
        await gate.reached()
        first = asyncio.ensure_future(engine.call(lambda: 1, key=("pane", "capture")))
        other = asyncio.ensure_future(engine.call(lambda: 3, key=("pane", "trace")))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(engine.call(lambda: 2, key=("pane", "capture")))
        await asyncio.sleep(0)
        gate.open()
        return await asyncio.gather(blocker, first, other, second)

    assert run_async(body()) == [True, SUPERSEDED, 3, 2]


def test_a_call_that_is_being_served_can_be_superseded(engine, run_async):
    gate = Gate()

    async def body():
        first = asyncio.ensure_future(engine.call(gate, key="k"))
        await gate.reached()
        second = asyncio.ensure_future(engine.call(lambda: 2, key="k"))
        await asyncio.sleep(0)
        gate.open()
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
        await until(lambda: events)
        return await engine.close(HANGS)

    assert run_async(body()) is True
    assert events[-2:] == ["whole", "closed"]


def test_requests_left_at_closing_get_superseded_not_cancelled(engine, run_async):
    gate = Gate()

    async def body():
        first = asyncio.ensure_future(engine.call(gate))
        await gate.reached()
        second = asyncio.ensure_future(engine.call(lambda: 2))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(engine.close(HANGS))
        await asyncio.sleep(0)
        gate.open()
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
    gate = Gate()

    async def body():
        blocked = asyncio.ensure_future(engine.call(gate))
        name = await engine.io(lambda: threading.current_thread().name)
        gate.open()
        await blocked
        return name

    assert run_async(body()).startswith("engine-io")


def test_activity_names_the_request_or_job_that_another_waits_for(engine, run_async):
    gate, other = Gate(), Gate()

    def job():
        yield Moment(None, safe=False)
        other()
        yield Moment(None, safe=True)

    async def body():
        told = []
        first = asyncio.ensure_future(engine.call(gate, name="the lines of code"))
        await gate.reached()
        second = asyncio.ensure_future(engine.call(lambda: 1))
        await asyncio.sleep(0)
        told.append(engine.activity)
        gate.open()
        await asyncio.gather(first, second)
        running = engine.run(job(), name="the map")
        await other.reached()
        third = asyncio.ensure_future(engine.call(lambda: 1))
        await asyncio.sleep(0)
        told.append(engine.activity)
        other.open()
        await asyncio.gather(third, running.done())
        return told

    assert run_async(body()) == [
        "still computing: the lines of code",
        "still computing: the map",
    ]


def test_activity_says_what_a_request_waits_for(engine, run_async):
    gate = Gate()

    def run():
        for step in range(811, 900):
            yield Moment(step)
            time.sleep(0.1)
            if step == 813:
                gate()
            yield Moment(step, safe=True)

    async def body():
        job = engine.run(run(), name="run")
        await gate.reached()
        waiting = asyncio.ensure_future(engine.call(lambda: 1))
        await asyncio.sleep(0)
        text = engine.activity
        gate.open()
        await waiting
        job.cancel()
        await job.done()
        return text, engine.activity

    text, after = run_async(body())
    assert re.search(r"waiting for step 813 \(about \d+\.\d s\)", text), text
    assert after == ""


def test_a_closed_engine_takes_no_more_work(engine, run_async):
    def readers():
        return [one for one in threading.enumerate() if one.name.startswith("engine-io")]

    async def body():
        await engine.io(int)
        assert readers()
        await engine.close(HANGS)
        with pytest.raises(EngineDied, match="closed"):
            engine.run(counting(3), name="late")
        with pytest.raises(asyncio.CancelledError):
            await engine.io(int)
        await until(lambda: not readers(), "the end of its threads")
        return engine.jobs

    assert run_async(body()) == []


def test_what_all_threads_need_of_core_is_loaded_before_any_of_them_works():
    """Two that load the files of a chapter at once, from two ends, find them half loaded."""
    code = """
import asyncio, sys
from PySide6.QtCore import QCoreApplication
from explorer.engine.engine import Engine
app = QCoreApplication([])
engine = Engine()
assert "core.data" not in sys.modules
print(asyncio.run(engine.io(lambda: "core.data.text" in sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=HANGS
    )
    assert (done.stdout.strip(), done.returncode) == ("True", 0), done.stderr


def test_a_job_that_is_over_is_not_kept(engine, run_async):
    async def body():
        jobs = [engine.run(counting(2), name="counting") for _ in range(12)]
        for job in jobs:
            await job.done()
        assert jobs[0].result() == 2

    run_async(body())
    gc.collect()
    assert engine.findChildren(Job) == []
