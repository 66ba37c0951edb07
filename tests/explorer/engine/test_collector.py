"""What nobody holds any more is collected, and its memory goes back to the system."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject

from explorer.engine import collector
from explorer.engine.collector import WHOLE, Collector, give_memory_back

PIECE, PIECES, KEPT = 65_536, 2_000, 20  # bytes of a piece, how many, one of how many stays


def used() -> int:
    """Bytes of memory that the system counts as this process's."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="another C library keeps no memory that was freed",
)
def test_memory_that_was_freed_between_what_is_used_goes_back_to_the_system():
    pieces = [bytearray(b"x") * PIECE for _ in range(PIECES)]
    full = used()
    pieces = pieces[::KEPT]
    give_memory_back()
    assert full - used() > PIECE * PIECES // 2
    assert len(pieces) == PIECES // KEPT


def test_memory_goes_back_after_each_whole_pass(qapp, monkeypatch):
    calls = []
    monkeypatch.setattr(collector, "give_memory_back", lambda: calls.append(True))
    monkeypatch.setattr(collector.gc, "collect", lambda generation: calls.append(generation))
    parent = QObject()
    one = Collector(parent)
    for _ in range(WHOLE):
        one.collect()
    assert calls == [*[1] * (WHOLE - 1), 2, True]


def test_what_comes_with_torch_is_not_looked_through_while_it_is_imported(qapp, monkeypatch):
    calls = []
    monkeypatch.setattr(collector.gc, "collect", calls.append)
    parent, importing = QObject(), True
    one = Collector(parent, lambda: importing)
    one.collect()
    assert calls == []
    importing = False
    one.collect()
    assert calls == [1]
