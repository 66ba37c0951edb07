"""Asks the engine how a token or a piece came to be; only the newest question is answered."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from explorer.engine import errors, tasks
from explorer.engine.engine import Engine
from explorer.engine.jobs import SUPERSEDED, EngineDied
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare.making import Making, make_piece, make_token
from explorer.widgets.tokens import Tokens


class Explaining(QObject):
    """`came(opened, making)`; `pointed(opened, making)` of what is only hovered; `failed(message)`.

    What is chosen is explained until `clear`; what is hovered is looked up beside it.
    """

    came = Signal(object, object)
    pointed = Signal(object, object)
    failed = Signal(str)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._owner = parent
        self._turns = {"chosen": 0, "pointed": 0}

    def ask_token(
        self, opened: Opened, tokens: Tokens, index: int, specials: bool, pointed: bool = False
    ) -> None:
        """How the token at `index` of a cut text came to be."""
        start, end = int(tokens.starts[index]), int(tokens.ends[index])
        found = (tokens.data, start, end, int(tokens.ids[index]), specials)
        self._ask(opened, "pointed" if pointed else "chosen", make_token, *found)

    def ask_piece(self, opened: Opened, token: int) -> None:
        """How a piece of the vocabulary comes to be."""
        self._ask(opened, "chosen", make_piece, token)

    def clear(self, kind: str = "chosen") -> None:
        """Nothing of this kind is wanted any more."""
        self._turns[kind] += 1

    def _ask(self, opened: Opened, kind: str, make: Any, *about: Any) -> None:
        self._turns[kind] += 1
        if self._engine.alive:
            tasks.spawn(self._look(opened, kind, self._turns[kind], make, *about), self._owner)

    async def _look(self, opened: Opened, kind: str, turn: int, make: Any, *about: Any) -> None:
        try:
            key = ("compare", kind)
            found: Making = await self._engine.call(make, opened.tokenizer, *about, key=key)
        except (ValueError, EngineDied) as error:
            if turn == self._turns[kind]:
                self.failed.emit(str(error))
            return
        except Exception as error:
            errors.report(error, f"looking at a token of {opened.name}")
            return
        if found is not SUPERSEDED and turn == self._turns[kind]:
            (self.came if kind == "chosen" else self.pointed).emit(opened, found)
