"""A session or a share file with numbers that nothing on a screen has: they are left out."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from explorer.engine import errors
from explorer.state.workspace import is_looking
from tests.explorer.shell.paths.test_ten_modes import MODES

HOSTILE = (
    -(10**12),
    10**12,
    10**400,
    1e308,
    -1,
    2**63,
    10**30,
    0.5,
    "Infinity",
    None,
    [],
    {},
    "\ud800",
)
# Changes of what is looked at, and as many of what is set up, in each mode: each is shown.
MOST = (10, pytest.param(100, marks=pytest.mark.full))


def numbers_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where numbers stand in a JSON value; of a long list the first and the last."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers_in(inner, (*path, key))
    elif isinstance(value, list):
        for index in sorted({0, len(value) - 1} if value else ()):
            yield from numbers_in(value[index], (*path, index))
    elif isinstance(value, int | float) or value is None:
        yield path


def changed(state: dict[str, Any], place: tuple[Any, ...], value: Any) -> Any:
    """The value at the path of the workspace that `place` begins with, changed at the place."""
    whole = copy.deepcopy({place[0]: state[place[0]]})
    inside = whole
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    return whole


@pytest.mark.parametrize("most", MOST)
def test_numbers_that_cannot_be_are_left_out(sit, most):
    """In one window: each mode is set up as in the test of JSON, and its numbers are changed."""

    async def story(session: Any) -> None:
        for name, mode, click in MODES:
            pane = session.window.show_pane(name)
            if mode:
                pane.show_mode(mode)
            await pane.settled()
            await click(pane)
            await pane.settled()
            change_numbers(session, name, most)
            await pane.settled()
            assert not errors.reports().problems, _problems()

    sit(story)


def change_numbers(session: Any, name: str, most: int) -> None:
    state = json.loads(json.dumps(session.workspace.state()))
    own = {path: value for path, value in state.items() if path.startswith(name)}
    own["selection"] = state["selection"]
    tried = [(place, value) for place in numbers_in(own) for value in HOSTILE]
    random.Random(0).shuffle(tried)
    looked_at = [one for one in tried if is_looking(one[0][0])]
    set_up = [one for one in tried if not is_looking(one[0][0])]
    assert looked_at and (set_up or name == "attention")
    for place, value in (*looked_at[:most], *set_up[:most]):
        session.workspace.restore(changed(own, place, value))
        if errors.reports().problems:
            pytest.fail(f"{place}: {value!r}: {_problems()}")


def _problems() -> str:
    return "\n".join(f"{p.text} {p.details[-1500:]}" for p in errors.reports().problems.values())
