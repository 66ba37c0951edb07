"""The states of Compare in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.tokenizers.compare.display_options import DisplayOptions
from explorer.panes.tokenizers.compare.presets import EXAMPLES
from explorer.panes.tokenizers.draft import FIRST

if TYPE_CHECKING:
    from explorer.panes.tokenizers.compare.mode import CompareMode


def views(mode: CompareMode) -> dict[str, Callable[[], Any]]:
    """Returns by name a callable that brings the mode into that state."""

    def tokens(text: str, **options: Any) -> Callable[[], Any]:
        async def bring() -> None:
            mode.selection.clear()
            mode.set_text(text)
            mode.choose(**{**vars(DisplayOptions()), **options})
            await mode.settled()

        return bring

    async def token() -> None:
        """Explains a token that contains "erry", in the last column that has one."""
        await tokens(FIRST)()
        for place, column in reversed(list(enumerate(mode.view.columns))):
            found = [at for at, one in enumerate(column.flow.tokens.pieces) if "erry" in one]
            if found:
                mode.look_at(place, found[0])
                break
        await mode.settled()

    def submode(name: str) -> Callable[[], Any]:
        async def bring() -> None:
            mode.selection.clear()
            mode.choose(view=name)
            await mode.settled()

        return bring

    async def vocabulary() -> None:
        """Explains a piece of the last list that has two."""
        await submode("vocabulary")()
        lists = [column.list for column in mode.search.view.columns]
        found = [one for one in lists if len(one.pieces.ids) > 1]
        if found:
            found[-1].setCurrentIndex(found[-1].pieces.index(1))
        await mode.settled()

    async def glitches() -> None:
        """Searches a real model if there is one on this machine."""
        await submode("glitches")()
        one: Any = mode.submodes["glitches"]
        if "known:smollm2" in dict(one.sources()):
            one.choose("known:smollm2")
        await mode.settled()

    return {
        "columns": tokens(FIRST),
        "token": token,
        "vocabulary": vocabulary,
        "overlap": submode("overlap"),
        "glitches": glitches,
        "rows": tokens(FIRST, layout="rows", ids=True),
        "differences": tokens(FIRST, differences=True),
        "bytes": tokens(EXAMPLES["One sentence, many languages"], bytes=True),
    }
