"""A job that nobody watches, and when one that is watched yields."""

from collections.abc import Generator

import pytest

from core import jobs
from core.jobs import Pace, to_the_end


def test_a_job_runs_to_its_result() -> None:
    def job() -> Generator[int, None, str]:
        yield 1
        yield 2
        return "done"

    assert to_the_end(job()) == "done"


def test_what_goes_wrong_in_a_job_is_raised() -> None:
    def job() -> Generator[int, None, None]:
        yield 1
        raise ValueError("an empty text: choose another")

    with pytest.raises(ValueError, match="choose another"):
        to_the_end(job())


def test_a_job_yields_after_its_own_work_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(jobs.time, "perf_counter", lambda: now[0])
    pace = Pace()
    assert not pace.is_due()
    now[0] += jobs.PAUSE * 1.5
    assert pace.is_due()
    now[0] += 60  # what happens while it waits is not its work
    pace.go_on()
    assert not pace.is_due()
