"""The numbers on screen in Chat, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, path

if TYPE_CHECKING:
    from explorer.panes.transformer.chat.mode import ChatMode


def readings(mode: ChatMode) -> Iterator[Reading]:
    """Yields the messages, and how many tokens of the text come from them."""
    if (prompt := mode.prompt) is None:
        return
    own = sum(one >= 0 for one in prompt.origin)
    shown = len(mode.view.read.tokens)
    yield from below(VIEW, {"tokens": len(prompt.ids), "tokens.own": own})
    yield path(VIEW, "tokens"), shown
    for at, message in enumerate(mode.view.bubbles.scene or ()):
        yield path(VIEW, f"message:{at}", message["role"]), message["content"]
