"""The view: text editor, toolbar, and a column or row of tokens for each tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QSplitter, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare.column import Column
from explorer.panes.tokenizers.compare.column_body import set_count
from explorer.panes.tokenizers.compare.derivation import Derivation
from explorer.panes.tokenizers.compare.display_options import DisplayOptions
from explorer.panes.tokenizers.compare.drawer import Drawer
from explorer.panes.tokenizers.compare.text import IDLE
from explorer.panes.tokenizers.compare.toolbar import Toolbar
from explorer.panes.tokenizers.draft import LONGEST_TEXT
from explorer.turns import next_turn
from explorer.widgets.base import Label, set_look
from explorer.widgets.pages import Pages
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.text_input import TextInput


class CompareView(QWidget):
    """Emits `tokenizerAsked(what, place)`, a Column's request; `tokenPointed(place, token)`, -1 for
    none; `tokenClicked(place, token)`."""

    tokenizerAsked = Signal(str, int)
    tokenPointed = Signal(int, int)
    tokenClicked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.compare")
        self.editor = TextInput(LONGEST_TEXT)
        self.editor.setAccessibleName("Text to compare")
        self.editor.setPlaceholderText(IDLE)
        self.editor.setObjectName("tokenizers.compare.text")
        self.toolbar = Toolbar()
        self.columns: list[Column] = []
        self._grid = QWidget()
        self._grid.setObjectName("tokenizers.compare.columns")
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._grid)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._scroll = ScrollArea(self._grid, sideways=True)
        self.body = StatefulPicture(self._scroll, "grid")
        self.body.skeleton.set_grid(2, 4)
        self.body.show_ready()
        lower = QWidget()
        self._lower = QVBoxLayout(lower)
        self._lower.setContentsMargins(0, 0, 0, 0)
        self.note = Label("", "label", "muted", wrap=True)  # how the file of the text was decoded
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
        self.pages = Pages(self.splitter)
        self._column.addWidget(self.pages, 3)
        self._column.addWidget(self.drawer, 2)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_note(self, note: str) -> None:
        """Shows how the text's file was decoded if it is not plain UTF-8."""
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def set_derivation(self, name: str, derivation: Derivation | None) -> None:
        """Opens the drawer in place of the editor and the toolbar; None closes it."""
        self.drawer.set_derivation(name, derivation)
        self.editor.setVisible(derivation is None)
        self.toolbar.setVisible(derivation is None)

    def show_page(self, page: QWidget | None) -> None:
        """Shows a submode's view; None for the text and its columns."""
        self.pages.setCurrentWidget(self.splitter if page is None else page)

    # columns

    def set_columns(self, shown: Sequence[tuple[str, Opened | None]]) -> None:
        """Shows a column for each (name, tokenizer or None if it is not open)."""
        set_count(self._line, self.columns, len(shown), self._column_at)
        for column, (name, opened) in zip(self.columns, shown, strict=True):
            column.set_opened(name, opened)
            column.head.title.set_removable(len(shown) > 1)

    def _column_at(self, place: int) -> Column:
        column = Column()
        column.setObjectName(f"tokenizers.compare.column{place + 1}")
        column.asked.connect(lambda what: self.tokenizerAsked.emit(what, place))
        column.flow.spanHovered.connect(
            lambda start, end: self._on_hovered(place, column, start, end)
        )
        column.flow.tokenClicked.connect(lambda token: self.tokenClicked.emit(place, token))
        column.flow.scrolled.connect(lambda byte: self._scroll_others(place, byte))
        return column

    def bring_into_sight(self, place: int) -> None:
        """Scrolls to a new column or row after Qt has laid it out."""

        def bring() -> None:
            if place < len(self.columns):
                self._line.activate()
                self._grid.resize(self._grid.size().expandedTo(self._grid.minimumSizeHint()))
                self._scroll.ensureWidgetVisible(self.columns[place], 0, 0)

        next_turn(self, bring)

    def _on_hovered(self, place: int, column: Column, start: int, end: int) -> None:
        self.set_marked(start, end)
        tokens = column.flow.tokens
        under = tokens.overlapping(start, end) if start >= 0 else range(0)
        exact = [one for one in under if (tokens.starts[one], tokens.ends[one]) == (start, end)]
        self.tokenPointed.emit(place, exact[0] if exact else -1)

    def _scroll_others(self, place: int, byte: int) -> None:
        for other, column in enumerate(self.columns):
            if other != place:
                column.flow.scroll_to(byte)

    def set_options(self, options: DisplayOptions) -> None:
        self.toolbar.set_options(options)
        rows = options.layout == "rows"
        kind = QBoxLayout.Direction
        self._line.setDirection(kind.TopToBottom if rows else kind.LeftToRight)
        for column in self.columns:
            column.set_layout(options.layout)
            if column.split is not None:
                column.set_split(column.split, options)

    def align(self, as_rows: bool) -> None:
        """In rows, aligns the columns so that a character has the same position in all of them."""
        shown = [one.flow.tokens for one in self.columns if one.split and not one.split.error]
        for column in self.columns:
            column.flow.set_beside(shown if as_rows else ())

    def set_differing(self, masks: Sequence[np.ndarray | None]) -> None:
        """Colors only the tokens in each column's mask; None colors all."""
        for column, mask in zip(self.columns, masks, strict=True):
            if mask is None or len(mask) == len(column.flow.tokens):
                column.flow.set_differing(mask)

    def set_marked(self, start: int, end: int) -> None:
        """Frames the tokens that cover the bytes start..end in every column."""
        for column in self.columns:
            column.flow.set_marked(start, end)

    def set_selected(self, place: int, token: int) -> None:
        """Frames the selected token; (-1, -1) for none."""
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
