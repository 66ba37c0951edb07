"""What the mode Expression adds to menus and palette."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.backprop.expression.examples import EXAMPLES
from explorer.panes.backprop.expression.view import ZOOM
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.backprop.expression.mode import ExpressionMode


def commands(mode: ExpressionMode) -> list[Action]:
    graph, trying, lab = mode.view.graph, mode.trying, mode.lab

    def always() -> bool:
        return True

    def there() -> bool:
        return mode.computed is not None

    def readable() -> bool:
        return lab.is_readable

    def action(
        name: str,
        text: str,
        run: Callable[[], Any],
        can: Callable[[], bool] = there,
        checked: Callable[[], bool] | None = None,
    ) -> Action:
        return Action(
            f"backprop.expression.{name}",
            f"Expression: {text}",
            run,
            enabled=lambda: mode.active and can(),
            checked=checked,
        )

    def stepped() -> bool:
        return bool(lab.draft.value.losses)

    def example(name: str, title: str) -> Action:
        return action(f"example.{name}", f"show {title}", lambda: lab.show_example(name), always)

    def edit() -> None:
        trying.edit(trying.leaf, trying.element)

    def fixed() -> bool:
        return lab.draft.value.is_fixed(trying.leaf)

    return [
        action("type", "type a formula", mode.view.editor.field.setFocus, always),
        *(example(one.id, one.title[:1].lower() + one.title[1:]) for one in EXAMPLES),
        action(
            "fold",
            "show or fold inputs and steps",
            mode.view.fold.turn,
            lambda: mode.view.fold.can_turn,
        ),
        action("fit", "fit the whole graph", graph.fit),
        action("larger", "a larger graph", lambda: graph.zoom_by(ZOOM)),
        action("smaller", "a smaller graph", lambda: graph.zoom_by(1 / ZOOM)),
        action("backward", "go to where backward begins", mode.seek_backward),
        action("check", "check every gradient by nudging", mode.toggle_check, there, mode.checks),
        action(
            "edit",
            "type the value of the chosen input",
            edit,
            readable,
        ),
        action("step", "take a gradient step", lab.step_downhill, readable),
        action("ten", "take ten gradient steps", lambda: lab.step_downhill(10), readable),
        action("reset", "reset the gradient steps", lab.reset_steps, stepped),
        action(
            "fix",
            "fix the chosen input, or let it take steps",
            lambda: lab.set_fixed(trying.leaf, not fixed()),
            there,
            fixed,
        ),
    ]
