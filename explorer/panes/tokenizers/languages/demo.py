"""The states of Languages in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.panes.tokenizers.languages.mode import LanguagesMode


def views(mode: LanguagesMode) -> dict[str, Callable[[], Any]]:
    """Returns by name a callable that brings the mode into that state."""

    def bars(order: str, search: str, code: str) -> Callable[[], Any]:
        async def bring() -> None:
            mode.view.search_bar.search.setText(search)
            mode.set_order(order)
            await mode.settled()
            mode.choose(code, 0)

        return bring

    async def inside() -> None:
        await bars("premium", "", "hin")()
        mode.enter("hin", 0)
        mode.player.seek(2)

    return {
        "premiums": bars("premium", "", "hin"),
        "names": bars("name", "an", ""),
        "inside": inside,
    }
