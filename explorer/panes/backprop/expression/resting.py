"""What rests of a graph while values change and steps go by, kept as a picture."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter, QPixmap, QRegion

from explorer import theme
from explorer.panes.backprop.expression.painting import Item, Painting

MOST_CHANGED = 0.2  # of all that is in sight; where more has, to draw all of it is quicker


class Resting:
    """Draws only those nodes and edges that look otherwise than the last time, and whatever else
    is where they are.
    """

    def __init__(self) -> None:
        self._pixmap = QPixmap()
        self._is_whole = False  # the picture is that of the last time
        self._has_moved = False  # the last time all looked otherwise
        self._key: object = None
        self._marks: dict[Item, object] = {}
        self._places: dict[Item, QRect] = {}
        self.drawn: frozenset[Item] = frozenset()  # the last time

    def picture(self, painting: Painting, size: QSize, ratio: float) -> QPixmap | None:
        """On the window's ground, of a widget of that size, at so many device pixels per unit. None
        where all looks otherwise once more, and may do so again: a picture would be of no use.
        """
        key = (painting.ways, painting.camera, painting.room.getRect(), size, ratio)
        key = (*key, theme.current())
        was, before, whole = self._key, self._marks, self._is_whole
        self._key, self._marks, self._is_whole = key, painting.marks(), False
        changed = {item for item, _ in self._marks.items() ^ before.items()}
        self.drawn = frozenset(self._marks)
        if was != key:
            self._places = {}
        again = self._has_moved
        self._has_moved = was != key or len(changed) > MOST_CHANGED * len(self._marks)
        if self._has_moved and again:
            return None
        if self._has_moved or not whole or (changed and ratio != int(ratio)):
            self._draw(painting, size, ratio)
        else:
            self._draw_changed(painting, changed)
        self._is_whole = True
        return self._pixmap

    def _draw(self, painting: Painting, size: QSize, ratio: float) -> None:
        if self._pixmap.size() != size * ratio or self._pixmap.devicePixelRatio() != ratio:
            self._pixmap = theme.device_pixmap(size.width(), size.height(), ratio)
        self._draw_in(painting, QRegion(QRect(0, 0, size.width(), size.height())))

    def _draw_changed(self, painting: Painting, changed: set[Item]) -> None:
        if changed and not self._places:
            items = [*painting.edges, *painting.nodes]
            self._places = {item: painting.extent(item).toAlignedRect() for item in items}
        region = QRegion()
        for item in changed:
            region += self._places[item]
        self.drawn = frozenset(
            item for item in self._marks if changed and region.intersects(self._places[item])
        )
        if changed:
            self._draw_in(painting, region)

    def _draw_in(self, painting: Painting, region: QRegion) -> None:
        painter = QPainter(self._pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRegion(region)
        painter.fillRect(region.boundingRect(), theme.current().color("window"))
        painting.draw(painter, self.drawn)
        painter.end()
