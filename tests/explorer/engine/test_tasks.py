"""Tasks of owners: what is begun, what is waited for, and what never can be."""

from __future__ import annotations

import asyncio
import gc
import weakref

import qasync

from explorer.engine import tasks


def test_a_task_that_was_begun_while_its_loop_closed_is_ended(qapp, run_async, caplog):
    async def forever():
        await asyncio.Event().wait()

    async def begins_another():
        try:
            await forever()
        finally:
            left.append(weakref.ref(tasks.spawn(forever())))

    left = []

    async def first():
        tasks.spawn(begins_another())
        await asyncio.sleep(0)

    async def second():
        found = tasks.running()
        await asyncio.wait_for(tasks.wait_for(), 120)
        return found

    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qapp)) as runner:
        runner.run(first())
    assert not left[0]().done()
    assert run_async(second()) == []
    gc.collect()  # without a warning: it would be an error
    assert left[0]() is None and not caplog.records


def test_a_test_ends_the_tasks_that_its_tasks_begin_while_they_end(run_async):
    async def forever():
        await asyncio.Event().wait()

    async def begins_another():
        try:
            await forever()
        finally:
            left.append(tasks.spawn(forever()))

    left = []

    async def body():
        tasks.spawn(begins_another())
        await asyncio.sleep(0)

    run_async(body())
    assert left[0].cancelled()
