"""The view of Search: the field, the kind of match, and each tokenizer's list of pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from core.tokenization.analysis.search import MAX_QUERY, Match
from explorer import theme
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare.column_body import LEAST, ColumnBody, set_count
from explorer.panes.tokenizers.compare.column_head import NameRow
from explorer.panes.tokenizers.compare.piece_list import PieceList
from explorer.panes.tokenizers.compare.vocabulary import text
from explorer.panes.tokenizers.shown_tokenizers import Missing
from explorer.theme import icons
from explorer.widgets.base import Label, set_look
from explorer.widgets.fields import ErrorLine
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.toggle import SegmentedControl, Switch
from explorer.widgets.wrap_row import WrapRow

PAUSE = 100  # ms after a key press before the search starts


class PieceColumn(QFrame):
    """One tokenizer's matches. Emits `chosen(token)`, and `asked(what)` as in ColumnBody."""

    chosen = Signal(int)
    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, "card")
        self._opened: Opened | None = None
        self.title = NameRow()
        self.title.removeRequested.connect(lambda: self.asked.emit("remove"))
        self.count = Label("", "label", "muted", wrap=True)
        self.list = PieceList("Pieces that match")
        self.list.pieceChosen.connect(lambda row: self.chosen.emit(int(self.list.pieces.ids[row])))
        self.body = ColumnBody(self.list)
        self.body.asked.connect(self.asked)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(2)
        column.addWidget(self.title)
        column.addWidget(self.count)
        column.addSpacing(4)
        column.addWidget(self.body, 1)
        # Columns are equally wide, regardless of their text.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_opened(self, name: str, opened: Opened | None) -> None:
        self._opened = opened
        self.title.name.set_text(name)
        self.count.setText("" if opened is None else opened.words.removeprefix(f"{name}, "))
        self.list.setAccessibleName(f"Pieces of {name} that match")
        if opened is None:
            self.list.set_rows(None, ())
        else:
            self.body.show_ready()

    def set_matches(self, matches: Sequence[Match], done: bool, cut: bool) -> None:
        """Lists the matches; `done` if the search is complete, `cut` if it stopped at LIMIT."""
        if self._opened is None:
            return
        more = "+" if cut or not done else ""
        self.count.setText(f"{len(matches):,}{more} of {self._opened.vocab_size:,} pieces")
        if done and not matches:
            self.body.show_empty(text.NOTHING, icon="search")
        else:
            self.body.show_ready()
        self.list.set_rows(self._opened.tokenizer, [match.token for match in matches])

    def _restyle(self) -> None:
        self.setMinimumWidth(theme.current().px(LEAST))


class VocabularyView(QWidget):
    """Emits `searched(query, way, any_case)`, `chosen(place, token)`,
    `tokenizerAsked(what, place)`."""

    searched = Signal(str, str, bool)
    chosen = Signal(int, int)
    tokenizerAsked = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.compare.vocabulary")
        self.field = QLineEdit()
        self.field.setObjectName("tokenizers.compare.search")
        self.field.setMaxLength(MAX_QUERY)
        self.field.setClearButtonEnabled(True)
        self.field.setAccessibleName(text.NAME)
        self.field.setPlaceholderText(text.HINT)
        self.field.addAction(
            icons.icon("search", "muted", 16), QLineEdit.ActionPosition.LeadingPosition
        )
        ways = [(way, title) for way, (title, _, _) in text.WAYS.items()]
        self.way = SegmentedControl(ways, "How to search")
        self.any_case = Switch("Any case")
        self.error = ErrorLine()
        self.hint = Label("", "body", "muted")
        self.columns: list[PieceColumn] = []
        self._soon = QTimer(self, singleShot=True, interval=PAUSE)
        self._soon.timeout.connect(self._tell)
        self.field.textEdited.connect(lambda _: self._soon.start())
        self.field.returnPressed.connect(self._tell)
        self.way.chosen.connect(lambda _: self._tell())
        self.any_case.clicked.connect(lambda _: self._tell())
        controls = WrapRow()
        controls.addWidget(self.way)
        controls.addWidget(self.any_case)
        grid = QWidget()
        self._line = QHBoxLayout(grid)
        self._line.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addLayout(controls)
        column.addWidget(self.error)
        column.addWidget(self.hint)
        column.addWidget(ScrollArea(grid, sideways=True), 1)  # for many columns in a narrow window
        self.setFocusProxy(self.field)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def query(self) -> tuple[str, str, bool]:
        return self.field.text(), self.way.current, self.any_case.isChecked()

    def set_query(self, query: str, way: str, any_case: bool) -> None:
        """Shows the query without emitting a signal."""
        if query != self.field.text():
            self.field.setText(query)
        self.way.set_current(way)
        self.any_case.setChecked(any_case)

    def set_columns(self, shown: Sequence[tuple[str, Opened | None]]) -> None:
        """Shows a column for each (name, tokenizer or None if it is not open)."""
        set_count(self._line, self.columns, len(shown), self._column_at)
        for column, (name, opened) in zip(self.columns, shown, strict=True):
            column.set_opened(name, opened)
            column.title.set_removable(len(shown) > 1)
        self.set_hint("")

    def _column_at(self, place: int) -> PieceColumn:
        column = PieceColumn()
        column.setObjectName(f"tokenizers.compare.pieces{place + 1}")
        column.chosen.connect(lambda token: self.chosen.emit(place, token))
        column.asked.connect(lambda what: self.tokenizerAsked.emit(what, place))
        return column

    def set_missing(self, missing: Mapping[int, Missing]) -> None:
        for place, one in missing.items():
            if place < len(self.columns):
                self.columns[place].body.show_missing(one)

    def set_matches(self, place: int, matches: Sequence[Match], done: bool, cut: bool) -> None:
        self.columns[place].set_matches(matches, done, cut)

    def set_error(self, message: str) -> None:
        self.error.set_text(message[:1].upper() + message[1:])
        if message:
            for column in self.columns:
                column.list.set_rows(None, ())

    def set_hint(self, words: str) -> None:
        self.hint.setText(words)
        self.hint.setVisible(bool(words))

    def _tell(self) -> None:
        self._soon.stop()
        self.searched.emit(*self.query)

    def _restyle(self) -> None:
        now = theme.current()
        self.field.setFont(now.font("body"))
        self.field.setFixedHeight(now.px("control"))
        (glass,) = self.field.actions()  # a stored wrapper may be invalid while the action lives
        glass.setIcon(icons.icon("search", "muted", 16))
        self._line.setSpacing(now.px(8))
