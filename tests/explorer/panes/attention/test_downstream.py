"""The last steps: what the head writes, the stream, the next token; heads off, and a token more."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

import core
from explorer import theme
from explorer.panes.attention import scene as S
from explorer.panes.attention.draft import HeadsOff
from explorer.panes.attention.scene import Likely
from explorer.panes.attention.step_layout import grouped, lay_out_downstream
from explorer.panes.attention.text import (
    ENDS,
    PART,
    TRAINS,
    appended,
    heads_off,
    likely_name,
    step_sentence,
)
from explorer.runs.sources import FolderSource
from tests.explorer.demo import save_tiny_model
from tests.explorer.panes.attention.conftest import PROMPT, open_model

LLAMA = {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "n_kv_head": 1, "n_head": 4}
POST = {"norm_placement": "post", "bias": False}


def probabilities(source, ids, off=()) -> np.ndarray:
    """Of the token after each of the text, from the model itself."""
    from core.inference.interventions import scale_parts

    model = core.load(source.address).model
    kept = core.capture(model, ids, ("logits",), scale_parts(model.config, dict.fromkeys(off, 0.0)))
    scores = np.exp(kept.logits - kept.logits.max(-1, keepdims=True))
    return scores / scores.sum(-1, keepdims=True)


async def at_the_end(pane):
    pane.set_mode("steps")
    pane.player.seek(S.PREDICT)
    await pane.settled()
    return pane.view.head.steps.scene.downstream


@pytest.mark.parametrize("changes", [{}, LLAMA, POST], ids=["gpt2", "llama", "post"])
def test_the_steps_end_in_what_the_model_says(changes, pane, tmp_path, run_async):
    async def body():
        source = await open_model(pane, tmp_path, **changes)
        ids = pane.reader.prompt.ids
        pane.choice.pick_query(len(ids) - 1)
        await pane.settled()
        after = await at_the_end(pane)
        expected = probabilities(source, ids)[-1]
        tokens = [one.token for one in after.likeliest]
        assert tokens == np.argsort(-expected, kind="stable")[:10].tolist()
        shown = pane.view.head.steps.displayed()
        assert next(iter(shown)) == "probability"
        np.testing.assert_allclose(shown["probability"], expected[tokens], atol=1e-5)
        total = shown["heads"].sum(0) + shown.get("bias", 0.0)
        np.testing.assert_allclose(shown["written"] + shown["others"], total, atol=1e-5)
        np.testing.assert_allclose(shown["added"], shown["residual"] + total, atol=1e-5)
        name = source.tokenizer.piece_bytes(tokens[0]).decode().strip()
        assert name in pane.headline and "layer" in pane.headline

    run_async(body())


def test_of_a_query_in_the_middle_the_token_that_came_is_told(pane, tmp_path, run_async):
    async def body():
        source = await open_model(pane, tmp_path)
        ids = pane.reader.prompt.ids
        pane.choice.pick_query(2)
        await pane.settled()
        after = await at_the_end(pane)
        assert after.came.token == ids[3] and len(after.likeliest) == 10
        assert after.came.share == pytest.approx(probabilities(source, ids)[2, ids[3]], abs=1e-5)
        assert "the text" in pane.headline and pane.playback.expected is None
        assert pane.view.head.append.isHidden()

    run_async(body())


def test_a_run_that_trains_ends_at_what_the_head_read(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path, "thread")
        assert pane.player.length == 8 and pane.view.head.append.isHidden()
        pane.player.seek(7)
        assert pane.view.head.steps.scene.downstream is None
        assert "run trains" in pane.headline
        switch = pane.view.panel.off
        assert not switch.isEnabled() and switch.toolTip() == TRAINS
        pane.toggle_head()
        assert not pane.reader.off

    run_async(body())


def test_a_head_that_is_off_moves_the_bars_and_what_later_layers_read(pane, tmp_path, run_async):
    async def body():
        source = await open_model(pane, tmp_path)
        workspace, mosaic, ids = pane.workspace, pane.view.panel.mosaic, pane.reader.prompt.ids
        before = pane.reader.heads
        pane.choice.pick_head(0, 1)
        pane.choice.pick_query(len(ids) - 1)
        await at_the_end(pane)
        pane.view.panel.off.click()
        await pane.settled()
        heads, after = pane.reader.heads, pane.view.head.steps.scene.downstream
        assert heads.off == ((0, 1),) and mosaic.displayed()["off"].tolist() == [[0, 1]]
        np.testing.assert_allclose(heads.attention[0], before.attention[0], atol=1e-6)
        assert np.abs(heads.attention[1] - before.attention[1]).max() > 1e-6
        assert after.is_off and not after.written.any()
        whole, left = probabilities(source, ids)[-1], probabilities(source, ids, heads.off)[-1]
        for one in after.likeliest:
            assert one.share == pytest.approx(left[one.token], abs=1e-5)
            assert one.before == pytest.approx(whole[one.token], abs=1e-5)
        assert int(whole.argmax()) == after.favorite.token
        assert "1 head off" in pane.headline and pane.player.position == S.PREDICT
        pane.choice.pick_head(1, 0)
        await pane.settled()
        assert not pane.view.panel.off.isChecked()
        pane.view.panel.off.click()
        await pane.settled()
        assert pane.view.panel.off_line.whole == "2 heads off: L0 H1, L1 H0"
        assert pane.about(pane.view.head.steps)["heads off"] == "2 heads off: L0 H1, L1 H0"
        workspace.undo()
        await pane.settled()
        assert pane.reader.heads.off == ((0, 1),)
        pane.view.panel.all_on.click()
        await pane.settled()
        assert pane.reader.heads.off == () and pane.view.panel.off_line.isHidden()
        assert pane.view.head.steps.scene.downstream.top.before is None
        np.testing.assert_allclose(pane.reader.heads.attention, before.attention, atol=1e-6)
        workspace.undo()
        await pane.settled()
        assert pane.reader.heads.off == ((0, 1),)

    run_async(body())


def test_heads_are_off_of_one_model_alone(pane, tmp_path, run_async):
    async def body():
        source = await open_model(pane, tmp_path)
        pane.choice.pick_head(1, 1)
        await pane.settled()
        pane.toggle_head()
        await pane.settled()
        other = FolderSource(pane.engine, save_tiny_model(tmp_path / "other"))
        await other.open()
        pane.workspace.set_model_source(other)
        await pane.settled()
        assert pane.reader.heads.off == () and not pane.reader.off
        again = FolderSource(pane.engine, source.address)
        await again.open()
        pane.workspace.set_model_source(again)
        await pane.settled()
        assert pane.reader.heads.off == ((1, 1),)
        pane.workspace.begin("attention.off", {"model": source.address, "heads": [[7, 0], [0, 0]]})
        await pane.settled()
        assert pane.reader.heads.off == ((0, 0),), "what this model does not have is left out"
        pane.workspace.begin("attention.off", {"heads": "all"})
        await pane.settled()
        assert pane.reader.heads.off == ()

    run_async(body())


def test_the_expected_token_is_appended_and_the_steps_go_on_with_it(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.choice.pick_query(pane.reader.heads.n_tokens - 1)
        await pane.settled()
        after = await at_the_end(pane)
        button = pane.view.head.append
        why_not = appended(pane.playback.expected, pane.workspace.tokenizer)[1]
        if why_not:  # of a model with random weights
            assert not button.isEnabled() and button.toolTip() == why_not
            return
        assert button.isVisible() and likely_name(pane.playback.expected) in button.text()
        button.click()
        await pane.settled()
        assert pane.workspace.prompt == PROMPT + after.top.piece.decode()
        story = pane.view.head.steps.scene
        assert story.query == pane.reader.heads.n_tokens - 1 == pane.choice.place[2]
        assert pane.player.position == S.PREDICT and pane.settings.mode == "steps"
        pane.workspace.undo()
        await pane.settled()
        assert pane.workspace.prompt == PROMPT
        pane.set_mode("map")
        assert button.isHidden()

    run_async(body())


def test_any_of_the_bars_is_appended_by_a_click_or_by_the_keyboard(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.choice.pick_query(pane.reader.heads.n_tokens - 1)
        await pane.settled()
        await at_the_end(pane)
        stage, clicked = pane.view.head.steps, []
        stage.tokenClicked.disconnect()
        stage.tokenClicked.connect(clicked.append)
        last = stage.last_steps(stage.scene)
        point = last.rows[3].center().toPoint()
        QTest.mouseClick(stage, Qt.MouseButton.LeftButton, pos=point)
        for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
            QTest.keyClick(stage, key)
        assert clicked[0] is last.one.likeliest[3] and clicked[1] in (
            last.one.likeliest[1],
            last.one.likeliest[5],
        )
        pane.append(replace(last.one.likeliest[0], token=-1, piece=b" red"))
        assert pane.workspace.prompt == f"{PROMPT} red"
        await pane.settled()
        prompt = pane.workspace.prompt
        pane.append(replace(last.one.likeliest[0], token=-1, piece=b"\xe2"))
        assert pane.workspace.prompt == prompt, "half a character is no text"
        pane.choice.pick_query(1)
        await pane.settled()
        QTest.mouseClick(stage, Qt.MouseButton.LeftButton, pos=point)
        assert len(clicked) == 2, "in the middle of a text nothing is appended"

    run_async(body())


def test_what_cannot_be_appended_says_why(heads):
    class Tokenizer:
        special_tokens = {"<end>": 3}

    def likely(token, piece):
        return Likely(token, piece, 0.5, None, False)

    assert appended(likely(3, b"<end>"), Tokenizer()) == ("", ENDS)
    assert appended(likely(4, b"\xe2\x82"), Tokenizer()) == ("", PART)
    assert appended(likely(5, b" red"), Tokenizer()) == (" red", "")


def test_who_looks_for_a_token_finds_it_among_the_ten():
    shares = np.linspace(1, 0, 40) / 20
    before = shares[::-1]
    found = S.likeliest(shares, before, 30, S.number_of)
    assert [one.token for one in found] == [*range(8), 39, 30]
    assert found[-1].came and found[-1].piece == b"<30>"
    assert found[-2].before == pytest.approx(float(before[39]))
    plain = S.likeliest(shares, None, 2, S.number_of)
    assert [one.token for one in plain] == list(range(10)) and plain[2].came


def test_the_last_sentences_tell_what_the_numbers_say(pane, tmp_path, run_async):
    def told(*likeliest: Likely, **changes) -> str:
        scene = pane.view.head.steps.scene
        one = replace(scene.downstream, likeliest=likeliest, **changes)
        return step_sentence(replace(scene, downstream=one), S.PREDICT)

    async def body():
        await open_model(pane, tmp_path)
        await at_the_end(pane)
        went, saw = (
            Likely(token, piece, share, before, False)
            for token, piece, share, before in (
                (1, b" went", 0.1768, 0.47),
                (2, b" saw", 0.1770, 0.09),
            )
        )
        falls = "With 2 heads off, the probability of “went” falls from 47\u2009% to 18\u2009%"
        assert told(saw, went, n_off=2) == f"{falls}; “saw” is now just ahead of it."
        ahead = told(replace(saw, share=0.3), went, n_off=1)
        assert ahead.endswith("“saw” now comes first, with 30\u2009%.")
        sure, rare = replace(saw, before=None), Likely(3, b" x", 1e-6, None, True)
        for layers, begins in ((0, "After this last layer"), (1, "After 1 more layer")):
            assert told(sure, rare, layers_left=layers).startswith(
                f"{begins}, the model's likeliest"
            )
        assert told(sure, rare).endswith("with “x” (<0.01\u2009%).")

    run_async(body())


def test_heads_off_are_told_in_order():
    off = ((0, 3), (2, 1))
    assert heads_off(off) == "2 heads off: L0 H3, L2 H1" and heads_off(()) == ""
    assert HeadsOff("a", off).of("a", None) == ()


def test_bars_of_several_dimensions_add_up_as_the_dimensions_do():
    one, other = np.random.default_rng(0).normal(size=(2, 3, 11))
    both = grouped(one + other, 4)
    assert both.shape == (3, 3)
    np.testing.assert_allclose(grouped(one, 4) + grouped(other, 4), both)
    np.testing.assert_allclose(both[:, 2], (one + other)[:, 8:].mean(-1))


@pytest.mark.parametrize(("width", "height"), [(400, 250), (511, 418), (900, 700)])
def test_nothing_of_the_last_steps_overlaps(width, height, pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        after = await at_the_end(pane)
        after = replace(after, written=np.zeros(576))
        layout = lay_out_downstream(after, width, height)
        column = [layout.matrix, *layout.strips.values()]
        for upper, lower in pairwise(column):
            assert upper.bottom() <= lower.top() and upper.height() >= 15
        assert column[-1].bottom() <= height - 26 and layout.matrix.right() <= width
        assert layout.above.bottom() <= layout.flow.top() <= layout.bars.top()
        assert layout.bars.height() >= 3 * 15 and layout.upright.right() <= layout.matrix.left()
        assert layout.matrix.width() / -(-576 // layout.group) >= 4

    run_async(body())


@pytest.mark.parametrize("name", ["light", "dark", "contrast"])
@pytest.mark.parametrize("motion", ["full", "reduced"])
def test_every_position_of_the_last_steps_is_drawn(qapp, pane, tmp_path, run_async, name, motion):
    async def body():
        await open_model(pane, tmp_path)
        pane.toggle_head()
        await at_the_end(pane)
        stage, failed = pane.view.head.steps, []
        stage.paintFailed.connect(failed.append)
        images = {}
        for position in np.arange(7, 11.01, 0.25):
            stage.set_position(float(position))
            images[float(position)] = stage.grab().toImage()
        assert not failed and stage.key >= 0
        assert all(images[step] != images[step + 1] for step in (7.0, 8.0, 9.0))
        layout = stage.last_steps(stage.scene).layout
        said = {}
        for step, place in ((8, layout.matrix), (9, layout.strips["residual"]), (10, layout.bars)):
            stage.set_position(float(step))
            said[step] = stage.said_at(place.topLeft() + QPointF(3, 3))
        assert said[8].startswith("o\u20090, dimension 0") and "W_O = " in said[8]
        assert said[9].startswith("dimension 0\nx = ")
        assert said[10].endswith("p = e^z ÷ Σ e^z") and stage.said_at(QPointF(-1, -1)) == ""
        stage.set_position(9.5)
        assert stage.grab().toImage() == images[9.5]

    before = theme.current()
    theme.apply(qapp, name, 1.0, motion)
    try:
        run_async(body())
    finally:
        theme.apply(qapp, before.name, before.zoom, before.motion)


def test_a_run_that_has_ended_tells_the_whole_way(pane, tmp_path, run_async):
    """Its newest checkpoint has the weights: the steps go on, and heads can be switched off."""

    async def body():
        source = await open_model(pane, tmp_path, "thread", steps=3)
        while source.asked_version is None:
            pane.reader.again()
            await pane.settled()
        assert pane.player.length == 11 and pane.reader.can_switch
        pane.toggle_head()
        await pane.settled()
        assert pane.reader.heads.off == (pane.choice.place[:2],)
        after = await at_the_end(pane)
        assert after.is_off and after.top.before is not None

    run_async(body())
