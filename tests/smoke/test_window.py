"""The app from outside: it starts in a real window, and ends well whenever it is told to."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.explorer.waiting import HANGS
from tests.patience import wait_for
from tests.smoke.conftest import ROOT, UNHEALTHY


@pytest.mark.smoke
def test_self_test_in_a_real_window(run_python, window_environment):
    result = run_python("-m", "explorer", "--self-test", env=window_environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert not UNHEALTHY.search(result.stderr), result.stderr


@pytest.mark.smoke
@pytest.mark.parametrize(
    "moment",
    [0.0, "picture", *(pytest.param(after, marks=pytest.mark.full) for after in (0.7, 2.0))],
)
def test_ends_well_when_told_to(moment, window_environment, tmp_path):
    """Right after the first paint, during torch's import, during the first capture, at rest."""
    report = tmp_path / "start"
    process = subprocess.Popen(
        [sys.executable, "-m", "explorer"],
        cwd=ROOT,
        env={**window_environment, "LLM_EXPLORER_START_REPORT": str(report)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        awaited = moment if isinstance(moment, str) else "window"

        def reached() -> bool:
            assert process.poll() is None, process.communicate()
            return report.exists() and f"{awaited} " in report.read_text()

        wait_for(reached, str(awaited))
        time.sleep(moment if isinstance(moment, float) else 0)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=HANGS)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 0, out + err
    assert not UNHEALTHY.search(err), err
    assert "torch=False" in report.read_text()  # torch waits until the window is there


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a display")
@pytest.mark.parametrize(
    "command", [["-m", "explorer"], ["dev.py", "run"]], ids=["llm-explorer", "dev.py run"]
)
def test_without_a_display_one_sentence_says_so(command, run_python):
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    result = run_python(*command, env=environment)
    assert result.returncode in (1, 2)  # not the -6 of Qt's abort
    assert "no display" in result.stderr
    assert "snapshot DIR" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
