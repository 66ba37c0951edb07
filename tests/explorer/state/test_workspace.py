"""Shared state: one selection, undoable changes, sessions that survive nonsense."""

from __future__ import annotations

import asyncio
import functools
import logging

import pytest
import shiboken6
from PySide6.QtCore import QObject

from explorer.engine import errors
from explorer.runs.sources import FolderSource
from explorer.state.workspace import DEFAULT_PROMPT, Workspace


@pytest.fixture
def workspace(qapp):
    return Workspace()


def test_a_selection_is_told_once(workspace):
    seen = []
    workspace.selectionChanged.connect(seen.append)
    workspace.select(layer=1, head=3)
    workspace.select(layer=1, head=3)
    assert len(seen) == 1
    assert (workspace.selection.layer, workspace.selection.head) == (1, 3)
    with pytest.raises(ValueError, match="its fields are layer, head"):
        workspace.select(row=1)


def test_changes_are_undone_and_redone(workspace):
    prompts = []
    workspace.promptChanged.connect(prompts.append)
    workspace.set_prompt("one")
    workspace.change("training.steps", 10, "Change steps")
    workspace.set_prompt("two")
    assert workspace.undo_text == "Change prompt"
    workspace.undo()
    assert workspace.prompt == "one"
    workspace.undo()
    assert workspace.value("training.steps") is None
    workspace.undo()
    assert workspace.prompt == DEFAULT_PROMPT
    workspace.undo()
    for _ in range(3):
        workspace.redo()
    assert (workspace.prompt, workspace.value("training.steps")) == ("two", 10)
    assert prompts == ["one", "two", "one", DEFAULT_PROMPT, "one", "two"]


def test_where_an_experiment_begins_is_not_undone(workspace):
    seen = []
    workspace.changed.connect(lambda path, value: seen.append((path, value)))
    workspace.begin("rate", 1)
    assert workspace.undo_text == "" and seen == [("rate", 1)]
    workspace.change("rate", 2, "Change rate")
    workspace.undo()
    assert workspace.value("rate") == 1


def test_undo_goes_where_the_change_was_made(workspace, qapp):
    """What it changes is in sight when it changes, and nobody is taken to another run for it."""
    shown = {"pane": "backprop", "backprop.mode": "network"}
    owner, seen = QObject(), []
    for path in shown:
        bring = functools.partial(shown.__setitem__, path)
        workspace.live(path, functools.partial(shown.get, path), bring, owner)
    workspace.change("backprop.network", 1, "Width 1")
    workspace.set_run("/runs/one")
    workspace.change("training.branch", 2, "Steps 2")
    workspace.set_run("/runs/two")
    shown |= {"pane": "attention", "backprop.mode": "optimizers"}
    workspace.changed.connect(lambda path, _: seen.append((path, dict(shown), workspace.run)))
    workspace.undo()
    network = {"pane": "backprop", "backprop.mode": "network"}
    assert seen[-1] == ("training.branch", network, "/runs/one")
    workspace.set_run("/runs/two")
    shown["pane"] = "attention"
    workspace.undo()
    assert seen[-1] == ("backprop.network", network, "/runs/two")
    shown["pane"] = "attention"
    workspace.redo()
    assert seen[-1] == ("backprop.network", network, "/runs/two")


def test_a_drag_is_one_undo_step(workspace):
    for rate in (1, 2, 3):
        workspace.change("rate", rate, "Change rate", merging="rate")
    workspace.end_merge()
    workspace.change("rate", 4, "Change rate", merging="rate")
    workspace.undo()
    assert workspace.value("rate") == 3
    workspace.undo()
    assert workspace.value("rate") is None


def test_a_new_change_forgets_what_was_undone(workspace):
    workspace.set_prompt("one")
    workspace.undo()
    workspace.set_prompt("two")
    assert workspace.redo_text == ""


def test_the_same_value_is_no_change(workspace):
    workspace.set_prompt("one")
    workspace.set_prompt("one")
    workspace.undo()
    assert workspace.undo_text == ""


def test_a_session_comes_back_and_nonsense_is_left_out(workspace, qapp):
    workspace.set_prompt("hello \u2603")
    workspace.select(layer=2, token=5)
    other = Workspace()
    other.restore(workspace.state())
    assert other.prompt == "hello \u2603"
    assert other.selection == workspace.selection
    other.restore({"prompt": 3, "run": [], "layer": "x", "more": None})
    assert other.prompt == "hello \u2603"


class Slow:
    """A source that opens when it is let."""

    def __init__(self, name):
        self.name, self.address, self.closed = name, name, False
        self.opened = asyncio.Event()

    async def open(self):
        await self.opened.wait()

    def close(self):
        self.closed = True


def test_the_model_that_was_asked_for_last_is_shown(run_async):
    async def body():
        workspace = Workspace()
        slow, quick = Slow("slow"), Slow("quick")
        first = asyncio.ensure_future(workspace.open_model(slow))
        second = asyncio.ensure_future(workspace.open_model(quick))
        await asyncio.sleep(0)
        quick.opened.set()
        assert await second is True
        slow.opened.set()
        assert await first is False
        assert workspace.model_source is quick and slow.closed and not quick.closed

    run_async(body())


def test_a_model_that_cannot_be_opened_takes_nobodys_place(run_async):
    """A person drops a bad folder while the bundled model is still opening."""

    class Broken(Slow):
        async def open(self):
            raise ValueError("this folder holds no model; choose another")

    async def body():
        workspace = Workspace()
        slow = Slow("bundled")
        first = asyncio.ensure_future(workspace.open_model(slow))
        await asyncio.sleep(0)
        with pytest.raises(ValueError, match="no model"):
            await workspace.open_model(Broken("bad"))
        slow.opened.set()
        assert await first is True and workspace.model_source is slow

    run_async(body())


def test_an_encoder_decoder_is_refused_with_the_place_that_shows_one(run_async, torch_engine):
    async def body():
        workspace, source = Workspace(), FolderSource(torch_engine, "dates")
        with pytest.raises(ValueError, match="Translate of the Transformer pane"):
            await workspace.open_model(source)
        assert workspace.model_source is None

    run_async(body())


def test_a_model_that_is_replaced_is_closed(run_async):
    workspace = Workspace()
    one, other = Slow("one"), Slow("other")
    workspace.set_model_source(one)
    workspace.set_model_source(other)
    assert one.closed and not other.closed


def test_where_one_looks_is_read_when_asked_and_no_change_to_undo(workspace):
    owner, places = QObject(), [3]

    def bring(value):
        places.append(value["step"])

    workspace.change("demo.scene", {"step": 5}, "Show this")
    assert workspace.state()["demo.scene"] == {"step": 5}, "it waits"
    workspace.live("demo.scene", lambda: {"step": places[-1]}, bring, owner)
    assert places == [3, 5]
    places.append(6)
    assert workspace.state()["demo.scene"] == {"step": 6}
    workspace.change("demo.scene", {"step": 8}, "Show this")
    assert places[-1] == 8 and workspace.undo_text == ""
    shiboken6.delete(owner)
    assert "demo.scene" not in workspace.state()


def test_a_scene_that_cannot_be_shown_stops_nothing_else(workspace, caplog):
    caplog.set_level(logging.CRITICAL)
    owner = QObject()
    workspace.live("demo.scene", dict, lambda value: value["no"], owner)
    workspace.restore({"demo.scene": {}, "prompt": "kept"})
    assert workspace.prompt == "kept"
    assert "demo.scene" in next(iter(errors.reports().problems.values())).where
    errors.reports().problems.clear()


def test_another_model_is_asked_for(workspace):
    asked = []
    workspace.modelRequested.connect(asked.append)
    workspace.change("model", "/models/mine", "Show this")
    assert asked == ["/models/mine"] and workspace.state()["model"] is None


def test_changes_of_something_that_is_gone_cannot_be_undone():
    workspace = Workspace()
    workspace.set_prompt("kept")
    workspace.change("form", 1, "Change the form")
    workspace.drop_history("form")
    assert workspace.undo_text == "Change prompt"


def test_a_drag_that_ends_where_it_began_is_no_change(workspace):
    workspace.begin("demo.rate", 1)
    workspace.change("demo.steps", 5, "Steps 5")
    for rate in (2, 3, 1):
        workspace.change("demo.rate", rate, f"Rate {rate}", merging="rate")
    assert workspace.undo_text == "Steps 5" and workspace.value("demo.rate") == 1
    workspace.change("demo.rate", 4, "Rate 4", merging="rate")
    workspace.undo()
    assert workspace.value("demo.rate") == 1 and workspace.undo_text == "Steps 5"


def test_undoing_the_first_change_of_a_path_leaves_no_path(workspace):
    before = workspace.state()
    workspace.change("demo.rate", 2, "Rate 2")
    after = workspace.state()
    workspace.undo()
    assert workspace.state() == before and "demo.rate" not in before
    workspace.redo()
    assert workspace.state() == after


def test_one_path_that_cannot_be_brought_back_stops_no_other(workspace, caplog):
    caplog.set_level(logging.CRITICAL)
    deep = []
    for _ in range(5000):
        deep = [deep]
    workspace.restore({"a.draft": deep, "prompt": "kept"})
    assert workspace.prompt == "kept" and "a.draft" not in workspace.state()
    errors.reports().problems.clear()
