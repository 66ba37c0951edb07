"""The token that is looked at in Compare: its making, what plays it, what is said of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from core.trace import Step
from explorer.engine.engine import Engine
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare import telling
from explorer.panes.tokenizers.compare.explaining import Explaining
from explorer.panes.tokenizers.compare.making import Making
from explorer.panes.tokenizers.encoding.compute import EncodingStep
from explorer.state.tracks import ListTrack, Track
from explorer.widgets.tokens import Tokens

POINTED = 60  # ms that the pointer rests on a token before it is looked up


class Chosen(QObject):
    """`changed` when another token is chosen or none; `pointed` when what is hovered is known."""

    changed = Signal()
    pointed = Signal()
    said = Signal(str)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._explaining = Explaining(engine, parent)
        self.opened: Opened | None = None
        self.making: Making | None = None
        self._hovered: tuple[Opened, Making] | None = None
        self._wish: tuple[Opened, Tokens, int, bool] | None = None
        self._rest = QTimer(self, singleShot=True)
        self._rest.setInterval(POINTED)
        self._rest.timeout.connect(self._look_at_wish)
        self._explaining.came.connect(self._on_came)
        self._explaining.pointed.connect(self._on_pointed)
        self._explaining.failed.connect(self.said)

    # choosing

    def choose(self, opened: Opened, tokens: Tokens, index: int, specials: bool) -> None:
        self.point(None)
        self._explaining.ask_token(opened, tokens, index, specials)

    def choose_piece(self, opened: Opened, token: int) -> None:
        """A piece of the vocabulary, in no text."""
        self.point(None)
        self._explaining.ask_piece(opened, token)

    def clear(self) -> bool:
        """Nothing is chosen any more; False when nothing was."""
        self._explaining.clear()
        self.point(None)
        if self.making is None:
            return False
        self.opened = self.making = None
        self.changed.emit()
        return True

    def point(
        self, opened: Opened | None, tokens: Tokens | None = None, index: int = -1, on: bool = True
    ) -> None:
        """The pointer rests on a token; None: on none. What is chosen goes before."""
        self._rest.stop()
        self._explaining.clear("pointed")
        self._wish = None
        if opened is not None and tokens is not None and index >= 0 and self.making is None:
            self._wish = (opened, tokens, index, on)
            self._rest.start()
        elif self._hovered is not None:
            self._hovered = None
            self.pointed.emit()

    def _look_at_wish(self) -> None:
        if self._wish is not None:
            self._explaining.ask_token(*self._wish, pointed=True)

    def _on_came(self, opened: Opened, making: Making) -> None:
        self.opened, self.making = opened, making
        self.changed.emit()

    def _on_pointed(self, opened: Opened, making: Making) -> None:
        self._hovered = (opened, making)
        self.pointed.emit()

    # playing

    @property
    def moments(self) -> Sequence[EncodingStep]:
        return self.making.moments if self.making is not None else ()

    @property
    def result(self) -> int:
        """The step at which the token is there."""
        drawn = [place for place, one in enumerate(self.moments) if one.scene is not None]
        models = [place for place, one in enumerate(self.moments) if one.stage == 2]
        return (drawn or models or [0])[-1]

    def track(self) -> Track | None:
        if not self.moments:
            return None
        return ListTrack([moment.step.title for moment in self.moments], self.moments)

    def wish(self) -> dict[str, str]:
        """What Inside is asked to show of this token."""
        if self.opened is None or self.making is None:
            return {}
        return {"tokenizer": self.opened.entry.id, "text": self.making.text}

    def moment_at(self, position: float) -> EncodingStep | None:
        place = min(math.ceil(position), len(self.moments) - 1)
        return self.moments[place] if place >= 0 else None

    def inspection(self, position: float) -> Inspection | None:
        """What the inspector shows of the chosen token, else of the hovered one."""
        if self.making is not None and self.opened is not None:
            moment = self.moment_at(position)
            if moment is None:
                return telling.piece_inspection(self.opened.name, self.making)
            return telling.making_inspection(self.opened.name, self.making, moment)
        if self._hovered is not None:
            opened, making = self._hovered
            models = [one for one in making.moments if one.stage == 2]
            if models:
                return telling.making_inspection(opened.name, making, models[-1], pinned=False)
            return telling.piece_inspection(opened.name, making)
        return None


def rates_tracks(steps: Sequence[Step]) -> list[Track]:
    """What is played before a token is chosen."""
    return [ListTrack([step.title for step in steps], steps)] if steps else []


def alike(some: Sequence[Track], others: Sequence[Track]) -> bool:
    """Whether the same titles are played."""
    return [_titles(one) for one in some] == [_titles(one) for one in others]


def _titles(track: Track) -> list[str]:
    return [track.title(place) for place in range(track.length)]
