"""The Trace of the chosen query on the pane's player, and the walk from query to query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from explorer.engine import tasks
from explorer.engine.jobs import SUPERSEDED
from explorer.panes.attention.model import Heads, trace_of
from explorer.panes.attention.walk import LENGTH, QueryTrack

if TYPE_CHECKING:
    from explorer.engine.engine import Engine
    from explorer.state.player import Player

Wanted = tuple[int, int, int]  # layer, head, query


class Playback(QObject):
    """Keeps a track for (heads, layer, head, query); asks the engine for what is missing."""

    trackChanged = Signal()
    queryReached = Signal(int)  # a walk has come to this query
    walkingChanged = Signal(bool)

    def __init__(self, engine: Engine, player: Player, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._player = player
        self._heads: Heads | None = None
        self._window: int | None = None
        self._rotary = False
        self._wanted: Wanted | None = None
        self._track: QueryTrack | None = None
        self._growing = False
        self._loading = False  # what was wanted last is on its way
        self.keeps_step = False  # another query starts at the step that is shown
        player.positionChanged.connect(self._on_position)
        player.moreRequested.connect(self._grow)
        player.playingChanged.connect(self._on_playing)

    @property
    def track(self) -> QueryTrack | None:
        return self._track

    @property
    def walking(self) -> bool:
        return self._track is not None and self._track.walking

    @property
    def place(self) -> int:
        """Which of the track's queries the player is at."""
        return self._track.at(self._player.position)[0] if self._track is not None else 0

    def clear(self) -> None:
        self._heads = self._wanted = self._track = None
        self._loading = False
        self._player.set_track(None)
        self.trackChanged.emit()

    def show(self, heads: Heads, wanted: Wanted, window: int | None, rotary: bool = False) -> None:
        """Gets the Trace of another query (or of other heads), keeping the step that is shown."""
        if heads is self._heads and wanted == self._wanted:
            return
        self._heads, self._wanted = heads, wanted
        self._window, self._rotary = window, rotary
        self._loading = True
        tasks.spawn(self._load(heads, wanted), self.parent())

    async def _load(self, heads: Heads, wanted: Wanted) -> None:
        try:
            trace = await self._trace(heads, wanted)
        except BaseException:
            if heads is self._heads and wanted == self._wanted:
                self._wanted, self._loading = None, False  # whoever asks again is answered
            raise
        if trace is SUPERSEDED or heads is not self._heads or wanted != self._wanted:
            return
        self._loading = False
        was_walking, was_playing = self.walking, self._player.playing
        keeps = self.keeps_step and self._track is not None
        step = self._player.position % LENGTH if keeps else 0.0
        self._track = QueryTrack(trace, heads.prompt.labels, heads.n_tokens - 1)
        self._player.set_track(self._track)
        self._player.seek(float(round(step)))
        self.trackChanged.emit()
        if was_walking:
            self.walkingChanged.emit(False)
        if was_playing:
            self._player.play()

    async def _trace(self, heads: Heads, wanted: Wanted) -> Any:
        key = (self.parent().objectName(), "trace")
        return await self._engine.call(
            trace_of, heads, *wanted, self._window, self._rotary, key=key
        )

    # the walk

    def set_walking(self, walking: bool) -> None:
        """Plays the steps of this query, then of the next, to the end of the text."""
        track = self._track
        if track is None or walking == track.walking:
            return
        if not walking:
            place, local = track.at(self._player.position)
            self._player.pause()
            track.cut_to(place)
            self._player.set_track(track)
            self._player.seek(min(local, LENGTH - 1))
        elif track.next_query is None and self._heads is not None and self._wanted is not None:
            # At the last token there is nowhere to go on: the walk starts over.
            layer, head, _ = self._wanted
            self._restart((layer, head, min(1, self._heads.n_tokens - 1)))
            return
        else:
            track.walking = True
            self._player.refresh()
            self._grow()
            self._player.play()
        self.trackChanged.emit()
        self.walkingChanged.emit(walking)

    def _restart(self, wanted: Wanted) -> None:
        heads = self._heads
        assert heads is not None
        self._wanted, self._loading = wanted, True

        async def begin() -> None:
            await self._load(heads, wanted)
            if self._track is not None and wanted == self._wanted:
                self._player.seek(0)
                self.queryReached.emit(wanted[2])
                self.set_walking(True)

        tasks.spawn(begin(), self.parent())

    def _grow(self) -> None:
        track, heads, wanted = self._track, self._heads, self._wanted
        if self._growing or track is None or heads is None or wanted is None:
            return
        query = track.next_query
        if not track.walking or query is None:
            return
        self._growing = True
        tasks.spawn(self._extend(track, heads, (wanted[0], wanted[1], query)), self.parent())

    async def _extend(self, track: QueryTrack, heads: Heads, wanted: Wanted) -> None:
        try:
            trace = await self._trace(heads, wanted)
        finally:
            self._growing = False
        if trace is SUPERSEDED or track is not self._track or not track.walking:
            return
        track.extend(trace)
        self._player.refresh()
        self.trackChanged.emit()

    def _on_position(self, position: float) -> None:
        track = self._track
        if track is None or self._wanted is None or self._loading:
            return  # the old track plays on until the wanted one is there: it chooses nothing
        place, _ = track.at(position)
        query = track.stories[place].query
        if query != self._wanted[2]:
            self._wanted = (self._wanted[0], self._wanted[1], query)
            self.queryReached.emit(query)
        if track.walking and place == len(track.stories) - 1:
            self._grow()  # one query ahead

    def _on_playing(self, playing: bool) -> None:
        track = self._track
        at_end = self._player.position >= self._player.length - 1
        if not playing and self.walking and track is not None and at_end and track.complete:
            self.set_walking(False)
