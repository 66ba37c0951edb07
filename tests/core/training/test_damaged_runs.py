"""A run with a damaged file opens without the damaged part, and tells how much is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.training import reader as reader_module
from core.training import records
from core.training.reader import JsonLines, RunReader
from core.training.runs import create_run
from core.training.writer import RunWriter
from tests.core.training.small import small_config


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Three steps, and an evaluation after each."""
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    for step in (1, 2, 3):
        writer.step({"step": step, "loss": 3.0 - step})
        writer.event("evaluate", step, {"train": 3.0, "validation": 3.0})
    writer.close()
    return folder


def change_manifest(run: Path, **changes: Any) -> None:
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\x00", b"{", b"[]", b"[" * 100_000, b'{"step": ' + b"9" * 6000 + b"}",
        b'{"event": "evaluate", "attempt": 1, "step": 1.5, "time": 0, "train": 1, '
        b'"validation": 1}',
        b'{"event": "evaluate", "attempt": 1, "step": 1e308, "time": 0, "train": 1, '
        b'"validation": 1}',
        b'{"event": "sample", "attempt": 1, "step": Infinity, "time": 0, "file": "x"}',
        b'{"a": [' + b"0," * 100_001 + b"0]}",
    ],
    ids=lambda line: line[:40],
)  # fmt: skip
def test_a_damaged_line_of_events_is_left_out_and_counted(run: Path, line: bytes) -> None:
    path = run / "rank0.jsonl"
    first, rest = path.read_bytes().split(b"\n", 1)
    reader = RunReader(run)
    assert reader.damaged == 0
    path.write_bytes(first + b"\n" + line + b"\n" + rest)
    reader = RunReader(run)
    assert reader.evaluations["step"].tolist() == [1, 2, 3]
    assert reader.damaged == 1
    reader.refresh()
    assert reader.damaged == 1


def test_a_file_that_was_put_back_has_its_own_damaged_lines(run: Path) -> None:
    path = run / "rank0.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b"?\n{}\n")
    reader = RunReader(run)
    assert reader.damaged == 2
    path.write_bytes(whole)
    assert reader.refresh() and reader.damaged == 0


def records_of(run: Path) -> np.ndarray:
    return np.fromfile(run / "rank0.steps", records.STEP_DTYPE)


@pytest.mark.parametrize(
    ("field", "value"),
    [("attempt", 0), ("attempt", -1), ("attempt", 2), ("step", 0), ("step", -5), ("step", 1 << 62),
     ("step", 1)],
)  # fmt: skip
def test_a_damaged_record_is_left_out_and_counted(run: Path, field: str, value: int) -> None:
    written = records_of(run)
    written[field][1] = value
    written.tofile(run / "rank0.steps")
    reader = RunReader(run)
    assert reader.steps["step"].tolist() == [1, 3] and reader.damaged == 1
    assert reader.step == 3


def test_a_run_of_zeros_has_no_steps(run: Path) -> None:
    (run / "rank0.steps").write_bytes(bytes(records.STEP_DTYPE.itemsize * 100))
    reader = RunReader(run)
    assert len(reader.steps) == 0 and reader.damaged == 100 and reader.step == 0


def test_steps_that_a_later_attempt_has_given_up_are_not_damaged(run: Path) -> None:
    writer = RunWriter(run, from_step=1)
    writer.step({"step": 2, "loss": 0.5})
    writer.close()
    reader = RunReader(run)
    assert reader.steps["step"].tolist() == [1, 2] and reader.steps["loss"][-1] == 0.5
    assert reader.damaged == 0


@pytest.mark.parametrize(
    "record",
    [
        [["attempt", "<i4"], ["step", "<i8"], ["loss", "S0"]],
        [["attempt", "<i4"], ["step", "<f8"], ["loss", "<f8"]],
        [["attempt", "<i4"], ["step", "<i8"], ["loss", "O"]],
        [["attempt", "<i4"], ["step", "<i8"], ["loss", "(1000000000,)<f8"]],
        [["attempt", "<i4"], ["step", "<i8"], ["loss", "<f8"], ["loss", "<f8"]],
        [["attempt", "<i4"], ["step", "<i8"]],
        [["attempt", "<i4"]] * 100_000,
        [],
        "abc",
        {"attempt": "<i4"},
    ],
    ids=lambda record: str(record)[-40:],
)
def test_a_record_that_is_none_is_refused(run: Path, record: Any) -> None:
    change_manifest(run, record=record)
    with pytest.raises(ValueError, match=r"record.*(get the file again|restore it)"):
        RunReader(run)


@pytest.mark.parametrize(
    "changes",
    [{"parent": 3}, {"parent": {"run": 3, "step": 1}}, {"parent": {"run": "x", "step": 1e308}},
     {"parent": {"run": "x"}}, {"name": ["x"]}, {"format": "1"}, {"config": []}],
    ids=str,
)  # fmt: skip
def test_a_manifest_of_odd_types_is_refused(run: Path, changes: dict[str, Any]) -> None:
    change_manifest(run, **changes)
    with pytest.raises(ValueError, match=r"run\.json.*restore it|update LLM"):
        RunReader(run)


def test_a_step_of_a_file_name_is_one_that_a_run_can_reach() -> None:
    assert records.step_of("step-1000000000.json") == 1_000_000_000
    assert records.step_of(f"step-{'9' * 200}.json") is None


def test_lines_without_number_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "MOST_LINES", 3)
    path = tmp_path / "rank0.jsonl"
    path.write_bytes(b"{}\n" * 3)
    lines = JsonLines(path)
    assert len(lines.read()) == 3
    path.write_bytes(b"{}\n" * 4)
    with pytest.raises(ValueError, match="4 lines, more than is read of a run"):
        lines.read()


def test_records_without_number_are_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "MOST_RECORD_BYTES", 200)
    with pytest.raises(ValueError, match=r"rank0\.steps holds 348 bytes, more than the 200"):
        RunReader(run)
