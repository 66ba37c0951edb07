"""The app's own actions. Panes add theirs; whatever the user can do is in this list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from explorer import theme
from explorer.shell.offers import names_of
from explorer.state.actions import Action
from explorer.widgets.dialogs import ask_file, ask_folder

if TYPE_CHECKING:
    from explorer.shell.session import Session
    from explorer.shell.window import MainWindow

ZOOM_STEP = 1.1


def commands(session: Session, window: MainWindow) -> list[Action]:
    """Returns all actions that need no pane of their own."""
    return [
        *_file(session, window),
        *_edit(session, window),
        *_view(session, window),
        *_run(session, window),
        *_panes(window),
        *_help(session, window),
    ]


LOGS = "Logs of runs (*tfevents* trainer_state.json *.csv *.jsonl);;All files (*)"


def _file(session: Session, window: MainWindow) -> list[Action]:
    def opened(path: str) -> None:
        session.open_paths([Path(path)])

    def recent() -> None:
        session.open_paths([Path(session.settings.recent[0])])

    actions = [
        Action(
            "file.model",
            "Open model folder…",
            lambda: ask_folder(window, "Open a checkpoint's folder", opened),
            "Ctrl+O",
            menu="File",
        ),
        Action(
            "file.text",
            "Open a text to train on…",
            lambda: ask_file(window, "Open a text to train on", opened),
            "Ctrl+T",
            menu="File",
        ),
        Action(
            "file.run",
            "Open run folder…",
            lambda: ask_folder(
                window, "Open a run's folder", lambda path: session.open_run_folder(Path(path))
            ),
            "Ctrl+Shift+O",
            menu="File",
        ),
        Action(
            "file.log",
            "Open another program's run\u2026",
            lambda: ask_file(window, "Open a run's log", opened, LOGS),
            menu="File",
        ),
        Action(
            "file.bundled",
            "Open the bundled model",
            lambda: _spawn(session, session.open_bundled()),
            menu="File",
        ),
        Action(
            "file.recent",
            "Open the last one again",
            recent,
            enabled=lambda: bool(session.settings.recent),
            menu="File",
        ),
    ]

    def has_pane() -> bool:
        return window.pane is not None and bool(window.pane.pictures())

    for name, text in (
        ("png", "Export picture as PNG…"),
        ("svg", "Export picture as SVG…"),
        ("csv", "Export numbers as CSV…"),
        ("gif", "Export steps as GIF…"),
    ):
        actions.append(
            Action(
                f"file.{name}",
                text,
                lambda name=name: _export(window, name),
                "Ctrl+E" if name == "png" else "",
                has_pane,
                "File",
                group=1,
            )
        )

    def quit_title() -> str:
        left = session.runs.going_on
        return f"Quit ({names_of(left)} will go on training)" if left else "Quit"

    quit_action = Action(
        "app.quit", "Quit", window.closing.emit, "Ctrl+Q", menu="File", group=2, title=quit_title
    )
    actions.append(quit_action)
    return actions


def _export(window: MainWindow, kind: str) -> None:
    from explorer.shell import export

    if window.pane is not None:
        export.ask(window, window.pane, kind)


def _edit(session: Session, window: MainWindow) -> list[Action]:
    workspace = session.workspace

    def undo() -> None:
        text = workspace.undo_text
        workspace.undo()
        window.say(f"Undone: {text}")

    def redo() -> None:
        text = workspace.redo_text
        workspace.redo()
        window.say(f"Done again: {text}")

    return [
        Action(
            "edit.undo",
            "Undo",
            undo,
            "Ctrl+Z",
            lambda: bool(workspace.undo_text),
            "Edit",
            title=lambda: named("Undo", workspace.undo_text),
        ),
        Action(
            "edit.redo",
            "Redo",
            redo,
            "Ctrl+Shift+Z; Ctrl+Y",
            lambda: bool(workspace.redo_text),
            "Edit",
            title=lambda: named("Redo", workspace.redo_text),
        ),
    ]


def named(verb: str, change: str) -> str:
    """Returns "Undo: Learning rate 0.01", or the verb alone if there is nothing to undo."""
    return f"{verb}: {change}".replace("&", "&&") if change else verb


def _view(session: Session, window: MainWindow) -> list[Action]:
    chosen = session.settings

    def apply() -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, chosen.theme, chosen.zoom, chosen.motion)
        for pane in window.panes.values():
            pane.player.set_motion(chosen.motion)
        window.refresh_actions()

    def set_theme(name: str) -> None:
        chosen.theme = name
        apply()

    def set_motion(name: str) -> None:
        chosen.motion = name
        apply()

    def zoom(factor: float) -> None:
        chosen.zoom = min(2.0, max(0.8, chosen.zoom * factor)) if factor else 1.0
        apply()

    actions = [
        Action(
            "view.inspector",
            "Inspector",
            window.toggle_inspector,
            "Ctrl+I",
            menu="View",
            checked=lambda: not window.inspector.collapsed,
        )
    ]
    for name in ("math", "code", "numbers"):
        actions.append(
            Action(
                f"view.{name}",
                f"Inspector: {name.capitalize()}",
                lambda name=name: window.inspector.set_tab(name),
                menu="View",
                checked=lambda name=name: window.inspector.tab == name,
            )
        )
    actions.append(
        Action(
            "view.plain_code",
            "Plain code where there is some",
            lambda: window.inspector.set_code_version(
                "running" if window.inspector.code_version == "plain" else "plain"
            ),
            menu="View",
            checked=lambda: window.inspector.code_version == "plain",
        )
    )
    actions.append(Action("view.table", "Show as table", lambda: _table(window), menu="View"))
    for name, text in (
        ("system", "Theme: as the system"),
        ("light", "Theme: light"),
        ("dark", "Theme: dark"),
        ("contrast", "Theme: high contrast"),
    ):
        actions.append(
            Action(
                f"view.theme.{name}",
                text,
                lambda name=name: set_theme(name),
                menu="View",
                group=1,
                checked=lambda name=name: chosen.theme == name,
            )
        )
    for name in ("full", "reduced", "off"):
        actions.append(
            Action(
                f"view.motion.{name}",
                f"Animations: {name}",
                lambda name=name: set_motion(name),
                menu="View",
                group=2,
                checked=lambda name=name: chosen.motion == name,
            )
        )
    actions += [
        Action(
            "view.larger", "Larger", lambda: zoom(ZOOM_STEP), "Ctrl+=; Ctrl++", menu="View", group=3
        ),
        Action(
            "view.smaller", "Smaller", lambda: zoom(1 / ZOOM_STEP), "Ctrl+-", menu="View", group=3
        ),
        Action("view.normal", "Normal size", lambda: zoom(0), "Ctrl+0", menu="View", group=3),
        Action("view.region", "Next region", window.next_region, "F6", menu="View", group=4),
        Action(
            "app.palette", "Find an action…", window.open_palette, "Ctrl+K", menu="View", group=4
        ),
    ]
    return actions


def _table(window: MainWindow) -> None:
    from explorer.shell import export

    if window.pane is not None:
        export.show_first_table(window, window.pane)


def _run(session: Session, window: MainWindow) -> list[Action]:
    def player(method: str) -> Callable[[], None]:
        def go() -> None:
            if window.pane is not None:
                getattr(window.pane.player, method)()

        return go

    def has_steps() -> bool:
        player = window.pane.player if window.pane is not None else None
        return player is not None and (player.length > 0 or player.at_live_edge)

    steps = [
        ("play", "Play or pause", "toggle", "Space", False),
        ("forward", "One step forward", "forward", "Right", False),
        ("back", "One step back", "back", "Left", False),
        ("start", "To the start", "start", "Home", False),
        ("end", "To the end, or go live", "end", "End", False),
        ("enter", "Go into the step", "enter", "Return", False),
        ("leave", "Out of the step", "leave", "Backspace", False),
        ("forward_always", "Step forward from anywhere", "forward", "Alt+Right", True),
        ("back_always", "Step back from anywhere", "back", "Alt+Left", True),
    ]
    actions = [
        Action(
            f"play.{name}", text, player(method), key, has_steps, "Run", 0, global_key=everywhere
        )
        for name, text, method, key, everywhere in steps
    ]

    def state() -> str:
        run = window.status.run
        return run.state if run is not None else ""

    going = ("running", "preparing")
    for name, text, states in (
        ("pause", "Pause training", going),
        ("resume", "Resume training", ("paused",)),
        ("stop", "Stop training (keeps everything)", (*going, "paused")),
    ):
        actions.append(
            Action(
                f"run.{name}",
                text,
                lambda name=name: session.steer(name),
                menu="Run",
                group=1,
                enabled=lambda states=states: state() in states,
            )
        )
    actions += [
        Action(
            "run.list",
            "Runs that train…",
            window.status.open_runs,
            "Ctrl+Shift+R",
            menu="Run",
            group=1,
            enabled=lambda: bool(window.status.training),
        ),
        Action(
            "run.look",
            "Look at the live model's heads",
            lambda: _spawn(session, session.open_live_model(str(session.workspace.run))),
            menu="Run",
            group=1,
            enabled=lambda: session.workspace.run is not None,
        ),
        Action(
            "run.restart",
            "Restart the calculation",
            lambda: session.offers.restart() if session.offers is not None else None,
            menu="Run",
            group=1,
            enabled=lambda: session.engine.has_died,
        ),
    ]
    return actions


def _panes(window: MainWindow) -> list[Action]:
    return [
        Action(
            f"pane.{spec.id}",
            spec.title,
            lambda name=spec.id: window.show_pane(name),
            f"Ctrl+{place}" if place < 10 else "",
            menu="Panes",
            checked=lambda name=spec.id: window.rail.current == name,
            help=spec.teaches,
        )
        for place, spec in enumerate(window.specs, start=1)
    ]


def _help(session: Session, window: MainWindow) -> list[Action]:
    from explorer.shell import tour

    return [
        Action("help.keys", "Keys", lambda: tour.show_keys(window), "F1", menu="Help"),
        Action(
            "help.tips",
            "Show the first tips again",
            lambda: tour.start(window, session.settings),
            menu="Help",
        ),
        Action(
            "help.about",
            "About LLM Explorer",
            lambda: tour.show_about(window),
            menu="Help",
            group=1,
        ),
    ]


def _spawn(session: Session, coroutine: object) -> None:
    from explorer.engine import tasks

    tasks.spawn(coroutine, session.window)  # type: ignore[arg-type]
