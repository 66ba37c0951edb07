"""Which token of the text is of which message. Plain numbers, no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.widgets.tokens import Tokens, tokens_of


@dataclass(frozen=True, eq=False)
class ChatScene:
    """origin  (n,) the message that each token is of; -1: of none"""

    tokens: Tokens
    origin: np.ndarray

    @property
    def colored(self) -> np.ndarray:
        """(n,) bool: all but the words of the template."""
        return (self.origin >= 0) | np.isin(self.tokens.ids, list(self.tokens.special))

    def span(self, message: int) -> tuple[int, int]:
        """Where a message stands in the bytes of the text; (-1, -1): nowhere."""
        (places,) = np.nonzero(self.origin == message)
        if message < 0 or not len(places):
            return -1, -1
        return int(self.tokens.starts[places[0]]), int(self.tokens.ends[places[-1]])

    def message_at(self, byte: int) -> int:
        """The message of the token that begins there."""
        (places,) = np.nonzero(self.tokens.starts == byte)
        return int(self.origin[places[-1]]) if len(places) else -1


def scene_of(prompt: Any, written: Sequence[int], coming: int, tokenizer: Any) -> ChatScene:
    """A ChatPrompt and what was written after it, which becomes the message `coming`."""
    data, spans = prompt.text.encode(), list(prompt.spans)
    for one in written:
        piece = tokenizer.piece_bytes(one)
        spans.append((len(data), len(data) + len(piece)))
        data += piece
    ids = (*prompt.ids, *written)
    origin = np.array((*prompt.origin, *(coming for _ in written)), dtype=np.int64)
    special = list(tokenizer.special_tokens.values())
    origin[len(prompt.ids) :][np.isin(written, special)] = -1
    return ChatScene(tokens_of(data, ids, spans, tokenizer), origin)
