"""A session: builds engine, workspace and window, opens what was requested, closes in order."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from core.training.records import MANIFEST
from explorer.engine import errors, tasks
from explorer.engine.cores import torch_threads
from explorer.engine.engine import Engine
from explorer.panes.base import Context, PaneSpec
from explorer.panes.specs import built
from explorer.runs.folders import ACTIVE, holds_run, is_run, is_run_folder
from explorer.runs.live import Runs
from explorer.runs.requested import key_of
from explorer.runs.run_source import RunSource
from explorer.runs.sources import BUNDLED, BundledSource, FolderSource
from explorer.shell.autosave import Autosave
from explorer.shell.follow import RunFollower
from explorer.shell.offers import Offers
from explorer.shell.old_sessions import renewed
from explorer.shell.paths import (
    begin_run,
    begin_text,
    is_model,
    is_tokenizer,
    is_vocabulary,
    model_place,
)
from explorer.shell.window import MainWindow
from explorer.state import settings
from explorer.state.workspace import Workspace


class Session(QObject):
    """The object that `app.open_window` drives.

    ask_to_close  called by the close button
    folder        of settings and session
    keeps         False for a further window: settings and session are those of the first one
    """

    def __init__(
        self,
        ask_to_close: Callable[[], None] | None = None,
        *,
        folder: Path | None = None,
        runs_folder: Path | None = None,
        specs: Sequence[PaneSpec] | None = None,
        with_torch: bool = True,
        keeps: bool = True,
    ) -> None:
        super().__init__()
        self._ask_to_close = ask_to_close
        self._keeps = keeps
        self._begun = asyncio.Event()
        self._folder = folder or settings.config_folder()
        self.settings = settings.load(self._folder)
        self.saved = renewed(settings.load_session(self._folder))
        self.engine = Engine(self, with_torch=with_torch)
        self.workspace = Workspace(self)
        self.runs = Runs(self.engine, runs_folder)
        self.follower = RunFollower(self.engine, self.runs)
        self.context = Context(self.engine, self.workspace, self.settings, self.runs)
        self.autosave = Autosave(self.engine, self.files)
        self.specs = tuple(built() if specs is None else specs)
        self.window: MainWindow | None = None
        self.offers: Offers | None = None

    # start

    def open(self) -> MainWindow:
        """Returns the window, ready to be shown. Does not import torch."""
        from explorer.shell.commands import commands

        window = MainWindow(self.context, self.specs)
        self.window = window
        self.offers = Offers(self, window.notices)
        self.autosave.failed.connect(self.offers.not_kept)
        window.actions_list.add(commands(self, window))
        window.build_menus()
        if self._ask_to_close is not None:
            window.closing.connect(self._ask_to_close)
        window.filesDropped.connect(lambda paths: self.open_paths([Path(p) for p in paths]))
        self.engine.activityChanged.connect(self._on_activity)
        self.engine.jobsChanged.connect(self._on_activity)
        self.engine.ready.connect(self._on_activity)
        self.workspace.runChanged.connect(self._on_run)
        self.workspace.modelRequested.connect(self._on_model_requested)
        self.workspace.modelIsLarge.connect(self.offers.large_model)
        self.workspace.historyChanged.connect(window.refresh_actions)
        self.follower.changed.connect(self._on_followed)
        self.runs.changed.connect(self._on_runs_changed)
        window.status.pauseRequested.connect(lambda run: self.steer("pause", run))
        window.status.resumeRequested.connect(lambda run: self.steer("resume", run))
        window.status.stopRequested.connect(lambda run: self.steer("stop", run))
        window.status.runClicked.connect(self._on_run_clicked)
        window.inputLeft.connect(lambda: errors.retire(errors.INPUT))
        window.paneShown.connect(self._on_pane_shown)
        window.paneShown.connect(self.offers.renew)
        self.workspace.runChanged.connect(self.offers.renew)
        self.engine.ready.connect(self._on_pane_shown)
        errors.reports().changed.connect(self._on_problem)
        errors.reports().retired.connect(window.notices.close_problem)
        self._restore(window)
        return window

    def _restore(self, window: MainWindow) -> None:
        paths, geometry = dict(self.saved["paths"]), self.saved["geometry"]
        if geometry:
            window.restore_geometry(geometry)
        paths.pop("model", None)  # opened later, once the engine runs
        wanted = paths.pop("pane", None)
        self.workspace.restore(paths)
        first = self.specs[0].id if self.specs else ""
        known = {spec.id for spec in self.specs}
        window.inspector.set_tab(self.settings.inspector_tab)
        window.inspector.set_code_version(self.settings.code_version)
        window.inspector.set_collapsed(self.settings.inspector_collapsed)
        window.show_pane(wanted if isinstance(wanted, str) and wanted in known else first)

    async def first_paint(self, limit: float = 1.0) -> None:
        """Returns after the window's first paint, or after the limit if nothing is painted."""
        painted = asyncio.get_running_loop().create_future()
        assert self.window is not None
        self.window.painted.connect(lambda: None if painted.done() else painted.set_result(None))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await painted

    async def begin(self, paths: Sequence[Path] = (), crashed: str = "") -> None:
        """After the first paint: starts the engine, opens the model, offers the last runs."""
        self.engine.start()
        self.autosave.start()
        if not paths or not await self.open_paths_now(paths):
            await self.open_last_model()
        self._begun.set()
        if crashed and self.offers is not None:
            self.offers.crash(crashed)
        if self.offers is not None:
            if not self._keeps:
                self.offers.further_window()
            await self.offers.runs_left()
        if not self.settings.callouts_seen and self.window is not None:
            from explorer.shell import tour

            tips = tour.start(self.window, self.settings)
            tips.ended.connect(self.autosave.look)

    async def open_last_model(self) -> None:
        """Opens the last session's model, or the bundled one if there was none or it fails."""
        address = self.saved["paths"].get("model")
        if isinstance(address, str) and address != BUNDLED:
            try:
                if await self._open_address(address):
                    return
            except (OSError, ValueError) as error:
                told = f"{errors.text_of(error)}. The bundled model is shown instead."
                errors.report(ValueError(told), "the model of the last session", errors.MODEL)
        await self.open_model(BUNDLED)

    # models, texts, tokenizers, runs

    async def open_model(self, address: str | Path, dtype: str | None = None) -> bool:
        """Opens the bundled model, or one by folder, file or name. Returns False if another one is
        shown instead or the user is asked first. Raises ValueError or OSError.
        """
        bundled = str(address) == BUNDLED
        if bundled:
            source = BundledSource(self.engine)
        else:
            source = FolderSource(self.engine, address, dtype=dtype)
        shown = await self.workspace.open_model(source)
        if shown and not bundled:
            self._remember(address)
        return shown

    def open_large_model(self, address: str, dtype: str) -> None:
        """Opens a large model after the user has agreed."""
        tasks.spawn(self._open_agreed(address, dtype), self.window)

    async def _open_agreed(self, address: str, dtype: str) -> None:
        try:
            if await self.open_model(address, dtype):
                errors.retire(errors.MODEL)
        except (OSError, ValueError) as error:
            errors.report(error, f"opening {address}", errors.MODEL)

    def _on_model_requested(self, address: str) -> None:
        """Opens the model of a lesson or a share file."""
        tasks.spawn(self._open_requested(address), self.window)

    async def _open_requested(self, address: str) -> None:
        try:
            await self._open_address(address)
        except (OSError, ValueError) as error:
            errors.report(error, f"opening {address}", errors.MODEL)

    async def _open_address(self, address: str) -> bool:
        """Opens a model by the address that a session or a lesson has saved."""
        if is_run_folder(Path(address)):
            await self.open_live_model(address)
            return True
        return await self.open_model(address)

    async def open_bundled(self) -> None:
        """Opens the bundled model at the user's request."""
        await self.open_model(BUNDLED)
        errors.retire(errors.MODEL)

    async def open_live_model(self, folder: str | Path) -> None:
        """Opens the live model of a run, which is read by probes."""
        await self.workspace.open_model(self.runs.source(folder))

    def open_paths(self, paths: Sequence[Path]) -> None:
        tasks.spawn(self.open_paths_now(paths), self.window)

    def hand_in(self, paths: Sequence[Path]) -> None:
        """Brings the window to the front and opens what a later start of the program was given."""
        if self.window is not None:
            self.window.come_to_front()
            tasks.spawn(self._hand_in(paths), self.window)

    async def _hand_in(self, paths: Sequence[Path]) -> None:
        await self._begun.wait()  # or the last model would take the place of the one given
        await self.open_paths_now(paths)

    async def open_paths_now(self, paths: Sequence[Path]) -> bool:
        """Opens each path as what it contains: text, tokenizer, model, run folder or log.

        Returns True if a model was opened.
        """
        opened = False
        for path in (Path(path).absolute() for path in paths):  # later starts may be elsewhere
            try:
                opened |= await self._open_path(path)
            except (OSError, ValueError) as error:
                about = errors.MODEL if is_model(path) else errors.TEXT
                errors.report(error, f"opening {path}", about)
        return opened

    async def _open_path(self, path: Path) -> bool:
        if not is_model(path) and await self.engine.io(holds_run, path):
            self.open_run(path)
            return False
        if path.is_dir() and await self.engine.io(is_tokenizer, path):
            self._give_tokenizer(path)
            return False
        if is_model(path) and not await self.engine.io(is_vocabulary, path):
            if not await self.open_model(model_place(path)):
                return False
            errors.retire(errors.MODEL)
            if self.window is not None:
                self.window.show_pane("attention")
            return True
        if not path.exists():
            raise FileNotFoundError(f"there is no {path}; choose a text file or a folder")
        if not path.is_file():  # reading it might never end
            raise ValueError(f"{path} is a pipe or a device; choose a text file or a folder")
        errors.retire(errors.TEXT)
        if await self.engine.io(is_tokenizer, path):
            self._give_tokenizer(path)
            return False
        tasks.spawn(self._remember_usable(path, begin_text), self.window)
        self.workspace.begin("pane", "training")  # the pane must exist before the signal
        self.workspace.textOpened.emit(str(path))
        return False

    def _give_tokenizer(self, path: Path) -> None:
        errors.retire(errors.TEXT)
        self._remember(path)
        self.workspace.begin("pane", "tokenizers")  # the pane must exist before the signal
        self.workspace.tokenizerGiven.emit(str(path))

    def open_run_folder(self, folder: Path) -> None:
        """Opens a folder that the user chose as a run; reports any other folder."""
        if is_run(folder):
            self.open_run(folder)
        else:
            error = (
                f"{folder} is no run folder: it holds neither {MANIFEST} nor another program's "
                "log; choose one that does"
            )
            errors.report(ValueError(error), f"opening {folder}")

    def open_run(self, folder: Path) -> None:
        tasks.spawn(self._remember_usable(folder, begin_run), self.window)
        self.workspace.set_run(str(folder))
        self.workspace.runOpened.emit(str(folder))
        if self.window is not None:
            self.window.show_pane("training")

    async def _remember_usable(self, path: Path, begin: Callable[[Path], object]) -> None:
        """Adds a path to the recent ones if it is usable; the pane that shows it reports errors."""
        with contextlib.suppress(OSError, ValueError):
            await self.engine.io(begin, path)
            self._remember(path)

    def _remember(self, path: str | Path) -> None:
        if Path(path).exists():  # otherwise it is the name of a model
            self.settings.remember(str(Path(path).resolve()))

    # runs

    def steer(self, command: str, folder: str = "") -> None:
        """Pauses, resumes or stops a run; by default the one in the status bar."""
        shown = self.follower.shown
        folder = folder or (shown.folder if shown is not None else "")
        if folder:
            tasks.spawn(self._steered(self.runs.steer(folder, command)), self.window)

    async def _steered(self, command: Coroutine[Any, Any, None]) -> None:
        try:
            await command
        except (OSError, ValueError) as error:
            errors.report(error, "steering the run")

    def _on_run_clicked(self, folder: str) -> None:
        self.workspace.set_run(folder)
        if self.window is not None:
            self.window.show_pane("training")

    @property
    def run_in_sight(self) -> str | None:
        """The `key_of` the run in the training pane while that pane is visible, else None."""
        run, pane = self.workspace.run, self.window.pane if self.window is not None else None
        if run is None or pane is None or pane.objectName() != "training":
            return None
        return key_of(run)

    def _on_problem(self, problem: errors.Problem) -> None:
        """Shows a card for an error, unless the visible run's own card reports it."""
        if self.window is None:
            return
        if problem.about == self.run_in_sight:
            errors.forget(problem)
        else:
            self.window.notices.show_problem(problem)

    def _on_pane_shown(self, _: object = None) -> None:
        pane = self.window.pane if self.window is not None else None
        if pane is not None and pane.objectName() == "training" and self.engine.is_ready:
            tasks.spawn(self.runs.prepare(), self.window)

    def _on_run(self, folder: str | None) -> None:
        self.follower.follow(folder)

    def _on_runs_changed(self, folder: str) -> None:
        if self.workspace.run is None and self.runs.running_here(folder):
            self.workspace.set_run(folder)

    def _on_followed(self) -> None:
        if self.window is None:
            return
        self.window.status.set_run(self.follower.shown)
        self.window.status.set_training(self.follower.training)
        source = self.workspace.model_source
        if isinstance(source, RunSource):
            seen = self.follower.seen(source.address)
            if seen is not None:
                source.set_training(seen.state in ACTIVE)
            if seen is not None and seen.probe is not None:
                source.set_version(seen.probe, seen.attempt)
        self._on_activity()

    def _on_activity(self) -> None:
        if self.window is None:
            return
        waiting = self.engine.activity
        jobs = (job for job in self.engine.jobs if job.state != "paused")
        others = [job.name for job in jobs if not self._is_run(job)]
        self.window.status.set_jobs(waiting or ", ".join(others))
        shown = self.follower.shown
        trains = shown is not None and shown.active
        self.window.status.set_device(shown.where if trains else engine_words())

    def _is_run(self, job: Any) -> bool:
        return any(self.runs.job(folder) is job for folder in self.runs.live)

    # end

    def files(self) -> dict[Path, dict[str, Any]]:
        """Returns the files to save: settings and session; none in a further window."""
        if not self._keeps:
            return {}
        geometry = self.window.geometry_text if self.window is not None else ""
        paths = self.workspace.state()
        if self.workspace.model_source is None:  # the last session's model is not opened yet
            paths["model"] = self.saved["paths"].get("model")
        session = {"paths": paths, "geometry": geometry}
        kept = settings.settings_file(self.settings, self._folder)
        return dict([kept, settings.session_file(session, self._folder)])

    async def close(self, limit: float = 10.0) -> bool:
        """Hides the window, saves, lets runs write checkpoints, closes jobs at their next yield."""
        deadline = time.monotonic() + limit
        window = self.window
        if window is not None:
            window.hide()
            if window.pane is not None:
                window.pane.left()
        if self.offers is not None:
            self.offers.stop()
        await self.autosave.finish()
        self.follower.stop()
        await self.runs.close(max(0.5, limit - 2))
        await asyncio.sleep(0)
        tasks.cancel_all()
        ended = await self.engine.close(max(0.5, deadline - time.monotonic()))
        await tasks.end_all(max(0.5, deadline - time.monotonic()))
        if window is not None:
            with contextlib.suppress(RuntimeError, TypeError):
                errors.reports().changed.disconnect(self._on_problem)
                errors.reports().retired.disconnect(window.notices.close_problem)
            window.deleteLater()
            self.window = None
        return ended


def engine_words() -> str:
    """Returns the engine's device while no run trains."""
    threads = torch_threads()
    return f"cpu, fp32, {threads} thread{'s' if threads > 1 else ''}"
