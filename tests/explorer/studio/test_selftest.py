"""The self-test ends when it hangs, says where, and waits as long as anything works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# A pane that comes to rest only when `wait` returns, in a self-test that has little patience.
DRIVER = """
import asyncio, sys, threading, time
import explorer.app as app
import explorer.shell.session as session
from explorer.panes.base import Pane, PaneSpec
from explorer.studio import selftest

class Stubborn(Pane):
    async def settled(self):
        await self.comes_to_rest()

    async def comes_to_rest(self):
        if how == "waits":
            await asyncio.get_running_loop().create_future()
        elif how == "blocks":
            threading.Event().wait()
        else:
            computing = asyncio.ensure_future(asyncio.to_thread(compute))
            await computing

def compute():
    end = time.monotonic() + 5
    while time.monotonic() < end:
        pass

how = sys.argv.pop()
create = lambda context: Stubborn(context, "stubborn")
spec = PaneSpec("stubborn", "Stubborn", "layers", "nothing", create)
session.built = lambda: (spec,)
patient = selftest.run
selftest.run = lambda app: patient(app, quiet=2.0)
from explorer.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize("how", ["waits", "blocks", "works"])
def test_a_pane_that_never_comes_to_rest_is_named(tmp_path: Path, how: str) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)
    command = [sys.executable, str(driver), "--self-test", how]
    folders = {f"LLM_EXPLORER_{name}": str(tmp_path) for name in ("CONFIG", "DATA")}
    environment = {**os.environ, **folders, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if how == "works":
        assert "self-test: pane stubborn works" in done.stdout
        assert "hangs" not in done.stderr
        return
    assert done.returncode == 1
    assert "self-test: pane stubborn hangs: nothing has worked on it for 2 s" in done.stderr
    if how == "waits":
        assert "waits: Stubborn.comes_to_rest (driver.py:" in done.stderr
        assert "self-test: failed" in done.stderr
    else:
        assert "in comes_to_rest" in done.stderr  # a stack of the window's thread
