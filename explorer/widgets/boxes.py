"""Layout helpers: widgets in a row, in a column, on a card."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLayout,
    QVBoxLayout,
    QWidget,
)

from explorer.widgets.base import set_look
from explorer.widgets.wrap_row import WrapRow

Box = TypeVar("Box", bound=QBoxLayout)
# A number is stretchable space; (widget, 1) is a widget that stretches.
Part = QWidget | QLayout | int | tuple[QWidget | QLayout, int]


def row(*parts: Part, of: QWidget | None = None, spacing: int = 8) -> QHBoxLayout:
    """Lays parts out side by side, filling the widget `of`, if given, without a margin."""
    return _filled(QHBoxLayout(), parts, of, spacing)


def column(
    *parts: Part,
    of: QWidget | None = None,
    spacing: int = 8,
    margins: tuple[int, int] = (0, 0),
) -> QVBoxLayout:
    """Lays parts out below one another; `margins`: px at the sides, px above and below."""
    return _filled(QVBoxLayout(), parts, of, spacing, margins)


def wrap(*widgets: QWidget, of: QWidget | None = None, spacing: int = 8) -> WrapRow:
    """Lays widgets out side by side, in further rows if one is too narrow."""
    box = WrapRow(spacing)
    for widget in widgets:
        box.addWidget(widget)
    if of is not None:
        of.setLayout(box)
    return box


def grid(
    rows: Sequence[Sequence[QWidget]], of: QWidget | None = None, spacing: tuple[int, int] = (8, 8)
) -> QGridLayout:
    """Lays out rows that share their width evenly, so that rows of equal length form columns;
    `spacing`: px between columns, px between rows.
    """
    box = QGridLayout()
    box.setContentsMargins(0, 0, 0, 0)
    box.setHorizontalSpacing(spacing[0])
    box.setVerticalSpacing(spacing[1])
    columns = math.lcm(*map(len, rows))
    for place, widgets in enumerate(rows):
        wide = columns // len(widgets)
        for at, widget in enumerate(widgets):
            box.addWidget(widget, place, at * wide, 1, wide, Qt.AlignmentFlag.AlignTop)
    for at in range(columns):
        box.setColumnStretch(at, 1)
    if of is not None:
        of.setLayout(box)
    return box


def page(*parts: Part, of: QWidget) -> None:
    """Lays out the whole picture of a mode: a column with the margins of a pane."""
    column(*parts, of=of, margins=(16, 8))


def card(*parts: Part) -> QFrame:
    """Returns a column with a frame around it."""
    frame = QFrame()
    set_look(frame, "card")
    column(*parts, of=frame, spacing=4, margins=(12, 8))
    return frame


def name_parts(owner: QWidget, prefix: str, *names: str) -> None:
    """Sets the object names that lessons and tests use to find attributes: "training.step.text"."""
    for name in names:
        getattr(owner, name).setObjectName(f"{prefix}.{name}")


def _filled(
    box: Box,
    parts: tuple[Part, ...],
    of: QWidget | None,
    spacing: int,
    margins: tuple[int, int] = (0, 0),
) -> Box:
    box.setContentsMargins(margins[0], margins[1], margins[0], margins[1])
    box.setSpacing(spacing)
    for part in parts:
        if isinstance(part, int):
            box.addStretch(part)
            continue
        one, stretch = part if isinstance(part, tuple) else (part, 0)
        if isinstance(one, QWidget):
            box.addWidget(one, stretch)
        else:
            box.addLayout(one, stretch)
    if of is not None:
        of.setLayout(box)
    return box
