"""A run as a row: its state, what it said, and the buttons that it has now."""

from __future__ import annotations

from typing import Any

from explorer.widgets.run_card_text import CardText
from explorer.widgets.run_row import RunRow


def test_a_row_tells_of_a_run_and_of_what_went_wrong(qtbot: Any) -> None:
    row, got = RunRow("demo.row"), []
    qtbot.addWidget(row)
    row.asked.connect(got.append)
    row.set_said(" Maya")
    assert row.accessibleName() == "Base:  Maya"
    running = CardText("LoRA", "running", 12, 60, "20 s left", buttons=("pause", "stop"))
    row.set_text(running)
    assert row.accessibleName() == "LoRA: training, step 12 of 60, 20 s left Maya"
    assert {name for name, one in row.buttons.items() if not one.isHidden()} == {"pause", "stop"}
    row.buttons["pause"].click()
    assert got == ["pause"] and row.buttons["pause"].toolTip() == "Pause"
    row.set_text(CardText("LoRA", "failed", 12, 60, message="The disk is full."))
    assert row.accessibleName() == "LoRA: failed, step 12 of 60 The disk is full."
    assert all(one.isHidden() for one in row.buttons.values())
