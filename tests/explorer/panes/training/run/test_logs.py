"""Logs of other programs: shown as runs, which nobody here can train on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.training import open_run
from explorer.panes.training.run.inspector import moment_rows
from explorer.panes.training.run.known_runs import list_runs
from explorer.runs.folders import holds_run, is_run, is_run_folder
from explorer.runs.run_data import read
from tests.core.training.foreign.event_files import event, scalar, write_events
from tests.explorer.waiting import until

CSV = "step,loss,val_loss\n1,3.0,\n2,2.5,2.75\n3,2.0,\n"


def logs(folder: Path) -> dict[str, Path]:
    """One of each kind."""
    table, lines = folder / "log.csv", folder / "log.jsonl"
    table.write_text(CSV)
    lines.write_text('{"step": 1, "loss": 3.0}\n{"step": 3, "loss": 2.0}\n')
    state = folder / "trainer" / "trainer_state.json"
    state.parent.mkdir()
    history = [{"step": 1, "loss": 3.0}, {"step": 3, "loss": 2.0}]
    state.write_text(json.dumps({"log_history": history, "max_steps": 3}))
    events = folder / "board" / "events.out.tfevents.1.host"
    events.parent.mkdir()
    write_events(events, event(1, scalar("loss", 3.0)), event(3, scalar("loss", 2.0)))
    return {"csv": table, "jsonl": lines, "trainer": state, "board": events.parent}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "trainer", "board"])
def test_a_log_is_shown_and_cannot_be_steered(
    make_pane: Any, run_async: Any, tmp_path: Path, kind: str
) -> None:
    async def story() -> None:
        pane = make_pane()
        pane.open_run(str(logs(tmp_path)[kind]))
        await until(lambda: pane.follower.data is not None, "the log")
        data = pane.follower.data
        assert data.state == "finished" and data.last("loss") == 2.0
        assert pane.view.card.text.buttons == () and pane.view.card.text.step == 3
        assert pane.headline.startswith("Read from ")
        assert not pane.view.phases.isEnabled()
        assert not pane.track.is_live and pane.track.inside(0) is None
        enabled = {action.id for action in pane.actions() if action.enabled()}
        assert "training.branch" not in enabled and "training.new" in enabled
        pane.controls.play()
        pane.controls.step()
        await pane.settled()
        assert pane.follower.data is data

    run_async(story())


def test_a_log_stays_in_the_list_and_lies_over_another(
    make_pane: Any, run_async: Any, tmp_path: Path
) -> None:
    async def story() -> None:
        pane, found = make_pane(), logs(tmp_path)
        pane.open_run(str(found["csv"]))
        await until(lambda: pane.follower.data is not None, "the log")
        pane.overlay(str(found["jsonl"]))
        await until(lambda: pane.other.data is not None, "the one over it")
        await pane.settled()
        kept = pane.context.settings.runs
        assert kept == [str(found["csv"].resolve())]
        assert [str(one) for one in list_runs(tmp_path / "runs", kept)] == kept
        found["csv"].unlink()
        assert list_runs(tmp_path / "runs", kept) == []

    run_async(story())


def test_a_dropped_table_with_steps_is_a_run_and_another_one_a_text(
    make_pane: Any, run_async: Any, tmp_path: Path
) -> None:
    poems = tmp_path / "poems.csv"
    poems.write_text("title,poem\nrain,it rains\n" * 20)

    async def story() -> None:
        pane, table = make_pane(), logs(tmp_path)["csv"]
        pane.form.fileDropped.emit(str(poems))
        await until(lambda: pane.setup.draft.value.corpus == str(poems), "the text")
        assert pane.workspace.run is None
        pane.form.fileDropped.emit(str(table))
        await until(lambda: pane.workspace.run == str(table), "the run")
        await until(lambda: pane.follower.data is not None, "its numbers")
        await pane.settled()

    run_async(story())


def test_what_holds_a_run(tmp_path: Path) -> None:
    for path in logs(tmp_path).values():
        assert is_run(path) and holds_run(path) and not is_run_folder(path)
    words = tmp_path / "words.jsonl"
    words.write_text('{"text": "it rains"}\n')
    assert is_run(words) and not holds_run(words)
    assert not is_run(tmp_path / "gone.csv") and holds_run(tmp_path)
    (tmp_path / "poems").mkdir()
    words.rename(tmp_path / "poems" / "words.jsonl")
    assert not holds_run(tmp_path / "poems")


def test_what_a_log_does_not_tell_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("step,loss,grad_norm\n1,3.0,\n2,2.5,0.75\n")
    numbers = read(open_run(log)).numbers
    assert [getattr(row, "text", row) for row in moment_rows(numbers, 1)] == [
        "loss L = 3.000 nats per token"
    ]
    assert "gradient norm |g| = 0.750" in moment_rows(numbers, 2)
