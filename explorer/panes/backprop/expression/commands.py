"""Commands of the Expression mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.expression.view import ZOOM
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.backprop.expression.mode import ExpressionMode


def commands(mode: ExpressionMode) -> list[Action]:
    graph = mode.view.graph

    def action(
        name: str,
        text: str,
        run: Callable[[], Any],
        can: Callable[[], bool] = lambda: mode.computed is not None,
        checked: Callable[[], bool] | None = None,
    ) -> Action:
        one = mode.action(name, f"Expression: {text}", run)
        return replace(one, enabled=lambda: mode.active and can(), checked=checked)

    def always() -> bool:
        return True

    def readable() -> bool:
        return mode.is_readable

    def fixed() -> bool:
        return mode.draft.value.is_fixed(mode.trial.leaf)

    def stepped() -> bool:
        return bool(mode.draft.value.losses)

    def example(name: str, title: str) -> Action:
        words = f"show {title[:1].lower()}{title[1:]}"
        return action(f"example.{name}", words, lambda: mode.show_example(name), always)

    return [
        action("type", "type a formula", mode.view.editor.field.setFocus, always),
        *(example(one.id, one.title) for one in EXAMPLES),
        action("fit", "fit the whole graph", graph.fit),
        action("larger", "zoom in", lambda: graph.zoom_by(ZOOM)),
        action("smaller", "zoom out", lambda: graph.zoom_by(1 / ZOOM)),
        action("backward", "go to the start of the backward pass", mode.seek_backward),
        action("check", "check every gradient by nudging", mode.toggle_check, checked=mode.checks),
        action(
            "edit",
            "type the value of the chosen input",
            lambda: mode.edit_leaf(*mode.tried),
            readable,
        ),
        action("step", "take a gradient step", mode.step_downhill, readable),
        action("ten", "take ten gradient steps", lambda: mode.step_downhill(10), readable),
        action("reset", "reset the gradient steps", mode.reset_steps, stepped),
        action(
            "fix",
            "fix the chosen input, or let it take steps",
            lambda: mode.set_fixed(mode.trial.leaf, not fixed()),
            checked=fixed,
        ),
    ]
