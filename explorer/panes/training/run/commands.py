"""The actions of Run, for menus, palette and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from explorer.state.actions import Action
from explorer.widgets.plots.line_plot import NOTCH

if TYPE_CHECKING:
    from explorer.panes.training.run.mode import RunMode


def commands(mode: RunMode) -> list[Action]:
    def looking() -> bool:
        return mode.data is not None

    def startable() -> bool:
        return not mode.setup.errors

    def branchable() -> bool:
        return mode.moment is not None and mode.moment.checkpoint is not None

    def kept(way: int) -> bool:
        return looking() and mode.cursor.checkpoint_beside(way) is not None

    def seek(way: int) -> Callable[[], None]:
        return lambda: mode.cursor.seek_checkpoint(way)

    def shown(enabled: Callable[[], bool]) -> Callable[[], bool]:
        return lambda: mode.active and enabled()

    rows = (
        ("start", "Start training", mode.start_run, "Ctrl+Return", startable, 2),
        ("new", "New run", mode.new_run, "", lambda: True, 2),
        ("branch", "Resume from here as a branch\u2026", mode.branch_here, "", branchable, 2),
        ("before", "Previous checkpoint", seek(-1), "Ctrl+PgUp", lambda: kept(-1), 2),
        ("after", "Next checkpoint", seek(1), "Ctrl+PgDown", lambda: kept(1), 2),
        ("csv", "Export the numbers as CSV\u2026", mode.ask_for_csv, "", looking, 3),
        ("png", "Export the charts as PNG\u2026", mode.ask_for_png, "", looking, 3),
    )
    charts = mode.view.charts

    def zoom(factor: float) -> Callable[[], None]:
        return lambda: charts.loss.zoom_by(factor)

    # Keys of the plot while it has focus.
    of_plot = (
        ("larger", "Zoom in on the loss chart (or scroll over it)", zoom(NOTCH), "+"),
        ("smaller", "Zoom out", zoom(1 / NOTCH), "-"),
        (
            "all",
            "Show all steps (or double-click the loss chart)",
            lambda: charts.set_span(None),
            "Home",
        ),
    )
    return [
        *(
            Action(f"training.{name}", text, run, key, shown(enabled), "Run", group)
            for name, text, run, key, enabled, group in rows
        ),
        *(
            Action(f"training.{name}", text, run, key, shown(looking), "Run", 4, global_key=False)
            for name, text, run, key in of_plot
        ),
    ]
