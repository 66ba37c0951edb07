"""The cursor: its timing against a clock moved by hand, stepping, nesting, the live edge."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.trace import Step, Trace
from explorer.state.player import Player
from explorer.state.tracks import ListTrack, LiveTrack, TraceTrack
from tests.explorer.conftest import dispose
from tests.explorer.waiting import timer_of


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def player(qapp, clock):
    player = Player(clock=clock)
    player.set_track(ListTrack(["a", "b", "c"]))
    yield player
    player.pause()
    dispose(player)


def advance(player, clock, seconds, frame=0.01):
    end = clock.now + seconds
    while clock.now < end - 1e-9:
        clock.now = min(end, clock.now + frame)
        player.tick()


def test_a_step_is_600_ms_of_transition_and_900_ms_of_rest(player, clock):
    player.play()
    advance(player, clock, 0.3)
    assert player.position == pytest.approx(0.5)
    assert player.step == 1
    advance(player, clock, 0.3)
    assert player.position == 1.0
    advance(player, clock, 0.89)
    assert player.position == 1.0
    advance(player, clock, 0.31)
    assert player.position == pytest.approx(1.5, abs=0.01)
    advance(player, clock, 2.0)
    assert player.position == 2.0
    assert not player.playing


def test_one_late_frame_loses_no_time(player, clock):
    player.play()
    clock.now = 0.6 + 0.9 + 0.3
    player.tick()
    assert player.position == pytest.approx(1.5)


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
def test_speed_divides_the_time(player, clock, speed):
    player.set_speed(speed)
    player.play()
    advance(player, clock, 0.3 / speed, frame=0.001)
    assert player.position == pytest.approx(0.5, abs=0.02)


def test_speed_max_has_no_transition(player, clock):
    seen = []
    player.positionChanged.connect(seen.append)
    player.set_speed(math.inf)
    player.play()
    advance(player, clock, 0.2)
    assert player.position == 2.0
    assert all(position == int(position) for position in seen)


def test_seeking_by_hand_is_never_animated(player, clock):
    player.seek(1.4)
    assert (player.position, player.playing) == (1.4, False)
    player.play()
    player.seek(0)
    advance(player, clock, 1)
    assert player.position == 0
    player.seek(99)
    assert player.position == 2
    player.seek(-1)
    assert player.position == 0


def test_one_step_forward_is_animated_and_stops(player, clock):
    player.forward()
    advance(player, clock, 0.3)
    assert player.position == pytest.approx(0.5)
    advance(player, clock, 5)
    assert (player.position, player.playing) == (1.0, False)


def test_forward_during_a_transition_cuts_to_its_end(player, clock):
    player.forward()
    advance(player, clock, 0.3)
    player.forward()
    assert (player.position, player.playing) == (1.0, False)


def test_back_cuts(player):
    player.seek(2)
    player.back()
    assert player.position == 1
    player.seek(0)
    player.back()
    assert player.position == 0


def test_reduced_motion_cross_fades_and_off_cuts(player, clock):
    player.set_motion("reduced")
    player.play()
    advance(player, clock, 0.06)
    assert player.position == pytest.approx(0.5)
    advance(player, clock, 0.07)
    assert player.position == 1.0
    player.pause()
    player.set_motion("off")
    player.seek(0)
    player.forward()
    assert (player.position, player.playing) == (1.0, False)
    with pytest.raises(ValueError, match="full, reduced or off"):
        player.set_motion("some")


def test_play_at_the_end_starts_again(player, clock):
    player.end()
    player.play()
    assert player.position == 0.0
    assert player.playing


def test_the_timer_runs_only_while_playing(player, clock):
    assert not timer_of(player).isActive()
    player.play()
    assert timer_of(player).isActive()
    advance(player, clock, 10)
    assert not timer_of(player).isActive()


def trace():
    result = Trace({"layer": 0})
    value = {"x": np.arange(3.0)}
    for name, parent in (("a", None), ("b", None), ("b.1", 1), ("b.2", 1), ("c", None)):
        result.append(Step(name, f"title {name}", "x", "core.trace:source#none", value, parent))
    return result


def test_steps_nest_enter_goes_in_and_backspace_out(player):
    done = trace()
    done.finish()
    player.set_track(TraceTrack(done))
    assert player.length == 3
    assert not player.enter()
    player.seek(1)
    assert player.enter()
    assert [player.track.title(i) for i in range(player.length)] == ["title b.1", "title b.2"]
    assert (player.depth, player.position) == (1, 0.0)
    assert player.leave()
    assert (player.depth, player.position, player.track.title(1)) == (0, 1.0, "title b")
    assert not player.leave()


def test_at_the_frontier_of_a_growing_trace_the_player_asks_for_more(player, clock):
    growing = Trace()
    value = {"x": np.zeros(1)}
    growing.append(Step("a", "a", "x", "core.trace:source#none", value))
    player.set_track(TraceTrack(growing))
    asked = []
    player.moreRequested.connect(lambda: asked.append(1))
    player.play()
    advance(player, clock, 0.1)
    assert asked and player.playing
    growing.append(Step("b", "b", "x", "core.trace:source#none", value))
    player.refresh()
    advance(player, clock, 0.7)
    assert player.position == 1.0


def test_one_cursor_moves_over_several_tracks(player):
    player.set_tracks([ListTrack(["a", "b"]), ListTrack(["a", "b", "c", "d"])])
    assert player.length == 4


class Growing(LiveTrack):
    def grow(self, title):
        self._titles.append(title)


class Run:
    def __init__(self):
        self.running = True
        self.log = []

    def track(self, number):
        def do(name, running=None):
            def command():
                self.log.append(name)
                if running is not None:
                    self.running = running

            return command

        return Growing(
            [f"moment {i}" for i in range(number)],
            list(range(number)),
            playing=lambda: self.running,
            play=do("play", True),
            pause=do("pause", False),
            step=do("step"),
        )


def test_at_the_live_edge_the_transport_steers_the_run(player):
    run = Run()
    player.set_track(run.track(5))
    assert player.at_live_edge and player.playing and player.position == 4
    player.toggle()
    player.toggle()
    player.forward()
    assert run.log == ["pause", "play", "step"]


def test_left_of_the_live_edge_nothing_touches_the_run(player, clock):
    run = Run()
    track = run.track(5)
    player.set_track(track)
    player.seek(1)
    assert not player.at_live_edge
    assert not player.playing
    player.play()
    advance(player, clock, 0.3)
    assert player.position == 3
    player.pause()
    player.forward()
    player.back()
    assert run.log == []
    player.end()
    assert player.at_live_edge


def test_the_live_edge_moves_on_with_the_run_and_a_replay_does_not(player):
    run = Run()
    track = run.track(3)
    player.set_track(track)
    track.grow("new")
    player.refresh()
    assert player.position == 3 and player.at_live_edge
    player.seek(1)
    track.grow("newer")
    player.refresh()
    assert player.position == 1


def test_a_replay_that_reaches_the_edge_is_live_again(player, clock):
    run = Run()
    player.set_track(run.track(3))
    player.seek(0)
    player.play()
    advance(player, clock, 3)
    assert player.at_live_edge
    assert run.log == []


def test_an_empty_player_does_nothing(qapp):
    player = Player()
    for method in ("play", "pause", "toggle", "forward", "back", "start", "end", "enter", "leave"):
        getattr(player, method)()
    assert (player.step, player.length, player.position) == (-1, 0, 0.0)
    dispose(player)


def test_nothing_is_entered_where_there_is_no_step_yet(player):
    class Begun(ListTrack):
        def inside(self, index):
            return ListTrack([["first"][index + 1]])  # any step of no steps is one too many

    player.set_track(Begun([]))
    assert player.step == -1 and not player.enter() and player.depth == 0
