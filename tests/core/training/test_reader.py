"""What a reader holds on to while a run goes on, is resumed, or is put back from a copy."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.training import reader as reader_module
from core.training import records
from core.training.reader import JsonLines, RunReader
from core.training.runs import branch, create_run
from core.training.writer import RunWriter
from core.transformer.weights import load_config
from tests.core.any_json import JSON
from tests.core.training.small import finish, small_config


def test_a_resumed_run_shows_the_sample_that_was_written_again(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    reader = RunReader(folder)
    for attempt, text in ((1, "given up"), (2, "written again")):
        writer = RunWriter(folder, from_step=4)
        writer.step({"step": 5})
        writer.sample(5, "Once", text, [attempt])
        reader.refresh()
        assert [sample.text for sample in reader.samples] == [text]
        assert reader.samples == RunReader(folder).samples
        writer.close()


def test_a_step_that_was_recorded_is_news_and_so_is_every_rank_that_tells_of_it(
    tmp_path: Path,
) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    RunWriter(folder).close()
    reader = RunReader(folder)
    assert not reader.refresh()
    for step, rank in ((3, 0), (3, 1), (12, 1), (12, 0)):
        place = records.recording_folder(folder, step)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"rank{rank}.json").write_text("{}")
        assert reader.refresh() and not reader.refresh()


def test_a_file_that_has_shrunk_is_read_again_and_nothing_counts_twice(tmp_path: Path) -> None:
    lines = JsonLines(tmp_path / "lines.jsonl")
    lines.path.write_text('{"a": 1}\n{"a": 2}\n{"a": 3')
    assert (lines.read(), lines.again) == ([{"a": 1}, {"a": 2}], False)
    lines.path.write_text('{"a": 1}\n')
    assert (lines.read(), lines.again) == ([{"a": 1}], True)
    assert (lines.read(), lines.again) == ([], False)

    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    reader = RunReader(folder)
    events = folder / "rank0.jsonl"
    writer.event("note", 0, {"message": "kept"})
    kept = events.read_bytes()
    writer.event("note", 0, {"message": "lost, and longer than what comes in its place"})
    assert reader.refresh() and len(reader.events) == 3
    events.write_bytes(kept)
    writer.event("paused", 0, {})  # as many lines as before
    assert reader.refresh()
    assert reader.events == RunReader(folder).events
    writer.close()


def test_a_folder_is_listed_again_within_the_tick_of_its_clock_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two entries of one tick of a coarse clock leave the folder with one and the same time."""
    now, tick = [10_000_000_000], 10_000_000_000
    clock = SimpleNamespace(time_ns=lambda: now[0], time=lambda: now[0] / 1e9)
    monkeypatch.setattr(reader_module, "time", clock)
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    RunWriter(folder).close()

    def seen_after(step: int, later: int) -> list[int]:
        (folder / "checkpoints" / records.step_name(step)).mkdir()
        os.utime(folder / "checkpoints", ns=(tick, tick))
        now[0] = tick + later
        reader.refresh()
        return [checkpoint.step for checkpoint in reader.checkpoints]

    reader = RunReader(folder)
    assert seen_after(1, 10_000_000) == [1]
    assert seen_after(2, 49_000_000) == [1, 2], "one more within the same tick"
    assert seen_after(3, 60_000_000) == [1, 2], "no folder is listed at every look"


def test_an_unknown_reason_of_an_end_is_a_run_that_was_stopped(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    writer.event("end", 0, {"reason": "preempted", "message": "the queue was full"})
    writer.close()
    reader = RunReader(folder)
    assert (reader.state, reader.message) == ("stopped", "the queue was full")


LINES = (
    {"event": "evaluate", "validation": 2.0},
    {"event": "evaluate", "train": "low", "validation": 2.0},
    {"event": "evaluate", "step": "five", "train": 2.0, "validation": 2.0},
    {"event": "evaluate", "step": None, "train": 2.0, "validation": 2.0},
    {"event": "evaluate", "step": 10**30, "train": 2.0, "validation": 2.0},
    {"event": "evaluate", "attempt": {}, "train": 2.0, "validation": 2.0},
    {"event": "evaluate", "time": [], "train": 2.0, "validation": 2.0},
    {"event": "sample"},
    {"event": ["end"], "reason": "failed"},
    {"event": "model", "parameters": "many"},
    {"event": "prepare", "share": "half", "message": 3},
    {"level": "info", "text": "another program's line"},
)


@given(st.dictionaries(st.sampled_from(["event", "attempt", "step", "time", "train"]), JSON))
def test_any_json_is_an_event_or_none(line: dict[str, Any]) -> None:
    for kind in (line.get("event"), *records.EVENTS):
        if records.is_event({**line, "event": kind}):
            assert type(line["step"]) is int and type(line["attempt"]) is int


def test_a_loss_that_is_endless_is_still_an_event() -> None:
    line = {"event": "evaluate", "attempt": 1, "step": 5, "time": 1.0}
    assert records.is_event({**line, "train": math.nan, "validation": math.inf})
    assert not records.is_event({**line, "train": math.nan, "validation": "inf"})


def test_lines_that_python_cannot_read_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text("[" * 100_000 + '\n{"n": ' + "9" * 6000 + '}\n{"n": 1}\n')
    assert JsonLines(path).read() == [{"n": 1}]


@pytest.mark.parametrize("foreign", LINES, ids=str)
def test_a_line_that_is_no_event_of_ours_is_left_out(
    tmp_path: Path, foreign: dict[str, object]
) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    writer.event("evaluate", 0, {"train": 3.0, "validation": 3.5})
    reader = RunReader(folder)
    line = {"attempt": 1, "step": 5, "time": 1.0, **foreign}
    if "level" in foreign:
        line = dict(foreign)
    with open(folder / "rank0.jsonl", "ab") as file:
        file.write(json.dumps(line).encode() + b"\n")
    reader.refresh()
    writer.event("evaluate", 6, {"train": 2.0, "validation": 2.5})
    reader.refresh()
    for run in (reader, RunReader(folder)):
        assert run.evaluations["validation"].tolist() == [3.5, 2.5]
        assert [e["event"] for e in run.events] == ["start", "evaluate", "evaluate"]
        assert run.samples == [] and run.state == "running"
    writer.close()


WHO = {"from_step": 0, "pid": 1, "host": "there"}


@pytest.mark.parametrize(
    "attempts",
    [{}, [{}], ["first"], [WHO, {**WHO, "from_step": "0"}], [{**WHO, "pid": None}], 3,
     [{**WHO, "host": 7}]],
)  # fmt: skip
def test_attempts_that_cannot_be_read_are_refused_with_the_remedy(
    tmp_path: Path, attempts: object
) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    manifest = json.loads((folder / "run.json").read_text())
    records.write_manifest(folder, manifest | {"attempts": attempts})
    with pytest.raises(ValueError, match=r"run.json: attempts.* not |lacks .*; restore it") as told:
        RunReader(folder)
    assert "add" not in str(told.value), "one remedy"


def test_the_run_tells_what_its_model_chooses_among_and_what_was_read_before(
    tmp_path: Path,
) -> None:
    """Of letters the config holds a guess; a branch begins where its parent was."""
    config = small_config(tmp_path, batch_size=2)
    run = finish(config, tmp_path / "run")
    other = config.change({"batch_size": 4, "steps": 10})
    branched = finish(other, branch(run.folder, 8, {"batch_size": 4, "steps": 10}))
    for reader, before in ((run, 0), (branched, 8 * config.tokens_per_step)):
        told = next(event for event in reader.events if event["event"] == "model")
        true = load_config(reader.checkpoints[-1].folder).vocab_size
        assert (told["vocab_size"], told["tokens"]) == (true, before)
        assert true != config.model.vocab_size


def test_a_run_that_records_less_goes_on_as_it_began(tmp_path: Path) -> None:
    """Of an older version: the manifest says what lies in a record."""
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    manifest = json.loads((folder / "run.json").read_text())
    manifest["record"] = [field for field in manifest["record"] if field[0] != "targets"]
    records.write_manifest(folder, manifest)
    run = finish(RunReader(folder).config, folder)
    assert run.state == "finished" and "targets" not in (run.steps.dtype.names or ())
    assert run.steps["step"].tolist() == list(range(1, 13)) and (run.steps["tokens"] == 64).all()
