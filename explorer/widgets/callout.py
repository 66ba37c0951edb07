"""First-start callouts: a small card with a pointer at what it explains, shown once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from explorer import theme
from explorer.widgets.base import Label, set_look

_TIP = 8
_EDGE = 8  # px: the least distance to the window's edges
_CORNER = 20  # px from a corner of the card to its pointer
_TRIES = 9  # positions tried along each side, besides those next to a rectangle to keep free
_WIDTHS = (288, 240, 200)  # px, the best to read first
_WORTH = 400  # square px of text: a narrower card must hide at least this much less

Kept = tuple[QRect, float]  # a rectangle that should stay uncovered, and its weight


@dataclass(frozen=True)
class Place:
    """The position of a callout, the side of its target, and its pointer along that side."""

    corner: QPoint
    side: str  # below, right, above, left
    tip: float
    cost: float = 0.0  # the weighted area it hides


def best_place(
    size: QSize, target: QRect, area: QRect, never: Sequence[QRect], keep: Sequence[Kept]
) -> Place:
    """Returns the position in `area` of a card that points at `target` and covers the least.

    The card covers neither the target nor `never` if there is room beside the target; among the
    remaining positions it takes the one that hides the least of `keep`.
    """
    found: list[tuple[float, int, float, Place]] = []
    for order, side in enumerate(("below", "right", "above", "left")):
        for corner in _corners(size, target, area, side, [rect for rect, _ in keep]):
            box = QRect(corner, size)
            cost = sum(weight * _shared(box, rect) for rect, weight in keep)
            cost += sum(1e6 * (_shared(box, rect) > 0) for rect in (target, *never))
            across = side in ("below", "above")
            wanted = target.center().x() if across else target.center().y()
            start = corner.x() if across else corner.y()
            length = size.width() if across else size.height()
            tip = float(min(max(_CORNER, wanted - start), length - _CORNER))
            off = abs(start + tip - wanted)
            found.append((cost, order, off, Place(corner, side, tip, cost)))
    return min(found, key=lambda one: one[:3])[3]


def _corners(
    size: QSize, target: QRect, area: QRect, side: str, keep: Sequence[QRect]
) -> list[QPoint]:
    """Returns positions in `area` along one side of the target whose pointer still meets it."""
    room = area.adjusted(_EDGE, _EDGE, -_EDGE - size.width(), -_EDGE - size.height())
    right, bottom = max(room.left(), room.right() + 1), max(room.top(), room.bottom() + 1)
    across = side in ("below", "above")
    if across:
        low, high = target.left() - size.width() + 2 * _CORNER, target.right() - 2 * _CORNER
        low, high = max(low, room.left()), min(high, right)
    else:
        low, high = target.top() - size.height() + 2 * _CORNER, target.bottom() - 2 * _CORNER
        low, high = max(low, room.top()), min(high, bottom)
    high = max(low, high)
    beside = {
        "below": target.bottom() + 1,
        "right": target.right() + 1,
        "above": target.top() - size.height(),
        "left": target.left() - size.width(),
    }[side]
    places = sorted({round(low + (high - low) * i / (_TRIES - 1)) for i in range(_TRIES)})
    if across:
        y = min(max(beside, room.top()), bottom)
        band = [rect for rect in keep if rect.top() < y + size.height() and rect.bottom() >= y]
        edges = {x for rect in band for x in (rect.right() + 1, rect.left() - size.width())}
        places = sorted({*places, *(x for x in edges if low <= x <= high)})
        return [QPoint(min(max(x, room.left()), right), y) for x in places]
    x = min(max(beside, room.left()), right)
    return [QPoint(x, min(max(y, room.top()), bottom)) for y in places]


def _shared(one: QRect, other: QRect) -> float:
    both = one.intersected(other)
    return float(both.width() * both.height()) if not both.isEmpty() else 0.0


class Callout(QWidget):
    """Points at a widget of the same window. It takes no focus and blocks no input."""

    dismissed = Signal()

    def __init__(self, text: str, count: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"Tip: {text}")
        self._place = Place(QPoint(), "below", 40.0)
        self._label = Label(text, "body", wrap=True)
        self._count = Label(count, "label", "muted")
        self._button = QPushButton("Got it")
        set_look(self._button, "quiet")
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._button.clicked.connect(self.dismissed)
        row = QHBoxLayout()
        row.addWidget(self._count)
        row.addStretch(1)
        row.addWidget(self._button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16 + _TIP, 12 + _TIP, 12 + _TIP, 8 + _TIP)
        layout.setSpacing(4)
        layout.addWidget(self._label)
        layout.addLayout(row)
        theme.changed.connect(self.update)

    def point_at(
        self, target: QRect, never: Sequence[QRect] = (), keep: Sequence[Kept] = ()
    ) -> None:
        """Places the callout beside `target` (in window coordinates) and shows it."""
        area, best = self.parentWidget().rect(), None
        for width in map(theme.current().px, _WIDTHS):
            size = QSize(width, self._height(width))
            place = best_place(size, target, area, never, keep)
            if best is None or place.cost < best[0].cost - _WORTH:
                best = place, size
        assert best is not None
        self._place, size = best
        self.setFixedWidth(size.width())
        self.setGeometry(QRect(self._place.corner, size))
        self.show()
        self.raise_()
        self.update()

    def _height(self, width: int) -> int:
        self.setFixedWidth(width)
        self.layout().activate()
        return max(self.layout().heightForWidth(width), self.layout().minimumSize().height())

    def paintEvent(self, event) -> None:
        now = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = QRectF(self.rect()).adjusted(_TIP, _TIP, -_TIP, -_TIP)
        path = QPainterPath()
        path.addRoundedRect(body, 8, 8)
        tip, at = QPainterPath(), self._place.tip
        base, end = {
            "below": (body.top(), 1.0),
            "above": (body.bottom(), self.height() - 1.0),
            "right": (body.left(), 1.0),
            "left": (body.right(), self.width() - 1.0),
        }[self._place.side]
        corners = [(at - 8, base), (at, end), (at + 8, base)]
        if self._place.side in ("right", "left"):
            corners = [(across, along) for along, across in corners]
        tip.addPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
        tip.closeSubpath()
        painter.setPen(now.pen("accent", 1.5))
        painter.setBrush(now.color("surface"))
        painter.drawPath(path.united(tip))
        painter.end()
