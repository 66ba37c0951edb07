"""Where transport and inspector stand in the chart: at a bar, or at what led to it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from core.tokenization.analysis.premiums import REFERENCE
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.languages import text
from explorer.panes.tokenizers.languages.chart import NOWHERE, Place
from explorer.panes.tokenizers.languages.inspector import inspection, part_inspection
from explorer.panes.tokenizers.languages.telling import NO_BAR, Bar
from explorer.state.tracks import TraceTrack

if TYPE_CHECKING:
    from explorer.panes.tokenizers.languages.mode import LanguagesMode


class BarCursor:
    """Of one mode. `wanted` is where it goes once there are steps."""

    def __init__(self, mode: LanguagesMode) -> None:
        self._mode = mode
        self.bar = NO_BAR
        self.hovered = NO_BAR
        self.wanted = NO_BAR
        self._enters = False  # it goes inside once there are steps
        self._picked = False  # a person has chosen a bar
        self._came = True  # more bars have come since the last telling

    @property
    def kept(self) -> Bar:
        """What a session remembers."""
        return self.bar if self.wanted == NO_BAR else self.wanted

    @property
    def part(self) -> Any:
        """The step inside a bar that the cursor stands at; None at the bars themselves."""
        player = self._mode.player
        track = player.track
        if not isinstance(track, TraceTrack) or track.parent is None or not track.length:
            return None
        return track.item(max(0, player.step))

    # going

    def choose(self, code: str, place: int) -> None:
        mode, told = self._mode, self._mode.telling.now
        bar = self._bar_at(code, place)
        step = told.place_of(bar) if told is not None else None
        self._enters, self._picked = False, True
        if step is not None and mode.active:
            while mode.player.leave():
                pass
            mode.player.seek(step)
        elif mode.active and (bar.tokenizer, bar.code) in mode.measuring.results:
            self.wanted = bar  # it was measured after the last telling
            mode.tell_steps()
        self.bar = bar
        self.show()
        mode.inspect()

    def enter(self, code: str, place: int) -> None:
        """What led to a bar, step by step."""
        self.choose(code, place)
        told = self._mode.telling.now
        if told is not None and told.place_of(self.bar) is not None:
            self._mode.player.enter()
        else:
            self._enters = self.wanted != NO_BAR

    def point_at(self, code: str, place: int) -> None:
        """The mouse is on a bar, or on none."""
        self.hovered = self._bar_at(code, place)
        if not self._mode.player.playing:
            self._mode.inspect()

    def take(self) -> None:
        """Another trace: the cursor stays at the bar where it was; while bars come, and nobody has
        chosen one, at the first.
        """
        mode, told = self._mode, self._mode.telling.now
        comes, self._came = self._came, mode.measuring.running
        at_start = (comes or self._came) and not self._picked and mode.player.position == 0
        if self.wanted == NO_BAR and not at_start:
            self.wanted = self.bar
        mode.set_tracks([TraceTrack(told.trace)] if told is not None else [])
        if mode.active:
            self.go_to_wanted()

    def go_to_wanted(self) -> None:
        mode, told = self._mode, self._mode.telling.now
        if told is None:
            return
        step = told.place_of(self.wanted) or 0
        self.wanted = NO_BAR
        mode.player.seek(step)
        self.on_position(mode.player.position)
        mode.inspect()
        if self._enters:
            self._enters = False
            mode.player.enter()

    def on_position(self, position: float) -> None:
        told, track = self._mode.telling.now, self._mode.player.track
        if told is None:
            return
        self.bar = told.bar_of(track, math.ceil(position))
        self.show(told.bar_of(track, math.floor(position)), position % 1 or 1.0)
        self._mode.view.chart.reveal()

    # telling

    def show(self, before: Bar = NO_BAR, share: float = 1.0) -> None:
        """Marks the bar in the chart, or the way to it from the one before."""
        part = self.part if self._mode.active else None
        note = text.note(part) if part is not None else ""
        chart = self._mode.view.chart
        chart.set_current(self._place(self.bar), self._place(before), share, note)

    def inspection(self) -> Inspection | None:
        """The bar under the mouse while nothing plays, else the step."""
        mode = self._mode
        pointed = self.hovered != NO_BAR and not mode.player.playing
        bar = self.hovered if pointed else self.bar
        results = mode.measuring.results
        if not mode.view.chart.lines:
            return None  # the search finds no language
        if error := mode.error_of(bar.tokenizer):
            name = mode.shown_ones.name(bar.tokenizer)
            return Inspection(rows=[error], title=f"{name} cannot be used")
        result = results.get((bar.tokenizer, bar.code))
        english = results.get((bar.tokenizer, REFERENCE))
        if result is None or english is None:
            return None
        name = mode.shown_ones.name(bar.tokenizer)
        part = self.part if bar == self.bar else None
        if part is not None and part.name != "languages.premium":
            return part_inspection(name, part, result)
        return inspection(name, result, english)

    def _bar_at(self, code: str, place: int) -> Bar:
        ids = self._mode.listed
        return Bar(code, ids[place]) if code and place < len(ids) else NO_BAR

    def _place(self, bar: Bar) -> Place:
        ids = self._mode.listed
        return (bar.code, ids.index(bar.tokenizer)) if bar.tokenizer in ids else NOWHERE
