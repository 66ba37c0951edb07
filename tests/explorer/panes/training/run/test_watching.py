"""Two programs on one run: one controls it, the other watches, says so and may take over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from core.training.claims import controller
from core.training.runs import create_run
from core.training.writer import RunWriter
from tests.core.training.small import small_config
from tests.core.training.test_claims import claimed_by
from tests.explorer.waiting import until


def test_a_run_that_another_program_controls_is_watched_and_can_be_taken_over(
    make_pane: Any, run_async: Any, tmp_path: Path
) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))

    async def story() -> None:
        writer = RunWriter(folder)
        writer.step({"step": 1, "loss": 2.0})
        claimed_by(folder)
        said: list[str] = []
        pane = make_pane()
        pane.statusRequested.connect(said.append)
        pane.open_run(str(folder))
        await until(lambda: pane.follower.data is not None, "the run")
        card, told = pane.view.card, f"Process {os.getppid()} on "
        assert "watched here" in card.text.note and card.text.message.startswith(told)
        for name in ("pause", "stop"):
            assert card.buttons[name].isVisibleTo(card) and not card.buttons[name].isEnabled()
            assert told in card.buttons[name].toolTip()
        pane.controls.pause()
        await until(lambda: said, "why it is not paused")
        assert "take over" in said[-1] and pane.steering.state(pane.follower.data) == "running"
        card.buttons["take"].click()
        await until(lambda: not pane.follower.data.controller, "control")
        assert controller(folder) is None
        assert card.buttons["pause"].isEnabled() and "take" not in card.text.buttons
        assert "watched" not in card.text.note and not card.text.message
        pane.controls.pause()
        await until(lambda: (folder / "control.jsonl").exists(), "the command")
        await pane.settled()
        writer.event("end", 1, {"reason": "stopped"})
        writer.close()
        claimed_by(folder)
        await until(lambda: pane.follower.data.state == "stopped", "its end")
        assert "take" not in card.text.buttons and "watched" not in card.text.note

    run_async(story())
