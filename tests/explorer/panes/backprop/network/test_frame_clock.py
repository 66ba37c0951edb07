"""One thing a frame: a new keyframe of training, else one of what lies beside the drawing."""

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject

from explorer.panes.backprop.network.frame_clock import FrameClock
from tests.explorer.conftest import dispose


@pytest.fixture
def screen(qapp):
    done = []
    state = SimpleNamespace(done=done, learning=True, visible=True)
    owner = QObject()
    parts = [lambda name=name: done.append(name) for name in ("inspector", "curves", "panel")]
    state.frames = FrameClock(parts, lambda: state.learning, lambda: state.visible, owner)
    state.frames.newsDue.connect(lambda: (done.append("news"), state.frames.soon()))
    yield state
    state.frames.stop()
    dispose(owner)


def beat(screen):
    screen.done.clear()
    screen.frames.clock.timeout.emit()
    return list(screen.done)


def test_while_it_learns_one_part_follows_each_keyframe(screen):
    seen = []
    for _ in range(3):
        screen.frames.news()
        screen.frames.news()  # the newest is taken, once
        assert beat(screen) == ["news"]
        seen += beat(screen)
        assert beat(screen) == []
    assert seen == ["inspector", "curves", "panel"]
    assert screen.frames.clock.isActive()


def test_after_learning_all_parts_follow_and_the_clock_stops(screen):
    screen.learning = False
    screen.frames.soon()
    assert [beat(screen) for _ in range(3)] == [["inspector"], ["curves"], ["panel"]]
    assert beat(screen) == []
    assert not screen.frames.clock.isActive()


def test_what_waits_for_a_frame_can_be_shown_now(screen):
    screen.frames.news()
    screen.frames.flush()
    screen.frames.flush()
    assert screen.done == ["news"]


def test_a_view_that_nobody_sees_has_no_frames(screen):
    screen.visible = False
    screen.frames.news()
    screen.frames.soon()
    assert not screen.frames.clock.isActive()
