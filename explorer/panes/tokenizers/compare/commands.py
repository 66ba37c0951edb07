"""What Compare adds to menus and palette, and the views that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.tokenizers.compare.examples import EXAMPLES
from explorer.panes.tokenizers.draft import FIRST
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.tokenizers.compare.mode import CompareMode

VIEWS = (
    ("text", "a text under every tokenizer"),
    ("vocabulary", "search the vocabularies"),
    ("overlap", "what vocabularies share"),
    ("glitches", "glitch tokens of a model"),
)
SWITCHES = (
    ("ids", "ids below the tokens"),
    ("bytes", "bytes in place of text"),
    ("whitespace", "spaces as glyphs"),
    ("specials", "special tokens are parsed"),
    ("differences", "only differences in color"),
)


def mode_actions(mode: CompareMode) -> list[Action]:
    def shown() -> bool:
        return mode.active

    def switch(name: str) -> Callable[[], None]:
        return lambda: mode.choose(**{name: not getattr(mode.choices, name)})

    def is_on(name: str) -> Callable[[], bool]:
        return lambda: bool(getattr(mode.choices, name))

    other = {"columns": "rows", "rows": "columns"}
    return [
        *(
            Action(
                f"tokenizers.compare.{name}",
                f"Compare: {text}",
                switch(name),
                enabled=shown,
                checked=is_on(name),
            )
            for name, text in SWITCHES
        ),
        Action(
            "tokenizers.compare.layout",
            "Compare: columns or rows",
            lambda: mode.choose(layout=other[mode.choices.layout]),
            enabled=shown,
        ),
        *(
            Action(
                f"tokenizers.compare.view.{name}",
                f"Compare: {text}",
                lambda name=name: mode.choose(view=name),
                enabled=shown,
                checked=lambda name=name: mode.choices.view == name,
            )
            for name, text in VIEWS
        ),
        Action(
            "tokenizers.compare.open",
            "Compare: open a tokenizer's file",
            mode.ask_for_file,
            enabled=shown,
        ),
        Action(
            "tokenizers.compare.text",
            "Compare: type a text",
            lambda: focus_text(mode),
            enabled=shown,
        ),
    ]


def focus_text(mode: CompareMode) -> None:
    mode.view.editor.setFocus()
    mode.view.editor.selectAll()


def mode_views(mode: CompareMode) -> dict[str, Callable[[], Any]]:
    """Columns, rows with ids, differences, bytes."""
    languages = dict(EXAMPLES)["One sentence, many languages"]
    plain = {
        "view": "text",
        "layout": "columns",
        "ids": False,
        "bytes": False,
        "differences": False,
    }

    def view(text: str, **changes: Any) -> Callable[[], Any]:
        async def bring() -> None:
            mode.chosen.clear()
            mode.set_text(text)
            mode.choose(**{**plain, **changes})
            await mode.settled()

        return bring

    def tool(name: str) -> Callable[[], Any]:
        async def bring() -> None:
            mode.chosen.clear()
            mode.choose(view=name)
            sources = dict(mode.tools.by_name["glitches"].sources())
            if name == "glitches" and "known:smollm2" in sources:
                mode.tools.by_name[name].choose("known:smollm2")
            await mode.settled()
            if name == "vocabulary":
                lists = [column.list for column in mode.tools.by_name[name].view.columns]
                found = [one for one in lists if len(one.pieces.ids) > 1]
                if found:
                    found[-1].setCurrentIndex(found[-1].pieces.index(1))
                await mode.settled()

        return bring

    async def token(piece: str = "strawberry") -> None:
        """The first columns' token that holds this, explained."""
        await view(FIRST)()
        for place, column in reversed(list(enumerate(mode.view.columns))):
            pieces = column.flow.tokens.pieces
            found = [index for index, one in enumerate(pieces) if piece in one]
            if found:
                mode.look_at(place, found[0])
                break
        await mode.settled()

    return {
        "columns": view(FIRST),
        "token": token,
        "vocabulary": tool("vocabulary"),
        "overlap": tool("overlap"),
        "glitches": tool("glitches"),
        "rows": view(FIRST, layout="rows", ids=True),
        "differences": view(FIRST, differences=True),
        "bytes": view(languages, bytes=True),
    }
