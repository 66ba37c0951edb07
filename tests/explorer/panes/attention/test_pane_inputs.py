"""What the pane shows of the text and model it is given: any text, a broken model, a live run."""

from __future__ import annotations

import pytest

from explorer.sources import FolderSource
from tests.explorer.demo import save_tiny_model
from tests.explorer.panes.attention.conftest import PROMPT, open_model, until


def test_an_empty_text_invites_and_the_example_brings_the_picture_back(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.workspace.set_prompt("")
        await pane.settled()
        assert pane.view.body.state == "empty"
        assert pane.player.length == 0 and not pane.view.tokens.isVisibleTo(pane)
        pane.view.exampleRequested.emit()
        await pane.settled()
        assert pane.view.body.state == "ready" and pane.player.length == 8
        assert pane.inputs.prompt.prompt == pane.workspace.prompt

    run_async(body())


def test_a_text_that_is_too_long_says_what_is_cut(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.workspace.set_prompt("The cat sat on the mat. " * 400)
        await pane.settled()
        assert pane.looker.heads.n_tokens == 64
        assert pane.looker.prompt.cut > 1000
        assert "reads 64 tokens" in pane.view.warning.text()
        assert pane.view.body.state == "ready"

    run_async(body())


@pytest.mark.parametrize("text", ["😀", "a", "\n", " ", "数字\u200d\u0301", "\x00\x01"])
def test_any_text_is_shown(text, pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.workspace.set_prompt(text)
        await pane.settled()
        assert pane.view.body.state == "ready"
        assert pane.looker.heads.n_tokens == len(pane.looker.prompt.ids) >= 1
        for mode in ("map", "arcs", "steps"):
            pane.set_mode(mode)
            assert not pane.grab().isNull()

    run_async(body())


def test_typing_supersedes_and_the_last_text_wins(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        came = []
        pane.looker.headsCame.connect(lambda heads, _: came.append(heads.prompt.text))
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
        weights.write_bytes(whole[:500])
        broken = FolderSource(pane.engine, source.address)
        await broken.open()
        pane.workspace.set_model_source(broken)
        await pane.settled()
        assert pane.view.body.state == "error"
        weights.write_bytes(whole)
        pane.view.retryRequested.emit()
        await pane.settled()
        assert pane.view.body.state == "ready"

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


def test_live_heads_follow_the_run_but_never_replace_steps(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path, "thread")
        first = pane.looker.heads
        await until(lambda: pane.looker.heads.version > first.version, "newer heads")
        await pane.settled()
        pane.player.seek(3)
        held, track = pane.looker.heads, pane.playback.track
        source = pane.workspace.model_source
        source.set_version(held.version + 128)
        assert f"now {held.version + 128:,}" in pane.view.panel.version.text()
        assert pane.view.panel.update_button.isVisibleTo(pane)
        pane.looker._on_live_timer()
        await pane.settled()
        assert pane.looker.heads is held and pane.playback.track is track
        pane.view.panel.updateRequested.emit()
        await pane.settled()
        assert pane.looker.heads is not held
        assert pane.choices.mode == "map"

    run_async(body(), 60)
