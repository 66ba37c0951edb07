"""Snapshots draw every view in light and dark without a sleep; the self-test passes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from explorer import theme
from explorer.shell import session
from explorer.studio import snapshot
from tests.explorer.demo import broken_spec, spec

ROOT = Path(__file__).parents[3]


@pytest.fixture
def quick(monkeypatch, qapp):
    """Sessions without torch that have nothing to open."""

    async def begin(self, *_):
        self.engine.start()

    monkeypatch.setattr(session.Session, "begin", begin)
    yield monkeypatch
    theme.apply(qapp, "light", 1.0, "full")


def test_every_view_is_drawn_light_and_dark(qapp, run_async, tmp_path, quick):
    quick.setattr(session, "built", lambda: (spec("demo"), spec("other")))
    assert run_async(snapshot.run(qapp, tmp_path / "out", [(1280, 720), (1440, 900)])) == 0
    names = {path.stem for path in (tmp_path / "out").glob("*.png")}
    assert names == {
        f"{pane}-{view}-{look}-{size}"
        for pane in ("demo", "other")
        for view in ("start", "end")
        for look in ("light", "dark")
        for size in ("1280x720", "1440x900")
    }
    light = QImage(str(tmp_path / "out" / "demo-end-light-1440x900.png"))
    dark = QImage(str(tmp_path / "out" / "demo-end-dark-1440x900.png"))
    assert (light.width(), light.height()) == (1440, 900)
    assert light.pixelColor(700, 400).lightness() > 200 > dark.pixelColor(700, 400).lightness()


def test_a_pane_that_cannot_be_built_is_told(qapp, run_async, tmp_path, quick, capsys, caplog):
    caplog.set_level("CRITICAL")
    quick.setattr(session, "built", lambda: (broken_spec(),))
    assert run_async(snapshot.run(qapp, tmp_path / "out", [(1280, 720)])) == 1
    assert "could not be built" in capsys.readouterr().err


def test_the_self_test_passes_in_this_checkout(tmp_path):
    environment = {
        **os.environ,
        "LLM_EXPLORER_CONFIG": str(tmp_path),
        "LLM_EXPLORER_DATA": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "explorer", "--self-test"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    for part in (
        "window",
        "pane attention",
        "pane tokenizers",
        "pane backprop",
        "backprop",
        "pane training",
        "code",
        "training",
    ):
        assert f"self-test: {part} works" in done.stdout
