"""A job that nobody watches."""

from collections.abc import Generator

import pytest

from core.jobs import to_the_end


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
