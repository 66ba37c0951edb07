"""Where a window is too low for a picture and what stands below it, one of them is seen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from explorer import theme
from explorer.theme import icons

HEIGHT = 24  # px


class FoldLine(QToolButton):
    """A line between the two, in a low window alone; it names what is below. `turned(open)`.

    Where there is room for one alone, a click puts what is `below` in the place of what is `above`,
    and back. Where both have some, it folds what is below, so that the picture has more.
    """

    turned = Signal(bool)

    def __init__(
        self,
        words: str,
        above: Sequence[QWidget],
        below: Sequence[QWidget],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._words, self._above, self._below = words, tuple(above), tuple(below)
        self._tight = self._optional = self._open = False
        self.setText(words)
        self.setAutoRaise(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.clicked.connect(self.turn)
        theme.changed.connect(self._restyle)
        self._restyle()
        self._share()

    @property
    def is_tight(self) -> bool:
        """One of the two is seen."""
        return self._tight

    @property
    def is_open(self) -> bool:
        """What stands below is seen."""
        return self._open or not self.can_turn

    def set_tight(self, tight: bool, optional: bool = False) -> None:
        """`tight`: there is room for one of the two alone; that is what is above, until a click.
        `optional`: there is little for both.
        """
        if (tight, optional) != (self._tight, self._optional):
            self._tight, self._optional, self._open = tight, optional, not tight
            self._share()

    @property
    def can_turn(self) -> bool:
        """There is too little room for both."""
        return self._tight or self._optional

    def turn(self) -> None:
        """The other one, or what is below folded or not; where both have room, nothing."""
        if not self.can_turn:
            return
        self._open = not self._open
        self._share()
        self.turned.emit(self._open)

    def show_above(self) -> None:
        """Where one of the two is seen: what is above, since what is below is of no use now."""
        if self._tight and self._open:
            self.turn()

    def _share(self) -> None:
        self.setVisible(self.can_turn)
        for one in self._above:
            one.setVisible(not (self._tight and self._open))
        for one in self._below:
            one.setVisible(self.is_open)
        told = f"{'Fold' if self._open else 'Show'} {self._words[:1].lower()}{self._words[1:]}"
        self.setAccessibleName(told)
        self.setToolTip(told)
        self._restyle()

    def _restyle(self) -> None:
        now = theme.current()
        self.setFont(now.font("label"))
        icon = "chevron-down" if self._open else "chevron-right"
        self.setIcon(icons.icon(icon, "muted", 14))
        self.setIconSize(QSize(now.px(14), now.px(14)))
        self.setFixedHeight(now.px(HEIGHT))
