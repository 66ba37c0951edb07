"""The actions of Precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.training.precision import text
from explorer.panes.training.precision.scene import SHOWN
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.precision.mode import PrecisionMode


def commands(mode: PrecisionMode) -> list[Action]:
    """The two runs, the run's own scale, what is counted, and the formats."""

    def here() -> bool:
        return mode.active

    found = [
        Action("training.precision.start", text.START, mode.start_both, enabled=lambda: (
            here() and not mode.trains), help=text.START_HELP),
        Action("training.precision.record", text.RECORD, mode.record, enabled=lambda: (
            here() and mode.trains), help=text.RECORD_HELP),
        Action("training.precision.run_scale", "Precision: the run's own loss scale",
               lambda: mode.choose_scale(mode.run_scale), enabled=here,
               help="Moves the gradients to where the newest step had them"),
        Action("training.precision.no_scale", "Precision: no loss scale",
               lambda: mode.choose_scale(0), enabled=here,
               help="Moves the gradients to where they are by themselves"),
    ]  # fmt: skip
    for kind, title in text.KINDS.items():
        found.append(
            Action(
                f"training.precision.{kind}",
                f"Precision: {title.lower()}",
                lambda kind=kind: mode.choose_kind(kind),
                enabled=here,
                checked=lambda kind=kind: mode.kind == kind,
            )
        )
    for name in SHOWN:
        found.append(
            Action(
                f"training.precision.format.{name.replace(' ', '_')}",
                f"Precision: what {text.format_name(name)} loses",
                lambda name=name: mode.choose_format(name),
                enabled=here,
                checked=lambda name=name: mode.format == name,
            )
        )
    return found
