"""Languages: connects tokenizers and texts to the chart, and the player to its bars."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from core.fields import lenient
from core.tokenization.analysis import Premium
from core.tokenization.analysis.premiums import REFERENCE
from core.trace import Step
from explorer.engine.latest import Latest
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.draft import PATH, ComparisonDraft
from explorer.panes.tokenizers.languages import text
from explorer.panes.tokenizers.languages.chart_picture import NOWHERE, Place
from explorer.panes.tokenizers.languages.compute import Texts, read_texts
from explorer.panes.tokenizers.languages.inputs import LanguagesInputs
from explorer.panes.tokenizers.languages.inspector import inspection, part_inspection
from explorer.panes.tokenizers.languages.row_order import ORDERS, lines_of
from explorer.panes.tokenizers.languages.runner import PremiumRunner, TraceRunner
from explorer.panes.tokenizers.languages.scene import Line, Series
from explorer.panes.tokenizers.languages.track import NO_BAR, Bar
from explorer.panes.tokenizers.languages.view import LanguagesView
from explorer.panes.tokenizers.modes import Desk, Mode
from explorer.panes.tokenizers.shown_tokenizers import Shown
from explorer.panes.tokenizers.tokenizer_menu import FILES, fill_menu
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets import dialogs

REFRESH = 125  # ms between updates of the chart while results arrive
SCOPES = ("usual", "all")


class LanguagesMode(Mode):
    """The mode, with the same tokenizers as Compare. The player steps through the bars of the
    chart, and through the steps inside a bar."""

    id = "languages"
    title = "Languages"
    takes = ("files",)
    teaches = text.IDLE

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = LanguagesView()
        self.inputs = LanguagesInputs()
        draft = Draft(self.workspace, PATH, ComparisonDraft, self)
        self.shown_ones = Shown(self.engine, desk.catalogue, draft, self)
        self.premiums = PremiumRunner(self.engine, self)
        self.traces = TraceRunner(self.engine, self)
        self.texts: Texts | None = None
        self.order, self.scope = ORDERS[0], SCOPES[0]
        self._lines: list[Line] = []
        self.charted: list[tuple[str, list[Premium]]] = []  # each tokenizer's results in the chart
        self._question: tuple[object, ...] = ()  # the inputs that the current order of rows is for
        self._reading = Latest(self.engine, self)
        self._is_shown = False
        self._error = ""
        self._failed: dict[str, str] = {}  # errors already shown in the status bar, by tokenizer
        self._colors: dict[str, int] = {}  # series number, by the tokenizer's id
        self._summary = text.IDLE
        self.bar = self._hovered = NO_BAR
        self._wanted = NO_BAR  # the bar to seek to once there are steps
        self._later = QTimer(self, singleShot=True, interval=REFRESH)
        self._connect()

    def _connect(self) -> None:
        view = self.view
        view.search_bar.searched.connect(lambda _: self.refresh())
        view.search_bar.orders.chosen.connect(self.set_order)
        view.search_bar.scopes.chosen.connect(self.set_scope)
        view.chart.chosen.connect(self.choose)
        view.chart.entered.connect(self.enter)
        view.chart.hovered.connect(self._on_hovered)
        view.chart.nameClicked.connect(lambda place: self._retry(self.listed[place]))
        view.body.retryRequested.connect(self.retry)
        self.show_one_answer(view.body, stop=self._give_up)
        view.search_bar.cancelRequested.connect(self.cancel)
        view.body.actionRequested.connect(view.search_bar.search.clear)
        self.inputs.tokenizers.menuOpening.connect(self._fill_menu)
        self.shown_ones.changed.connect(self.ask)
        self.shown_ones.said.connect(self.statusRequested)
        self._reading.came.connect(self._on_read)
        self._reading.failed.connect(self._on_failed)
        self.premiums.came.connect(lambda: self._later.isActive() or self._later.start())
        self.premiums.ended.connect(self.refresh)
        self.premiums.failed.connect(self._on_failed)
        self.traces.traced.connect(self._on_traced)
        self._later.timeout.connect(self.refresh)

    # called by the pane

    def state(self) -> dict[str, Any]:
        bar = asdict(self._kept_bar)
        return {"version": 1, "order": self.order, "scope": self.scope, "bar": bar}

    def restore(self, state: dict[str, Any]) -> None:
        if state.get("order") in ORDERS:
            self.set_order(state["order"])
        if state.get("scope") in SCOPES:
            self.set_scope(state["scope"])
        self._wanted = lenient(Bar, state.get("bar"))
        if self.active and self._wanted != NO_BAR:
            self._go_to_wanted()

    def take(self, wish: dict[str, Any]) -> None:
        """Adds the tokenizers in {"files": paths}."""
        if isinstance(wish.get("files"), list):
            self.shown_ones.add_files(wish["files"])

    def pictures(self) -> dict[str, QWidget]:
        return {"languages-premiums": self.view.chart}

    def shown(self) -> None:
        self._is_shown = True
        self.shown_ones.open_all()
        self._go_to_wanted()

    def left(self) -> None:
        self._is_shown = False
        self._wanted = self._kept_bar

    def cancel(self) -> bool:
        if not self.premiums.stop():
            return False
        self.refresh()
        self.statusRequested.emit(text.STOPPED)
        return True

    def _give_up(self) -> None:
        """Cancels reading and measuring; Retry starts again."""
        self._reading.stop()
        self.premiums.stop()
        self._lines = []
        self.traces.forget()
        self.view.chart.set_lines([], [])
        self.set_tracks([])
        self.inspect()

    # options

    def set_order(self, order: str) -> None:
        self.order = order
        self.view.search_bar.orders.set_current(order)
        self.refresh()

    def set_scope(self, scope: str) -> None:
        """Sets the scope: the usual languages or all."""
        if scope != self.scope:
            self.scope, self.texts = scope, None
            self._reading.stop()
            self.premiums.stop()
        self.view.search_bar.scopes.set_current(scope)
        self.ask()

    def retry(self) -> None:
        """Retries all that failed: reading the texts, opening or measuring a tokenizer."""
        self._error = ""
        for identity in self.listed:
            self._retry(identity)
        self.ask()

    def _retry(self, identity: str) -> None:
        """Opens and measures a tokenizer again if it failed."""
        if self.error_of(identity):
            self.premiums.retry(identity)
            self.shown_ones.retry(self.shown_ones.ids.index(identity))

    # measuring

    def ask(self) -> None:
        """Reads the texts or measures missing results; does nothing before the mode is shown."""
        if not self._is_shown:
            return
        if self.texts is None:
            if not self._reading.running:
                scope = self.scope
                self._reading.ask(lambda: self.engine.io(read_texts, scope), "reading texts")
        elif not self._error:
            opened = [(one, self.shown_ones.get(one)) for one in self.shown_ones.ids]
            self.premiums.measure([(i, o) for i, o in opened if o is not None], self.texts.texts)
        self.refresh()

    def _on_read(self, texts: Texts) -> None:
        self.texts = texts
        self.ask()

    def _on_failed(self, message: str) -> None:
        self._error = message
        self.refresh()

    @property
    def listed(self) -> list[str]:
        """The ids of tokenizers that are open or have failed, in order."""
        shown = self.shown_ones
        return [one for one in shown.ids if shown.get(one) is not None or self.error_of(one)]

    def error_of(self, identity: str) -> str:
        """Returns a tokenizer's error, or ""."""
        return self.shown_ones.errors.get(identity, "") or self.premiums.errors.get(identity, "")

    # the chart

    def refresh(self) -> None:
        """Updates the chart with the results so far, and the state and progress around it."""
        self._later.stop()
        body, ids = self.view.body, self.listed
        wrong = [self.error_of(one) for one in ids]
        if self._error or (ids and all(wrong) and len(ids) == len(self.shown_ones.ids)):
            body.show_error(self._error or wrong[0])
            return
        if self.texts is None or not ids:
            body.show_loading("reading texts")
            return
        results, running = self.premiums.results, self.premiums.running
        texts, search = self.texts.texts, self.view.search_bar.search.text()
        lines = lines_of(texts, results, ids, self.order, search)
        question = (self.order, search, self.scope, tuple(ids))
        is_same, self._question = question == self._question, question
        if running and is_same:  # rows keep their order until all results are in
            places = {line.language.code: place for place, line in enumerate(self._lines)}
            lines.sort(key=lambda line: places.get(line.language.code, len(places)))
        self._lines = lines
        kept = [[results[i, t.code] for t in texts if (i, t.code) in results] for i in ids]
        self.view.chart.set_lines(self._lines, self._series(ids, kept))
        self._mark()
        if not (running and is_same):
            self._trace()
        if not self._lines:
            body.show_empty(text.NO_MATCH, "Clear the search", "search")
        elif not any(kept):
            body.show_loading("measuring languages")
        elif body.state != "ready":
            body.show_ready()
        done, total = self.premiums.done, self.premiums.total
        bar = self.view.search_bar
        bar.set_waiting(f"measured {done:,} of {total:,}" if running and any(kept) else "")
        bar.count.setText(text.shown(len(self._lines), len(texts)))
        bar.count.setToolTip(text.excerpts(self.texts))
        self.view.source.set_text(text.source(self.texts))
        codes = {line.language.code for line in self._lines}
        charted = [[one for one in results if one.language.code in codes] for results in kept]
        self.charted = list(zip(map(self.shown_ones.name, ids), charted, strict=True))
        self._summary = text.headline(self.charted, running)
        self._tell_headline()
        self.inspect()

    def _series(self, ids: list[str], kept: list[list[Any]]) -> list[Series]:
        """Returns the series; a tokenizer keeps its color while shown, a new one gets another."""
        shown = self.shown_ones.ids
        self._colors = {one: self._colors[one] for one in shown if one in self._colors}
        free = (color for color in range(len(shown)) if color not in self._colors.values())
        self._colors |= {one: next(free) for one in shown if one not in self._colors}
        series = []
        for one, results in zip(ids, kept, strict=True):
            name, error = self.shown_ones.name(one), self.error_of(one)
            if error and error != self._failed.get(one):  # the legend has no room for it
                self.statusRequested.emit(f"{name}: {error}")
            self._failed[one] = error
            badge, about = text.badge(results, error), text.about(name, results, error)
            series.append(Series(name, self._colors[one], badge, about))
        return series

    def _trace(self) -> None:
        """Requests a trace with a step for every bar in the chart."""
        names = {one: self.shown_ones.name(one) for one in self.listed}
        self.traces.trace(self._lines, names, self.premiums.results)

    # the selected bar

    @property
    def part(self) -> Step | None:
        """The player's current step inside a bar; None at the level of bars."""
        track = self.player.track
        if not isinstance(track, TraceTrack) or track.parent is None or not track.length:
            return None
        step: Step = track.item(max(0, self.player.step))
        return step

    @property
    def _kept_bar(self) -> Bar:
        """The bar to save in a session."""
        return self.bar if self._wanted == NO_BAR else self._wanted

    def _bar_at(self, code: str, place: int) -> Bar:
        ids = self.listed
        return Bar(code, ids[place]) if code and place < len(ids) else NO_BAR

    def _place(self, bar: Bar) -> Place:
        ids = self.listed
        return (bar.code, ids.index(bar.tokenizer)) if bar.tokenizer in ids else NOWHERE

    def choose(self, code: str, place: int) -> None:
        """Selects the bar of a language under the tokenizer at index `place`."""
        self.bar = self._bar_at(code, place)
        step = self._step_of(self.bar)
        if self.active and step is not None:
            while self.player.leave():
                pass
            self.player.seek(step)
        elif self.active and (self.bar.tokenizer, self.bar.code) in self.premiums.results:
            self._wanted = self.bar  # a new bar without a step yet
            self._trace()
        self._mark()
        self.inspect()

    def enter(self, code: str, place: int) -> None:
        """Selects a bar and enters the steps inside it."""
        self.choose(code, place)
        if self._step_of(self.bar) is not None:
            self.player.enter()

    def _step_of(self, bar: Bar) -> int | None:
        return self.traces.now.place_of(bar) if self.traces.now is not None else None

    def _on_hovered(self, code: str, place: int) -> None:
        self._hovered = self._bar_at(code, place)
        if not self.player.playing:
            self.inspect()

    def _on_traced(self) -> None:
        """Gives the new trace to the player and keeps the selected bar."""
        now = self.traces.now
        self._wanted = self._kept_bar
        self.set_tracks([TraceTrack(now.trace)] if now is not None else [])
        if self.active:
            self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if self.traces.now is None:
            return
        step = self._step_of(self._wanted) or 0
        self._wanted = NO_BAR
        self.player.seek(step)
        self.on_position(self.player.position)
        self.inspect()

    def on_position(self, position: float) -> None:
        now, track = self.traces.now, self.player.track
        if now is None:
            return
        self.bar = now.bar_of(track, math.ceil(position))
        self._mark(now.bar_of(track, math.floor(position)), position % 1 or 1.0)
        self.view.chart.reveal()

    def _mark(self, before: Bar = NO_BAR, share: float = 1.0) -> None:
        """Frames the selected bar, or a rectangle between it and the bar `before`."""
        part = self.part if self.active else None
        note = text.note(part) if part is not None else ""
        self.view.chart.set_current(self._place(self.bar), self._place(before), share, note)

    def on_step(self, step: int) -> None:
        self._tell_headline()
        super().on_step(step)

    def on_playing(self, playing: bool) -> None:
        self.inspect()

    # headline and inspector

    def _tell_headline(self) -> None:
        """Sets the headline: a summary of all languages, or the step inside a bar."""
        part = self.part if self.active else None
        self.set_headline(part.title if part is not None else self._summary)

    def inspect(self) -> None:
        if self.active:
            self.inspection.emit(self._inspection())

    def _inspection(self) -> Inspection | None:
        """Returns the inspection of the hovered bar unless playing, else of the player's step."""
        pointed = self._hovered != NO_BAR and not self.player.playing
        bar = self._hovered if pointed else self.bar
        results, name = self.premiums.results, self.shown_ones.name(bar.tokenizer)
        if not self.view.chart.lines:
            return None  # no language matches the search
        if error := self.error_of(bar.tokenizer):
            return Inspection(rows=[error], title=f"{name} cannot be used")
        result = results.get((bar.tokenizer, bar.code))
        english = results.get((bar.tokenizer, REFERENCE))
        if result is None or english is None:
            return None
        part = self.part if bar == self.bar else None
        if part is not None and part.name != "languages.premium":
            return part_inspection(name, part, result)
        return inspection(name, result, english)

    # tokenizers

    def _fill_menu(self) -> None:
        menu, shown = self.inputs.tokenizers.menu(), self.shown_ones
        fill_menu(menu, self.catalogue, shown.ids, shown.add, self.ask_for_file, shown.full)
        menu.addSeparator()
        for place, one in enumerate(shown.ids):
            title = f"Remove {shown.name(one)}".replace("&", "&&")
            action = menu.addAction(title, lambda place=place: shown.remove(place))
            action.setEnabled(len(shown.ids) > 1)

    def ask_for_file(self) -> None:
        def take(path: str) -> None:
            self.shown_ones.add_files([path])

        dialogs.ask_file(self.view.window(), "Open a tokenizer", take, FILES)
