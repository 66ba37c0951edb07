"""Languages: wires the chosen tokenizers and the texts to the chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from explorer.engine.latest import Latest
from explorer.panes.tokenizers.draft import PATH, ComparisonDraft
from explorer.panes.tokenizers.languages import text
from explorer.panes.tokenizers.languages.commands import commands
from explorer.panes.tokenizers.languages.cursor import BarCursor
from explorer.panes.tokenizers.languages.measuring import Measuring
from explorer.panes.tokenizers.languages.model import ORDERS, Line, Texts, lines_of, read_texts
from explorer.panes.tokenizers.languages.standing import StandingOrder
from explorer.panes.tokenizers.languages.telling import NO_BAR, Bar, Telling
from explorer.panes.tokenizers.languages.view import LanguagesHeader, LanguagesView
from explorer.panes.tokenizers.modes import Desk, Mode
from explorer.panes.tokenizers.shown_tokenizers import Shown
from explorer.panes.tokenizers.tokenizer_menu import FILES, fill_menu
from explorer.state.actions import Action
from explorer.state.draft import Draft
from explorer.widgets import dialogs

REFRESH = 125  # ms between two pictures while results come


class LanguagesMode(Mode):
    """The tokenizers are those of Compare; languages are sorted by the first one's premium."""

    id = "languages"
    title = "Languages"
    takes = ("files",)
    teaches = "What the same content costs in every language, against English"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = LanguagesView()
        self.inputs = LanguagesHeader()
        draft = Draft(self.workspace, PATH, ComparisonDraft, self)
        self.shown_ones = Shown(self.engine, desk.catalogue, draft, self)
        self.measuring = Measuring(self.engine, self)
        self.telling = Telling(self.engine, self)
        self.cursor = BarCursor(self)
        self.texts: Texts | None = None
        self._standing = StandingOrder()
        self._shown: tuple[list[Line], list[str], list[str]] = [], [], []
        self.order, self.scope = ORDERS[0], "usual"
        self._reading = Latest(self.engine, self)
        self._seen = False
        self._error = ""
        self._failed: dict[str, str] = {}  # the errors of tokenizers that have been told, by id
        self._colors: dict[str, int] = {}  # of series, by the tokenizer's id
        self._summary = text.IDLE
        self._later = QTimer(self, singleShot=True)
        self._later.setInterval(REFRESH)
        self._connect()

    def _connect(self) -> None:
        view = self.view
        view.searched.connect(lambda _: self.refresh())
        view.orderChosen.connect(self.set_order)
        view.scopeChosen.connect(self.set_scope)
        view.chart.chosen.connect(self.choose)
        view.chart.entered.connect(self.cursor.enter)
        view.chart.hovered.connect(self.cursor.point_at)
        view.chart.nameClicked.connect(self.retry_one)
        view.body.retryRequested.connect(self.retry)
        view.body.cancelRequested.connect(self.cancel)
        view.cancelRequested.connect(self.cancel)
        view.body.actionRequested.connect(view.search.clear)
        self.inputs.tokenizers.menuOpening.connect(self._fill_menu)
        self.shown_ones.changed.connect(self.ask)
        self.shown_ones.said.connect(self.statusRequested)
        self._reading.came.connect(self._on_read)
        self._reading.failed.connect(self._on_failed)
        self.measuring.came.connect(self._on_came)
        self.measuring.ended.connect(self.refresh)
        self.measuring.failed.connect(self._on_failed)
        self.telling.told.connect(self.cursor.take)
        self._later.timeout.connect(self.refresh)

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def state(self) -> dict[str, Any]:
        bar = asdict(self.cursor.kept)
        return {"version": 1, "order": self.order, "scope": self.scope, "bar": bar}

    def restore(self, state: dict[str, Any]) -> None:
        if state.get("order") in ORDERS:
            self.set_order(state["order"])
        if state.get("scope") in ("usual", "all"):
            self.set_scope(state["scope"])
        self.cursor.wanted = Bar.from_json(state.get("bar"))
        if self.active and self.cursor.wanted != NO_BAR:
            self.cursor.go_to_wanted()

    def take(self, wish: dict[str, Any]) -> None:
        """{"files": of tokenizers}."""
        if isinstance(wish.get("files"), list):
            self.shown_ones.add_files(wish["files"])

    def actions(self) -> list[Action]:
        return commands(self)

    def pictures(self) -> dict[str, QWidget]:
        return {"languages-premiums": self.view.chart}

    def views(self) -> dict[str, Callable[[], Any]]:
        def view(order: str, search: str, code: str) -> Callable[[], Any]:
            async def bring() -> None:
                self.view.search.setText(search)
                self.set_order(order)
                await self.settled()
                self.choose(code, 0)

            return bring

        async def inside() -> None:
            await view("premium", "", "hin")()
            self.cursor.enter("hin", 0)
            self.player.seek(2)

        return {
            "premiums": view("premium", "", "hin"),
            "names": view("name", "an", ""),
            "inside": inside,
        }

    def shown(self) -> None:
        self._seen = True
        self.shown_ones.open_all()
        self.cursor.go_to_wanted()

    def left(self) -> None:
        self._seen = False
        self.cursor.wanted = self.cursor.kept

    def cancel(self) -> bool:
        if not self.measuring.stop():
            return False
        self.refresh()
        self.statusRequested.emit("Stopped: what was measured so far is shown")
        return True

    # choices

    def set_order(self, order: str) -> None:
        self.order = order
        self.view.orders.set_current(order)
        self.refresh()

    def set_scope(self, scope: str) -> None:
        """The usual languages, or all."""
        if scope != self.scope:
            self.scope, self.texts = scope, None
            self._reading.stop()
            self.measuring.stop()
        self.view.scopes.set_current(scope)
        self.ask()

    def choose(self, code: str, place: int) -> None:
        """The bar that transport and inspector speak of."""
        self.cursor.choose(code, place)

    def retry(self) -> None:
        """Tries again whatever failed: the texts, and every tokenizer."""
        self._error = ""
        for identity in self.listed:
            self._retry(identity)
        self.ask()

    def retry_one(self, place: int) -> None:
        """Tries a tokenizer again that could not be opened or measured."""
        self._retry(self.listed[place])

    def _retry(self, identity: str) -> None:
        if self.error_of(identity):
            self.measuring.retry(identity)
            self.shown_ones.retry(self.shown_ones.ids.index(identity))

    # measuring

    def ask(self) -> None:
        """Measures what is missing; nothing before the mode has come into sight."""
        if not self._seen:
            return
        if self.texts is None:
            if not self._reading.running:
                scope = self.scope
                self._reading.ask(lambda: self.engine.io(read_texts, scope), "reading texts")
        elif not self._error:
            open_ones = [(one, self.shown_ones.get(one)) for one in self.shown_ones.ids]
            self.measuring.ask([(i, o) for i, o in open_ones if o is not None], self.texts.texts)
        self.refresh()

    def _on_read(self, texts: Texts) -> None:
        self.texts = texts
        self.ask()

    def _on_came(self) -> None:
        if not self._later.isActive():
            self._later.start()

    def _on_failed(self, message: str) -> None:
        self._error = message
        self.refresh()

    # what is seen

    @property
    def listed(self) -> list[str]:
        """The tokenizers that are open or cannot be used, in order."""
        shown = self.shown_ones
        return [one for one in shown.ids if shown.get(one) is not None or self.error_of(one)]

    def error_of(self, identity: str) -> str:
        """Why a tokenizer cannot be used; "" where it can."""
        return self.shown_ones.errors.get(identity, "") or self.measuring.errors.get(identity, "")

    def _assign_colors(self) -> None:
        """Each tokenizer keeps its color while it is shown; a new one takes the first that is
        free."""
        ids = self.shown_ones.ids
        self._colors = {one: self._colors[one] for one in ids if one in self._colors}
        free = (color for color in range(len(ids)) if color not in self._colors.values())
        self._colors |= {one: next(free) for one in ids if one not in self._colors}

    def _tell_failures(self) -> None:
        """Why a tokenizer cannot be used, once, in the status bar: the legend has no room."""
        before = self._failed
        self._failed = {one: error for one in self.listed if (error := self.error_of(one))}
        for one, error in self._failed.items():
            if before.get(one) != error:
                self.statusRequested.emit(f"{self.shown_ones.name(one)}: {error}")

    # playing

    def on_position(self, position: float) -> None:
        self.cursor.on_position(position)

    def on_step(self, step: int) -> None:
        self._tell()
        super().on_step(step)

    def on_playing(self, playing: bool) -> None:
        self.inspect()

    # what is drawn

    def refresh(self) -> None:
        """Draws what is known, and says what is waited for."""
        self._later.stop()
        self._tell_failures()
        body, ids = self.view.body, self.listed
        wrong = [self.error_of(one) for one in ids]
        if self._error or (ids and all(wrong) and len(ids) == len(self.shown_ones.ids)):
            body.show_error(self._error or wrong[0])
            return
        if self.texts is None or not ids:
            body.show_loading("reading texts")
            return
        results = self.measuring.results
        texts, running = self.texts.texts, self.measuring.running
        search, held = self.view.search.text(), self.cursor.hovered != NO_BAR
        lines = self._standing.arrange(
            lines_of(texts, results, ids, self.order, search),
            (self.order, search, self.scope, ids),
            coming=running,
            held=held,
        )
        names = [self.shown_ones.name(one) for one in ids]
        kept = [[results[i, t.code] for t in texts if (i, t.code) in results] for i in ids]
        badges = [text.badge(some, error) for some, error in zip(kept, wrong, strict=True)]
        told = [text.about(*one) for one in zip(names, kept, wrong, strict=True)]
        self._assign_colors()
        colors = [self._colors[one] for one in ids]
        self.view.chart.set_lines(lines, names, badges, told, colors)
        self.cursor.show()
        self._shown = lines, ids, names
        # One after the other: a question that is asked anew each second is never answered.
        busy = self.telling.running or self.player.playing or self.cursor.part is not None
        if not running or (self._standing.is_new and not busy):
            self.tell_steps()
        if not lines:
            body.show_empty("No language of this name here.", "Clear the search", "search")
        elif not any(kept):
            body.show_loading("measuring languages")
        else:
            if body.state != "ready":
                body.show_ready()
        done, total = self.measuring.done, self.measuring.total
        self.view.set_waiting(f"measured {done:,} of {total:,}" if running and any(kept) else "")
        self._say(names, kept, len(lines))

    def tell_steps(self) -> None:
        """Wants a step for every bar that is drawn now."""
        self.telling.ask(*self._shown, self.measuring.results)

    def _say(self, names: list[str], kept: list[Any], count: int) -> None:
        assert self.texts is not None
        total = len(self.texts.texts)
        self.view.count.setText(text.shown(count, total))
        self.view.count.setToolTip(text.excerpts(self.texts))
        self.view.source.set_text(text.source(self.texts))
        named = list(zip(names, kept, strict=True))
        self._summary = text.headline(named, self.measuring.running)
        self._tell()
        self.inspect()

    def _tell(self) -> None:
        """One sentence: about all languages, or about the step inside a bar."""
        part = self.cursor.part if self.active else None
        self.set_headline(part.title if part is not None else self._summary)

    def inspect(self) -> None:
        if self.active:
            self.inspection.emit(self.cursor.inspection())

    # tokenizers

    def _fill_menu(self) -> None:
        chooser, shown = self.inputs.tokenizers.menu(), self.shown_ones
        fill_menu(chooser, self.catalogue, shown.ids, shown.add, self.ask_for_file, shown.full)
        chooser.addSeparator()
        for place, one in enumerate(shown.ids):
            title = f"Remove {shown.name(one)}".replace("&", "&&")
            action = chooser.addAction(title, lambda place=place: shown.remove(place))
            action.setEnabled(len(shown.ids) > 1)

    def ask_for_file(self) -> None:
        window: Any = self.view.window()
        dialogs.ask_file(
            window,
            "Open a tokenizer",
            lambda path: self.shown_ones.add_files([path]),
            FILES,
        )
