"""Tasks of owners: what is begun, what is waited for, and what never can be."""

from __future__ import annotations

import asyncio

from explorer.engine import tasks


def test_nobody_waits_for_a_task_that_was_begun_while_its_loop_closed(run_async):
    async def forever():
        await asyncio.Event().wait()

    async def begins_another():
        try:
            await forever()
        finally:
            left.append(tasks.spawn(forever()))

    left = []

    async def first():
        tasks.spawn(begins_another())
        await asyncio.sleep(0)

    async def second():
        found = tasks.running()
        await asyncio.wait_for(tasks.wait_for(), 120)
        return found

    run_async(first())
    assert not left[0].done()
    assert run_async(second()) == []
    left[0].get_coro().close()  # so that nobody is told of it where it is collected
    left[0]._log_destroy_pending = False
