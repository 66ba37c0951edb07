"""The player's track: the steps of one query, or on a walk those of one query after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from explorer.engine import tasks
from explorer.engine.jobs import SUPERSEDED
from explorer.engine.latest import Latest
from explorer.panes.attention.compute import Heads, trace_of
from explorer.panes.attention.scene import Likely, Scene, number_of, scene_of
from explorer.state.tracks import Track
from explorer.widgets.formula import set_formulas

if TYPE_CHECKING:
    from explorer.engine.engine import Engine
    from explorer.state.player import Player

Place = tuple[int, int, int]  # layer, head, query
NAME = "the steps of an attention head"


class QueryTrack(Track):
    """A track that grows by the steps of each query that a walk reaches.

    each  number of steps per query; those after the head's output need the model's weights
    """

    def __init__(
        self, trace: Any, heads: Heads, piece_of: Callable[[int], bytes] = number_of
    ) -> None:
        self._heads, self._piece_of = heads, piece_of
        self.scenes: list[Scene] = []
        self.extend(trace)
        self.each = len(trace)
        self.walking = False

    @property
    def length(self) -> int:
        return self.each * len(self.scenes)

    @property
    def complete(self) -> bool:
        return not self.walking or self.next_query is None

    @property
    def next_query(self) -> int | None:
        """The query to request next; None at the end of the text."""
        following = self.scenes[-1].query + 1
        return following if following < self._heads.n_tokens else None

    def extend(self, trace: Any) -> None:
        self.scenes.append(scene_of(trace, self._heads, self._piece_of))

    def cut_to(self, place: int) -> None:
        """Ends the walk and keeps only the query at `place`."""
        self.scenes = [self.scenes[place]]
        self.walking = False

    def at(self, position: float) -> tuple[int, float]:
        """Returns the index of the query at a position, and the position within its steps."""
        place = min(int(position) // self.each, len(self.scenes) - 1)
        return place, position - self.each * place

    def title(self, index: int) -> str:
        """Returns the step's title, as in the inspector."""
        return self.item(index).title

    def item(self, index: int) -> Any:
        return self.scenes[index // self.each].steps[index % self.each]


@dataclass(frozen=True)
class _Query:
    """The heads and query of a track; `source` has the weights of these heads, or is None."""

    heads: Heads
    place: Place
    source: Any

    def at(self, query: int) -> _Query:
        """Returns the same head at another query."""
        return replace(self, place=(*self.place[:2], query))

    def trace(self, model: Any = None) -> Any:
        return trace_of(self.heads, *self.place, model)

    def piece_of(self, token: int) -> bytes:
        """Returns the bytes of a token, or its number if the tokenizer does not know it."""
        tokenizer = self.source.tokenizer
        known = token < tokenizer.vocab_size
        return tokenizer.piece_bytes(token) if known else number_of(token)

    async def asked(self, engine: Engine) -> Any:
        """Computes the Trace, with the model's weights if there is a source."""
        if self.source is None:
            return await engine.call(self.trace, name=NAME)
        return await self.source.ask(self.trace, name=NAME)


class Playback(QObject):
    """Owns the track of a query in a head, and requests missing Traces from the engine."""

    trackChanged = Signal()
    queryReached = Signal(int)  # a walk has reached this query
    walkingChanged = Signal(bool)

    def __init__(self, engine: Engine, player: Player, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._player = player
        self._asked: _Query | None = None  # query that was requested last
        self._shown: _Query | None = None  # query of the track
        self.track: QueryTrack | None = None
        self._has_formulas = False
        self.keeps_step = False  # True if another query starts at the current step
        self._reading = Latest(engine, parent)
        self._reading.came.connect(self._on_query)
        self._reading.ended.connect(self._on_query_ended)
        self._ahead = Latest(engine, parent)  # the next query of a walk
        self._ahead.came.connect(self._on_ahead)
        player.positionChanged.connect(self._on_position)
        player.moreRequested.connect(self._grow)
        player.playingChanged.connect(self._on_playing)

    @property
    def place(self) -> Place | None:
        """Layer, head and query of the steps; None while others are being computed."""
        return self._shown.place if self._shown is not None and self._is_newest else None

    @property
    def walking(self) -> bool:
        return self.track is not None and self.track.walking

    @property
    def _is_newest(self) -> bool:
        return self._shown is self._asked

    @property
    def now(self) -> tuple[Scene, int] | None:
        """Query and step at the player's position."""
        track, at = self.track, self._player.step
        if track is None or not 0 <= at < track.length:
            return None
        return track.scenes[at // track.each], at % track.each

    @property
    def expected(self) -> Likely | None:
        """The likeliest next token, once the steps of the text's last token have computed it; else
        None.
        """
        scene = None if self.now is None else self.now[0]
        if scene is None or scene.downstream is None or scene.query < scene.n_tokens - 1:
            return None
        return scene.downstream.top

    def clear(self) -> None:
        self._reading.stop()
        self._ahead.stop()
        self._asked = self._shown = self.track = None
        self._player.set_track(None)
        self.trackChanged.emit()

    def show(self, heads: Heads, place: Place, source: Any) -> None:
        """Requests the Trace of another query or of other heads."""
        asked = self._asked
        if asked is None or heads is not asked.heads or place != asked.place:
            self._ask(_Query(heads, place, source))

    def _ask(self, wanted: _Query, *, walks: bool = False) -> None:
        async def ask() -> Any:
            trace = await wanted.asked(self._engine)
            return SUPERSEDED if trace is SUPERSEDED else (wanted, trace, walks)

        self._asked = wanted
        self._reading.ask(ask, NAME)

    def _on_query(self, answer: tuple[_Query, Any, bool]) -> None:
        shown, trace, walks = answer
        was_walking, was_playing = self.walking, self._player.playing
        keeps = self.keeps_step and self.track is not None
        step = self._player.position % self.track.each if keeps and self.track else 0.0
        self._ahead.stop()
        self._asked = self._shown = shown
        self.track = QueryTrack(trace, shown.heads, shown.piece_of)
        if not self._has_formulas:  # the first play must not wait for the formulas
            self._has_formulas = True
            formulas = tuple(one.formula for one in trace)
            # Not the pane's task: its picture is settled without them.
            tasks.spawn(self._engine.io(set_formulas, formulas), self)
        self._player.set_track(self.track)
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
            self._asked = None  # failed: the same request may be repeated

    # walk

    def set_walking(self, walking: bool) -> None:
        """Plays the steps of this query, then of the next, to the end of the text."""
        track, shown = self.track, self._shown
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
            # The last token is the end of a walk, so it starts over.
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
        track, shown = self.track, self._shown
        if track is None or shown is None or not track.walking or self._ahead.running:
            return
        if track.next_query is not None:
            following = shown.at(track.next_query)
            self._ahead.ask(lambda: following.asked(self._engine), NAME)

    def _on_ahead(self, trace: Any) -> None:
        assert self.track is not None
        self.track.extend(trace)
        self._player.refresh()
        self.trackChanged.emit()

    def _on_position(self, position: float) -> None:
        track, shown = self.track, self._shown
        if track is None or shown is None or not self._is_newest:
            return  # the old track may play on meanwhile, but selects no query
        place, _ = track.at(position)
        query = track.scenes[place].query
        if query != shown.place[2]:
            self._asked = self._shown = shown.at(query)
            self.queryReached.emit(query)
        if track.walking and place == len(track.scenes) - 1:
            self._grow()  # one query ahead

    def _on_playing(self, playing: bool) -> None:
        track = self.track
        at_end = self._player.position >= self._player.length - 1
        if not playing and self.walking and track is not None and at_end and track.complete:
            self.set_walking(False)
