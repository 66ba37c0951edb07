"""The Trace of the chosen query on the pane's player, and the walk from query to query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from explorer.engine.jobs import SUPERSEDED
from explorer.engine.latest import Latest
from explorer.panes.attention.model import Heads, trace_of
from explorer.panes.attention.story import number_of
from explorer.panes.attention.walk import QueryTrack

if TYPE_CHECKING:
    from explorer.engine.engine import Engine
    from explorer.state.player import Player

Place = tuple[int, int, int]  # layer, head, query
NAME = "the steps of the query"


@dataclass(frozen=True)
class _Shown:
    """What the steps are of."""

    heads: Heads
    place: Place
    window: int | None
    rotary: bool
    source: Any  # the ModelSource that has the weights of these heads, or None

    def at(self, query: int) -> _Shown:
        """The same head for another query."""
        return replace(self, place=(*self.place[:2], query))

    def trace(self, model: Any = None) -> Any:
        return trace_of(self.heads, *self.place, self.window, self.rotary, model)

    def piece_of(self, token: int) -> bytes:
        """The bytes of a token; of one that the tokenizer does not have, its number."""
        tokenizer = self.source.tokenizer
        known = token < tokenizer.vocab_size
        return tokenizer.piece_bytes(token) if known else number_of(token)

    async def asked(self, engine: Engine) -> Any:
        """The Trace, with the model's weights where somebody has them."""
        if self.source is None:
            return await engine.call(self.trace, name=NAME)
        return await self.source.ask(self.trace, name=NAME)


class Playback(QObject):
    """Keeps a track for (heads, layer, head, query); asks the engine for what is missing."""

    trackChanged = Signal()
    queryReached = Signal(int)  # a walk has come to this query
    walkingChanged = Signal(bool)

    def __init__(self, engine: Engine, player: Player, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._player = player
        self._asked: _Shown | None = None  # what the track is of, or will be
        self._shown: _Shown | None = None  # what it is of
        self._track: QueryTrack | None = None
        self.keeps_step = False  # another query starts at the step that is shown
        self._query = Latest(engine, parent)
        self._query.came.connect(self._on_query)
        self._query.ended.connect(self._on_query_ended)
        self._ahead = Latest(engine, parent)  # the query that a walk goes on to
        self._ahead.came.connect(self._on_ahead)
        player.positionChanged.connect(self._on_position)
        player.moreRequested.connect(self._grow)
        player.playingChanged.connect(self._on_playing)

    @property
    def track(self) -> QueryTrack | None:
        return self._track

    @property
    def place(self) -> Place | None:
        """Layer, head and query of the steps; None while others are on their way."""
        return self._shown.place if self._shown is not None and self._is_newest else None

    @property
    def walking(self) -> bool:
        return self._track is not None and self._track.walking

    @property
    def _is_newest(self) -> bool:
        return self._shown is self._asked

    def clear(self) -> None:
        self._query.stop()
        self._ahead.stop()
        self._asked = self._shown = self._track = None
        self._player.set_track(None)
        self.trackChanged.emit()

    def show(
        self, heads: Heads, place: Place, window: int | None, rotary: bool = False,
        source: Any = None,
    ) -> None:  # fmt: skip
        """Gets the Trace of another query (or of other heads), keeping the step that is shown."""
        asked = self._asked
        if asked is None or heads is not asked.heads or place != asked.place:
            self._ask(_Shown(heads, place, window, rotary, source))

    def _ask(self, wanted: _Shown, *, walks: bool = False) -> None:
        async def ask() -> Any:
            trace = await wanted.asked(self._engine)
            return SUPERSEDED if trace is SUPERSEDED else (wanted, trace, walks)

        self._asked = wanted
        self._query.ask(ask, NAME)

    def _on_query(self, answer: tuple[_Shown, Any, bool]) -> None:
        shown, trace, walks = answer
        was_walking, was_playing = self.walking, self._player.playing
        keeps = self.keeps_step and self._track is not None
        step = self._player.position % self._track.each if keeps and self._track else 0.0
        self._ahead.stop()
        self._asked = self._shown = shown
        self._track = QueryTrack(trace, shown.heads, shown.piece_of)
        self._player.set_track(self._track)
        self._player.seek(float(round(step)))
        self.trackChanged.emit()
        if was_walking:
            self.walkingChanged.emit(False)
        if was_playing:
            self._player.play()
        if walks:
            self._player.seek(0)
            self.queryReached.emit(shown.place[2])
            self.set_walking(True)

    def _on_query_ended(self) -> None:
        if not self._is_newest:
            self._asked = None  # it has failed: whoever asks again is answered

    # the walk

    def set_walking(self, walking: bool) -> None:
        """Plays the steps of this query, then of the next, to the end of the text."""
        track, shown = self._track, self._shown
        if track is None or shown is None or walking == track.walking:
            return
        if not walking:
            self._ahead.stop()
            place, local = track.at(self._player.position)
            self._player.pause()
            track.cut_to(place)
            self._player.set_track(track)
            self._player.seek(min(local, track.each - 1))
        elif track.next_query is None:
            # At the last token there is nowhere to go on: the walk starts over.
            self._ask(shown.at(min(1, shown.heads.n_tokens - 1)), walks=True)
            return
        else:
            track.walking = True
            self._player.refresh()
            self._grow()
            self._player.play()
        self.trackChanged.emit()
        self.walkingChanged.emit(walking)

    def _grow(self) -> None:
        track, shown = self._track, self._shown
        if track is None or shown is None or not track.walking or self._ahead.running:
            return
        if track.next_query is not None:
            following = shown.at(track.next_query)
            self._ahead.ask(lambda: following.asked(self._engine), NAME)

    def _on_ahead(self, trace: Any) -> None:
        assert self._track is not None
        self._track.extend(trace)
        self._player.refresh()
        self.trackChanged.emit()

    def _on_position(self, position: float) -> None:
        track, shown = self._track, self._shown
        if track is None or shown is None or not self._is_newest:
            return  # the old track plays on until the wanted one is there: it chooses nothing
        place, _ = track.at(position)
        query = track.stories[place].query
        if query != shown.place[2]:
            self._asked = self._shown = shown.at(query)
            self.queryReached.emit(query)
        if track.walking and place == len(track.stories) - 1:
            self._grow()  # one query ahead

    def _on_playing(self, playing: bool) -> None:
        track = self._track
        at_end = self._player.position >= self._player.length - 1
        if not playing and self.walking and track is not None and at_end and track.complete:
            self.set_walking(False)
