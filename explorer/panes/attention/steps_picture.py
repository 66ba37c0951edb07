"""The picture of one query's steps, in which values travel to where they are used. `set_position`
drives all of the animation: its integer part is the step, its fraction the progress to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.panes.attention import draw_attention, draw_next_token, text
from explorer.panes.attention import scene as S
from explorer.panes.attention.draw_attention import Drawing, ramp
from explorer.panes.attention.draw_next_token import NextTokenDrawing
from explorer.panes.attention.inspector import TABLES, labels_of, values_of
from explorer.panes.attention.scene import Scene
from explorer.panes.attention.step_layout import LINE
from explorer.widgets.base import Picture
from explorer.widgets.grid_keys import is_enter

LEAST = (400, 250)  # px: ten candidate tokens, and the vectors beside them


class StepsPicture(Picture):
    """Draws a Scene at a float position. Its signals report the hovered or clicked key, or the
    clicked candidate for the next token.
    """

    keyHovered = Signal(int)
    keyClicked = Signal(int)
    tokenClicked = Signal(object)  # Likely: candidate for the next token

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Attention, step by step", parent)
        self.scene: Scene | None = None
        self.position = 0.0
        self._next: Scene | None = None
        self._hover = self._pinned = -1  # keys
        self._row = -1  # highlighted candidate for the next token
        self._drawings: dict[Scene, Drawing] = {}
        self._last: dict[Scene, NextTokenDrawing] = {}  # made when the last steps are first drawn
        self._moved = 1.0  # progress 0..1 of the bars from their lengths with all heads on
        self._moving = QVariantAnimation(self, startValue=0.0, endValue=1.0)
        self._moving.valueChanged.connect(self._on_moved)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # What is shown -------------------------------------------------------------------------------

    def set_scene(self, scene: Scene | None, following: Scene | None = None) -> None:
        """Sets the query to draw; `following` is the next one of a walk."""
        if scene is not self.scene or following is not self._next:
            if scene is not self.scene:
                self._hover = self._row = -1
                self._move_bars(self.scene, scene)
            self.scene, self._next = scene, following
            for gone in set(self._drawings) - {scene, following}:
                del self._drawings[gone]
                self._last.pop(gone, None)
            self.data_changed()

    def _move_bars(self, old: Scene | None, new: Scene | None) -> None:
        """Animates the bars if they are visible and heads have been switched off or on."""
        duration = theme.current().duration("move")
        self._moving.stop()
        self._moved = 1.0
        last = new.downstream if old is not None and new is not None else None
        has_moved = last is not None and last.top.before is not None
        if duration and has_moved and self.position == S.PREDICT:
            self._moved = 0.0
            self._moving.setDuration(duration)
            self._moving.start()

    def _on_moved(self, share: float) -> None:
        self._moved = float(share)
        self.update()

    def set_position(self, position: float) -> None:
        """Sets the position, up to the last step, or up to 1 more on the way to `following`."""
        if position != self.position:
            self.position = position
            self._announce()
            self.update()

    def set_pinned(self, key: int) -> None:
        if key != self._pinned:
            self._pinned = key
            self.update()

    @property
    def key(self) -> int:
        """The key of the live numbers: pinned, hovered, or the one with the largest weight."""
        if self.scene is None:
            return -1
        for key in (self._pinned, self._hover):
            if 0 <= key < self.scene.n_tokens:
                return key
        return self.scene.target

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns the displayed values, with the step's result first, as a table opens on it."""
        if self.scene is None:
            return {}
        shown = values_of(self.scene)
        made = TABLES[min(int(self.position), self.scene.last)][0]
        return {made: shown[made], **shown, "position": np.array(self.position)}

    def table_labels(self) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
        """Returns names for the rows and columns of `displayed`."""
        scene = self.scene
        return {} if scene is None else labels_of(values_of(scene), scene.labels, scene)

    def said_at(self, point: QPointF) -> str | None:
        """Returns the tooltip of a bar or a token in the last steps."""
        if self.scene is None or self.position <= S.OUTPUT:
            return None
        return self.last_steps(self.scene).said_at(point, round(self.position))

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(560), now.px(440))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(LEAST[0]), now.px(LEAST[1]))

    # Painting ------------------------------------------------------------------------------------

    def draw(self, painter: QPainter) -> None:
        scene, position = self.scene, self.position
        if scene is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if position > scene.last:
            share = position - scene.last
            self._cross_fade(painter, scene, scene.last, self._next, 0, share)
        elif not theme.current().travels and position != int(position):
            step = int(position)
            self._cross_fade(painter, scene, step, scene, step + 1, position - step)
        else:
            self._paint(painter, scene, position)

    def _paint(
        self, painter: QPainter, scene: Scene, position: float, with_line: bool = True
    ) -> None:
        drawing = self._drawn(scene)
        key = self.key if scene is self.scene else scene.target
        step, layout, now = min(round(position), scene.last), drawing.layout, theme.current()
        if position <= S.OUTPUT:
            draw_attention.draw(painter, drawing, position, key, self._pinned)
            draw_attention.draw_share(painter, drawing)
            if self.hasFocus() and key in layout.rows:
                row = layout.row_rect(layout.rows.index(key)).adjusted(2, 1, -2, -1)
                now.focus_ring(painter, row, radius=3, offset=0)
        else:
            left = 1 - ramp(position, S.OUTPUT, S.OUTPUT + 0.35)
            if left > 0:  # keys and values fade out
                image, inner = self._layer(painter)
                draw_attention.draw(inner, drawing, S.OUTPUT, key, self._pinned)
                self._lay(painter, image, inner, left)
            last = self.last_steps(scene)
            draw_next_token.draw(painter, last, position, self._moved, self._row)
        if with_line:
            below = self.height() - now.px(LINE) + now.px(4)
            top = layout.line_y if step <= S.OUTPUT else below
            draw_attention.draw_line(painter, text.live_line(scene, step, key), top, self.width())

    def _cross_fade(
        self, painter: QPainter, a: Scene, at: float, b: Scene | None, to: float, share: float
    ) -> None:
        for scene, position, opacity in ((a, at, 1 - share), (b, to, share)):
            if scene is not None and opacity > 0:
                image, inner = self._layer(painter)
                self._paint(inner, scene, position, opacity >= 0.5)  # two would be illegible
                self._lay(painter, image, inner, theme.ease_out(opacity) if scene is b else opacity)

    def _layer(self, painter: QPainter) -> tuple[QPixmap, QPainter]:
        """Returns a separate pixmap to paint on, and its painter; `_lay` draws it."""
        image = theme.device_pixmap(self.width(), self.height(), self.ratio)
        inner = QPainter(image)
        inner.setRenderHints(painter.renderHints())
        return image, inner

    def _lay(self, painter: QPainter, image: QPixmap, inner: QPainter, opacity: float) -> None:
        inner.end()
        painter.setOpacity(opacity)
        painter.drawPixmap(0, 0, image)
        painter.setOpacity(1.0)

    def _drawn(self, scene: Scene) -> Drawing:
        """Returns the cached drawing of a scene in the current size."""
        drawing = self._drawings.get(scene)
        if drawing is None or drawing.ratio != self.ratio:
            self._last.pop(scene, None)
            drawing = Drawing(scene, float(self.width()), float(self.height()), self.ratio)
            self._drawings[scene] = drawing
        return drawing

    def last_steps(self, scene: Scene) -> NextTokenDrawing:
        """Returns the cached drawing of a scene's last steps."""
        drawing = self._drawn(scene)
        if scene not in self._last:
            size = float(self.width()), float(self.height())
            self._last[scene] = NextTokenDrawing(drawing, *size)
        return self._last[scene]

    # Interaction ---------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hover(self._key_at(event.position().y()))
        self._set_row(self._row_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover(-1)
        self._set_row(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        key, row = self._key_at(event.position().y()), self._row_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton:
            if key >= 0:
                self.keyClicked.emit(key)
            elif row >= 0 and self._choice is not None:
                self.tokenClicked.emit(self._choice.one.likeliest[row])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handles keys: Up and Down select a key, Enter pins it; Left and Right belong to the
        player. Among the candidates for the next token, Enter appends the selected one.
        """
        scene, choice = self.scene, self._choice
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        by = None if event.modifiers() else by
        if choice is not None and by is not None:
            self._set_row(min(max(self._row + by, 0), len(choice.tokens) - 1))
        elif choice is not None and is_enter(event):
            self.tokenClicked.emit(choice.one.likeliest[max(self._row, 0)])
        elif scene is None or self.position > S.OUTPUT:
            super().keyPressEvent(event)
        elif by is not None:
            rows = self._drawn(scene).layout.rows
            place = rows.index(self.key) if self.key in rows else 0
            self._set_hover(rows[min(max(place + by, 0), len(rows) - 1)])
            self._announce()
        elif is_enter(event):
            self.keyClicked.emit(self.key)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def resizeEvent(self, event: QEvent) -> None:
        self._forget()

    def on_theme_changed(self) -> None:
        self._forget()
        super().on_theme_changed()

    def _forget(self) -> None:
        self._drawings.clear()
        self._last.clear()

    def _key_at(self, y: float) -> int:
        if self.scene is None or self.position > S.OUTPUT:
            return -1
        layout = self._drawn(self.scene).layout
        place = layout.place_at(y)
        return layout.rows[place] if place >= 0 else -1

    @property
    def _choice(self) -> NextTokenDrawing | None:
        """The drawing with candidates for the next token, while they can be chosen; else None."""
        scene = self.scene
        if scene is None or self.position <= S.ADD + 0.5 or scene.query < scene.n_tokens - 1:
            return None
        return self.last_steps(scene)

    def _row_at(self, point: QPointF) -> int:
        choice = self._choice
        return -1 if choice is None else choice.row_at(point)

    def _set_row(self, row: int) -> None:
        if row != self._row:
            self._row = row
            shape = Qt.CursorShape.PointingHandCursor if row >= 0 else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
            self.update()

    def _set_hover(self, key: int) -> None:
        if key != self._hover:
            self._hover = key
            self.keyHovered.emit(key)
            self.update()

    def _announce(self) -> None:
        if self.scene is not None and self.position == int(self.position):
            step = min(int(self.position), self.scene.last)
            line = "".join(words for words, _ in text.live_line(self.scene, step, self.key))
            self.setAccessibleDescription(f"{text.step_sentence(self.scene, step)} {line}")
