"""Logs of other programs that were made to fill the memory or to take forever."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

MEGABYTE = 1 << 20


def open_log(path: Path) -> None:
    """As a pane does."""
    from core.training.foreign import open_run

    open_run(path)


def _record(data: bytes) -> bytes:
    from core.training.foreign.tfevents import masked_crc

    length = struct.pack("<Q", len(data))
    check, end = (struct.pack("<I", masked_crc(part)) for part in (length, data))
    return length + check + data + end


def _events(*parts: bytes) -> bytes:
    return _record(b"\x10\x00") + b"".join(parts)


def _summary(values: bytes) -> bytes:
    from tests.core.training.foreign.event_files import event, of_bytes

    return event(1, of_bytes(5, values))


def _scalar(tag: str) -> bytes:
    from tests.core.training.foreign.event_files import event, scalar

    return event(1, scalar(tag, 1.0))


def _endless() -> bytes:
    """The beginning of a record, with the right check."""
    from core.training.foreign.tfevents import masked_crc

    length = struct.pack("<Q", 1 << 63)
    return length + struct.pack("<I", masked_crc(length))


EVENTS = "events.out.tfevents.1.a"
# What of a log: its file's name and what it holds.
LOGS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "events: 2,000,000 records of nothing": (EVENTS, lambda: _events(_record(b"") * 2_000_000)),
    "events: summaries of nothing": (
        EVENTS, lambda: _events(_record(_summary(b"\x0a\x00" * 500_000)) * 100)
    ),
    "events: more fields than there are": (
        EVENTS, lambda: _events(_record(b"\x08\x01" * 500_000) * 100)
    ),
    "events: 11,000 series": (
        EVENTS, lambda: _events(*(_record(_scalar(str(number))) for number in range(11_000)))
    ),
    "events: a record of 2^63 bytes": (
        EVENTS, lambda: _events(_endless())
    ),
    "events: a tag of 500 KB": (EVENTS, lambda: _events(_record(_scalar("a" * 500_000)))),
    "Trainer: 60 MB of {}": (
        "trainer_state.json", lambda: b'{"log_history":[' + b'{"":0},' * (8 * MEGABYTE) + b"0]}"
    ),
    "Trainer: as many entries as are read": (
        "trainer_state.json",
        lambda: b'{"log_history":[' + b'{"step":-1},' * 740_000 + b"0]}",
    ),
    "Trainer: steps of 900 digits": (
        "trainer_state.json",
        lambda: json.dumps({"log_history": [{"step": 10**900, "loss": 1.0}] * 9}).encode(),
    ),
    "CSV: 60 MB of lines": ("metrics.csv", lambda: b"step,loss\n" + b"\n" * (60 * MEGABYTE)),
    "CSV: as many lines as are read": ("metrics.csv", lambda: b"step,loss\n" + b"x,1\n" * 499_000),
    "CSV: 60 MB of columns": ("metrics.csv", lambda: b"a," * (30 * MEGABYTE) + b"\n1,2\n"),
    "CSV: rows of 100,000 cells": (
        "metrics.csv", lambda: b"step,loss\n" + (b"1," * 100_000 + b"\n") * 300
    ),
    "CSV: a text without an end": (
        "metrics.csv", lambda: b'step,loss\n1,"' + b"a\n" * 200_000
    ),
    "JSON lines: as many {} as are read": ("log.jsonl", lambda: b"{}\n" * 499_000),
    "JSON lines: 60 MB of lines": ("log.jsonl", lambda: b"\n" * (60 * MEGABYTE)),
    "JSON lines: nested 30 deep": (
        "log.jsonl",
        lambda: (b'{"' + b"a" * 9000 + b'":') * 30 + b"1" + b"}" * 30 + b"\n",
    ),
    "JSON lines: 60 MB of [] in a line": ("log.jsonl", lambda: b"[" + b"[]," * (20 * MEGABYTE)),
}  # fmt: skip
