"""For how long the window stands still, whatever a person does in it.

The real window goes through every pane and mode. A figure is the longest time in which the event
loop answered nobody; beside it stands how often that took longer than 250 ms, and where.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.frames import application
from tests.benchmarks.harness import Report
from tests.benchmarks.stall_watch import LIMIT, Stalls, StallWatch

LETTERS = 3  # typed into each field, and taken back
PLACES = 25  # of a track that is scrubbed, or of a slider that is dragged
PLAYED = 1.5  # seconds of each track
TRAINED = 6.0  # seconds of training that is looked at
PATIENCE = 60.0  # seconds for what was asked for to be on the screen

SEEDS, ACTIONS = range(4), 250  # at random

Drive = Callable[[Any, Any], Awaitable[None]]


def fast(report: Report) -> None:
    import qasync

    from explorer import theme

    app = application()
    watch = StallWatch()
    try:
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
            found = runner.run(_driven(app, watch))
            at_random = Stalls()
            for seed in SEEDS:
                runner.run(_acted_at_random(seed, watch, at_random))
    finally:
        watch.close()
    theme.apply(app, "light", 1.0, "full")
    for kind, stalls in found.items():
        name = f"{kind}, longest stall"
        report.at_most(name, 1e3 * stalls.longest, 1e3 * LIMIT, "ms")
        report.tell(f"{kind}, stalls over {1e3 * LIMIT:.0f} ms", stalls.long)
        if stalls.place:
            print(f"{'':<15}the longest in {stalls.place}")

    many = len(SEEDS) * ACTIONS
    rate = 1000 * at_random.long / many
    report.at_most(f"stalls over {1e3 * LIMIT:.0f} ms in 1,000 random actions", rate, 1)
    report.tell("random actions, longest stall", 1e3 * at_random.longest, "ms")
    if at_random.place:
        print(f"{'':<15}the longest in {at_random.place}")


async def _driven(app: Any, watch: StallWatch) -> dict[str, Stalls]:
    """What was seen, by the kind of action."""
    from explorer.panes import specs
    from explorer.shell.session import Session

    found: dict[str, Stalls] = {}

    async def act(kind: str, action: Callable[[], Awaitable[None]]) -> None:
        with watch.watching(found.setdefault(kind, Stalls())):
            await action()

    with tempfile.TemporaryDirectory() as scratch:
        session = Session(folder=Path(scratch), runs_folder=Path(scratch) / "runs")
        session.settings.callouts_seen = True
        window = session.open()
        session.engine.ready.connect(gc.freeze)  # as the program does
        window.resize(1440, 900)
        window.show()
        await session.begin()
        await specs.load_ahead(session.engine)  # as the program does after its first picture
        names = [spec.id for spec in session.specs]
        for kind in ("a pane or mode shown first", "a pane or mode shown again"):
            for name in names:
                await act(kind, lambda name=name: _shown(window, name))
        for name in names:
            pane = window.show_pane(name)
            for mode in getattr(pane, "modes", None) or [""]:
                if mode:
                    pane.show_mode(mode)
                await _settled(pane)
                for kind, drive in DRIVES.items():
                    await act(kind, lambda drive=drive, pane=pane: drive(window, pane))
            await act("a change of theme", lambda pane=pane: _themes(app, pane))
            await act("a change of zoom", lambda pane=pane: _zooms(app, pane))
            await act("a change of motion", lambda pane=pane: _motions(app, pane))
        await act("training watched", lambda: _training(window))
        await session.close()
    return found


async def _settled(pane: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        await asyncio.sleep(0.02)
        await pane.settled()
        await asyncio.sleep(0.02)


async def _shown(window: Any, name: str) -> None:
    pane = window.show_pane(name)
    await _settled(pane)
    for mode in getattr(pane, "modes", None) or []:
        pane.show_mode(mode)
        await _settled(pane)


async def _typed(window: Any, pane: Any) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QLineEdit, QPlainTextEdit

    for field in [*window.findChildren(QLineEdit), *window.findChildren(QPlainTextEdit)]:
        if not field.isVisible() or not field.isEnabled() or field.isReadOnly():
            continue
        for _ in range(LETTERS):
            QTest.keyClicks(field, "a")
            await asyncio.sleep(0.03)
        for _ in range(LETTERS):
            QTest.keyClick(field, Qt.Key.Key_Backspace)
            await asyncio.sleep(0.03)
    await _settled(pane)


async def _dragged(window: Any, pane: Any) -> None:
    from PySide6.QtWidgets import QSlider

    for slider in [one for one in window.findChildren(QSlider) if one.isVisible()]:
        before, low, high = slider.value(), slider.minimum(), slider.maximum()
        for place in range(PLACES):
            slider.setValue(low + (high - low) * place // (PLACES - 1))
            await asyncio.sleep(0.02)
        slider.setValue(before)
    await _settled(pane)


async def _scrubbed(window: Any, pane: Any) -> None:
    player = pane.player
    for place in range(PLACES if player.length > 1 else 0):
        player.seek((player.length - 1) * place / (PLACES - 1))
        await asyncio.sleep(0.02)
    await _settled(pane)


async def _played(window: Any, pane: Any) -> None:
    pane.player.start()
    pane.player.play()
    await asyncio.sleep(PLAYED)
    pane.player.pause()
    await _settled(pane)


async def _themes(app: Any, pane: Any) -> None:
    from explorer import theme

    for name in ("dark", "light"):
        theme.apply(app, name, 1.0, "full")
        await _settled(pane)


async def _zooms(app: Any, pane: Any) -> None:
    from explorer import theme

    for zoom in (1.1, 1.0):
        theme.set_zoom(app, zoom)
        await _settled(pane)


async def _motions(app: Any, pane: Any) -> None:
    from explorer import theme

    for motion in ("off", "full"):
        theme.set_motion(app, motion)
        await _settled(pane)


async def _acted_at_random(seed: int, watch: StallWatch, stalls: Stalls) -> None:
    """Starting, closing and importing is not watched: only what somebody does."""
    from core.training import new_run_folder, train_steps
    from explorer.panes import specs
    from tests.explorer.demo import tiny_training
    from tests.explorer.random_actions import RandomActions, sitting

    with tempfile.TemporaryDirectory() as scratch:
        config = tiny_training()
        run = new_run_folder(Path(scratch) / "runs", "tiny", config)
        for _ in train_steps(config, run):
            pass
        async with sitting(Path(scratch), run) as session:
            await specs.load_ahead(session.engine)
            actions = RandomActions(session, seed)
            for _ in range(ACTIONS):
                one = Stalls()
                with watch.watching(one):
                    await actions.act()
                if one.long:
                    print(f"{'':<15}{1e3 * one.longest:.0f} ms after {actions.last[-1]}")
                stalls.add(one)
            actions.close()


async def _training(window: Any) -> None:
    pane = window.show_pane("training")
    pane.show_mode("run")
    pane.mode.new_run()
    await _settled(pane)
    pane.mode.start_run()
    await asyncio.sleep(TRAINED)


DRIVES: dict[str, Drive] = {
    "typing": _typed,
    "sliders": _dragged,
    "scrubbing": _scrubbed,
    "playing": _played,
}
