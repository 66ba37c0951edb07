"""Cards above the picture: errors with a count, offers with buttons; never a modal dialog.

They stand between a person and the picture, so each takes one line where there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer import theme
from explorer.engine import errors
from explorer.widgets.card import Card
from explorer.widgets.rows_card import RowsCard

MOST_SHOWN = 3
COPY, FEWER = "Copy details", "Only this one"


class Notices(QWidget):
    """Shows at most three errors and drops the oldest; only the newest is visible until the user
    asks for the others. An offer stays until it is answered.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notices")
        self.cards: dict[object, Card | RowsCard] = {}
        self._problems: dict[object, Card] = {}  # error cards, oldest first
        self._are_all_seen = False
        self._column = QVBoxLayout(self)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def offer(
        self,
        key: object,
        kind: str,
        title: str,
        message: str,
        choices: Mapping[str, Callable[[], object]],
    ) -> Card:
        """Adds a card with a button per choice; each closes it. The same key replaces the card."""
        card = Card(kind, message, list(choices), title, closable=True, compact=True, parent=self)
        card.actionTriggered.connect(lambda name: self._on_choice(key, choices.get(name)))
        self._add(key, card)
        return card

    def offer_rows(self, key: object, kind: str, title: str, choices: Sequence[str]) -> RowsCard:
        """Adds a card for several things, to be filled with `set_rows`; its owner closes it."""
        card = RowsCard(kind, title, choices, self)
        self._add(key, card)
        return card

    def _add(self, key: object, card: Card | RowsCard) -> None:
        self.close_card(key)
        card.closed.connect(lambda: self.close_card(key))
        self.cards[key] = card
        self._column.addWidget(card)
        self.show()

    def show_problem(self, problem: errors.Problem) -> None:
        """Shows an error card; the same error again only raises its count and updates its text."""
        card = self.cards.get(problem.key)
        if not isinstance(card, Card):
            choices = {COPY: lambda: QGuiApplication.clipboard().setText(problem.details)}
            card = self.offer(problem.key, "error", problem.title, problem.text, choices)
            card.closed.connect(lambda: errors.forget(problem))
            self._problems[problem.key] = card
            while len(self._problems) > MOST_SHOWN:
                self.close_card(next(iter(self._problems)))
            self._fold()
        if card.message != problem.text:
            card.set_message(problem.text)
        card.set_count(problem.count)

    def close_problem(self, problem: errors.Problem) -> None:
        self.close_card(problem.key)

    def close_card(self, key: object) -> None:
        card = self.cards.pop(key, None)
        self._problems.pop(key, None)
        if card is not None:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._fold()
        self.setVisible(bool(self.cards))

    def _fold(self) -> None:
        """Shows only the newest error card, which leaves room for the picture, or all of them."""
        others = len(self._problems) - 1
        self._are_all_seen = self._are_all_seen and others > 0
        for place, card in enumerate(self._problems.values()):
            is_newest = place == others
            card.setVisible(is_newest or self._are_all_seen)
            more = FEWER if self._are_all_seen else f"{others} more"
            card.set_actions([COPY, more] if is_newest and others else [COPY])

    def close_last(self) -> bool:
        """Handles Esc: closes the newest card without an answer; waiting runs are offered again at
        the next start.
        """
        if not self.cards:
            return False
        key, card = list(self.cards.items())[-1]
        if isinstance(card, RowsCard):
            self.close_card(key)
        else:
            card.closed.emit()
        return True

    def _on_choice(self, key: object, choice: Callable[[], object] | None) -> None:
        if choice is None:
            self._are_all_seen = not self._are_all_seen
            self._fold()
        else:
            self.close_card(key)
            choice()

    def minimumSizeHint(self) -> QSize:
        """Returns the height of the text at the current width, not at the least one; otherwise the
        page below would scroll while a card is shown.
        """
        least = super().minimumSizeHint()
        high = self.heightForWidth(max(self.width(), least.width()))
        return QSize(least.width(), high if high > 0 else least.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._column.setContentsMargins(margin, now.px(8), margin, now.px(8))
        self._column.setSpacing(now.px(4))
