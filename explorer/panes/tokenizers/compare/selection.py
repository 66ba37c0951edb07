"""The selected token and the hovered one: their derivations, which the player plays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare import inspector
from explorer.panes.tokenizers.compare.derivation import Derivation, derive_piece, derive_token
from explorer.panes.tokenizers.encoding.compute import EncodingStep
from explorer.state.tracks import ListTrack, Track
from explorer.widgets.tokens import Tokens

POINTED = 60  # ms of hovering over a token before it is explained

Explained = tuple[Opened, Derivation]


class TokenSelection(QObject):
    """Emits `changed` when the selected token changes, `pointed` when the hovered one does, and
    `failed(message)`."""

    changed = Signal()
    pointed = Signal()
    failed = Signal(str)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self.chosen: Explained | None = None
        self._under: Explained | None = None  # the hovered token
        self._wanted: tuple[Any, ...] = ()  # to be explained when the pointer rests
        self._choices, self._pointer = Latest(engine, parent), Latest(engine, parent)
        self._choices.came.connect(self._on_chosen)
        self._pointer.came.connect(self._on_pointed)
        self._choices.failed.connect(self.failed)
        self._pointer.failed.connect(self.failed)
        self._rest = QTimer(self, singleShot=True, interval=POINTED)
        self._rest.timeout.connect(lambda: _explain(self._pointer, *self._wanted))

    def choose(self, opened: Opened, tokens: Tokens, index: int, specials: bool) -> None:
        """Selects and explains a token of the text."""
        self.point(None)
        _explain(self._choices, opened, derive_token, *_about(tokens, index), specials)

    def choose_piece(self, opened: Opened, token: int) -> None:
        """Selects and explains a piece of the vocabulary."""
        self.point(None)
        _explain(self._choices, opened, derive_piece, token)

    def clear(self) -> bool:
        """Clears the selection; returns False if there was none."""
        self._choices.stop()
        self.point(None)
        if self.chosen is None:
            return False
        self.chosen = None
        self.changed.emit()
        return True

    def point(
        self, opened: Opened | None, tokens: Tokens | None = None, index: int = -1, on: bool = True
    ) -> None:
        """Explains a token once the pointer rests on it, unless one is selected; None: no token."""
        self._rest.stop()
        self._pointer.stop()
        if opened is not None and tokens is not None and index >= 0 and self.chosen is None:
            self._wanted = (opened, derive_token, *_about(tokens, index), on)
            self._rest.start()
        elif self._under is not None:
            self._under = None
            self.pointed.emit()

    def _on_chosen(self, explained: Explained) -> None:
        self.chosen = explained
        self.changed.emit()

    def _on_pointed(self, explained: Explained) -> None:
        self._under = explained
        self.pointed.emit()

    # playback

    @property
    def derivation(self) -> Derivation | None:
        return self.chosen[1] if self.chosen is not None else None

    @property
    def steps(self) -> Sequence[EncodingStep]:
        return self.chosen[1].steps if self.chosen is not None else ()

    @property
    def result(self) -> int:
        """The index of the step that produces the token."""
        drawn = [place for place, one in enumerate(self.steps) if one.scene is not None]
        models = [place for place, one in enumerate(self.steps) if one.stage == 2]
        return (drawn or models or [0])[-1]

    def tracks(self) -> list[Track]:
        titles = [one.step.title for one in self.steps]
        return [ListTrack(titles, self.steps)] if titles else []

    def step_at(self, position: float) -> EncodingStep | None:
        place = min(math.ceil(position), len(self.steps) - 1)
        return self.steps[place] if place >= 0 else None

    def inspection(self, position: float) -> Inspection | None:
        """Returns the inspection of the selected token, else of the hovered one, else None."""
        if self.chosen is not None:
            opened, derivation = self.chosen
            return inspector.token_inspection(opened.name, derivation, self.step_at(position), True)
        if self._under is not None:
            opened, derivation = self._under
            last = next((one for one in reversed(derivation.steps) if one.stage == 2), None)
            return inspector.token_inspection(opened.name, derivation, last, False)
        return None


def _about(tokens: Tokens, index: int) -> tuple[bytes, int, int, int]:
    """Returns the arguments of `derive_token` for a token of the text."""
    start, end = int(tokens.starts[index]), int(tokens.ends[index])
    return tokens.data, start, end, int(tokens.ids[index])


def _explain(
    latest: Latest, opened: Opened, derive: Callable[..., Derivation], *about: Any
) -> None:
    def explain() -> Explained:
        return opened, derive(opened.tokenizer, *about)

    latest.call(explain, name=f"explaining a token of {opened.name}")
