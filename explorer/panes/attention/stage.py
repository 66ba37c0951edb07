"""The steps of one query's attention as one picture: values travel from where they are to where
they go. `set_position` is all of the animation: the integer part is the step, the fraction the way
to the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.panes.attention import acts, draw_downstream
from explorer.panes.attention import story as stories
from explorer.panes.attention.downstream import LINE
from explorer.panes.attention.draw_downstream import DownstreamScene
from explorer.panes.attention.explain import after_labels, after_table, table_labels
from explorer.panes.attention.layout import Layout, lay_out
from explorer.panes.attention.lines import live_line
from explorer.panes.attention.story import Story
from explorer.panes.attention.strips import Strips
from explorer.widgets.base import Picture
from explorer.widgets.grid_keys import is_enter


class StoryScene:
    """A story laid out and rendered for one size: what the acts draw from."""

    def __init__(self, story: Story, width: float, height: float, ratio: float) -> None:
        self.story = story
        self.ratio = ratio
        self.layout: Layout = lay_out(story, width, height)
        rows = list(self.layout.rows)
        self.weights = story.weights[rows]
        tall, band, block = self.layout.row_height, self.layout.band, self.layout.left.width()

        def strips(values: np.ndarray, role: str, limit: float, height: float) -> Strips:
            return Strips(values, role, limit, block, height, ratio)

        def top(values: np.ndarray) -> float:
            return float(np.abs(values).max(initial=0.0))

        self.limits = {
            "q": top(story.q),
            "k": top(story.k[rows]),
            "v": top(story.v[rows]),
            "p": top(story.products[rows]),
        }
        self.q = strips(story.q, "q", self.limits["q"], band)
        self.small_q = strips(story.q, "q", self.limits["q"], tall)
        self.k = strips(story.k[rows], "k", self.limits["k"], tall)
        self.products = strips(story.products[rows], "attention", self.limits["p"], tall)
        self.v = strips(story.v[rows], "v", self.limits["v"], tall)
        self.output = strips(story.output, "attention", self.limits["v"], band)
        self._size = width, height
        self._downstream: DownstreamScene | None = None

    @property
    def downstream(self) -> DownstreamScene:
        """Of the last steps, once they are looked at."""
        if self._downstream is None:
            limit = self.limits["v"] or 1.0
            self._downstream = DownstreamScene(self.story, *self._size, self.ratio, limit)
        return self._downstream


class TraceStage(Picture):
    """Draws a Story at a float position. Intents: the key under the pointer, the key clicked, the
    token clicked that may come next.
    """

    keyHovered = Signal(int)
    keyClicked = Signal(int)
    tokenClicked = Signal(object)  # Likely: one that may come after the text

    def __init__(
        self, name: str = "Attention, step by step", parent: QWidget | None = None
    ) -> None:
        super().__init__(name, parent)
        self._story: Story | None = None
        self._next: Story | None = None
        self._position = 0.0
        self._hover = -1
        self._row = -1  # of the tokens that may come next, which is lit
        self._pinned = -1
        self._scenes: dict[int, StoryScene] = {}
        self._moved = 1.0  # how far the bars have come from what they were with all heads on
        self._moving = QVariantAnimation(self)
        self._moving.setStartValue(0.0)
        self._moving.setEndValue(1.0)
        self._moving.valueChanged.connect(self._on_moved)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # What is shown -------------------------------------------------------------------------------

    def set_story(self, story: Story | None, following: Story | None = None) -> None:
        """Another query; `following` is the one that a walk goes on to after the last step."""
        if story is not self._story or following is not self._next:
            if story is not self._story:
                self._hover = self._row = -1
                self._move_bars(self._story, story)
            self._story, self._next = story, following
            kept = {id(one) for one in (story, following) if one is not None}
            self._scenes = {key: scene for key, scene in self._scenes.items() if key in kept}
            self.data_changed()

    def _move_bars(self, old: Story | None, new: Story | None) -> None:
        """Where the bars are on the screen when other heads are switched off, they are seen to
        change.
        """
        duration, last = theme.current().duration("move"), stories.PREDICT
        self._moving.stop()
        self._moved = 1.0
        both = old is not None and new is not None and new.after is not None
        if duration and both and self._position == last and new.after.top.before is not None:
            self._moved = 0.0
            self._moving.setDuration(duration)
            self._moving.start()

    def _on_moved(self, share: float) -> None:
        self._moved = float(share)
        self.update()

    def set_position(self, position: float) -> None:
        """Up to the story's last step, and up to 1 more on the way to the following story."""
        if position != self._position:
            self._position = position
            self._announce()
            self.update()

    def set_pinned(self, key: int) -> None:
        if key != self._pinned:
            self._pinned = key
            self.update()

    @property
    def story(self) -> Story | None:
        return self._story

    @property
    def position(self) -> float:
        return self._position

    @property
    def spot(self) -> int:
        """The key that the live numbers are about: pinned, hovered, or the one that gets most."""
        if self._story is None:
            return -1
        for key in (self._pinned, self._hover):
            if 0 <= key < self._story.n_tokens:
                return key
        return self._story.target

    def displayed(self) -> dict[str, np.ndarray]:
        if self._story is None:
            return {}
        one = self._story
        names = ["q", "k", "products", "scores", "scaled", "masked", "weights", "v", "output"]
        # What the step has computed comes first: a table opens on it.
        made = ("q", "products", "scores", "scaled", "masked", "weights", "v", "output")
        made += ("written", "added", "probability")
        shown = {name: getattr(one, name) for name in names}
        if one.after is not None:
            shown |= after_table(one.after)
        first = made[min(int(self._position), one.last)]
        return {first: shown[first], **shown, "position": np.array(self._position)}

    def table_labels(self) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
        """What rows and columns of `displayed` are."""
        story = self._story
        if story is None:
            return {}
        last = after_labels(story.after) if story.after is not None else {}
        shown = {name: array for name, array in self.displayed().items() if name not in last}
        return table_labels(shown, story.labels) | last

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(560), now.px(440))

    def said_at(self, point: QPointF) -> str | None:
        """What a bar of the last steps, or a token, stands for."""
        if self._story is None or self._position <= stories.OUTPUT:
            return None
        return self._scene(self._story).downstream.said_at(point, round(self._position))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(320), now.px(160))

    # Painting ------------------------------------------------------------------------------------

    def draw(self, painter: QPainter) -> None:
        if self._story is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        position = self._position
        if position > self._story.last:
            share, last = position - self._story.last, self._story.last
            self._cross_fade(painter, self._story, last, self._next, 0, share)
        elif not theme.current().travels and position != int(position):
            step = int(position)
            self._cross_fade(painter, self._story, step, self._story, step + 1, position - step)
        else:
            self._paint(painter, self._story, position)

    def _paint(
        self, painter: QPainter, story: Story, position: float, with_line: bool = True
    ) -> None:
        scene = self._scene(story)
        spot = self.spot if story is self._story else story.target
        if position <= stories.OUTPUT:
            acts.draw(painter, scene, position, spot, self._pinned)
            acts.draw_share(painter, scene)
        else:
            self._fade_rows(painter, scene, position, spot)
            draw_downstream.draw(painter, scene, position, self._moved, self._row)
        step = min(round(position), story.last)
        if with_line:
            top = scene.layout.line_y
            if step > stories.OUTPUT:
                top = self.height() - theme.current().px(LINE) + theme.current().px(4)
            acts.draw_line(painter, live_line(story, step, spot), top, self.width())
        if self.hasFocus() and position <= stories.OUTPUT and spot in scene.layout.rows:
            row = scene.layout.row_rect(scene.layout.rows.index(spot))
            theme.current().focus_ring(painter, row.adjusted(2, 1, -2, -1), radius=3, offset=0)

    def _fade_rows(self, painter: QPainter, scene: StoryScene, position: float, spot: int) -> None:
        """The keys and what was read from them go, where the last steps begin."""
        left = 1 - acts.ramp(position, stories.OUTPUT, stories.OUTPUT + 0.35)
        if left > 0:
            image = theme.device_pixmap(self.width(), self.height(), self.ratio)
            inner = QPainter(image)
            inner.setRenderHints(painter.renderHints())
            acts.draw(inner, scene, stories.OUTPUT, spot, self._pinned)
            inner.end()
            painter.setOpacity(left)
            painter.drawPixmap(0, 0, image)
            painter.setOpacity(1.0)

    def _cross_fade(
        self, painter: QPainter, a: Story, at: float, b: Story | None, to: float, share: float
    ) -> None:
        for story, position, opacity in ((a, at, 1 - share), (b, to, share)):
            if story is not None and opacity > 0:
                image = theme.device_pixmap(self.width(), self.height(), self.ratio)
                inner = QPainter(image)
                inner.setRenderHints(painter.renderHints())
                self._paint(inner, story, position, opacity >= 0.5)  # two lines read as none
                inner.end()
                painter.setOpacity(theme.ease_out(opacity) if story is b else opacity)
                painter.drawPixmap(0, 0, image)
                painter.setOpacity(1.0)

    def _scene(self, story: Story) -> StoryScene:
        scene = self._scenes.get(id(story))
        if scene is None or scene.ratio != self.ratio:
            scene = StoryScene(story, self.width(), self.height(), self.ratio)
            self._scenes[id(story)] = scene
        return scene

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
                self.tokenClicked.emit(self._choice.shown[row])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down go from key to key, Enter pins one; Left and Right stay the player's. Of the
        tokens that may come next, Enter appends one.
        """
        story, choice = self._story, self._choice
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if choice is not None and by is not None and not event.modifiers():
            self._set_row(min(max(self._row + by, 0), len(choice.shown) - 1))
        elif choice is not None and is_enter(event):
            self.tokenClicked.emit(choice.shown[max(self._row, 0)])
        elif self._position > stories.OUTPUT:
            super().keyPressEvent(event)
        elif story is not None and by is not None and not event.modifiers():
            rows = self._scene(story).layout.rows
            place = rows.index(self.spot) if self.spot in rows else 0
            self._set_hover(rows[min(max(place + by, 0), len(rows) - 1)])
            self._announce()
        elif story is not None and is_enter(event):
            self.keyClicked.emit(self.spot)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def resizeEvent(self, event: QEvent) -> None:
        self._scenes.clear()

    def on_theme_changed(self) -> None:
        self._scenes.clear()
        super().on_theme_changed()

    def _key_at(self, y: float) -> int:
        if self._story is None or self._position > stories.OUTPUT:
            return -1
        layout = self._scene(self._story).layout
        place = layout.place_at(y)
        return layout.rows[place] if place >= 0 else -1

    @property
    def _choice(self) -> DownstreamScene | None:
        """Where the tokens are shown that may come after the text."""
        story = self._story
        if story is None or story.after is None or self._position <= stories.ADD + 0.5:
            return None
        is_last = story.query == story.n_tokens - 1
        return self._scene(story).downstream if is_last else None

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
        if self._story is not None and self._position == int(self._position):
            step = min(int(self._position), self._story.last)
            line = "".join(text for text, _ in live_line(self._story, step, self.spot))
            self.setAccessibleDescription(f"{stories.title(self._story, step)} {line}")
