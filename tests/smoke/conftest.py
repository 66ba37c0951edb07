"""A real X server for the tests that open a real window, and programs run from outside."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.explorer.waiting import HANGS

ROOT = Path(__file__).resolve().parents[2]
UNHEALTHY = re.compile(r"Traceback|Error|WARNING|Fatal|QObject|QPainter|QTimer|QWidget")


@pytest.fixture(scope="session")
def x_display() -> Iterator[str]:
    """The name of an X server of our own, on a display number that is free."""
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def window_environment(x_display: str, tmp_path: Path) -> dict[str, str]:
    """What a program needs to open a window there, with settings and data of its own."""
    return {
        **os.environ,
        "DISPLAY": x_display,
        "QT_QPA_PLATFORM": "xcb",
        "LLM_EXPLORER_CONFIG": str(tmp_path / "config"),
        "LLM_EXPLORER_DATA": str(tmp_path / "data"),
    }


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """``run_python("-c", code)`` runs this Python in a process of its own."""

    def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
        settings = {"cwd": ROOT, "timeout": HANGS, **settings}
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, **settings
        )

    return run


@pytest.fixture
def sit(
    run_python: Callable[..., subprocess.CompletedProcess[str]],
    window_environment: dict[str, str],
    tmp_path: Path,
) -> Callable[[Callable[..., Coroutine[Any, Any, None]]], None]:
    """``sit(coroutine_function)`` steers the app in a real window: see tests/smoke/sitting.py."""

    def run(steer: Callable[..., Coroutine[Any, Any, None]]) -> None:
        what = f"{steer.__module__}:{steer.__name__}"
        result = run_python(
            *("-m", "tests.smoke.sitting", what, str(tmp_path)),
            env={**window_environment, "PYTHONPATH": str(ROOT)},
        )
        assert result.returncode == 0 and "all seen" in result.stdout, result.stdout + result.stderr
        assert not UNHEALTHY.search(result.stderr), result.stderr

    return run
