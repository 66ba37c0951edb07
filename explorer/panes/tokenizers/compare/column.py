"""The column of one tokenizer: its head, and the tokens of the text."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QSizePolicy, QWidget

from explorer import theme
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare.column_body import LEAST, ColumnBody
from explorer.panes.tokenizers.compare.column_head import ColumnHead
from explorer.panes.tokenizers.compare.compute import Split
from explorer.panes.tokenizers.compare.display_options import DisplayOptions
from explorer.panes.tokenizers.shown_tokenizers import Missing
from explorer.widgets.base import set_look
from explorer.widgets.flow_layout import block_starts
from explorer.widgets.token_faces import FlowOptions
from explorer.widgets.token_flow import TokenFlow

HEAD_WIDTH = 220  # px, in the row layout

_starts = lru_cache(maxsize=1)(block_starts)  # all columns show the same text


class Column(QFrame):
    """A tokenizer's column. `asked(what)` as in ColumnBody."""

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, "card")
        self.split: Split | None = None
        self._is_row = False
        self.head = ColumnHead()
        self.flow = TokenFlow()
        self.body = ColumnBody(self.flow)
        self.head.title.removeRequested.connect(lambda: self.asked.emit("remove"))
        self.body.asked.connect(self.asked)
        self._row = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._row.addWidget(self.head)
        self._row.addWidget(self.body, 1)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_layout(self, layout: str) -> None:
        """Puts the head above the tokens ("columns") or to their left ("rows")."""
        self._is_row = layout == "rows"
        kind = QBoxLayout.Direction
        self._row.setDirection(kind.LeftToRight if self._is_row else kind.TopToBottom)
        self.head.title.set_lines(1 if self._is_row else 2)
        # Columns are equally wide, regardless of the text in their heads.
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding if self._is_row else policy.Ignored, policy.Expanding)
        self._restyle()

    def set_opened(self, name: str, opened: Opened | None) -> None:
        self.head.set_name(name, opened)
        self.flow.setAccessibleName(f"Tokens of {name}")
        self.setAccessibleName(name)

    def set_split(self, split: Split, options: DisplayOptions) -> None:
        """Shows the tokens; the same tokens again only update the head and the options."""
        before, self.split = self.split, split
        self.head.set_split(split, options)
        if split.error:
            self.body.show_error(split.error, "")
            return
        if before is None or before.tokens is not split.tokens:
            self.flow.set_tokens(split.tokens, _starts(split.tokens.data))
        self.flow.set_options(
            FlowOptions(options.ids, options.pieces, options.bytes, options.whitespace)
        )
        self.body.show_ready()

    def set_missing(self, missing: Missing) -> None:
        """Shows what a tokenizer that is not open is waiting for, or its error."""
        self.clear()
        self.body.show_missing(missing)

    def clear(self) -> None:
        """Drops the split and clears the head."""
        self.split = None
        self.head.set_split(None, DisplayOptions())

    def _restyle(self) -> None:
        now = theme.current()
        side, width = now.px(4 if self._is_row else 8), now.px(HEAD_WIDTH)
        self._row.setContentsMargins(now.px(12), side, side, side)
        self._row.setSpacing(now.px(8))
        self.setMinimumWidth(0 if self._is_row else now.px(LEAST))
        self.head.setMinimumWidth(width if self._is_row else 0)
        self.head.setMaximumWidth(width if self._is_row else 16_777_215)
