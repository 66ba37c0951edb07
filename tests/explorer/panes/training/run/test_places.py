"""A run with long steps goes on in a process of its own, and the pane says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.training import RunReader, new_run_folder
from core.training.writer import RunWriter
from explorer.panes.training.run.card_text import card_text
from explorer.runs.run_data import read
from tests.explorer.demo import tiny_training
from tests.explorer.waiting import until


@pytest.fixture
def slow(tmp_path):
    """A stopped run whose steps took half a second, with a checkpoint of step 4."""
    folder = new_run_folder(tmp_path / "runs", "slow", tiny_training(steps=9))
    writer = RunWriter(folder)
    for step in range(1, 5):
        writer.step({"step": step, "loss": 1.0, "seconds": 0.5})
    (folder / "checkpoints" / "step-000004").mkdir(parents=True)
    (folder / "checkpoints" / "step-000004" / "config.json").write_text("{}")
    writer.event("end", 4, {"reason": "stopped", "message": ""})
    writer.close()
    return folder


def test_resuming_and_branching_place_a_run_by_its_recorded_steps(
    make_pane, slow, run_async, monkeypatch
):
    async def story():
        pane = make_pane()
        runs, started = pane.context.runs, []
        monkeypatch.setattr(runs, "start", lambda run, to, *_: started.append((run.name, to)))
        pane.steering.start(slow)
        await until(lambda: started == [("slow", "process")], "the resume")
        pane.steering.branch(slow, 4, {})
        await until(lambda: started[1:] == [("slow-at-4", "process")], "the branch")
        pane.context.settings.run_in = "thread"  # as the person wants it
        pane.steering.start(slow)
        await until(lambda: started[2:] == [("slow", "thread")], "the choice")
        await pane.settled()

    run_async(story())


def test_the_card_says_that_a_run_with_a_process_of_its_own_outlives_the_window(slow):
    said = "closing the window does not stop it"
    data = replace(read(RunReader(slow)), state="running")
    assert said not in card_text(data, "running", None, False).note
    data = replace(data, backend="process")
    assert card_text(data, "running", None, False).note.endswith(said)
    assert said not in card_text(data, "stopped", None, False).note


def test_the_card_says_how_many_lines_are_damaged(slow):
    with open(slow / "rank0.jsonl", "ab") as file:
        file.write(b"?\n")
    data = read(RunReader(slow))
    assert card_text(data, "stopped", None, False).note.endswith("1 damaged line skipped")
    data = replace(data, damaged=1200)
    assert "1,200 damaged lines skipped" in card_text(data, "running", None, False).note
