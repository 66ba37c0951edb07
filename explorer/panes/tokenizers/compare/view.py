"""The picture of Compare: the text, how it is shown, and a column or row for each tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare.choices import Choices
from explorer.panes.tokenizers.compare.column import Column
from explorer.panes.tokenizers.compare.drawer import Drawer
from explorer.panes.tokenizers.compare.making import Making
from explorer.panes.tokenizers.compare.model import Split
from explorer.panes.tokenizers.compare.toolbar import Toolbar
from explorer.panes.tokenizers.draft import LONGEST_TEXT
from explorer.turns import next_turn
from explorer.widgets.base import Label, set_look
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.text_input import TextInput

ROOM = 560  # px of height from which on text, tokens and drawer fit below one another


class CompareView(QWidget):
    """Intents: `columnMenu(place)`, `columnRemoved(place)`, `columnRetried(place)`,
    `columnCancelled(place)`, `fileRequested(place)`, `spanHovered(start, end)`,
    `tokenPointed(place, token)` (-1 for none), `tokenClicked(place, token)`, `exampleRequested`."""

    columnMenu = Signal(int)
    columnRemoved = Signal(int)
    columnRetried = Signal(int)
    columnCancelled = Signal(int)
    fileRequested = Signal(int)
    spanHovered = Signal(int, int)
    tokenPointed = Signal(int, int)
    tokenClicked = Signal(int, int)
    exampleRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.compare")
        self.editor = TextInput(LONGEST_TEXT)
        self.editor.setAccessibleName("Text to compare")
        self.editor.setPlaceholderText("Type or paste a text: every tokenizer cuts it as you type")
        self.editor.setObjectName("tokenizers.compare.text")
        self.toolbar = Toolbar()
        self.columns: list[Column] = []
        self._grid = QWidget()
        self._grid.setObjectName("tokenizers.compare.columns")
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._grid)
        self._line.setContentsMargins(0, 0, 0, 0)
        # Many rows in a low window are scrolled, never squeezed.
        self._scroll = ScrollArea(self._grid, sideways=True)
        self.body = StatefulPicture(self._scroll, "grid")
        self.body.skeleton.set_grid(2, 4)
        self.body.show_ready()
        self.body.actionRequested.connect(self.exampleRequested)
        lower = QWidget()
        self._lower = QVBoxLayout(lower)
        self._lower.setContentsMargins(0, 0, 0, 0)
        self.note = Label("", "label", "muted", wrap=True)  # how the text's file was read
        self.note.setObjectName("tokenizers.compare.note")
        self.note.hide()
        self._lower.addWidget(self.note)
        self._lower.addWidget(self.toolbar)
        self._lower.addWidget(self.body, 1)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        set_look(self.splitter, "plain")
        self.splitter.addWidget(self.editor)
        self.splitter.addWidget(lower)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self._column = QVBoxLayout(self)
        self.drawer = Drawer()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.splitter)
        self._column.addWidget(self.pages, 1)
        self._column.addWidget(self.drawer)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_note(self, note: str) -> None:
        """What is to be known of the text; "" for nothing."""
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def set_making(self, name: str, making: Making | None) -> None:
        """Opens the drawer; None closes it."""
        self.drawer.set_making(name, making)
        if making is not None:
            drawn = [one for one in making.moments if one.scene is not None]
            self.drawer.set_moment(drawn[-1] if drawn else None)
        self._fit()

    def _fit(self) -> None:
        """In a low window the drawer takes the place of the text and what it is shown with."""
        self.drawer.fit(self.height())
        room = self.height() >= theme.current().px(ROOM) or self.drawer.making is None
        self.editor.setVisible(room)
        self.toolbar.setVisible(room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def add_page(self, page: QWidget) -> None:
        """A further view, in place of the text and its columns."""
        self.pages.addWidget(page)

    def show_page(self, page: QWidget | None) -> None:
        """None: the text and its columns."""
        self.pages.setCurrentWidget(self.splitter if page is None else page)

    # columns

    def set_columns(self, shown: Sequence[tuple[str, Opened | None]]) -> None:
        """As many columns as tokenizers, each with its name, and what is known of it."""
        while len(self.columns) > len(shown):
            column = self.columns.pop()
            self._line.removeWidget(column)
            column.hide()
            column.deleteLater()
        while len(self.columns) < len(shown):
            self._add_column(len(self.columns))
        for column, (name, opened) in zip(self.columns, shown, strict=True):
            column.set_opened(name, opened)
            column.head.set_removable(len(shown) > 1)

    def _add_column(self, place: int) -> None:
        column = Column()
        column.setObjectName(f"tokenizers.compare.column{place + 1}")
        column.menuRequested.connect(lambda: self.columnMenu.emit(place))
        column.removeRequested.connect(lambda: self.columnRemoved.emit(place))
        column.retryRequested.connect(lambda: self.columnRetried.emit(place))
        column.cancelRequested.connect(lambda: self.columnCancelled.emit(place))
        column.fileRequested.connect(lambda: self.fileRequested.emit(place))
        column.flow.spanHovered.connect(
            lambda start, end: self._on_hovered(place, column, start, end)
        )
        column.flow.tokenClicked.connect(lambda token: self.tokenClicked.emit(place, token))
        column.flow.scrolled.connect(lambda byte: self._scroll_others(place, byte))
        self.columns.append(column)
        self._line.addWidget(column, 1)

    def bring_into_sight(self, place: int) -> None:
        """Scrolls to a column or row that is new, when Qt has shown it."""

        def bring() -> None:
            if place < len(self.columns):
                self._line.activate()
                self._grid.resize(self._grid.size().expandedTo(self._grid.minimumSizeHint()))
                self._scroll.ensureWidgetVisible(self.columns[place], 0, 0)

        next_turn(self, bring)

    def _on_hovered(self, place: int, column: Column, start: int, end: int) -> None:
        self.spanHovered.emit(start, end)
        tokens = column.flow.tokens
        under = tokens.overlapping(start, end) if start >= 0 else range(0)
        exact = [one for one in under if (tokens.starts[one], tokens.ends[one]) == (start, end)]
        self.tokenPointed.emit(place, exact[0] if exact else -1)

    def _scroll_others(self, place: int, byte: int) -> None:
        for other, column in enumerate(self.columns):
            if other != place:
                column.flow.scroll_to(byte)

    def set_choices(self, choices: Choices) -> None:
        """Arrangement, toggles and the heads' words."""
        self.toolbar.set_choices(choices)
        rows = choices.layout == "rows"
        kind = QBoxLayout.Direction
        self._line.setDirection(kind.TopToBottom if rows else kind.LeftToRight)
        for column in self.columns:
            column.set_layout(choices.layout)
            if column.split is not None:
                column.set_split(column.split, choices)

    def set_split(
        self, place: int, split: Split, choices: Choices, starts: np.ndarray | None = None
    ) -> None:
        if place < len(self.columns):
            self.columns[place].set_split(split, choices, starts)

    def align(self, as_rows: bool) -> None:
        """Rows have every character of the text in one place, columns each their own."""
        shown = [one.flow.tokens for one in self.columns if one.split and not one.split.error]
        for column in self.columns:
            column.flow.set_beside(shown if as_rows else ())

    def set_differing(self, masks: Sequence[np.ndarray | None]) -> None:
        """For each column the tokens that keep their colors, None for all of them."""
        for column, mask in zip(self.columns, masks, strict=True):
            if mask is None and "differing" not in column.flow.displayed():
                continue
            if mask is None or len(mask) == len(column.flow.tokens):
                column.flow.set_differing(mask)

    def set_marked(self, start: int, end: int) -> None:
        """Frames the tokens of these bytes in every column."""
        for column in self.columns:
            column.flow.set_marked(start, end)

    def set_selected(self, place: int, token: int) -> None:
        """The one token that is chosen, (-1, -1) for none."""
        for other, column in enumerate(self.columns):
            column.flow.set_selected(token if other == place else -1)

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._column.setContentsMargins(margin, now.px(12), margin, now.px(12))
        self._lower.setSpacing(now.px(8))
        self._line.setSpacing(now.px(8))
        self._column.setSpacing(now.px(8))
        self.splitter.setHandleWidth(now.px(8))
