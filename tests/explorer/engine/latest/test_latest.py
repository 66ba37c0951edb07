"""One question at a time: the newest wins, waits for the engine, and ends with its owner."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

from explorer.engine import tasks
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from tests.explorer.conftest import dispose
from tests.explorer.engine.latest.conftest import Heard, endless
from tests.explorer.small_jobs import counting
from tests.explorer.waiting import Gate, until


def test_a_job_tells_what_it_yields_and_what_it_returns(latest, heard, run_async):

    async def body():
        latest.ask(lambda: counting(3), "counting")
        assert latest.running and latest.job.name == "counting"
        await latest.settled()

    run_async(body())
    assert heard.said == [("item", 0), ("item", 1), ("item", 2), ("came", 3), ("ended", None)]
    assert not latest.running and latest.job is None


def test_the_newest_question_takes_the_place_of_the_one_under_way(latest, heard, run_async):
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(lambda: endless(begun, closed), "older")
        await until(begun.is_set)
        latest.ask(lambda: counting(2), "newer")
        heard.said.clear()
        await latest.settled()
        await until(closed.is_set)

    run_async(body())
    assert heard.said == [("item", 0), ("item", 1), ("came", 2), ("ended", None)]


def test_a_question_that_waits_is_asked_after_the_one_under_way(latest, heard, run_async):

    async def body():
        latest.ask(lambda: counting(2), "first", waits=True)
        latest.ask(lambda: counting(3), "passed over", waits=True)
        latest.ask(lambda: counting(1), "last", waits=True)
        await latest.settled()
        assert heard.said[-3:] == [("item", 0), ("came", 1), ("ended", None)]
        latest.ask(lambda: counting(2), "first")
        latest.ask(lambda: counting(3), "never", waits=True)
        latest.stop()
        await latest.settled()

    run_async(body())
    assert [told for kind, told in heard.said if kind == "came"] == [2, 1]


def test_of_questions_to_a_busy_engine_only_the_newest_is_begun(latest, heard, engine, run_async):
    begun: list[str] = []

    def asking(name: str):
        begun.append(name)
        yield name
        return name

    async def body():
        gate = Gate()
        blocked = asyncio.ensure_future(engine.call(gate))
        await gate.reached()
        for name in ("first", "second", "third"):
            latest.ask(partial(asking, name), name)
        gate.open()
        await blocked
        await latest.settled()

    run_async(body())
    assert begun == ["third"]
    assert heard.kinds == ["item", "came", "ended"]


def test_an_answer_on_its_way_is_dropped_for_a_newer_question(engine, owner, run_async):
    """The older job is done, and its end delivered, in the very moment of the newer question."""
    latest = Latest(engine, owner)
    heard = Heard(latest)

    async def body():
        latest.ask(lambda: counting(1, pause=0), "older")
        latest.job.stateChanged.connect(lambda _: latest.ask(lambda: counting(2, pause=0), "newer"))
        await latest.settled()
        await latest.settled()

    run_async(body())
    assert [one for one in heard.said if one[0] == "came"] == [("came", 2)]


def test_a_question_waits_for_an_engine_that_is_not_there_yet(owner, run_async):
    engine = Engine(with_torch=False)
    latest = Latest(engine, owner)
    heard = Heard(latest)

    async def body():
        latest.ask(lambda: counting(1), "older")
        latest.ask(lambda: counting(2), "newer")
        for _ in range(10):
            await asyncio.sleep(0)
        assert not engine.alive and not latest.running and not heard.said
        engine.start()
        assert latest.running
        await latest.settled()
        assert await engine.close()

    run_async(body())
    assert heard.said == [("item", 0), ("item", 1), ("came", 2), ("ended", None)]
    dispose(engine)


def test_it_can_be_asked_where_no_loop_runs(latest, heard, run_async):
    latest.ask(lambda: counting(2), "counting")

    async def body():
        await latest.settled()

    run_async(body())
    assert heard.kinds == ["item", "item", "came", "ended"]


def test_who_waits_for_the_owners_work_waits_for_its_question(latest, heard, owner, run_async):

    async def body():
        latest.ask(lambda: counting(5), "counting")
        await tasks.wait_for(owner)
        assert heard.kinds[-1] == "ended"

    run_async(body())


def test_who_hears_an_answer_may_ask_again_at_once(latest, heard, run_async):
    latest.came.connect(
        lambda result: result < 3 and latest.ask(lambda: counting(result + 1), "more")
    )

    async def body():
        latest.ask(lambda: counting(1), "first")
        await latest.settled()

    run_async(body())
    assert [one for one in heard.said if one[0] != "item"] == [
        ("came", 1),
        ("came", 2),
        ("came", 3),
        ("ended", None),
    ]


def test_a_paused_job_is_under_way(latest, run_async):
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(lambda: endless(begun, closed), "endless")
        await until(begun.is_set)
        latest.job.pause()
        await until(lambda: latest.job.state == "paused")
        assert latest.running
        latest.stop()
        await until(closed.is_set)

    run_async(body())


def test_a_name_that_is_not_told_stays_out_of_the_status_bar(latest, run_async):

    async def body():
        latest.ask(lambda: counting(3), "cutting 5 bytes", is_told=False)
        assert latest.job.name == ""
        await latest.settled()

    run_async(body())


def test_a_call_is_answered_between_two_steps_of_a_job(latest, heard, run_async):

    async def body():
        latest.call(pow, 2, 5, name="a power")
        assert latest.running and latest.job is None
        await latest.settled()

    run_async(body())
    assert heard.said == [("came", 32), ("ended", None)] and not latest.running


def test_of_calls_to_a_busy_engine_only_the_newest_is_made(latest, heard, engine, run_async):
    made: list[int] = []

    async def body():
        gate = Gate()
        blocked = asyncio.ensure_future(engine.call(gate))
        await gate.reached()
        for number in (1, 2, 3):
            latest.call(made.append, number, name="a number")
            await asyncio.sleep(0)  # the older one has asked the engine by now
        await asyncio.sleep(0)
        gate.open()
        await blocked
        await latest.settled()

    run_async(body())
    assert made == [3]
    assert heard.said == [("came", None), ("ended", None)]


def test_nothing_is_heard_of_a_call_under_way_once_another_is_asked(latest, heard, run_async):

    async def body():
        gate = Gate()
        latest.call(gate, name="older")
        await gate.reached()
        latest.call(pow, 2, 5, name="newer")
        gate.open()
        await latest.settled()

    run_async(body())
    assert heard.said == [("came", 32), ("ended", None)]


def test_a_coroutine_asks_several_and_ends_where_a_newer_question_comes(
    latest, heard, engine, run_async
):
    gone: list[int] = []

    async def twice(number: int) -> int:
        first = await engine.call(pow, number, 2)
        gone.append(number)
        return await engine.call(pow, first, 2)

    async def body():
        gate = Gate()
        blocked = asyncio.ensure_future(engine.call(gate))
        await gate.reached()
        latest.ask(lambda: twice(2), "older")
        await asyncio.sleep(0)
        latest.ask(lambda: twice(3), "newer")
        gate.open()
        await blocked
        await latest.settled()

    run_async(body())
    assert gone == [3]
    assert heard.said == [("came", 81), ("ended", None)]


def test_a_coroutine_may_lead_to_another_question(latest, heard, engine, run_async):

    async def first() -> None:
        number = await engine.call(pow, 2, 2)
        latest.call(pow, number, 3, name="second")

    async def body():
        latest.ask(first, "first")
        await latest.settled()

    run_async(body())
    assert heard.said == [("came", 64), ("ended", None)]


def test_a_call_waits_for_an_engine_that_is_not_there_yet(owner, run_async):
    engine = Engine(with_torch=False)
    latest = Latest(engine, owner)
    heard = Heard(latest)

    async def body():
        latest.call(pow, 2, 4, name="older")
        latest.call(pow, 2, 5, name="newer")
        await asyncio.sleep(0.02)
        assert not engine.alive and not latest.running and not heard.said
        engine.start()
        await latest.settled()
        assert await engine.close()

    run_async(body())
    assert heard.said == [("came", 32), ("ended", None)]
    dispose(engine)
