"""Commands of Attention, for menus, palette and keys."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.attention.pane import AttentionPane

MODES = {
    "map": "heat map",
    "arcs": "arcs between tokens",
    "steps": "follow a query step by step",
    "compare": "compare two texts",
}


def pane_actions(pane: AttentionPane) -> list[Action]:
    choice, reader, prompt = pane.choice, pane.reader, pane.inputs.prompt

    def known() -> bool:
        return reader.heads is not None

    def traced() -> bool:
        return pane.playback.track is not None

    def can_append() -> bool:
        return pane.playback.expected is not None and pane.view.head.append.isEnabled()

    def type_text() -> None:
        prompt.setFocus()
        prompt.selectAll()

    def choose_strongest() -> None:
        found = pane.comparer.found
        if reader.heads is not None:
            score = reader.heads.score(pane.settings.score)
            choice.pick_strongest(score if found is None else found.difference)

    def toggle(name: str) -> None:
        pane.choose(**{name: not getattr(pane.settings, name)})

    def is_off() -> bool:
        return choice.place is not None and choice.place[:2] in reader.off

    rows = [
        ("walk", "walk through the tokens", lambda: pane.set_walking(not pane.playback.walking),
         "Ctrl+Shift+W", traced, lambda: pane.playback.walking),
        ("hide_first", "hide the first token", partial(toggle, "hide_first"), "Ctrl+Shift+H",
         known, lambda: pane.settings.hide_first),
        ("sort", "sort the heads by their score", partial(toggle, "sorted"), "Ctrl+Shift+S",
         known, lambda: pane.settings.sorted),
        ("induction", "go to the head with the highest score", choose_strongest,
         "Ctrl+Shift+B", known, None),
        ("head_off", "switch this head off", pane.toggle_head, "Ctrl+Shift+X",
         lambda: known() and reader.can_switch, is_off),
        ("all_on", "switch all heads on", reader.all_on, "", lambda: bool(reader.off), None),
        ("append", "append the likeliest next token", pane.append, "Ctrl+Shift+A",
         can_append, None),
        ("next_token", "next query token", partial(choice.move_query, 1), "Ctrl+Alt+Right", known,
         None),
        ("previous_token", "previous query token", partial(choice.move_query, -1), "Ctrl+Alt+Left",
         known, None),
        ("base", "compare with the model before fine-tuning", pane.compare_with_base, "",
         lambda: known() and pane.comparer.has_base, None),
    ]  # fmt: skip
    modes = [
        Action(
            f"attention.{name}", f"Attention: {title}", partial(pane.set_mode, name),
            f"Alt+{place}", traced if name == "steps" else known,
            checked=lambda name=name: pane.settings.mode == name,
        )
        for place, (name, title) in enumerate(MODES.items(), start=1)
    ]  # fmt: skip
    others = [
        Action(f"attention.{name}", f"Attention: {title}", run, keys, enabled, checked=checked)
        for name, title, run, keys, enabled, checked in rows
    ]
    update = "Attention: run the model again"
    return [
        *modes,
        *others,
        Action("attention.update", update, pane.update_heads, "F5"),
        Action("attention.prompt", "Attention: type some text", type_text, "Ctrl+L"),
    ]
