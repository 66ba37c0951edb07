"""Commands of the Compare mode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.panes.tokenizers.compare import text
from explorer.panes.tokenizers.compare.display_options import LAYOUTS
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.tokenizers.compare.mode import CompareMode


def commands(mode: CompareMode) -> list[Action]:
    def switch(name: str) -> Action:
        def turn() -> None:
            mode.choose(**{name: not getattr(mode.options, name)})

        action = mode.action(name, f"Compare: {text.COMMANDS[name]}", turn)
        return replace(action, checked=lambda: bool(getattr(mode.options, name)))

    def view(name: str) -> Action:
        title = f"Compare: {text.COMMANDS[name]}"
        action = mode.action(f"view.{name}", title, lambda: mode.choose(view=name))
        return replace(action, checked=lambda: mode.options.view == name)

    def turn_layout() -> None:
        mode.choose(layout=LAYOUTS[mode.options.layout == LAYOUTS[0]])

    def focus_text() -> None:
        mode.view.editor.setFocus()
        mode.view.editor.selectAll()

    return [
        *map(switch, (*text.TOGGLES, *text.SWITCHES)),
        mode.action("layout", "Compare: switch between columns and rows", turn_layout),
        *map(view, text.VIEWS),
        mode.action("open", "Compare: open a tokenizer file", mode.ask_for_file),
        mode.action("text", "Compare: type some text", focus_text),
    ]
