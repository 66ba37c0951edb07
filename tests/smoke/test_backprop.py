"""The backprop pane in a real window: a formula typed, played, dragged and learned; small, dark."""

import pytest

from tests.smoke.conftest import ROOT
from tests.smoke.test_window import UNHEALTHY

SITTING = '''
import asyncio, gc, sys
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
import qasync

from explorer import errors, theme
from explorer.app import ExplorerApp
from explorer.panes.backprop.expression.draw_nodes import node_box
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
    assert not window.grab().toImage().isNull()
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
    pane = window.show_pane("backprop")
    pane.show_mode("expression")
    mode = pane.mode
    await seen(pane, window)

    field = mode.view.editor.field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "tanh(w*x + b)")
    assert [node.label for node in mode.computed.graph.nodes if node.is_leaf] == ["w", "x", "b"]
    for size in ((1440, 900), (1100, 680)):
        window.resize(*size)
        for look in ("light", "dark"):
            theme.apply(app, look, 1.0, "full")
            await seen(pane, window)
    assert (window.width(), window.height()) == (1100, 680)

    graph = mode.view.graph
    graph.setFocus()
    pane.player.set_speed(4.0)
    key(Qt.Key.Key_Space)
    await until(lambda: pane.player.position >= 3)
    key(Qt.Key.Key_Space)
    assert not pane.player.playing
    key(Qt.Key.Key_End)
    assert pane.player.position == pane.player.length - 1

    number = mode.computed.leaves["w"]
    center = node_box(graph.scene, number).center()
    at = QPoint(*(round(one) for one in graph.camera.seen(center.x(), center.y())))
    before = mode.computed.result
    QTest.mousePress(graph, Qt.MouseButton.LeftButton, pos=at)
    for turn in range(1, 6):
        QTest.mouseMove(graph, at + QPoint(8 * turn, 0))
        await asyncio.sleep(0.02)
    QTest.mouseRelease(graph, Qt.MouseButton.LeftButton, pos=at + QPoint(40, 0))
    assert mode.computed.result != before
    key(Qt.Key.Key_Escape)
    assert graph.chosen[0] < 0
    session.workspace.undo()
    assert mode.computed.result == before

    QTest.mouseClick(mode.view.learn.step, Qt.MouseButton.LeftButton)
    assert mode.computed.result < before
    await seen(pane, window)
    window.close()
    await asyncio.wait_for(closing.wait(), 5)
    assert await session.close(10)
    assert not errors.reports().problems, list(errors.reports().problems.values())

    again = Session(folder=folder / "config", runs_folder=folder / "runs")
    window = again.open()
    window.show()
    await again.begin()
    pane = window.show_pane("backprop")
    await seen(pane, window)
    assert pane.modes["expression"].computed.text == "tanh(w*x + b)"
    assert await again.close(10)
    print("all seen")


with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
    hooks.install_on_loop(runner.get_loop())
    runner.run(main())
sys.stdout.flush()
import os
os._exit(0)
'''


@pytest.mark.smoke
def test_a_formula_in_a_real_window(run_python, window_environment, tmp_path):
    result = run_python(
        "-c", SITTING, str(tmp_path), env={**window_environment, "PYTHONPATH": str(ROOT)}
    )
    assert result.returncode == 0 and "all seen" in result.stdout, result.stdout + result.stderr
    assert not UNHEALTHY.search(result.stderr), result.stderr
