"""A second start hands over to the first window; real processes, with folders of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket

from explorer import app
from explorer.shell.instance import Instance
from tests.explorer.waiting import wait_until

ROOT = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

# The program without PyTorch and without its panes, which says what happens to its window.
DRIVER = """
import sys
import explorer.app as app
import explorer.shell.session as sessions
from explorer.engine import tasks
from explorer.panes.base import Pane, PaneSpec
from explorer.shell.window import MainWindow

def say(*words):
    print(*words, flush=True)

class Plain(sessions.Session):
    def __init__(self, *given, **named):
        create = lambda context: Pane(context, "plain")
        specs = [PaneSpec("plain", "Plain", "attention", "nothing", create)]
        super().__init__(*given, specs=specs, with_torch=False, **named)
        self.settings.callouts_seen = True

    async def open_last_model(self):
        self.workspace.textOpened.connect(lambda path: say("opened", path))

    async def begin(self, *given):
        await super().begin(*given)
        if "--new-window" in sys.argv:
            self.workspace.set_prompt("of the further window")
        say("begun", *self.window.notices.cards)

to_front = MainWindow.come_to_front
MainWindow.come_to_front = lambda window: (to_front(window), say("front"))
sessions.Session = Plain
app._fill = lambda session, paths, crashed: session.begin(paths, crashed)
from explorer.__main__ import main
sys.exit(main())
"""


class Program:
    """Starts the program in the folders of one user; ends what still runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.driver = folder / "driver.py"
        self.driver.write_text(DRIVER)
        self._running: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, data: str = "data") -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "LLM_EXPLORER_CONFIG": str(self.config),
            "LLM_EXPLORER_DATA": str(self.folder / data),
            "XDG_RUNTIME_DIR": str(self.folder),
            "PYTHONPATH": str(ROOT),
        }
        process = subprocess.Popen(
            [sys.executable, str(self.driver), *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._running.append(process)
        return process

    def end(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path)
    yield program
    program.end()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None and process.stderr is not None
    return process.stdout.readline().strip() or process.stderr.read()


def closed(process: subprocess.Popen[str]) -> str:
    """Closes the window as the system would; returns its errors."""
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate()
    assert process.returncode == 0, err
    return err


@POSIX
def test_a_second_start_opens_its_file_in_the_first_window(program: Program) -> None:
    first = program.start()
    assert said(first) == "begun"
    (program.folder / "notes.txt").write_text("Mira saw a kite.")
    second = program.start("notes.txt")
    out, err = second.communicate()
    assert (second.returncode, out) == (0, ""), err
    assert "open already" in err and "--new-window" in err
    assert said(first) == "front"
    assert said(first) == f"opened {program.folder / 'notes.txt'}"
    third = program.start()
    third.communicate()
    assert third.returncode == 0 and said(first) == "front"
    assert "Traceback" not in closed(first)


@POSIX
def test_a_new_window_leaves_settings_session_and_crash_log_to_the_first(program: Program) -> None:
    first = program.start()
    assert said(first) == "begun"
    further = program.start("--new-window")
    assert said(further) == "begun further window", "a card says whose session it is"
    assert (program.config / "crash.log").exists()
    closed(further)
    assert (program.config / "crash.log").exists()
    assert "Traceback" not in closed(first)
    assert "further" not in (program.config / "session.json").read_text()
    assert not (program.config / "crash.log").exists()
    assert not list(program.config.glob("*.lock"))


@POSIX
def test_a_first_window_that_crashed_blocks_nobody(program: Program) -> None:
    first = program.start()
    assert said(first) == "begun"
    first.kill()
    first.communicate()
    assert list(program.config.glob("*.lock")), "it is left"
    second = program.start()
    assert said(second) == "begun", "a window of its own"
    third = program.start()
    third.communicate()
    assert said(second) == "front"
    other = program.start(data="other")
    assert said(other).startswith("begun"), "other data is another instance"


def test_snapshots_and_self_tests_are_never_handed_over(tmp_path: Path) -> None:
    assert app.instance_for(Namespace(snapshot=tmp_path, self_test=False)) is None
    assert app.instance_for(Namespace(snapshot=None, self_test=True)) is None
    assert app.instance_for(Namespace(snapshot=None, self_test=False)) is not None


@pytest.fixture
def instances(qapp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Instance]]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    both = [Instance(tmp_path / "config", tmp_path / "data") for _ in range(2)]
    yield both
    for instance in both:
        instance.release()


def test_a_first_one_that_does_not_answer_is_not_waited_for(instances: list[Instance]) -> None:
    first, second = instances
    assert first.claim() and not second.claim()
    assert not second.hand_over([], patience=0.2), "it does not listen yet"
    first.listen()
    assert not second.hand_over([], patience=0.2), "it listens, but its loop stands still"
    assert not second.claim()


def test_a_first_one_that_ends_meanwhile_is_followed(instances: list[Instance]) -> None:
    first, second = instances
    assert first.claim() and not second.claim()
    first.release()
    assert not second.hand_over([], patience=60) and second.claim()


@pytest.mark.parametrize(
    "message",
    [b"\n", b"[]\n", b'{"paths": 3}\n', b'{"paths": [1]}\n', b"[" * 9000 + b"\n", b"x" * 2_000_000],
)
def test_what_is_no_message_is_refused(instances: list[Instance], message: bytes) -> None:
    first = instances[0]
    requested: list[list[Path]] = []
    first.requested.connect(requested.append)
    assert first.claim()
    first.listen()
    socket = QLocalSocket()
    socket.connectToServer(first.address)
    socket.write(message)
    wait_until(lambda: socket.state() == QLocalSocket.LocalSocketState.UnconnectedState)
    assert requested == []
    good = QLocalSocket()
    good.connectToServer(first.address)
    good.write(json.dumps({"paths": ["/a b/ä"]}).encode() + b"\n")
    wait_until(lambda: requested)
    assert requested == [[Path("/a b/ä")]]
    wait_until(lambda: bytes(good.peek(3).data()) == b"ok\n")
