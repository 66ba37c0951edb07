"""One thing a frame: a new moment of learning, else one of what lies beside the drawing."""

from types import SimpleNamespace

import pytest

from explorer.panes.backprop.network.frames import Frames
from tests.explorer.conftest import dispose


@pytest.fixture
def mode(qapp):
    from PySide6.QtCore import QObject

    done = []
    mode = QObject()
    panel = SimpleNamespace(
        set_curves=lambda curves, glides: done.append(("curves", glides)),
        set_moment=lambda moment, live: done.append("moment"),
    )
    mode.done = done
    mode.view = SimpleNamespace(isVisible=lambda: True, panel=panel)
    mode.runner = SimpleNamespace(learning=True, lab=SimpleNamespace(curves=None))
    mode.active, mode.shown_moment = False, object()
    mode.inspect = lambda: done.append("inspect")
    mode.frames = Frames(mode)
    mode.take_news = lambda: (done.append("news"), mode.frames.soon())
    yield mode
    mode.frames.stop()
    dispose(mode)


def beat(mode):
    mode.done.clear()
    mode.frames.clock.timeout.emit()
    return list(mode.done)


def test_while_it_learns_one_part_follows_each_moment(mode):
    seen = []
    for _ in range(3):
        mode.frames.news()
        mode.frames.news()  # the newest is taken, once
        assert beat(mode) == ["news"]
        seen += beat(mode)
        assert beat(mode) == []
    assert seen == ["inspect", ("curves", False), "moment"]
    assert mode.frames.clock.isActive()


def test_after_learning_all_parts_follow_and_the_clock_stops(mode):
    mode.runner.learning = False
    mode.frames.soon()
    assert [beat(mode) for _ in range(3)] == [["inspect"], [("curves", True)], ["moment"]]
    assert beat(mode) == []
    assert not mode.frames.clock.isActive()


def test_what_waits_for_a_frame_can_be_shown_now(mode):
    mode.frames.news()
    mode.done.clear()
    mode.frames.flush()
    assert mode.done == ["news", ("curves", False), "moment"]


def test_a_view_that_nobody_sees_has_no_frames(mode):
    mode.view.isVisible = lambda: False
    mode.frames.news()
    mode.frames.soon()
    assert not mode.frames.clock.isActive()
