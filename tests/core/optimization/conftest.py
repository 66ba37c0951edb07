"""What the tests of this folder share."""

from collections.abc import Callable

import pytest

from tests.core.test_trace import MarkedLines


@pytest.fixture(scope="session")
def _marked_lines() -> MarkedLines:
    return MarkedLines()


@pytest.fixture
def watching(_marked_lines: MarkedLines) -> Callable[[], MarkedLines]:
    """`with watching() as watched`: the marked lines of core, found once, with nothing seen yet."""

    def begin() -> MarkedLines:
        _marked_lines.locals = {}
        return _marked_lines

    return begin
