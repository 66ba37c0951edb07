"""The part of a column below its head: a picture, or the reason why its tokenizer is not open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QWidget

from explorer.panes.tokenizers.shown_tokenizers import Missing
from explorer.widgets.stateful import StatefulPicture

LEAST = 112  # px of a column's width


class ColumnBody(StatefulPicture):
    """The body. `asked(what)` requests to "retry", to "remove" the tokenizer, or to open a "file"
    in its place."""

    asked = Signal(str)

    def __init__(self, picture: QWidget) -> None:
        super().__init__(picture, "lines", ground="surface", errors_on_top=True)
        self.set_cancellable(True)
        self.retryRequested.connect(lambda: self.asked.emit("retry"))
        self.cancelRequested.connect(lambda: self.asked.emit("remove"))
        self.otherRequested.connect(lambda: self.asked.emit("file"))

    def show_missing(self, missing: Missing) -> None:
        if missing.error:
            said = "\n\n".join(filter(None, (missing.otherwise, missing.error)))
            self.show_error(said, other="Open a file", title=missing.failed)
        else:
            self.show_loading(missing.waiting)


def set_count(
    line: QBoxLayout, columns: list[Any], count: int, create: Callable[[int], Any]
) -> None:
    """Removes the last columns of a line or appends new ones until there are `count`."""
    while len(columns) > count:
        column = columns.pop()
        line.removeWidget(column)
        column.hide()
        column.deleteLater()
    while len(columns) < count:
        columns.append(create(len(columns)))
        line.addWidget(columns[-1], 1)
