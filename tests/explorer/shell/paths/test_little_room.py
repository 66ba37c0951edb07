"""What has room in the window as designed, and what scrolls in a smaller one, in every mode."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QScrollArea

from core.training import new_run_folder, train_steps
from explorer import theme
from explorer.shell.window import PANE_LEAST
from explorer.widgets.base import Picture
from tests.explorer.demo import tiny_training


@pytest.fixture
def walk(sit, qapp, tmp_path):
    """`walk(size, zoom, look)`: what `look(window)` finds in each mode of each pane, by its name;
    a run is open."""
    config = tiny_training()
    run = new_run_folder(tmp_path / "runs", "a-run", config)
    for _ in train_steps(config, run):
        pass

    def through(sizes, look):
        async def body(session):
            window, found = session.window, {}
            panes = [window.show_pane(spec.id) for spec in session.specs]
            session.open_run(run)
            await window.pane.settled()
            for size, zoom in sizes:
                window.resize(*size)
                theme.apply(qapp, "light", zoom, "off")
                for pane in panes:
                    window.show_pane(pane.objectName())
                    for mode in getattr(pane, "modes", None) or ("",):
                        if mode:
                            pane.show_mode(mode)
                        await pane.settled()
                        await asyncio.sleep(0)  # layouts follow
                        await pane.settled()
                        found[f"{pane.objectName()} {mode} {size} {zoom}"] = look(window, zoom)
            return found

        return sit(body)

    return through


def test_nothing_scrolls_in_a_window_as_designed(walk):
    def scrolls(window: Any, zoom: float) -> tuple[int, int]:
        room = window.room
        return room.horizontalScrollBar().maximum(), room.verticalScrollBar().maximum()

    found = walk([((1280, 720), 1.0)], scrolls)
    assert len(found) > 15
    too_large = [f"{place}: {beyond}" for place, beyond in found.items() if any(beyond)]
    assert not too_large, "\n".join(too_large)


def test_in_a_smaller_window_and_at_a_large_zoom_no_picture_is_cut(walk):
    """Nor has one less room than it asks for: what has no room on the screen is scrolled to."""

    def look(window: Any, zoom: float) -> list[str]:
        assert window.stack.size().expandedTo(PANE_LEAST * zoom) == window.stack.size()
        return [*cut_pictures(window.stack)]

    found = walk([((1000, 600), 1.0), ((1280, 720), 2.0)], look)
    cut = [f"{place}: {picture}" for place, pictures in found.items() for picture in pictures]
    assert not cut, "\n".join(cut)


def cut_pictures(stack: Any) -> Iterator[str]:
    for picture in stack.findChildren(Picture):
        if not picture.isVisible() or in_an_area(picture, stack):
            continue
        place = picture.rect().translated(picture.mapTo(stack, picture.rect().topLeft()))
        name, least = picture.accessibleName(), picture.minimumSizeHint()
        least = least.boundedTo(picture.maximumSize())  # a height that is set holds
        if not stack.rect().contains(place):
            yield f"{name} lies at {place.getRect()} of {stack.size().toTuple()}"
        elif picture.size().expandedTo(least) != picture.size():
            yield f"{name} has {picture.size().toTuple()} of {least.toTuple()}"


def in_an_area(picture: Picture, stack: Any) -> bool:
    above = picture.parentWidget()
    while above is not stack and not isinstance(above, QScrollArea):
        above = above.parentWidget()
    return above is not stack
