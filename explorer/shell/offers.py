"""Offers in cards: restart the engine, copy a crash report, open a large model, continue runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication

from core.memory import LargeModelError
from core.numbers import format_bytes
from explorer.engine import errors, tasks
from explorer.engine.jobs import EngineDied
from explorer.runs.folders import WaitingRun
from explorer.runs.requested import key_of
from explorer.widgets.card import Card
from explorer.widgets.rows_card import Row, RowsCard

if TYPE_CHECKING:
    from explorer.shell.notices import Notices
    from explorer.shell.session import Session

EVERY = 5000  # ms between two checks of the waiting runs: another window may resume one
WAITING = "runs"  # key of the card about interrupted runs
LARGE = "large model"
WENT_ON = "went on"  # key of the card about runs that trained without a window


class Offers(QObject):
    """Shows cards that are not errors, in `notices`."""

    def __init__(self, session: Session, notices: Notices) -> None:
        super().__init__(session)
        self._session = session
        self._notices = notices
        self._waiting: dict[str, Row] = {}  # runs that the user has not decided about
        self._went_on: list[Path] = []  # runs named on their card
        self._lost: list[Path] = []  # runs that ended with the engine
        self._looking: asyncio.Task[None] | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        session.engine.died.connect(self._on_engine_died)
        session.runs.changed.connect(self._on_run_changed)

    def _on_engine_died(self, error: BaseException) -> None:
        self._lost += self._session.runs.thread_launcher.take_lost()
        self._notices.offer(
            "engine",
            "error",
            "The calculation has stopped",
            f"The background thread ended: {error!r}. Runs go on from their last checkpoint.",
            {"Restart": self.restart},
        )

    def restart(self) -> None:
        """Starts a new background thread and resumes the runs that were lost with the old one."""
        lost, self._lost = self._lost, []
        self._notices.close_card("engine")
        self._session.engine.restart()
        for folder in lost:
            tasks.spawn(self._go_on(folder), self)

    def large_model(
        self, address: str, error: LargeModelError, get: Callable[[str], object] | None
    ) -> None:
        """Offers to open a large model, with the memory it takes; `get` also downloads it."""
        verb = "Open" if get is None else "Get and open"
        begin = partial(self._session.open_large_model, address) if get is None else get
        sizes = {"bf16": error.needed / 2, "fp32": error.needed}
        dtypes = {"bf16": "bfloat16", "fp32": "float32"}
        choices = {
            f"{verb} in {name} ({format_bytes(size)})": partial(begin, dtypes[name])
            for name, size in sizes.items()
            if size <= error.there
        }
        self._notices.offer(
            LARGE,
            "warning",
            f"{Path(address).name} takes much memory",
            f"Its weights take {format_bytes(error.needed)} in fp32, and half of that in bf16, "
            f"which keeps 8 of the 24 bits of each number. This machine has "
            f"{format_bytes(error.there)} of memory for everything."
            f"{'' if choices else ' Choose a smaller model.'}",
            choices,
        )

    def crash(self, report: str) -> None:
        """Offers the crash report of the last session."""
        clipboard = QGuiApplication.clipboard()
        copy: Callable[[], None] = lambda: clipboard.setText(report)  # noqa: E731
        self._notices.offer(
            "crash",
            "warning",
            "The last session ended by a crash",
            "What it left behind helps to find the fault.",
            {"Copy the report": copy},
        )

    def not_kept(self, message: str) -> None:
        """Reports that settings and session cannot be saved."""
        self._notices.offer("kept", "warning", "Settings are not kept", message, {})

    def further_window(self) -> None:
        """Says that another window keeps settings and session."""
        self._notices.offer(
            "further window",
            "info",
            "This is a second window",
            "Only the first one saves settings and session. Runs are saved as always.",
            {},
        )

    # runs left by an earlier session

    async def runs_left(self) -> None:
        """Shows one card for all waiting runs, and one for those that trained without a window."""
        runs, elsewhere = self._session.runs, self._session.settings.runs
        went_on = await runs.take_up(elsewhere)
        if went_on:
            self._went_on = went_on
            self._notices.offer(
                WENT_ON, "info", "Still training", "", {"Look": self._look_at_first}
            )
            self.renew()
        found = await runs.waiting(elsewhere)
        self._waiting = {
            str(run.folder): Row(
                str(run.folder),
                run.folder.name,
                how_it_ended(run),
                {} if run.kept else {"Resume": "Begin again at step 0"},
            )
            for run in found
        }
        if self._waiting:
            choices = ("Resume", "Look", "Dismiss")
            title = "Runs are waiting"
            card = self._notices.offer_rows(WAITING, "info", title, choices)
            card.chosen.connect(self._on_chosen)
            card.closed.connect(self._on_dismissed)
            card.set_rows(list(self._waiting.values()))
            self._timer.start(EVERY)
            self.renew()

    @property
    def looks(self) -> bool:
        """True while the timer checks whether the runs on the card still wait."""
        return self._timer.isActive()

    def stop(self) -> None:
        """Stops checking when the window closes."""
        self._timer.stop()

    def _look(self) -> None:
        if WAITING not in self._notices.cards:
            self.stop()
        elif self._looking is None or self._looking.done():
            self._looking = tasks.spawn(self._look_again(), self)

    async def _look_again(self) -> None:
        """Removes runs that another window trains or has dismissed since."""
        for folder in await self._session.runs.settled([Path(run) for run in self._waiting]):
            self._settle(str(folder))

    def renew(self) -> None:
        """Removes from the cards the run that is visible, whose own card offers the same, and from
        the card of training runs those that have ended.
        """
        card, session = self._notices.cards.get(WENT_ON), self._session
        for folder in list(self._waiting):
            if key_of(folder) == session.run_in_sight:
                self._settle(folder)
        self._went_on = [
            folder
            for folder in self._went_on
            if session.runs.running_here(folder) and key_of(folder) != session.run_in_sight
        ]
        if not self._went_on:
            self._notices.close_card(WENT_ON)
        elif isinstance(card, Card):
            names = names_of(self._went_on)
            card.set_message(f"{names} kept running while the window was closed.")

    def _look_at_first(self) -> None:
        self._session.open_run(self._went_on[0])

    def _on_chosen(self, folder: str, choice: str) -> None:
        self._settle(folder)
        if choice != "Dismiss":
            self._session.open_run(Path(folder))
        if choice == "Resume":
            tasks.spawn(self._go_on(Path(folder)), self)
        else:
            tasks.spawn(self._put_aside(Path(folder)), self)

    def _on_dismissed(self) -> None:
        for folder in list(self._waiting):
            self._on_chosen(folder, "Dismiss")

    def _on_run_changed(self, folder: str) -> None:
        """Removes a run that trains from the waiting runs."""
        self.renew()
        for waiting in list(self._waiting):
            if key_of(waiting) == key_of(folder) and self._session.runs.running_here(folder):
                self._settle(waiting)

    def _settle(self, folder: str) -> None:
        """Removes a run from the card of waiting runs."""
        if self._waiting.pop(folder, None) is None:
            return
        card = self._notices.cards.get(WAITING)
        if not self._waiting:
            self._notices.close_card(WAITING)
        elif isinstance(card, RowsCard):
            card.set_rows(list(self._waiting.values()))

    async def _put_aside(self, folder: Path) -> None:
        try:
            await self._session.runs.put_aside(folder)
        except (OSError, ValueError) as error:
            errors.report(error, f"putting run {folder.name} aside")

    async def _go_on(self, folder: Path) -> None:
        runs = self._session.runs
        try:
            backend = await runs.place(folder, self._session.settings.run_in)
            runs.start(folder, backend)
        except (OSError, ValueError, EngineDied) as error:
            errors.report(error, f"resuming run {folder.name}")


def names_of(folders: Sequence[Path]) -> str:
    """Returns "stories-3", "stories-3 and dates", or "stories-3 and 4 more"."""
    first, *more = [folder.name for folder in folders]
    return " and ".join([first, *more] if len(more) < 2 else [first, f"{len(more)} more"])


def how_it_ended(run: WaitingRun) -> str:
    """Returns "stopped at step 812 of 2,000", to follow the run's name."""
    verb = "failed" if run.state == "failed" else "stopped"
    if not run.step:
        return "closed before its first step"
    without = "" if run.kept else " without a checkpoint"
    return f"{verb} at step {run.step:,} of {run.steps:,}{without}"
