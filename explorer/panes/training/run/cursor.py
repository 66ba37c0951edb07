"""The cursor over a run's moments: live at the edge, a replay left of it, or inside a step."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from core.training.phases import PHASES
from explorer.panes.training.run.track import (
    Moment,
    MomentTrack,
    PhaseTrack,
    moments_of,
    nearest,
)
from explorer.runs.run_data import RunData
from explorer.state.player import Player
from explorer.state.tracks import Track


class Cursor:
    """The player's position among the moments of the run. `show` sets the player's tracks."""

    def __init__(
        self, player: Player, track: MomentTrack, show: Callable[[list[Track]], object]
    ) -> None:
        self._player, self.track, self._show = player, track, show
        self._fresh = False  # a new run is being opened: the cursor will move to its newest moment

    @property
    def moments(self) -> list[Moment]:
        return self.track.moments

    @property
    def moment(self) -> Moment | None:
        """The moment under the cursor; inside a step, the nearest moment."""
        if not self.moments:
            return None
        inside = self.inside
        if inside is not None:
            return self.moments[nearest(self.moments, inside.step)]
        return self.moments[min(round(self._player.position), len(self.moments) - 1)]

    @property
    def position(self) -> float:
        """Index among the moments; inside a step, that of the last moment up to it."""
        if self.inside is not None:
            steps = [moment.step for moment in self.moments]
            return max(0, bisect_right(steps, self.inside.step) - 1)
        return min(self._player.position, len(self.moments) - 1)

    @property
    def step(self) -> float:
        """The optimizer step at the cursor, or around it when inside a step; interpolated between
        two moments.
        """
        if self.inside is not None:
            return float(self.inside.step)
        low = int(self.position)
        after = self.moments[min(low + 1, len(self.moments) - 1)].step
        return self.moments[low].step + (after - self.moments[low].step) * (self.position - low)

    @property
    def replaying(self) -> bool:
        """True if the cursor is at a recorded moment, not at the newest one."""
        moment = self.moment
        if moment is None or self._player.at_live_edge:
            return False
        return not moment.edge and moment is not self.moments[-1]

    @property
    def inside(self) -> PhaseTrack | None:
        """The track of phases if the cursor is inside a step, else None."""
        track = self._player.track
        return track if isinstance(track, PhaseTrack) else None

    @property
    def phase(self) -> int:
        last = (self.inside.length if self.inside is not None else len(PHASES)) - 1
        return min(max(self._player.step, 0), last)

    @property
    def phase_position(self) -> float:
        """The cursor's fractional position among the phases of a step."""
        return self._player.position

    def clear(self, fresh: bool) -> None:
        """Forgets the run; `fresh` if another one is being opened."""
        self._fresh = fresh
        self.track.moments = []
        self._show([])

    def renew(self, data: RunData) -> None:
        """Updates the moments; the cursor stays at its moment, or at the live edge."""
        live = not data.finished
        moments = moments_of(data.step, data.probes, data.checkpoints, live, data.skips)
        before, was_live = self.moment, self._player.at_live_edge
        self.track.set_moments(moments, live, data.numbers)
        if self._fresh:
            self._fresh = False
            self._show([self.track])
            self._player.end()
        elif self.inside is None:
            self._keep(before, was_live)

    def _keep(self, before: Moment | None, was_live: bool) -> None:
        last, position = len(self.moments) - 1, self._player.position
        at = nearest(self.moments, before.step) if before is not None else last
        if was_live or position > last:
            at = last
        moved = not was_live and round(position) != at
        ended = was_live and not self.track.is_live and position != last
        if moved or ended or position > last:
            playing = self._player.playing and not was_live
            self._player.seek(at)
            if playing:
                self._player.play()
        self._player.refresh()

    def seek_step(self, step: float) -> None:
        """Moves to the moment nearest to an optimizer step."""
        if self.moments:
            self.leave()
            self._player.seek(nearest(self.moments, step))

    def checkpoint_beside(self, way: int) -> int | None:
        """Returns the index of the checkpoint before (-1) or after (1) the cursor, or None."""
        here = nearest(self.moments, self.inside.step) if self.inside else self.position
        kept = [at for at in self.track.marks if (at - here) * way > 0]
        return (min(kept) if way > 0 else max(kept)) if kept else None

    def seek_checkpoint(self, way: int) -> None:
        at = self.checkpoint_beside(way)
        if at is not None:
            self.leave()
            self._player.seek(at)

    def leave(self) -> None:
        while self._player.leave():
            pass

    def enter(self, phase: int) -> bool:
        """Enters the optimizer step under the cursor, at a phase; False if none is recorded."""
        if self.inside is None and not self._player.enter():
            return False
        self._player.seek(phase)
        return True
