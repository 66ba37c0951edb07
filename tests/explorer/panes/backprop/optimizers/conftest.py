"""The mode Optimizers, shown and settled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.optimization.surfaces import SURFACES
from explorer.panes.backprop.optimizers import compute, runner
from explorer.panes.backprop.optimizers.compute import key_of, places_key, record
from explorer.panes.backprop.optimizers.draft import OptimizersDraft
from tests.explorer.panes.backprop.optimizers.races import race

MOST_FOUND = 40  # a map is a megabyte
_found: dict[Any, Any] = {}


def once(steps: Callable[..., Any]) -> Callable[..., Any]:
    """The same job; for a surface that has a name it is done once for all tests."""

    def job(surface: Any, *rest: Any, **more: Any) -> Any:
        key = (steps, surface.name, rest, tuple(more.items()))
        if key in _found and SURFACES.get(surface.name) is surface:
            return _found[key]
        found = yield from steps(surface, *rest, **more)
        if len(_found) < MOST_FOUND and SURFACES.get(surface.name) is surface:
            _found[key] = found
        return found

    return job


@pytest.fixture(autouse=True)
def usual_is_known(monkeypatch) -> None:
    """Each pane begins with the usual race: that, and the map of its surface, are there."""
    usual = race(OptimizersDraft())
    known: dict[Any, Any] = {
        key_of(usual.course, lane.name, lane.settings): lane for lane in usual.lanes
    }
    known[places_key(usual.course)] = usual.places

    def run(course: Any, entries: Any, more: Any) -> Any:
        return record(course, entries, {**known, **more})

    monkeypatch.setattr(runner, "record", run)
    monkeypatch.setattr(runner, "contour_steps", once(runner.contour_steps))
    monkeypatch.setattr(compute, "stationary_points_steps", once(compute.stationary_points_steps))


@pytest.fixture
def mode(make_pane) -> Any:
    return make_pane("optimizers").mode


@pytest.fixture
def change(mode, run_async) -> Any:
    """`change(draft)`: sets it up and waits until the race has been run."""

    def do(draft: Any) -> None:
        async def body() -> None:
            mode.draft.change(draft, "Test")
            await mode.settled()

        run_async(body())

    return do
