"""A question ends: with its owner, with the engine, by an error, when it is given up."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from explorer.engine import errors, tasks
from explorer.engine.engine import Engine
from explorer.engine.jobs import EngineDied
from explorer.engine.latest import Latest
from tests.explorer.conftest import dispose
from tests.explorer.engine.latest.conftest import Heard, endless
from tests.explorer.small_jobs import counting
from tests.explorer.waiting import HANGS, Gate, until


def test_one_that_waits_for_the_engine_can_be_given_up(owner, run_async):
    engine = Engine(with_torch=False)
    latest = Latest(engine, owner)
    heard = Heard(latest)

    async def body():
        latest.ask(lambda: counting(1), "counting")
        assert latest.stop() and not latest.stop()
        engine.start()
        assert await engine.call(int) == 0
        assert await engine.close()

    run_async(body())
    assert not heard.said
    dispose(engine)


def test_nothing_is_heard_of_what_was_given_up(latest, heard, engine, run_async):
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(lambda: endless(begun, closed), "endless")
        await until(begun.is_set)
        assert latest.stop() and not latest.running
        heard.said.clear()
        await until(closed.is_set)
        await engine.call(int)  # whatever was under way is delivered with its answer

    run_async(body())
    assert not heard.said


@pytest.mark.parametrize(
    ("error", "cards"),
    [(ValueError("choose another text"), 0), (OSError("no such file"), 0), (KeyError("a"), 1)],
)
def test_an_error_is_told_and_only_one_that_nobody_expects_has_a_card(
    latest, heard, run_async, error, cards
):

    def failing():
        yield 1
        raise error

    async def body():
        latest.ask(lambda: failing(), "the text")
        await latest.settled()

    run_async(body())
    assert heard.said == [("item", 1), ("failed", str(error)), ("ended", None)]
    problems = list(errors.reports().problems.values())
    assert len(problems) == cards and all("the text" in one.where for one in problems)


def test_an_error_that_nobody_hears_of_has_its_card(latest, run_async):

    def failing():
        yield 1
        raise ValueError("use fewer words")

    async def body():
        latest.ask(lambda: failing(), "the text")
        await latest.settled()

    run_async(body())
    (problem,) = errors.reports().problems.values()
    assert "the text" in problem.where


def test_an_error_without_words_is_told_by_its_name(latest, heard, run_async):

    def failing():
        yield 1
        raise ValueError

    async def body():
        latest.ask(lambda: failing(), "the text")
        await latest.settled()

    run_async(body())
    assert ("failed", "ValueError") in heard.said


def test_the_end_of_its_owner_closes_the_job(latest, engine, owner, run_async):
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(lambda: endless(begun, closed), "endless")
        await until(begun.is_set)
        dispose(owner)
        await until(closed.is_set)
        await until(lambda: not engine.jobs)

    run_async(body())
    assert not errors.reports().problems


def test_an_owner_that_ends_in_the_very_moment_of_its_question_leaves_no_job(
    latest, engine, owner, run_async
):
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(lambda: endless(begun, closed), "endless")
        begun.wait(HANGS)  # the engine's thread runs it; the loop has not turned since
        dispose(owner)
        await until(closed.is_set)

    run_async(body())


def test_nobody_waits_for_what_a_person_ends(engine, owner, run_async):
    latest = Latest(engine, owner, open_ended=True)
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(lambda: endless(begun, closed), "endless")
        await until(begun.is_set)
        await tasks.wait_for(owner)
        assert latest.running
        dispose(owner)
        await until(closed.is_set)

    run_async(body())


def test_the_end_of_the_engines_thread_is_told_without_a_second_card(owner, run_async):
    engine = Engine(with_torch=False)
    engine.start()
    latest = Latest(engine, owner)
    heard = Heard(latest)

    def dying():
        yield 1
        raise SystemExit

    async def body():
        latest.ask(lambda: dying(), "dying")
        await latest.settled()
        assert heard.kinds == ["item", "failed", "ended"]
        heard.said.clear()
        latest.ask(lambda: counting(1), "asked of the dead")
        assert heard.kinds == ["failed", "ended"] and "Restart" in heard.said[0][1]
        engine.restart()
        heard.said.clear()
        latest.ask(lambda: counting(1), "asked of another one")
        await latest.settled()
        assert heard.kinds == ["item", "came", "ended"]
        assert await engine.close()

    run_async(body())
    assert not errors.reports().problems
    dispose(engine)


def test_a_closed_engine_ends_it_without_an_answer(owner, run_async):
    engine = Engine(with_torch=False)
    engine.start()
    latest = Latest(engine, owner)
    heard = Heard(latest)
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(lambda: endless(begun, closed), "endless")
        await until(begun.is_set)
        assert await engine.close()
        await latest.settled()

    run_async(body())
    assert closed.is_set()
    assert "came" not in heard.kinds and "failed" not in heard.kinds
    assert heard.kinds[-1] == "ended"
    dispose(engine)


def test_what_the_engine_died_over_is_asked_of_the_next_one_once(owner, run_async):
    """A job by another generator, a call, and nothing of one that a person begins."""
    engine = Engine(with_torch=False)
    engine.start()
    job, call, run = (Latest(engine, owner, open_ended=i == 2) for i in range(3))
    heard = [Heard(one) for one in (job, call, run)]
    begun, closed = threading.Event(), threading.Event()
    made: list[str] = []

    def asked(name: str, first):
        made.append(name)
        return first if made.count(name) == 1 else counting(2)

    async def body():
        job.ask(lambda: asked("job", endless(begun, closed)), "a job")
        run.ask(lambda: asked("run", endless(begun, threading.Event())), "a run")
        await until(begun.is_set)
        with pytest.raises(EngineDied):
            call.ask(lambda: engine.call(pow, 2, 5), "a call")
            await engine.call(sys.exit)
        await until(lambda: all("ended" in one.kinds for one in heard[::2]))
        await call.settled()
        for one in heard:
            one.said.clear()
        engine.restart()
        for one in (job, call, run):
            await one.settled()
        assert await engine.close()

    run_async(body())
    assert made == ["job", "run", "job"]
    assert heard[0].said == [("item", 0), ("item", 1), ("came", 2), ("ended", None)]
    assert not heard[2].said
    assert not errors.reports().problems
    dispose(engine)


def test_the_end_of_its_owner_ends_a_call(latest, engine, owner, run_async):
    gate = Gate()
    ran: list[int] = []

    async def body():
        blocked = asyncio.ensure_future(engine.call(gate))
        await gate.reached()
        latest.call(ran.append, 1, name="a call")
        await asyncio.sleep(0)
        dispose(owner)
        await asyncio.sleep(0)
        gate.open()
        await blocked
        await until(lambda: not tasks.running())

    run_async(body())
    assert not ran and not errors.reports().problems


def test_a_call_that_fails_is_told_and_a_closed_engine_gives_no_answer(
    latest, heard, engine, run_async
):

    async def body():
        latest.call(int, "x", name="a number")
        await latest.settled()
        assert heard.kinds == ["failed", "ended"]
        heard.said.clear()
        await engine.close()
        latest.ask(lambda: engine.call(pow, 2, 5), "asked of a closed one")
        await latest.settled()

    run_async(body())
    assert "came" not in heard.kinds and "failed" not in heard.kinds
    assert not errors.reports().problems


def test_a_question_that_cannot_even_be_made_has_failed_once(latest, engine, run_async):
    heard, made = Heard(latest), []

    def make():
        made.append(1)
        raise ValueError("choose a text")

    async def body():
        latest.ask(make, "a question")
        engine.activityChanged.emit()
        await latest.settled()

    run_async(body())
    assert heard.said == [("failed", "choose a text"), ("ended", None)] and len(made) == 1


def test_a_call_that_is_asked_while_the_loop_stands_still_waits_for_it(
    latest, heard, engine, run_async
):

    async def begun():
        await until(lambda: engine.alive)

    async def body():
        engine.activityChanged.emit()
        await until(lambda: heard.kinds == ["came", "ended"])

    run_async(begun())
    latest.call(pow, 2, 5, name="a call")  # between two loops
    assert heard.said == []
    run_async(body())
    assert heard.said[0] == ("came", 32)


def test_one_whose_loop_is_gone_is_closed_without_a_word(latest, heard, owner):
    """As the collector closes it, of a window whose loop ended while it waited."""

    async def forever():
        await asyncio.Event().wait()

    async def begin():
        latest.ask(forever, "waits")
        await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin())
    (task,) = tasks.running(owner)
    loop.close()
    assert latest.running
    task.get_coro().close()
    assert not latest.running and heard.said == []
    assert tasks.running(owner) == []
