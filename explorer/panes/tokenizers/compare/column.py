"""One tokenizer: its head, and the text cut into its tokens."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QSizePolicy, QWidget

from explorer import theme
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare.choices import Choices
from explorer.panes.tokenizers.compare.failed_row import FailedRow
from explorer.panes.tokenizers.compare.head import ColumnHead
from explorer.panes.tokenizers.compare.model import Split
from explorer.panes.tokenizers.shown_tokenizers import Missing
from explorer.widgets.base import set_look
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.token_faces import FlowOptions
from explorer.widgets.token_flow import TokenFlow

HEAD_WIDTH = 220  # of a row
LEAST = 112  # px of a column


class Column(QFrame):
    """Named by its place: what it shows may be another tokenizer later.

    `cancelRequested` while it is being opened or downloaded; where that failed `retryRequested`
    and `fileRequested`.
    """

    menuRequested = Signal()
    removeRequested = Signal()
    retryRequested = Signal()
    cancelRequested = Signal()
    fileRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, "card")
        self.split: Split | None = None
        self._as_row = False
        self.head = ColumnHead()
        self.flow = TokenFlow()
        self.body = StatefulPicture(self.flow, "lines", ground="surface", errors_on_top=True)
        self.body.set_cancellable(True)
        self.failed = FailedRow()  # in place of the body's card, for which a row is too low
        self.failed.hide()
        self._has_failed = False
        self.head.menuRequested.connect(self.menuRequested)
        self.head.removeRequested.connect(self.removeRequested)
        self.body.retryRequested.connect(self.retryRequested)
        self.body.cancelRequested.connect(self.cancelRequested)
        self.body.otherRequested.connect(self.fileRequested)
        self.failed.retryRequested.connect(self.retryRequested)
        self.failed.fileRequested.connect(self.fileRequested)
        self._row = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._row.addWidget(self.head)
        self._row.addWidget(self.body, 1)
        self._row.addWidget(self.failed, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_layout(self, layout: str) -> None:
        """ "columns": the head above the tokens; "rows": beside them."""
        as_row = layout == "rows"
        kind = QBoxLayout.Direction
        self._row.setDirection(kind.LeftToRight if as_row else kind.TopToBottom)
        self._as_row = as_row
        self._show_failed(self._has_failed)
        # Columns are equally wide, whatever their heads say.
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding if as_row else policy.Ignored, policy.Expanding)
        self._restyle()

    def set_opened(self, name: str, opened: Opened | None) -> None:
        self.head.set_name(name, opened)
        self.flow.setAccessibleName(f"Tokens of {name}")
        self.setAccessibleName(name)

    def set_split(self, split: Split, choices: Choices, starts: np.ndarray | None = None) -> None:
        """Shows the tokens; the same split again only brings the head up to date."""
        self._show_failed(False)
        before, self.split = self.split, split
        self.head.set_split(split, choices)
        if split.error:
            self.body.show_error(split.error, "")
            return
        if before is None or before.tokens is not split.tokens:
            self.flow.set_tokens(split.tokens, starts)
        self.flow.set_options(
            FlowOptions(choices.ids, choices.pieces, choices.bytes, choices.whitespace)
        )
        self.body.show_ready()

    def set_missing(self, missing: Missing) -> None:
        """Why there is no tokenizer yet, or what went wrong."""
        self.clear()
        if missing.error:
            said = "\n\n".join(filter(None, (missing.otherwise, missing.error)))
            self.body.show_error(said, other="Open a file", title=missing.failed)
            why = (missing.error.rstrip("."), missing.otherwise)
            self.failed.set_failed(missing.failed, ". ".join(filter(None, why)))
        else:
            self.body.show_loading(missing.waiting)
        self._show_failed(bool(missing.error))

    def clear(self) -> None:
        """No text, no tokens."""
        self.split = None
        self._show_failed(False)
        self.head.set_split(None, Choices())

    def _show_failed(self, failed: bool) -> None:
        self._has_failed = failed
        in_row = failed and self._as_row
        self.body.setVisible(not in_row)
        self.failed.setVisible(in_row)

    def _restyle(self) -> None:
        now = theme.current()
        side, width = now.px(4 if self._as_row else 8), now.px(HEAD_WIDTH)
        self._row.setContentsMargins(now.px(12), side, side, side)
        self._row.setSpacing(now.px(8))
        self.setMinimumWidth(0 if self._as_row else now.px(LEAST))
        self.head.setMinimumWidth(width if self._as_row else 0)
        self.head.setMaximumWidth(width if self._as_row else 16_777_215)
