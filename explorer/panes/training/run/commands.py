"""The pane's actions, for menus, palette and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.run.mode import TrainingPane


def commands(pane: TrainingPane) -> list[Action]:
    def looking() -> bool:
        return pane.follower.data is not None

    def startable() -> bool:
        return not pane.planning.errors

    def branchable() -> bool:
        return pane.moment is not None and pane.moment.checkpoint is not None

    def kept(way: int) -> bool:
        return looking() and pane.cursor.checkpoint_beside(way) is not None

    def seek(way: int) -> Callable[[], None]:
        return lambda: pane.cursor.seek_checkpoint(way)

    rows = (
        ("start", "Start training", pane.driver.start_run, "Ctrl+Return", startable, 2),
        ("new", "New run", pane.new_run, "", None, 2),
        ("branch", "Resume from here (a branch)\u2026", pane.driver.branch_here, "", branchable, 2),
        ("before", "Previous checkpoint", seek(-1), "Ctrl+PgUp", lambda: kept(-1), 2),
        ("after", "Next checkpoint", seek(1), "Ctrl+PgDown", lambda: kept(1), 2),
        ("csv", "Export the run as CSV\u2026", pane.ask_for_csv, "", looking, 3),
        ("png", "Export the run as PNG\u2026", pane.ask_for_png, "", looking, 3),
    )
    return [
        Action(f"training.{name}", text, run, key, enabled or (lambda: True), "Run", group)
        for name, text, run, key, enabled, group in rows
    ]
