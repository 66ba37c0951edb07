"""Every picture's states: loading (skeleton), empty, error with Retry, stale, waiting, ready."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.theme import icons
from explorer.widgets.base import Label, Picture, put_text, ratio_of, set_look
from explorer.widgets.card import Card
from explorer.widgets.scroll_area import ScrollArea

WORDS = 8  # px above the text about a wait
STATES = ("loading", "empty", "error", "stale", "ready")


class Veil(QWidget):
    """Covers a picture: fades it to 45 % and shows "updating"; draws the waiting line at the top.

    It stays hidden for the first 150 ms of a wait, and while it only draws the line it covers only
    the top: showing and hiding it repaints everything below.
    """

    def __init__(self, clock: Callable[[], float], parent: QWidget, ground: str = "window") -> None:
        super().__init__(parent)
        self._ground = ground
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._clock = clock
        self._since: float | None = None
        self._stale = False
        self.reason = ""
        self._timer = QTimer(self)
        self._timer.setInterval(33)
        self._timer.timeout.connect(self._on_time)
        theme.changed.connect(self._on_theme)

    def _words_bottom(self) -> int:
        return theme.current().px(WORDS + 24)

    def set(self, stale: bool, waiting: bool, reason: str) -> None:
        if stale != self._stale:
            self.update()
        self._stale, self.reason = stale, reason
        if waiting and self._since is None:
            self._since = self._clock()
        if not waiting:
            self._since = None
        self.run()
        self._move()

    @property
    def waited(self) -> float:
        """Seconds since the wait began; 0 if there is none."""
        return 0.0 if self._since is None else self._clock() - self._since

    @property
    def waits(self) -> bool:
        return self._since is not None

    def run(self) -> None:
        """Appears when due, and is animated while its picture is visible."""
        is_due = 1000 * self.waited >= theme.MOTION["waiting"]
        room = self.parentWidget().size()
        self.resize(room.width(), room.height() if self._stale else self._words_bottom())
        self.setVisible(self._stale or is_due)
        moves = self.waits and not (is_due and theme.current().motion == "off")
        if not (moves and self.parentWidget().isVisible()):
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()

    def _on_theme(self) -> None:
        self.run()
        self.update()

    def rest(self) -> None:
        """Stops the animation while the picture is hidden."""
        self._timer.stop()

    def _on_time(self) -> None:
        if self.isHidden():
            self.run()
        self._move()

    def _move(self) -> None:
        """Repaints only line and text: a full update would repaint the picture below."""
        self.update(0, 0, self.width(), self._words_bottom())

    def paintEvent(self, event) -> None:
        now = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        waited = self.waited * 1000
        if self._stale:
            painter.fillRect(self.rect(), now.color(self._ground, 1 - theme.STALE_OPACITY))
        if self._since is not None and waited >= theme.MOTION["waiting"]:
            width = self.width() * 0.25
            share = (waited / 1200) % 1.0 if now.motion == "full" else 0.5
            x = (self.width() + width) * share - width
            painter.fillRect(QRectF(0, 0, self.width(), 2), now.color("divider"))
            painter.fillRect(QRectF(x, 0, width, 2), now.color("accent"))
        long_wait = waited >= theme.MOTION["long_wait"]
        text = self.reason if (long_wait and self.reason) else ("updating" if self._stale else "")
        if long_wait and text:
            text = f"{text}, {waited / 1000:.0f} s"
        if text and (self._stale or long_wait):
            font = now.font("label", 600)
            box_width = now.metrics("label", 600).horizontalAdvance(text) + now.px(20)
            box = QRectF((self.width() - box_width) / 2, now.px(WORDS), box_width, now.px(22))
            painter.setPen(now.pen("divider"))
            painter.setBrush(now.color("raised"))
            painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
            put_text(painter, box, text, font, now.color("text"))
        painter.end()


class Skeleton(Picture):
    """The first load: gray shapes of the final size. "grid", "lines" or "plot"."""

    def __init__(self, shape: str = "grid", parent: QWidget | None = None) -> None:
        super().__init__("Loading", parent)
        self._shape = shape
        self._grid = (6, 6)

    def set_grid(self, rows: int, columns: int) -> None:
        self._grid = (rows, columns)
        self.update()

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("raised"))
        area = QRectF(self.rect())
        if self._shape == "grid":
            area = area.adjusted(now.px(28), now.px(32), -4, -4)
            if not area.intersects(self.exposed):
                return  # only the waiting line above moves, 30 times a second
            rows, columns = self._grid
            pitch = min(area.width() / columns, area.height() / rows)
            for row in range(rows):
                for column in range(columns):
                    x, y = area.x() + column * pitch, area.y() + row * pitch
                    painter.drawRoundedRect(QRectF(x, y, pitch - 4, pitch - 4), 2, 2)
        elif self._shape == "plot":
            area = area.adjusted(now.px(40), now.px(24), -now.px(16), -now.px(22))
            for index in range(4):
                y = area.y() + area.height() * index / 4
                painter.drawRect(QRectF(area.x(), y, area.width(), 1))
            painter.drawRect(QRectF(area.x(), area.bottom(), area.width(), 1))
        else:
            y = area.y() + now.px(8)
            widths = (0.72, 0.9, 0.55, 0.8, 0.64, 0.4)
            for share in widths:
                if y + now.px(12) > area.bottom():
                    break
                painter.drawRoundedRect(QRectF(0, y, area.width() * share, now.px(12)), 4, 4)
                y += now.px(24)


class Empty(QWidget):
    """Nothing to show yet: an icon, one sentence, one button."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = "info"
        self.sentence = ""
        self._picture = Picture("")
        self._picture.draw = self._draw_icon  # type: ignore[method-assign]
        self._text = Label("", "body", "muted", wrap=True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._button = QPushButton()
        set_look(self._button, "primary")
        self._button.clicked.connect(self.clicked)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(self._picture)
        layout.addWidget(self._text)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._button)
        row.addStretch(1)
        layout.addSpacing(8)
        layout.addLayout(row)
        layout.addStretch(1)
        theme.changed.connect(self._fit)

    def set(self, sentence: str, action: str, icon: str) -> None:
        self._icon = icon
        self.sentence = sentence
        self._text.setText(sentence)
        self._button.setText(action)
        self._button.setVisible(bool(action))
        self._picture.update()
        self._fit()

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Hides the icon if sentence and icon do not both fit."""
        self._picture.setFixedHeight(theme.current().px(44))
        margins = self.contentsMargins() + self.layout().contentsMargins()
        wide = self.width() - margins.left() - margins.right()
        needs = self._text.heightForWidth(wide) + 5 * self.layout().spacing() + 8
        needs += self._picture.height() + margins.top() + margins.bottom()
        if self.sentence and not self._button.isHidden():
            needs += self._button.sizeHint().height()
        self._picture.setVisible(self.height() >= needs)

    def _draw_icon(self, painter: QPainter) -> None:
        now = theme.current()
        pixmap = icons.pixmap(self._icon, "muted", 32, ratio_of(painter))
        left = (self._picture.width() - now.px(32)) / 2
        painter.drawPixmap(QPointF(left, now.px(4)), pixmap)


def _scrolled(card: Card, on_top: bool) -> ScrollArea:
    """Returns a scroll area with a card in the middle or on top, for small pictures."""
    inner = QWidget()
    page = QVBoxLayout(inner)
    page.setContentsMargins(0, 0, 0, 0)
    if not on_top:
        page.addStretch(1)
    page.addWidget(card)
    page.addStretch(1)
    area = ScrollArea(inner)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


class StatefulPicture(QWidget):
    """Wraps a picture and shows its state. The picture keeps its geometry in every state.

    `show_loading`, `show_empty`, `show_error`, `show_stale`, `show_ready`; `set_waiting` draws the
    2 px line after 150 ms and, after a second, the reason of the wait, with Cancel if the wait is
    cancellable (`set_cancellable`). A picture that was ready and loads again becomes stale instead
    of blank, as soon as the wait is noticeable; `is_current` is False from its beginning.
    """

    stateChanged = Signal(str)
    waitChanged = Signal()  # `is_current`, `is_outdated` or the reason of the wait
    retryRequested = Signal()
    cancelRequested = Signal()
    actionRequested = Signal()
    otherRequested = Signal()

    def __init__(
        self,
        picture: QWidget,
        skeleton: str = "grid",
        clock: Callable[[], float] = time.monotonic,
        parent: QWidget | None = None,
        ground: str = "window",
        errors_on_top: bool = False,
    ) -> None:
        super().__init__(parent)
        self.picture = picture
        self.setAccessibleName(picture.accessibleName())
        self._state = "loading"
        self._had_content = False
        self._had_any = False  # content, an error or a reason for being empty was shown
        self.is_current = False  # True if nothing newer than what is shown is on its way
        self.skeleton = Skeleton(skeleton)
        self._empty = Empty()
        self.card = Card("error", "", actions_first=errors_on_top, scrolled=True)
        self._layout = QStackedLayout(self)
        for one in (picture, self.skeleton, self._empty, _scrolled(self.card, errors_on_top)):
            self._layout.addWidget(one)
        self._veil = Veil(clock, self, ground)
        self._veil.hide()
        self.cancellable = False
        self.cancel = QPushButton("Cancel", self)
        self.cancel.clicked.connect(self.cancelRequested)
        self.cancel.hide()
        self._long = QTimer(self)  # until a wait counts as long
        self._long.setSingleShot(True)
        self._long.timeout.connect(self._offer_cancel)
        self._noticed = QTimer(self)  # until a wait is noticeable
        self._noticed.setSingleShot(True)
        self._noticed.timeout.connect(self._fade)
        self._empty.clicked.connect(self.actionRequested)
        self._other = ""
        self.card.actionTriggered.connect(self._on_error_action)
        failed = getattr(picture, "paintFailed", None)
        if failed is not None:
            failed.connect(self._on_paint_failed)
        self._go("loading", 1)

    @property
    def state(self) -> str:
        return self._state

    @property
    def message(self) -> str:
        """The text of its state: the error, why it is empty, or the reason of a wait."""
        if self._state == "error":
            return self.card.message
        return self._empty.sentence if self._state == "empty" else self._veil.reason

    @property
    def waited(self) -> float:
        """Seconds since a wait began; 0 if there is none."""
        return self._veil.waited

    @property
    def is_outdated(self) -> bool:
        """Whether what is shown, or was shown last, visibly belongs to earlier inputs."""
        return self._state == "stale" or (self._state == "loading" and self._had_any)

    def show_loading(self, reason: str = "") -> None:
        """Shows that content is loading: a skeleton the first time; later the old picture, which
        becomes stale when the wait is noticeable, so that a short one does not flicker.
        """
        self.is_current = False
        if not self._had_content:
            self._go("loading", 1)
            self._wait(False, True, reason)
        elif self._state != "ready" or not self.isVisible():
            self.show_stale(reason)
        else:
            self._wait(False, True, reason)
            if not self._noticed.isActive():
                self._noticed.start(theme.MOTION["waiting"])

    def _fade(self) -> None:
        self.show_stale(self._veil.reason)

    def show_empty(self, sentence: str, action: str = "", icon: str = "info") -> None:
        """Shows why there is nothing to show, and the one remedy."""
        self._empty.set(sentence, action, icon)
        self._had_content, self._had_any, self.is_current = False, True, True
        self._go("empty", 2)
        self._wait(False, False, "")

    def show_error(
        self, message: str, retry: str = "Retry", other: str = "", title: str = ""
    ) -> None:
        """Shows an error card instead of the picture, with a button; `other` is a second button,
        which emits `otherRequested`; `title` is a short name of what failed."""
        self._other = other
        self.card.set_title(title)
        self.card.set_message(message)
        self.card.set_actions([one for one in (retry, other) if one])
        self._had_content, self._had_any, self.is_current = False, True, True
        self._go("error", 3)
        self._wait(False, False, "")

    def show_stale(self, reason: str = "") -> None:
        """Shows the old content at 45 % with "updating", because its inputs have changed."""
        self.is_current = False
        self._go("stale", 0)
        self._wait(True, True, reason)

    def show_ready(self) -> None:
        """Shows the up-to-date picture."""
        self._had_content = self._had_any = self.is_current = True
        self._go("ready", 0)
        self._wait(False, False, "")

    def set_waiting(self, reason: str) -> None:
        """Shows the reason of a wait over the ready picture; "" ends the wait."""
        self._wait(self._state == "stale", bool(reason), reason)

    def set_cancellable(self, on: bool) -> None:
        """Sets whether a long wait offers Cancel, which emits `cancelRequested`."""
        self.cancellable = on

    def sizeHint(self) -> QSize:
        return self.picture.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self.picture.minimumSizeHint()

    def hasHeightForWidth(self) -> bool:
        """Returns False: text that replaces the picture wraps in the picture's space and requests
        no height, so that a pane does not scroll sooner than with the picture.
        """
        return False

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._veil.run()
        self._veil.raise_()
        self._place_cancel()

    def hideEvent(self, event) -> None:
        self._noticed.stop()
        self._long.stop()
        self._veil.rest()

    def showEvent(self, event) -> None:
        if self._state == "ready" and not self.is_current:
            self._fade()
        self._watch_wait()
        self._veil.run()

    def _wait(self, stale: bool, waiting: bool, reason: str) -> None:
        if stale or self.is_current or not waiting:
            self._noticed.stop()
        self._veil.set(stale, waiting, reason)
        self._watch_wait()
        self.waitChanged.emit()

    def _watch_wait(self) -> None:
        """Shows Cancel together with the text about a long wait, and hides it with the wait."""
        self._long.stop()
        if not self._veil.waits:
            self.cancel.hide()
        elif self.cancellable and self.isVisible():
            left = theme.MOTION["long_wait"] - 1000 * self._veil.waited
            self._long.start(round(left)) if left > 0 else self._offer_cancel()

    def _offer_cancel(self) -> None:
        self.cancel.show()
        self._place_cancel()

    def _place_cancel(self) -> None:
        self.cancel.adjustSize()
        top = theme.current().px(WORDS + 30)  # below the text about the wait
        self.cancel.move((self.width() - self.cancel.width()) // 2, top)
        self.cancel.raise_()

    def _go(self, state: str, page: int) -> None:
        self._layout.setCurrentIndex(page)
        self._veil.raise_()
        if state != self._state:
            self._state = state
            self.setAccessibleDescription("" if state == "ready" else state)
            self.stateChanged.emit(state)

    def _on_error_action(self, name: str) -> None:
        (self.otherRequested if name == self._other else self.retryRequested).emit()

    def _on_paint_failed(self, error: object) -> None:
        self.show_error(f"This picture could not be drawn: {error}")
