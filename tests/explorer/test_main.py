"""The entry: no display is one sentence, a frozen app never starts itself, torch comes late."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer import __main__ as entry
from explorer.display import why_no_display
from tests.explorer.waiting import HANGS

ROOT = Path(__file__).parents[2]


def program(*arguments, **environment):
    values = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    values.update(environment)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={k: v for k, v in values.items() if v is not None},
        capture_output=True,
        text=True,
        timeout=HANGS,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="X11 and Wayland")
def test_no_display_is_one_sentence_and_no_abort():
    done = program("-m", "explorer", QT_QPA_PLATFORM=None)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no display to open a window on. ")
    assert "--snapshot DIR" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="X11 and Wayland")
def test_a_display_that_does_not_answer_is_named():
    assert why_no_display({"DISPLAY": ":987"}, "linux") == "The display :987 does not answer"
    assert why_no_display({"DISPLAY": "nonsense"}, "linux").endswith("does not answer")
    assert why_no_display({"WAYLAND_DISPLAY": "none"}, "linux").startswith("There is no display")
    assert why_no_display({"QT_QPA_PLATFORM": "offscreen"}, "linux") == ""
    assert why_no_display({}, "win32") == why_no_display({}, "darwin") == ""


def test_a_frozen_app_does_not_start_itself_for_a_library(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert entry.main(["-c", "import os"]) == 0


def test_the_entry_runs_the_trainer_as_a_module():
    done = program("-m", "explorer", "-m", "core.training", "--help")
    assert done.returncode == 0
    assert "--resume" in done.stdout


def test_bad_arguments_say_what_is_meant(capsys):
    with pytest.raises(SystemExit):
        entry.main(["--snapshot", "x", "--size", "large"])
    assert "write it as 1440x900" in capsys.readouterr().err
    for alone in (["--only", "attention"], ["--all-sizes"], ["--size", "800x600"]):
        with pytest.raises(SystemExit):
            entry.main(alone)
        assert "go with --snapshot DIR" in capsys.readouterr().err


def test_importing_the_window_brings_nothing_slow():
    code = (
        "import sys, explorer.shell.session, explorer.app, explorer.shell.commands;"
        "late = ('torch', 'pyqtgraph', 'ziamath', 'importlib.metadata', 'PySide6.QtNetwork');"
        "late = [m for m in late if m in sys.modules];"
        "sys.exit(', '.join(late) or 0)"
    )
    done = program("-c", code)
    assert done.returncode == 0, done.stderr


WINDOW = """
import asyncio, sys
import qasync
from explorer.app import ExplorerApp
from explorer.shell.session import Session

async def opened():
    session = Session()
    session.open()
    late = ("torch", "core.training.config", "core.optimization", "core.data", "ziamath")
    print([name for name in late if name in sys.modules], session.window.pane_name)
    await session.close()

app = ExplorerApp([])
with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
    runner.run(opened())
"""


def test_opening_the_window_brings_nothing_slow(tmp_path):
    done = program(
        "-c",
        WINDOW,
        QT_QPA_PLATFORM="offscreen",
        LLM_EXPLORER_CONFIG=str(tmp_path),
        LLM_EXPLORER_DATA=str(tmp_path),
    )
    assert done.stdout.split() == ["[]", "attention"], done.stdout + done.stderr
