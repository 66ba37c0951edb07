"""The tokenizers pane in a real window: every mode by mouse and keyboard, small, dark, closed in
the middle of a training.
"""

import pytest

from tests.smoke.conftest import ROOT
from tests.smoke.test_window import UNHEALTHY

SITTING = '''
import asyncio, gc, sys
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
import qasync

from explorer import errors, theme
from explorer.app import ExplorerApp
from explorer.session import Session

gc.disable()
app = ExplorerApp(sys.argv[:1])
hooks = errors.Hooks()
hooks.install()
folder = Path(sys.argv[1])


async def until(condition, seconds=60):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def key(name, *modifiers):
    """Where the focus is, as a window gets it."""
    target = app.focusWidget() or app.activeWindow()
    QTest.keyClick(target, name, *modifiers)


async def seen(pane, window):
    await pane.settled()
    await asyncio.sleep(0.05)
    shot = window.grab().toImage()
    assert not shot.isNull()
    for picture in pane.pictures().values():
        assert getattr(picture, "_broken", None) is None, picture.accessibleName()


async def main():
    closing = asyncio.Event()
    session = Session(closing.set, folder=folder / "config", runs_folder=folder / "runs")
    session.settings.callouts_seen = True
    theme.apply(app, "light", 1.0, "full")
    window = session.open()
    window.resize(1440, 900)
    window.show()
    await session.first_paint()
    await session.begin()
    window.activateWindow()
    pane = window.show_pane("tokenizers")
    await seen(pane, window)
    order = []
    pane.inputs.choice.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(4):
        order.append(pane.mode.id)
        for size in ((1440, 900), (1100, 680)):
            window.resize(*size)
            for look in ("light", "dark"):
                theme.apply(app, look, 1.0, "full")
                await seen(pane, window)
        assert (window.width(), window.height()) == (1100, 680)
        key(Qt.Key.Key_Right)
    assert order == ["compare", "train", "inside", "languages"], order

    pane.show_mode("inside")
    inside = pane.mode
    inside.inputs.text.selectAll()
    QTest.keyClicks(inside.inputs.text, "unhappily")
    await seen(pane, window)
    inside.view.word.setFocus()
    step = pane.player.position
    key(Qt.Key.Key_Right)
    await until(lambda: pane.player.position == step + 1)
    key(Qt.Key.Key_End)
    assert pane.player.position == pane.player.length - 1

    pane.show_mode("languages")
    chart = pane.mode.view.chart
    await until(lambda: chart.lines and chart.lines[0].results[0] is not None)
    await seen(pane, window)
    bar = chart.bar_rect(0, 0).center().toPoint()
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=bar)
    assert chart.accessibleDescription()

    pane.show_mode("train")
    train = pane.mode
    await until(lambda: train.planning.can_start)
    train.setup.pieces.editor.setFocus()
    key(Qt.Key.Key_Return)
    await until(lambda: len(train.trainer.recording or ()) > 3)
    key(Qt.Key.Key_Space)
    await until(lambda: train.trainer.state == "paused")
    made = len(train.trainer.recording)
    key(Qt.Key.Key_Right)
    await until(lambda: len(train.trainer.recording) == made + 1)
    key(Qt.Key.Key_Space)
    QTest.mouseClick(train.view.cards[2], Qt.MouseButton.LeftButton, pos=QPoint(20, 60))
    assert train.focus == 2
    await until(lambda: len(train.trainer.recording) > made + 2)
    await seen(pane, window)
    window.close()  # in the middle of it
    await asyncio.wait_for(closing.wait(), 5)
    assert await session.close(10)
    assert not errors.reports().problems, list(errors.reports().problems.values())
    print("all seen")


with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
    hooks.install_on_loop(runner.get_loop())
    runner.run(main())
sys.stdout.flush()
import os
os._exit(0)
'''


@pytest.mark.smoke
def test_every_mode_in_a_real_window(run_python, window_environment, tmp_path):
    result = run_python(
        "-c", SITTING, str(tmp_path), env={**window_environment, "PYTHONPATH": str(ROOT)}
    )
    assert result.returncode == 0 and "all seen" in result.stdout, result.stdout + result.stderr
    assert not UNHEALTHY.search(result.stderr), result.stderr
