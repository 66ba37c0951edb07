"""Settings and session are kept while the window is open: what is new, and nothing else."""

from __future__ import annotations

from explorer.engine import tasks
from explorer.shell import autosave as autosave_module
from explorer.shell.autosave import Autosave


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
