"""A card: icon, title, message and actions; repeated errors are counted."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QResizeEvent, QTextLayout
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from explorer import theme
from explorer.theme import icons
from explorer.widgets.base import IconButton, Label, elide, ratio_of, set_look

WORDS = {"error": "Error", "warning": "Warning", "info": "Note", "success": "Done"}
MOST_SHOWN = 400  # characters of a message: a file's errors may quote its contents
NARROW = 220  # px: below this width, icon and title are above the message, not beside it
TIGHT = 120  # px: below this width there is no icon, and buttons have almost no margin
SIDE, TIGHT_SIDE = 6, 3  # px: margins of a narrow card, and of a tight one
TITLE_LINES = 4  # of a title in a narrow card; a longer one is complete in its tooltip
BREAKS = "/\\._-:,"  # characters after which a long word may be broken
ROLES = {"error": "error", "warning": "warning", "info": "accent", "success": "success"}


def in_short(message: str) -> str:
    """Cuts out the middle of a long message: the problem comes first, the remedy last."""
    if len(message) <= MOST_SHOWN:
        return message
    half = MOST_SHOWN // 2
    return f"{message[:half].rstrip()} … {message[-half:].lstrip()}"


def breakable(message: str, most: int = 12) -> str:
    """Inserts invisible break points into words of more than `most` letters."""
    words = []
    for word in message.split(" "):
        if len(word) > most:
            pieces = [letter + "\u200b" * (letter in BREAKS) for letter in word]
            parts = "".join(pieces).split("\u200b")
            cut = [part[at : at + most] for part in parts for at in range(0, len(part), most)]
            word = "\u200b".join(cut)
        words.append(word)
    return " ".join(words)


def in_lines(words: str, font: QFont, width: float, most: int) -> str:
    """Returns the words unchanged if they fit into `most` lines of this width; otherwise those
    lines, the last one elided."""
    layout = QTextLayout(words, font)
    starts = []
    layout.beginLayout()
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        starts.append(line.textStart())
    layout.endLayout()
    if len(starts) <= most:
        return words
    ends = starts[1:most]
    lines = [words[start:end].rstrip() for start, end in zip(starts, ends, strict=False)]
    last = elide(words[starts[most - 1] :], font, width, Qt.TextElideMode.ElideRight)
    return "\n".join([*lines, last])


class Glyph(QWidget):
    """A small static icon."""

    def __init__(
        self, name: str, role: str, size: float = 20, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._name, self._role, self._size = name, role, size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def set(self, name: str, role: str) -> None:
        self._name, self._role = name, role
        self.update()

    def sizeHint(self) -> QSize:
        size = theme.current().px(self._size)
        return QSize(size, size)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        ratio = ratio_of(painter)
        down = (self.height() - theme.current().px(self._size)) // 2
        painter.drawPixmap(0, down, icons.pixmap(self._name, self._role, self._size, ratio))
        painter.end()


class Card(QFrame):
    """A message of kind "error", "warning", "info" or "success".

    Signals: `actionTriggered` with the action's text; `closed` when the card is dismissed. A
    `compact` card takes one line if it fits; `actions_first` places the buttons above the message,
    visible however long it is. A `scrolled` card gets the height its words need at its width; any
    other is never lower than its size hint, which assumes another width."""

    actionTriggered = Signal(str)
    closed = Signal()

    def __init__(
        self,
        kind: str,
        message: str,
        actions: list[str] | None = None,
        title: str = "",
        closable: bool = False,
        compact: bool = False,
        actions_first: bool = False,
        scrolled: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        set_look(self, "card")
        self._said = message
        self._count = 1
        self._compact = compact
        self._actions_first = actions_first
        self._scrolled = scrolled
        self._word = WORDS[kind]
        self._title_text = title or self._word
        self._glyph = Glyph(kind, ROLES[kind])
        self.title_label = Label(self._title_text, "body", ROLES[kind], 600)
        self.title_label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        if not compact:
            self.title_label.setMinimumWidth(1)  # a long title wraps instead of widening the card
        self.message_label = Label("", "body", "text", wrap=True)
        self.message_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.message_label.setMinimumWidth(1)  # a long word is broken instead of widening the card
        self._close = IconButton("close", "Dismiss")
        self._close.setVisible(closable)
        self._close.clicked.connect(self.closed)
        self._choices = QWidget()
        if actions_first:
            self._choices.setMinimumWidth(1)  # buttons stack before they widen the card
        self._buttons = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._choices)
        self._buttons.setContentsMargins(0, 0, 0, 0)
        self._buttons.setSpacing(8)
        self._text = QGridLayout()
        self._text.setHorizontalSpacing(12)
        self._text.setVerticalSpacing(4)
        self._text.setColumnStretch(1, 1)
        self._text.setRowStretch(3, 1)  # spare room goes below
        self._row = QHBoxLayout(self)
        self._row.setSpacing(12)
        self._row.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignTop)
        self._row.addLayout(self._text, 1)
        self._row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._arranged = "", False
        kinds = QSizePolicy.Policy
        self.setSizePolicy(kinds.Expanding, kinds.Preferred if scrolled else kinds.Maximum)
        self.set_actions(actions or [])
        self.set_message(message)

    def set_message(self, message: str) -> None:
        """Sets the message: the problem and its remedy. A long one is shown without its middle."""
        self._said = message
        self.setAccessibleName(f"{self._title_text}: {in_short(message)}")
        self._arrange()

    @property
    def message(self) -> str:
        return self._said

    def set_title(self, title: str) -> None:
        """Sets the title; "" restores the kind's own word."""
        self._title_text = title or self._word
        self.set_count(self._count)
        self.set_message(self._said)

    def set_count(self, count: int) -> None:
        """Sets how often this happened; shown from the second time on."""
        self._count = count
        self._arrange()

    @property
    def count(self) -> int:
        return self._count

    @property
    def _title(self) -> str:
        times = f" ({self._count} times)" if self._count > 1 else ""
        return self._title_text + times

    @property
    def _is_narrow(self) -> bool:
        """True if the card is too narrow for its words beside its icon, or for its title."""
        now = theme.current()
        title = self.title_label.fontMetrics().horizontalAdvance(self._title)
        return not self._compact and 0 < self.width() < max(now.px(NARROW), title + now.px(64))

    @property
    def _is_tight(self) -> bool:
        return self._actions_first and 0 < self.width() < theme.current().px(TIGHT)

    def set_actions(self, actions: list[str]) -> None:
        """Sets the buttons below the message; the first is the recommended remedy."""
        while self._buttons.count():
            item = self._buttons.takeAt(0)
            if item is not None and item.widget() is not None:
                item.widget().deleteLater()
        for text in actions:
            button = QPushButton(text, self)
            button.clicked.connect(lambda _=False, name=text: self.actionTriggered.emit(name))
            self._buttons.addWidget(button)
            button.show()  # without this it has no size before the next turn of the event loop
            button.ensurePolished()  # its padding is the style sheet's
        self._choices.setVisible(bool(actions))
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Chooses the arrangement. Compact: title, message and buttons in one line, or the message
        below the other two. Otherwise, or if those do not fit in a line: all below one another. In
        a narrow card only the title is beside the icon, and no word is wider than the card."""
        narrow, tight = self._is_narrow, self._is_tight
        wanted = "narrow" if narrow else "stacked"
        self._stack_buttons()
        if self._compact:
            wanted = "line" if self._fits_one_line() else "two lines"
            if wanted == "two lines" and self._taken() > self.width():
                wanted = "stacked"
        self._write()
        if (wanted, tight) == self._arranged:
            return
        self._arranged = wanted, tight
        for part in (self._glyph, self.title_label, self.message_label, self._choices):
            self._text.removeWidget(part)
        self._row.removeWidget(self._glyph)
        left, top = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignTop
        # The height of a narrow card also depends on its width.
        kinds = QSizePolicy.Policy
        self.title_label.setWordWrap(narrow)
        message = kinds.Preferred if narrow or self._scrolled else kinds.Minimum
        title = kinds.Preferred if narrow else kinds.Fixed
        for label, kind in ((self.message_label, message), (self.title_label, title)):
            policy = label.sizePolicy()  # keeps its height-for-width flag
            policy.setVerticalPolicy(kind)
            label.setSizePolicy(policy)
        if narrow:
            self._text.addWidget(self._glyph, 0, 0, top)
        else:
            self._row.insertWidget(0, self._glyph, 0, top)
        beside = int(narrow and not tight)  # a tight card hides its icon
        self._text.addWidget(self.title_label, 0, beside, 1, 3 - beside if narrow else 1)
        if wanted in ("stacked", "narrow"):
            above = int(self._actions_first)
            self._text.addWidget(self.message_label, 1 + above, 0, 1, 3)
            self._text.addWidget(self._choices, 2 - above, 0, 1, 3, left)
        else:
            self._text.addWidget(self._choices, 0, 2)
            place = (0, 1, 1, 1) if wanted == "line" else (1, 0, 1, 3)
            self._text.addWidget(self.message_label, *place)
        above = wanted in ("stacked", "narrow")
        self._buttons.setContentsMargins(0, 4 if above else 0, 0, 0)
        margin = {"stacked": 12, "narrow": 8}.get(wanted, 5)
        side = (TIGHT_SIDE if tight else SIDE) if narrow else 16
        self._row.setContentsMargins(side, margin, side if narrow else margin, margin)
        self._text.setHorizontalSpacing(8 if narrow else 12)
        level = theme.current().px("control") if self._compact else self._glyph.sizeHint().height()
        self._glyph.setFixedHeight(level)
        self.updateGeometry()

    @property
    def arrangement(self) -> str:
        """The current arrangement: "line", "two lines", "stacked" or "narrow"."""
        return self._arranged[0]

    def _stack_buttons(self) -> None:
        """Stacks the buttons if they do not fit in a line, and reduces their padding if one alone
        does not fit."""
        items = [self._buttons.itemAt(at) for at in range(self._buttons.count())]
        wide = sum(item.sizeHint().width() + self._buttons.spacing() for item in items)
        beside = 0 if self._close.isHidden() else self._close.sizeHint().width() + 12
        narrow = 0 < self.width() < wide + beside + theme.current().px(40)
        kind = QBoxLayout.Direction
        self._buttons.setDirection(kind.TopToBottom if narrow else kind.LeftToRight)
        tight = self._is_tight
        self._glyph.setVisible(not tight)
        look = "tight" if tight else ""
        for item in items:
            if (item.widget().property("look") or "") != look:
                set_look(item.widget(), look)
                item.widget().updateGeometry()  # the padding has changed, and with it the width

    def _write(self) -> None:
        """Shows title and message. A word too long may be broken; such text cannot be selected, as
        copying would include the breaks, and its tooltip has the original message."""
        self._write_title()
        words, metrics = in_short(self._said), self.message_label.fontMetrics()
        room = self.width() - (theme.current().px(64) if self.width() >= NARROW else 32)
        widest = max(map(metrics.horizontalAdvance, words.split()), default=0)
        broken = self.width() > 0 and widest > room
        self.message_label.setText(breakable(words) if broken else words)
        self.message_label.setToolTip(words if broken else "")
        flags = Qt.TextInteractionFlag
        copied = flags.NoTextInteraction if broken else flags.TextSelectableByMouse
        self.message_label.setTextInteractionFlags(copied)

    def _write_title(self) -> None:
        title = shown = self._title
        if self._is_narrow:
            label = self.title_label
            beside = 0 if self._is_tight else self._glyph.sizeHint().width() + 8
            side = TIGHT_SIDE if self._is_tight else SIDE
            room = self.contentsRect().width() - 2 * side - beside
            if max(map(label.fontMetrics().horizontalAdvance, title.split())) > room:
                shown = breakable(title)
            shown = in_lines(shown, label.font(), room, TITLE_LINES)
        self.title_label.setText(shown)
        self.title_label.setToolTip(title if shown.replace("\u200b", "") != title else "")

    def _fits_one_line(self) -> bool:
        shown = in_short(self._said)
        if "\n" in shown:
            return False
        words = self.message_label.fontMetrics().horizontalAdvance(shown)
        return self._taken() + words + 12 <= self.width()

    def _taken(self) -> int:
        """Returns the width of a line without its message."""
        parts = [self._glyph, self.title_label, self._close]
        taken = sum(part.sizeHint().width() + 12 for part in parts)
        return taken + self._choices.sizeHint().width() + 32
