"""The tokenizers pane in a real window: every mode by mouse and keyboard, small, dark, closed in
the middle of a training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.explorer.waiting import until

if TYPE_CHECKING:
    from tests.smoke.sitting import Sitting


async def go_through_every_mode(sitting: Sitting) -> None:
    pane = await sitting.begin("tokenizers")
    await sitting.seen()
    order = []
    pane.inputs.choice.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(4):
        order.append(pane.mode.id)
        await (sitting.seen() if order[1:] else sitting.seen_in_every_look())
        sitting.key(Qt.Key.Key_Right)
    assert order == ["compare", "train", "inside", "languages"], order

    pane.show_mode("inside")
    inside = pane.mode
    inside.inputs.text.selectAll()
    QTest.keyClicks(inside.inputs.text, "unhappily")
    await sitting.seen()
    inside.view.word.setFocus()
    step = pane.player.position
    sitting.key(Qt.Key.Key_Right)
    await until(lambda: pane.player.position == step + 1)
    sitting.key(Qt.Key.Key_End)
    assert pane.player.position == pane.player.length - 1

    pane.show_mode("languages")
    chart = pane.mode.view.chart
    await until(lambda: chart.lines and chart.lines[0].results[0] is not None)
    await sitting.seen()
    bar = chart.bar_rect(0, 0).center().toPoint()
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=bar)
    assert chart.accessibleDescription()

    pane.show_mode("train")
    train = pane.mode
    await until(lambda: train.can_start)
    train.form.settings.widgets["vocab_size"].editor.setFocus()
    sitting.key(Qt.Key.Key_Return)
    await until(lambda: len(train.trainer.recording or ()) > 3)
    sitting.key(Qt.Key.Key_Space)
    await until(lambda: train.trainer.state == "paused")
    made = len(train.trainer.recording)
    sitting.key(Qt.Key.Key_Right)
    await until(lambda: len(train.trainer.recording) == made + 1)
    sitting.key(Qt.Key.Key_Space)
    QTest.mouseClick(train.view.cards[2], Qt.MouseButton.LeftButton, pos=QPoint(20, 60))
    assert train.focus == 2
    await until(lambda: len(train.trainer.recording) > made + 2)
    await sitting.seen()
    await sitting.end()  # in the middle of it


@pytest.mark.smoke
def test_every_mode_in_a_real_window(sit):
    sit(go_through_every_mode)
