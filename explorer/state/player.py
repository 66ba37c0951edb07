"""A cursor over one or several tracks: play, pause, step, seek, speed.

`position` is a float. At a whole number k, step k is settled; between k and k + 1 the fraction is
the progress of the transition from step k to step k + 1. Every animation is `draw(position)`.
`step` is the step that people are told about: the one being moved to, else the settled one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from explorer.engine import courtesy
from explorer.state.tracks import Track

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, math.inf)  # the last is "max": no transition
FRAME = 16  # ms between two frames
CROSS_FADE = 0.120  # seconds of a transition under reduced motion


def speed_of(kept: Any) -> float:
    """Returns the speed that a session has saved, "inf" for max; 1 for an invalid value."""
    return next((speed for speed in SPEEDS if kept in (speed, str(speed))), 1.0)


class Player(QObject):
    """Moves one position along its tracks. The clock is a parameter that tests advance by hand."""

    positionChanged = Signal(float)
    stepChanged = Signal(int)
    playingChanged = Signal(bool)
    trackChanged = Signal()
    speedChanged = Signal(float)
    liveChanged = Signal(bool)
    ticked = Signal()  # a frame's time has passed: painting follows
    moreRequested = Signal()  # the cursor is at the end of a track that may grow

    def __init__(
        self, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self.clock = clock
        self._tracks: list[Track] = []
        self._outer: list[tuple[list[Track], int]] = []
        self._position = 0.0
        self._playing = False
        self._single = False  # stop after one transition
        self._resting = 0.0  # seconds of rest left
        self._then = 0.0
        self._speed = 1.0
        self._motion = "full"
        self._step = -1
        self._live = False
        self.unseen = False  # an export draws frames: the cursor moves for no user
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME)
        self._timer.timeout.connect(self.tick)

    # tracks

    @property
    def track(self) -> Track | None:
        return self._tracks[0] if self._tracks else None

    @property
    def tracks(self) -> list[Track]:
        return list(self._tracks)

    @property
    def length(self) -> int:
        """The number of steps of the longest track."""
        return max((track.length for track in self._tracks), default=0)

    @property
    def complete(self) -> bool:
        return all(track.complete for track in self._tracks)

    @property
    def depth(self) -> int:
        """The number of open levels; 0 is the outermost."""
        return len(self._outer)

    @property
    def path(self) -> list[float]:
        """The cursor's position on each level, the outermost first."""
        return [*(float(step) for _, step in self._outer), self._position]

    def set_track(self, track: Track | None, *, keep_position: bool = False) -> None:
        self.set_tracks([track] if track is not None else [], keep_position=keep_position)

    def set_tracks(self, tracks: Sequence[Track], *, keep_position: bool = False) -> None:
        """Replaces the tracks; the cursor goes to the start, or to the live edge if there is one.

        `keep_position` stays at the same step: the same trace for another head or token.
        """
        self._outer.clear()
        self._show(list(tracks), self._position if keep_position else None)

    def refresh(self) -> None:
        """Updates after the tracks have grown or a live run has changed its state."""
        if self._live and self._position != self._end():
            self._move_to(self._end())
        self.trackChanged.emit()
        self._check_live()

    def _show(self, tracks: list[Track], position: float | None) -> None:
        self._stop()
        self._tracks = tracks
        if position is None:
            at_edge = any(track.is_live for track in tracks)
            position = float(self._end()) if at_edge else 0.0
        self._step = -1
        self.trackChanged.emit()
        self._move_to(min(round(position), self._end()))

    # position

    @property
    def position(self) -> float:
        return self._position

    @property
    def step(self) -> int:
        """The step in words: the target of a transition, else the settled one; -1 when empty."""
        return math.ceil(self._position - 1e-9) if self.length else -1

    @property
    def playing(self) -> bool:
        """True while an animation runs, or at the live edge while the run trains."""
        live = self._live_track()
        return live.live_playing if live is not None else self._playing

    @property
    def moving(self) -> bool:
        """True while the cursor moves frame by frame; False at the live edge, where the run moves
        it.
        """
        return self._playing

    @property
    def at_live_edge(self) -> bool:
        return self._live

    @property
    def speed(self) -> float:
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Sets one of SPEEDS; `math.inf` is "max"."""
        if not speed > 0:
            raise ValueError(f"speed must be above 0, not {speed}; choose one of {SPEEDS}")
        if speed != self._speed:
            self._speed = speed
            self.speedChanged.emit(speed)

    @property
    def motion(self) -> str:
        return self._motion

    def set_motion(self, motion: str) -> None:
        """Sets full, reduced (a short cross-fade) or off (a cut)."""
        if motion not in ("full", "reduced", "off"):
            raise ValueError(f"motion is full, reduced or off, not {motion!r}")
        self._motion = motion

    # movement

    def play(self) -> None:
        live = self._live_track()
        if live is not None:
            live.live_play()
            self.playingChanged.emit(True)
            return
        if not self.length or self._playing:
            return
        if self._position >= self._end() and self.complete and not self._grows():
            self._move_to(0.0)
        self._single = False
        self._resting = 0.0
        self._run()

    def rest(self) -> None:
        """Restarts the rest at the settled step, whose content has just appeared."""
        if self._playing and not math.isinf(self._speed):
            self._resting = self._rest() / self._speed

    def pause(self) -> None:
        live = self._live_track()
        if live is not None:
            live.live_pause()
            self.playingChanged.emit(False)
        else:
            self._stop()

    def toggle(self) -> None:
        if self.playing:
            self.pause()
        else:
            self.play()

    def forward(self) -> None:
        """Moves one step: animated from a settled step, with a cut during a transition."""
        live = self._live_track()
        if live is not None:
            live.live_step()
            return
        if self._position != math.floor(self._position):
            self._stop()
            self._move_to(math.ceil(self._position))
            return
        self._stop()
        if self._position >= self._end():
            if not self.complete:
                self.moreRequested.emit()
            return
        if self._motion == "off" or math.isinf(self._speed):
            self._move_to(self._position + 1)
            return
        self._single = True
        self._resting = 0.0
        self._run()

    def back(self) -> None:
        self._stop()
        self._move_to(max(0, math.ceil(self._position) - 1))

    def seek(self, position: float) -> None:
        """Moves without animation. Fractions show the middle of a transition."""
        self._stop()
        self._move_to(min(max(0.0, float(position)), float(self._end())))

    def start(self) -> None:
        self.seek(0)

    def end(self) -> None:
        """Moves to the last step; on a live track that is the newest."""
        self.seek(self._end())

    def enter(self) -> bool:
        """Enters the current step; returns False if it has no steps of its own."""
        inner = [track.inside(self.step) for track in self._tracks if 0 <= self.step < track.length]
        inner = [track for track in inner if track is not None]
        if not inner:
            return False
        self._outer.append((self._tracks, self.step))
        self._show(inner, 0.0)
        return True

    def leave(self) -> bool:
        """Returns to the step that contains this level; False on the outermost."""
        if not self._outer:
            return False
        inner = self._tracks[0]
        tracks, index = self._outer.pop()
        self._show(tracks, float(tracks[0].outside(inner, index)))
        return True

    # time

    def tick(self) -> None:
        """Draws one frame: moves by the time that has passed on the clock."""
        courtesy.window_works()
        now = self.clock()
        passed, self._then = now - self._then, now
        while passed > 0 and self._playing:
            passed = self._advance(passed)
        self.ticked.emit()

    def _advance(self, passed: float) -> float:
        """Consumes some of `passed` seconds and returns the rest."""
        if self._resting > 0:
            used = min(self._resting, passed)
            self._resting -= used
            return passed - used
        settled = math.floor(self._position)
        if settled >= self._end():
            self._at_end()
            return 0.0
        fast = math.isinf(self._speed)
        takes = 0.0 if fast else self._transition() / self._speed
        fraction = self._position - settled
        left = takes * (1 - fraction)
        if passed < left:
            self._move_to(self._position + passed / takes)
            return 0.0
        self._move_to(settled + 1)
        if self._single:
            self._stop()
            return 0.0
        self._resting = 0.0 if fast else self._rest() / self._speed
        return 0.0 if fast else passed - left

    def _transition(self) -> float:
        if self._motion == "off":
            return 0.0
        longest = max(track.transition for track in self._tracks)
        return min(CROSS_FADE, longest) if self._motion == "reduced" else longest

    def _rest(self) -> float:
        saved = max(track.transition for track in self._tracks) - self._transition()
        return max(track.rest for track in self._tracks) + saved

    def _at_end(self) -> None:
        if not self.complete:
            self.moreRequested.emit()  # stays playing, and continues when the track grows
        elif not self._grows():
            self._stop()
        else:
            self._stop()
            self._check_live()

    def _run(self) -> None:
        self._then = self.clock()
        self._playing = True
        self._timer.start()
        self.playingChanged.emit(True)

    def _stop(self) -> None:
        self._timer.stop()
        self._resting = 0.0
        if self._playing:
            self._playing = False
            self.playingChanged.emit(False)

    # helpers

    def _end(self) -> int:
        return max(0, self.length - 1)

    def _grows(self) -> bool:
        return any(track.is_live for track in self._tracks)

    def _live_track(self) -> Track | None:
        if not self._live:
            return None
        return next((track for track in self._tracks if track.is_live), None)

    def _move_to(self, position: float) -> None:
        position = float(position)
        moved = position != self._position
        self._position = position
        self._check_live()
        if moved or self._step < 0:
            self.positionChanged.emit(position)
        if self.step != self._step:
            self._step = self.step
            self.stepChanged.emit(self._step)

    def _check_live(self) -> None:
        live = self._grows() and self._position >= self._end()
        if live != self._live:
            self._live = live
            if live:
                self._timer.stop()
                self._playing = False
            self.liveChanged.emit(live)
            self.playingChanged.emit(self.playing)
