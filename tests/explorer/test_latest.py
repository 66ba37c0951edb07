"""One question at a time: the newest wins, waits for the engine, and ends with its owner."""

from __future__ import annotations

import asyncio
import threading

import pytest
import shiboken6
from PySide6.QtCore import QObject

from explorer import errors, tasks
from explorer.engine import Engine
from explorer.latest import Latest
from tests.explorer.conftest import dispose
from tests.explorer.small_jobs import counting
from tests.explorer.waiting import Gate, until


class Heard:
    """What a question said, in order."""

    def __init__(self, latest: Latest) -> None:
        self.said: list[tuple[str, object]] = []
        latest.progressed.connect(lambda items: self.said.extend(("item", one) for one in items))
        latest.came.connect(lambda result: self.said.append(("came", result)))
        latest.failed.connect(lambda message: self.said.append(("failed", message)))
        latest.ended.connect(lambda: self.said.append(("ended", None)))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.said]


@pytest.fixture
def owner(qapp):
    owner = QObject()
    owner.setObjectName("the place")
    yield owner
    if shiboken6.isValid(owner):
        dispose(owner)


@pytest.fixture(autouse=True)
def no_problems_left():
    errors.reports().problems.clear()
    yield
    errors.reports().problems.clear()


def endless(begun: threading.Event, closed: threading.Event):
    try:
        while True:
            begun.set()
            yield 1
    finally:
        closed.set()


def test_a_job_tells_what_it_yields_and_what_it_returns(engine, owner, run_async):
    latest = Latest(engine, owner)
    heard = Heard(latest)

    async def body():
        latest.ask(counting(3), "counting")
        assert latest.running and latest.job.name == "counting"
        await latest.settled()

    run_async(body())
    assert heard.said == [("item", 0), ("item", 1), ("item", 2), ("came", 3), ("ended", None)]
    assert not latest.running and latest.job is None


def test_the_newest_question_takes_the_place_of_the_one_under_way(engine, owner, run_async):
    latest = Latest(engine, owner)
    heard = Heard(latest)
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(endless(begun, closed), "older")
        await until(begun.is_set)
        latest.ask(counting(2), "newer")
        heard.said.clear()
        await latest.settled()
        await until(closed.is_set)

    run_async(body())
    assert heard.said == [("item", 0), ("item", 1), ("came", 2), ("ended", None)]


def test_of_questions_to_a_busy_engine_only_the_newest_is_begun(engine, owner, run_async):
    latest = Latest(engine, owner)
    heard = Heard(latest)
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
            latest.ask(asking(name), name)
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
        latest.ask(counting(1, pause=0), "older")
        latest.job.stateChanged.connect(lambda _: latest.ask(counting(2, pause=0), "newer"))
        await latest.settled()
        await latest.settled()

    run_async(body())
    assert [one for one in heard.said if one[0] == "came"] == [("came", 2)]


def test_a_question_waits_for_an_engine_that_is_not_there_yet(owner, run_async):
    engine = Engine(with_torch=False)
    latest = Latest(engine, owner)
    heard = Heard(latest)

    async def body():
        latest.ask(counting(1), "older")
        latest.ask(counting(2), "newer")
        await asyncio.sleep(0.02)
        assert not engine.alive and not latest.running and not heard.said
        engine.start()
        assert latest.running
        await latest.settled()
        assert await engine.close()

    run_async(body())
    assert heard.said == [("item", 0), ("item", 1), ("came", 2), ("ended", None)]
    dispose(engine)


def test_one_that_waits_for_the_engine_can_be_given_up(owner, run_async):
    engine = Engine(with_torch=False)
    latest = Latest(engine, owner)
    heard = Heard(latest)

    async def body():
        latest.ask(counting(1), "counting")
        assert latest.stop() and not latest.stop()
        engine.start()
        await asyncio.sleep(0.02)
        assert await engine.close()

    run_async(body())
    assert not heard.said
    dispose(engine)


def test_nothing_is_heard_of_what_was_given_up(engine, owner, run_async):
    latest = Latest(engine, owner)
    heard = Heard(latest)
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(endless(begun, closed), "endless")
        await until(begun.is_set)
        assert latest.stop() and not latest.running
        heard.said.clear()
        await until(closed.is_set)
        await asyncio.sleep(0.1)

    run_async(body())
    assert not heard.said


@pytest.mark.parametrize(
    ("error", "cards"),
    [(ValueError("choose another text"), 0), (OSError("no such file"), 0), (KeyError("a"), 1)],
)
def test_an_error_is_told_and_only_one_that_nobody_expects_has_a_card(
    engine, owner, run_async, error, cards
):
    latest = Latest(engine, owner)
    heard = Heard(latest)

    def failing():
        yield 1
        raise error

    async def body():
        latest.ask(failing(), "the text")
        await latest.settled()

    run_async(body())
    assert heard.said == [("item", 1), ("failed", str(error)), ("ended", None)]
    problems = list(errors.reports().problems.values())
    assert len(problems) == cards and all("the text" in one.where for one in problems)


def test_an_error_that_nobody_hears_of_has_its_card(engine, owner, run_async):
    latest = Latest(engine, owner)

    def failing():
        yield 1
        raise ValueError("use fewer words")

    async def body():
        latest.ask(failing(), "the text")
        await latest.settled()

    run_async(body())
    (problem,) = errors.reports().problems.values()
    assert "the text" in problem.where


def test_an_error_without_words_is_told_by_its_name(engine, owner, run_async):
    latest = Latest(engine, owner)
    heard = Heard(latest)

    def failing():
        yield 1
        raise ValueError

    async def body():
        latest.ask(failing(), "the text")
        await latest.settled()

    run_async(body())
    assert ("failed", "ValueError") in heard.said


def test_the_end_of_its_owner_closes_the_job(engine, owner, run_async):
    latest = Latest(engine, owner)
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(endless(begun, closed), "endless")
        await until(begun.is_set)
        dispose(owner)
        await until(closed.is_set)
        await until(lambda: not engine.jobs)

    run_async(body())
    assert not errors.reports().problems


def test_an_owner_that_ends_in_the_very_moment_of_its_question_leaves_no_job(
    engine, owner, run_async
):
    latest = Latest(engine, owner)
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(endless(begun, closed), "endless")
        begun.wait(5)  # the engine's thread runs it; the loop has not turned since
        dispose(owner)
        await until(closed.is_set)

    run_async(body())


def test_it_can_be_asked_where_no_loop_runs(engine, owner, run_async):
    latest = Latest(engine, owner)
    heard = Heard(latest)
    latest.ask(counting(2), "counting")

    async def body():
        await latest.settled()

    run_async(body())
    assert heard.kinds == ["item", "item", "came", "ended"]


def test_who_waits_for_the_owners_work_waits_for_its_question(engine, owner, run_async):
    latest = Latest(engine, owner)
    heard = Heard(latest)

    async def body():
        latest.ask(counting(5), "counting")
        await tasks.wait_for(owner)
        assert heard.kinds[-1] == "ended"

    run_async(body())


def test_nobody_waits_for_what_a_person_ends(engine, owner, run_async):
    latest = Latest(engine, owner, open_ended=True)
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(endless(begun, closed), "endless")
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
        latest.ask(dying(), "dying")
        await latest.settled()
        assert heard.kinds == ["item", "failed", "ended"]
        heard.said.clear()
        latest.ask(counting(1), "asked of the dead")
        assert heard.kinds == ["failed", "ended"] and "Restart" in heard.said[0][1]
        engine.restart()
        heard.said.clear()
        latest.ask(counting(1), "asked of another one")
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
        latest.ask(endless(begun, closed), "endless")
        await until(begun.is_set)
        assert await engine.close()
        await latest.settled()

    run_async(body())
    assert closed.is_set()
    assert "came" not in heard.kinds and "failed" not in heard.kinds
    assert heard.kinds[-1] == "ended"
    dispose(engine)


def test_who_hears_an_answer_may_ask_again_at_once(engine, owner, run_async):
    latest = Latest(engine, owner)
    heard = Heard(latest)
    latest.came.connect(lambda result: result < 3 and latest.ask(counting(result + 1), "more"))

    async def body():
        latest.ask(counting(1), "first")
        await latest.settled()

    run_async(body())
    assert [one for one in heard.said if one[0] != "item"] == [
        ("came", 1),
        ("came", 2),
        ("came", 3),
        ("ended", None),
    ]


def test_a_paused_job_is_under_way(engine, owner, run_async):
    latest = Latest(engine, owner)
    begun, closed = threading.Event(), threading.Event()

    async def body():
        latest.ask(endless(begun, closed), "endless")
        await until(begun.is_set)
        latest.job.pause()
        await asyncio.sleep(0.1)
        assert latest.running and latest.job.state == "paused"
        latest.stop()
        await until(closed.is_set)

    run_async(body())


def test_a_name_that_is_not_told_stays_out_of_the_status_bar(engine, owner, run_async):
    latest = Latest(engine, owner)

    async def body():
        latest.ask(counting(3), "cutting 5 bytes", is_told=False)
        assert latest.job.name == ""
        await latest.settled()

    run_async(body())
