"""Asks the engine how a token or a piece came to be; only the newest question is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
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
        self._latest = {"chosen": Latest(engine, parent), "pointed": Latest(engine, parent)}
        for latest in self._latest.values():
            latest.failed.connect(self.failed)
        self._latest["chosen"].came.connect(lambda found: self.came.emit(*found))
        self._latest["pointed"].came.connect(lambda found: self.pointed.emit(*found))

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
        self._latest[kind].stop()

    def _ask(self, opened: Opened, kind: str, make: Callable[..., Making], *about: Any) -> None:
        name = f"looking at a token of {opened.name}"
        self._latest[kind].call(_made, opened, make, *about, name=name)


def _made(opened: Opened, make: Callable[..., Making], *about: Any) -> tuple[Opened, Making]:
    """On the engine's thread."""
    return opened, make(opened.tokenizer, *about)
