"""What the pane shows of the text and model it is given: any text, a broken model, a live run."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer

from explorer.runs.run_source import RunSource
from explorer.runs.sources import BundledSource, FolderSource
from tests.explorer.demo import save_tiny_model, tiny_training
from tests.explorer.panes.attention.conftest import PROMPT, open_model
from tests.explorer.waiting import until


def timers(reader):
    """When a run that has not answered is told of, and when a live one is looked at again."""
    found = reader.findChildren(QTimer, options=Qt.FindChildOption.FindDirectChildrenOnly)
    live, first = sorted(found, key=lambda timer: not timer.isSingleShot())
    return {"live": live, "first": first}


def test_an_empty_text_invites_and_the_example_brings_the_picture_back(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.workspace.set_prompt("")
        await pane.settled()
        assert pane.view.body.state == "empty"
        assert pane.player.length == 0 and not pane.view.tokens.isVisibleTo(pane)
        pane.view.exampleRequested.emit()
        await pane.settled()
        assert pane.view.body.state == "ready" and pane.player.length == 11
        assert pane.inputs.prompt.prompt == pane.workspace.prompt

    run_async(body())


def test_a_text_that_is_too_long_says_what_is_cut(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.workspace.set_prompt("The cat sat on the mat. " * 400)
        await pane.settled()
        assert pane.reader.heads.n_tokens == 64
        assert pane.reader.prompt.cut > 1000
        assert "64 tokens" in pane.view.warning.text()
        assert pane.view.body.state == "ready"

    run_async(body())


@pytest.mark.parametrize("text", ["😀", "a", "\n", " ", "数字\u200d\u0301", "\x00\x01"])
def test_any_text_is_shown(text, pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.workspace.set_prompt(text)
        await pane.settled()
        assert pane.view.body.state == "ready"
        assert pane.reader.heads.n_tokens == len(pane.reader.prompt.ids) >= 1
        for mode in ("map", "arcs", "steps"):
            pane.set_mode(mode)
            assert not pane.grab().isNull()

    run_async(body())


def test_typing_supersedes_and_the_last_text_wins(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        came = []
        pane.reader.came.connect(lambda heads: came.append(heads.prompt.text))
        for end in range(1, 12):
            pane.workspace.set_prompt(PROMPT[:end])
        assert pane.view.body.state == "ready"  # the old picture stays
        await pane.settled()
        assert came == [PROMPT[:11]]
        assert pane.view.body.state == "ready"

    run_async(body())


def test_a_broken_model_is_told_and_retry_reads_again(pane, tmp_path, run_async):
    async def body():
        source = await open_model(pane, tmp_path)
        weights = tmp_path / "model" / "model.safetensors"
        whole = weights.read_bytes()
        broken = FolderSource(pane.engine, source.address)
        await broken.open()
        weights.write_bytes(whole[:500])
        pane.workspace.set_model_source(broken)
        await pane.settled()
        assert pane.view.body.state == "error"
        weights.write_bytes(whole)
        pane.view.retryRequested.emit()
        await pane.settled()
        assert pane.view.body.state == "ready"

    run_async(body())


def test_a_model_whose_weights_are_no_numbers_is_refused_with_the_remedy(pane, tmp_path, run_async):
    from core.tensor_files import read_tensors, write_tensors

    async def body():
        source = await open_model(pane, tmp_path)
        weights = tmp_path / "model" / "model.safetensors"
        tensors = {name: value.copy() for name, value in read_tensors(weights).items()}
        next(value for name, value in tensors.items() if "attn" in name)[...] = np.nan
        broken = FolderSource(pane.engine, source.address)
        await broken.open()
        write_tensors(weights, tensors, {"format": "pt"})
        pane.workspace.set_model_source(broken)
        await pane.settled()
        assert pane.view.body.state == "error"
        said = pane.view.body.message
        assert "h.0.attn.c_attn.bias are NaN" in said and "earlier checkpoint" in said

    run_async(body())


@pytest.mark.parametrize("mode", ["map", "steps"])
def test_picture_steps_and_inspector_are_empty_together(mode, pane, tmp_path, run_async):
    async def body():
        source = await open_model(pane, tmp_path)
        shown = []
        pane.inspection.connect(shown.append)
        if mode == "steps":
            pane.player.seek(4)
        pane.inspect()
        assert shown[-1].step is not None
        weights = tmp_path / "model" / "model.safetensors"
        whole = weights.read_bytes()
        broken = FolderSource(pane.engine, source.address)
        await broken.open()
        weights.write_bytes(whole[:500])
        pane.workspace.set_model_source(broken)
        assert shown[-1] is None and pane.player.length == 0  # at once, not when it has failed
        assert not pane.view.panel.mosaic.displayed()["maps"].any()
        await pane.settled()
        assert pane.view.body.state == "error"
        assert shown[-1] is None and pane.player.length == 0 and pane.settings.mode == "map"
        pane.workspace.select(token=1)
        await pane.settled()
        assert shown[-1] is None and pane.player.length == 0
        weights.write_bytes(whole)
        good = FolderSource(pane.engine, source.address)
        await good.open()
        pane.workspace.set_model_source(good)
        await pane.settled()
        assert pane.view.body.state == "ready" and pane.reader.heads.source == good.name
        assert shown[-1] is not None and pane.player.length == 11
        assert pane.view.panel.mosaic.displayed()["maps"].any()

    run_async(body())


def test_a_failure_that_nobody_foresaw_ends_the_wait_too(
    pane, tmp_path, run_async, monkeypatch, caplog
):
    async def body():
        source = await open_model(pane, tmp_path)

        async def look(*_):
            raise RuntimeError("a size that does not fit")

        monkeypatch.setattr(source, "look", look)
        pane.reader.again()
        await pane.settled()
        assert pane.view.body.state == "error" and pane.player.length == 0

    run_async(body())


def test_the_inspector_is_stale_together_with_the_picture(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        shown = []
        pane.inspection.connect(shown.append)
        pane.view.show_waiting("reading the heads")
        await until(lambda: pane.view.body.state == "stale")
        assert shown[-1].stale and "Updating" in pane.player.track.caption
        assert "reading the heads" in pane.headline
        pane.reader.again()
        await pane.settled()
        assert not shown[-1].stale and "Updating" not in pane.player.track.caption

    run_async(body())


def test_a_run_that_has_not_answered_yet_says_so_with_its_step(
    pane, tmp_path, run_async, monkeypatch
):
    async def body():
        await open_model(pane, tmp_path)
        runs = pane.context.runs
        folder = runs.new(tiny_training(steps=100_000), "live")
        runs.start(folder, "thread", paused=False)
        live = runs.source(folder)
        await live.open()
        let, look = asyncio.Event(), live.look

        async def held(*arguments):
            await let.wait()
            return await look(*arguments)

        monkeypatch.setattr(live, "look", held)
        monkeypatch.setattr(RunSource, "step", property(lambda self: 813))
        pane.workspace.set_model_source(live)
        assert pane.reader.heads is None and pane.player.length == 0
        assert live.name in pane.headline
        button = pane.inputs.source_button
        assert button.text() == "model: live (live)"
        live.set_training(False)
        assert button.text() == "model: live", "it trains no longer"
        assert not pane.view.panel.mosaic.displayed()["maps"].any()
        assert pane.view.head.picture.waited < 1  # its own wait, not an older one's
        assert timers(pane.reader)["first"].isActive()
        timers(pane.reader)["first"].timeout.emit()
        assert pane.view.body.state == "empty"
        assert "step 813" in pane.view.body.message
        pane.workspace.set_prompt(PROMPT + " sang")
        assert pane.view.body.state == "empty"  # typing does not make it blink
        asked = []
        monkeypatch.setattr(pane.models, "open", asked.append)
        pane.view.body.actionRequested.emit()
        assert [type(one) for one in asked] == [BundledSource]
        let.set()
        await pane.settled()
        assert pane.view.body.state == "ready" and pane.reader.heads.source == live.name
        assert not timers(pane.reader)["first"].isActive()

    run_async(body())


def test_the_tokens_are_there_before_the_heads(pane, tmp_path, run_async):
    async def body():
        source = FolderSource(pane.engine, save_tiny_model(tmp_path / "model"))
        await source.open()
        pane.workspace.set_prompt(PROMPT)
        pane.workspace.set_model_source(source)
        assert len(pane.view.tokens.texts) > 3
        assert pane.view.head.heat.displayed()["values"].shape == (len(pane.view.tokens.texts),) * 2
        assert not pane.view.head.heat.displayed()["values"].any()
        assert pane.view.head.picture.accessibleDescription() == "loading"
        assert pane.view.panel.mosaic.displayed()["maps"].shape[:2] == (2, 2)
        assert not pane.grab().isNull()
        await pane.settled()
        assert pane.view.head.heat.displayed()["values"].any()

    run_async(body())


def test_a_look_that_takes_long_can_be_given_up(pane, tmp_path, run_async, monkeypatch):
    async def body():
        source = await open_model(pane, tmp_path, "folder")
        go, looks = asyncio.Event(), source.look

        async def slow(*args):
            await go.wait()
            return await looks(*args)

        monkeypatch.setattr(source, "look", slow)
        pane.workspace.set_prompt(PROMPT + " again")
        assert pane.view.body.cancellable
        pane.view.body.cancelRequested.emit()
        await pane.settled()
        assert pane.view.body.state == "error" and "canceled" in pane.view.body.message
        go.set()
        pane.view.retryRequested.emit()
        await pane.settled()
        assert pane.view.body.state == "ready" and "again" in pane.reader.prompt.text

    run_async(body())


def test_live_heads_follow_the_run_but_never_replace_steps(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path, "thread")
        first = pane.reader.heads
        await until(lambda: pane.reader.heads.version > first.version, "newer heads")
        await pane.settled()
        pane.player.seek(3)
        held, track = pane.reader.heads, pane.playback.track
        source = pane.workspace.model_source
        source.set_version(held.version + 128)
        assert f"at step {held.version + 128:,}" in pane.view.panel.version.text()
        assert pane.view.panel.update_button.isVisibleTo(pane)
        timers(pane.reader)["live"].timeout.emit()
        await pane.settled()
        assert pane.reader.heads is held and pane.playback.track is track
        pane.view.panel.updateRequested.emit()
        await pane.settled()
        assert pane.reader.heads is not held
        assert pane.settings.mode == "map"

    run_async(body())


def test_live_heads_go_on_after_the_steps(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path, "thread")
        pane.set_mode("steps")
        held = pane.reader.heads.version
        timers(pane.reader)["live"].timeout.emit()  # it came while nothing may be replaced
        timers(pane.reader)["live"].stop()
        pane.set_mode("map")
        await until(lambda: pane.reader.heads.version > held, "newer heads")
        await pane.settled()

    run_async(body())


def test_the_query_follows_the_end_of_the_text_until_it_is_pinned(pane, tmp_path, run_async):
    async def write(text: str) -> int:
        pane.inputs.prompt.promptEdited.emit(text)
        await pane.settled()
        assert pane.choice.place[2] == pane.workspace.selection.token
        return pane.reader.heads.n_tokens - 1

    async def body():
        await open_model(pane, tmp_path)
        for end in (9, 14, 11):
            last = await write(PROMPT[:end])
            assert pane.choice.place[2] == last
        await write(PROMPT)
        pane.view.tokens.tokenClicked.emit(2)
        await pane.settled()
        assert pane.choice.place[2] == 2 and "click it again" in pane.view.tokens.describe(2)
        assert await write(PROMPT[:12]) > 2 == pane.choice.place[2]
        saved = pane.state()
        pane.view.tokens.tokenClicked.emit(2)
        await pane.settled()
        last = pane.reader.heads.n_tokens - 1
        assert pane.choice.place[2] == last and "click it again" not in pane.view.tokens.describe(
            last
        )
        pane.restore(saved)
        assert pane.choice.held.pinned and pane.cancel() and not pane.choice.held.pinned
        last = await write(PROMPT)
        assert pane.choice.place[2] == last

    run_async(body())


def test_a_paste_is_undone_by_itself(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        line, workspace = pane.inputs.prompt, pane.workspace
        before = workspace.prompt
        line.selectAll()
        for text in ("Mira m", "et Tom"):
            line.insert(text)
        for text in ("Mira met Tom", "Mira m", before):
            assert workspace.prompt == text
            workspace.undo()
        await pane.settled()

    run_async(body())


def test_the_query_follows_the_end_as_well_when_typing_is_undone(pane, tmp_path, run_async):
    async def ends(act) -> bool:
        act()
        await pane.settled()
        return pane.choice.place[2] == pane.reader.heads.n_tokens - 1

    def write(text: str) -> None:
        pane.inputs.prompt.promptEdited.emit(text)
        pane.workspace.end_merge()

    async def body():
        await open_model(pane, tmp_path)
        workspace = pane.workspace
        for end in (6, 14, 9):
            assert await ends(lambda end=end: write(PROMPT[:end]))
        for move in (workspace.undo, workspace.undo, workspace.redo, workspace.redo):
            assert await ends(move)
        pane.choice.pick_query(2)
        await pane.settled()
        assert not await ends(workspace.undo) and pane.choice.place[2] == 2
        workspace.undo()  # its heads have not come when a lesson sets another text
        workspace.begin("prompt", PROMPT)
        pane.cancel()
        workspace.select(token=1)
        await pane.settled()
        assert pane.choice.place[2] == 1

    run_async(body())


def test_an_arrow_at_the_first_token_does_not_let_the_query_go(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.choice.pick_query(0)
        pane.choice.move_query(-1)
        assert pane.choice.held.pinned and pane.choice.place[2] == 0
        pane.choice.move_query(1)
        assert pane.choice.held.pinned and pane.choice.place[2] == 1

    run_async(body())


def test_an_exported_picture_says_model_head_and_prompt(pane, tmp_path, run_async):
    async def body():
        source = await open_model(pane, tmp_path)
        layer, head, _ = pane.choice.place
        assert pane.caption() == f"{source.name}, layer {layer}, head {head}: {PROMPT}"

    run_async(body())
