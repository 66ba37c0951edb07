"""The actions of Chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.chat import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.chat.mode import ChatMode


def commands(mode: ChatMode) -> list[Action]:
    """As the buttons."""
    rows = (
        ("send", "Send the message, or stop the answer", mode.send_or_stop, ""),
        ("inject", text.INJECT, mode.inject, text.INJECT_HELP),
        ("anew", text.ANEW, mode.begin_anew, text.ANEW_HELP),
    )
    return [
        Action(f"transformer.chat.{name}", title, run, "", lambda: mode.active, help=help)
        for name, title, run, help in rows
    ]
