"""The real program, closed at the worst moments: no question, nothing lost, exit code 0."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.training import RunReader
from tests.explorer.demo import save_tiny_model
from tests.explorer.waiting import HANGS
from tests.slow_import import slow_import

ROOT = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

# Runs the program with one part of it slowed down, and says on stdout when that part is reached.
DRIVER = """
import sys, time
sys.path.insert(0, {root!r})
where = sys.argv.pop(1)

def slow(function, seconds=0.4):
    def slowed(*args, **kwargs):
        print("reached", flush=True)
        time.sleep(seconds)
        return function(*args, **kwargs)
    return slowed

import core
import explorer.app as app
from explorer.engine import tasks
from explorer.shell.session import Session

begin = Session.begin

async def begin_and_go(self, *args):
    await begin(self, *args)
    if where == "capture":
        source = self.workspace.model_source
        ids = source.tokenizer.encode("Once upon a time").ids
        core.capture = slow(core.capture)
        tasks.spawn(source.capture(ids), self.window)
    elif where in ("step", "checkpoint", "process"):
        from tests.explorer.demo import tiny_training
        every = 2 if where == "checkpoint" else 0
        folder = self.runs.new(tiny_training(steps=100000, checkpoint_every=every), "run")
        if where == "checkpoint":
            import core.training.parallel as parallel
            parallel.write_tensors = slow(parallel.write_tensors)
        self.runs.process_launcher.niceness = 0
        self.runs.start(folder, "process" if where == "process" else "thread")
        if where == "process":
            def look():
                if any(run.step > 3 for run in self.follower.training):
                    self.follower.changed.disconnect(look)
                    print("reached", flush=True)
            self.follower.changed.connect(look)
        if where == "step":
            job = self.runs.job(folder)
            job.progressed.connect(
                lambda items: print("reached", flush=True) if items[-1].step > 3 else None)

    elif where == "keep":
        self.window.show_pane("tokenizers")
        self.workspace.set_prompt("Mira had a kite.")
        self.workspace.select(layer=1, head=0)
        self.settings.motion = "off"
        tasks.spawn(wait_for_the_session(self), self.window)
    elif where == "kept":
        kept = self.window.pane_name, self.workspace.prompt, self.workspace.selection.layer
        address = self.workspace.model_source.address
        assert kept == ("tokenizers", "Mira had a kite.", 1), kept
        assert self.settings.motion == "off" and address.endswith("model"), address
        print("reached", flush=True)
    elif where == "again":
        tasks.spawn(steer_what_went_on(self), self.window)

async def wait_for_the_session(session):
    from tests.explorer.waiting import until
    def kept():
        names = [path for path in session.files() if path.is_file()]
        return len(names) == 2 and "Mira had a kite." in names[1].read_text()
    await until(kept, "the session's file")
    print("reached", flush=True)

async def steer_what_went_on(self):
    # The loss goes on in the strip and in the pane; pause, resume and stop work as before.
    from tests.explorer.waiting import until
    strip = self.window.status
    self.window.show_pane("training")
    pane = self.window.pane.mode
    await until(lambda: strip.run is not None and strip.run.state == "running", "the run")
    first = strip.run.step
    await until(lambda: strip.run.step > first, "its steps")
    await until(lambda: pane.follower.data is not None and pane.follower.data.step > first)
    assert self.runs.backend(strip.run.folder) == "process"
    for command, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        pane.controls.press(command)
        await until(lambda: pane.follower.data.state == state, state)
    await until(lambda: not self.runs.live, "its end")
    assert "runs" not in self.window.notices.cards and "went on" not in self.window.notices.cards
    print("reached", flush=True)

Session.begin = begin_and_go
if where == "import":
    import explorer.engine.loop as loop
    loop.load_shared = slow(loop.load_shared)

from explorer.__main__ import main
sys.exit(main())
"""


def program(tmp_path, where, *arguments):
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "LLM_EXPLORER_CONFIG": str(tmp_path / "config"),
        "LLM_EXPLORER_DATA": str(tmp_path / "data"),
    }
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER.format(root=str(ROOT)))
    return subprocess.Popen(
        [sys.executable, str(driver), where, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def close_when_reached(process, how=signal.SIGTERM):
    reached = process.stdout.readline()
    process.send_signal(how)
    _, err = process.communicate(timeout=HANGS)
    assert reached == "reached\n", err
    return process.returncode, err


@POSIX
@pytest.mark.parametrize(
    "where", [pytest.param("import", marks=pytest.mark.full), "capture", "step", "checkpoint"]
)
def test_closing_ends_well_at_any_moment(tmp_path, where):
    model = save_tiny_model(tmp_path / "model")
    code, err = close_when_reached(program(tmp_path, where, str(model)))
    assert code == 0, err
    assert "Traceback" not in err, err
    if where in ("step", "checkpoint"):
        reader = RunReader(tmp_path / "data" / "runs" / "run")
        assert reader.state == "stopped"
        assert reader.step >= 1
        assert reader.checkpoints[-1].step == reader.step


@POSIX
@pytest.mark.parametrize(
    "how", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.full)]
)
def test_a_run_with_its_own_process_goes_on_and_the_next_start_finds_it(tmp_path, how):
    model = save_tiny_model(tmp_path / "model")
    folder = tmp_path / "data" / "runs" / "run"
    code, err = close_when_reached(program(tmp_path, "process", str(model)), how)
    if how == signal.SIGTERM:
        assert code == 0 and str(folder) in err, "closing says so"
    reader = RunReader(folder)
    assert reader.state == "running"
    code, err = close_when_reached(program(tmp_path, "again", str(model)))
    assert code == 0 and "Traceback" not in err, err
    reader.refresh()
    assert reader.state == "stopped" and reader.checkpoints[-1].step == reader.step
    assert len(reader.manifest["attempts"]) == 1


@POSIX
def test_kill_9_loses_no_more_than_seconds_of_a_session(tmp_path):
    model = save_tiny_model(tmp_path / "model")
    code, _ = close_when_reached(program(tmp_path, "keep", str(model)), signal.SIGKILL)
    assert code == -signal.SIGKILL
    code, err = close_when_reached(program(tmp_path, "kept"))
    assert code == 0 and "Traceback" not in err, err


@POSIX
def test_ctrl_c_while_it_loads_is_one_sentence(tmp_path):
    code = slow_import("explorer.app", "explorer")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True
    )
    code, err = close_when_reached(process, signal.SIGINT)
    assert (code, err) == (130, "interrupted before the window was open\n")


@POSIX
def test_ctrl_c_closes_too_and_the_session_is_kept(tmp_path):
    model = save_tiny_model(tmp_path / "model")
    code, err = close_when_reached(program(tmp_path, "capture", str(model)), signal.SIGINT)
    assert code == 0, err
    assert (tmp_path / "config" / "session.json").is_file()
    assert not (tmp_path / "config" / "crash.log").exists()
