"""Settings and session are kept while the window is open: what is new, and nothing else."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from core.files import not_written
from explorer.engine import tasks
from explorer.shell import autosave as autosave_module
from explorer.shell.autosave import Autosave
from explorer.state import settings


def test_only_what_changed_is_written(engine, tmp_path, run_async, monkeypatch):
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    kept, written = {one: {"a": 1}, two: {"b": [1]}}, []
    monkeypatch.setattr(
        autosave_module, "write_object", lambda path, values: written.append((path.name, values))
    )

    async def body():
        autosave = Autosave(engine, lambda: dict(kept))
        for new in (None, None, {"a": 2}):
            if new:
                kept[one] = new
            autosave.look()
            await tasks.wait_for(autosave)
        kept[two] = {"b": [2]}
        await autosave.finish()

    run_async(body())
    first = [("one.json", {"a": 1}), ("two.json", {"b": [1]})]
    last = [("one.json", {"a": 2}), ("two.json", {"b": [2]})]
    assert written == [*first, last[0], *last], "at the end all of it: a full disk may have room"


def test_the_last_word_is_the_sessions_end(engine, tmp_path, run_async, monkeypatch):
    """A slow write that was begun before does not come after it."""
    from tests.explorer.waiting import Gate

    gate, written = Gate(), []

    def write(path, values):
        if values["step"] == 1:
            gate()
        written.append(values["step"])

    monkeypatch.setattr(autosave_module, "write_object", write)
    kept = {"step": 1}

    async def body():
        autosave = Autosave(engine, lambda: {tmp_path / "session.json": dict(kept)})
        autosave.look()
        await gate.reached()
        kept["step"] = 2
        autosave.look()
        ending = tasks.spawn(autosave.finish(), autosave)
        gate.open()
        await ending

    run_async(body())
    assert written == [1, 2]


def test_a_folder_that_cannot_be_written_is_told_once(engine, tmp_path, run_async):
    folder = tmp_path / "a file"
    folder.write_text("no folder")
    kept, told = {"step": 1}, []

    async def body():
        autosave = Autosave(engine, lambda: {folder / "session.json": dict(kept)})
        autosave.failed.connect(told.append)
        for step in (1, 2, 3):
            kept["step"] = step
            autosave.look()
            await tasks.wait_for(autosave)

    run_async(body())
    (message,) = told
    assert str(folder) in message and "LLM_EXPLORER_CONFIG" in message


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.EACCES, "allow writing there"), (errno.ENOSPC, "make room")]
)
def test_what_cannot_be_kept_is_told_with_the_remedy(number, remedy):
    error = PermissionError(number, os.strerror(number), "/c/settings.json.tmp")
    told = settings.why_not_kept(Path("/c/settings.json"), error)
    assert "/c" in told and os.strerror(number) in told and remedy in told
    assert settings.why_not_kept(Path("/c/settings.json"), not_written(Path("/c"), error)) == told
