"""Translate: what is written, what is read for it, and how one goes through it."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

import core
from core.inference.encoder_decoder_activations import capture_encoder_decoder
from tests.explorer.waiting import until

DATE, ISO = "the third of March, 1999", "1999-03-03"
TOLD = [("3 M\u00e4rz", "characters: type a date in English words"), ("1" * 90, "fit")]


def written(mode) -> str:
    return "".join(mode.view.picture.displayed()["target"][:-1])


def test_the_date_is_written_and_a_head_is_shown_as_core_sees_it(make_mode, run_async):
    async def body():
        mode = await make_mode("translate")
        assert written(mode) == ISO
        lm = core.load("dates")
        ids = lm.tokenizer.encode_ids(DATE)
        target = [lm.model.config.start_id, *lm.tokenizer.encode_ids(ISO)]
        cross = capture_encoder_decoder(lm.model, ids, target).cross
        shown = mode.view.picture.displayed()["weights"]
        np.testing.assert_allclose(shown, cross[mode.scene.head], atol=1e-5)
        assert mode.player.step == len(ISO), "the end is what is seen first"

    run_async(body())


def test_another_head_is_chosen_by_a_click_and_undone(make_mode, run_async):
    async def body():
        mode = await make_mode("translate")
        before, first = mode.scene.head, mode.view.picture.displayed()["weights"]
        other = (0, 0) if before != (0, 0) else (0, 1)
        mode.player.seek(3)
        mode.view.heads.headClicked.emit(*other)
        await mode.settled()
        assert mode.scene.head == other and mode.player.step == 3
        assert not np.array_equal(first, mode.view.picture.displayed()["weights"])
        mode.workspace.undo()
        await mode.settled()
        assert mode.scene.head == before

    run_async(body())


def test_the_step_that_writes_the_end_token_says_that_it_stops(make_mode, run_async):
    async def body():
        mode = await make_mode("translate")
        ends = mode.scene.trace[mode.scene.trace.children()[-1]]
        assert ends.title.startswith("Write \u201c</s>\u201d to stop: ")

    run_async(body())


def test_inside_of_a_token_its_reading_is_explained(make_mode, run_async):
    async def body():
        mode = await make_mode("translate")
        shown = []
        mode.inspection.connect(shown.append)
        mode.go_to(5)
        assert mode.player.enter()
        mode.player.seek(2)
        assert shown[-1].step.name == "cross.softmax" and mode.view.picture.position == 5
        np.testing.assert_allclose(
            shown[-1].step.value("weights")[0], mode.scene.weights[5], atol=1e-5
        )
        mode.view.picture.picked.emit(2)
        assert mode.player.depth == 0 and mode.player.step == 2

    run_async(body())


def test_what_is_typed_is_translated_and_nothing_is_said_about_nothing(make_mode, run_async):
    async def body():
        mode = await make_mode("translate")
        mode.inputs.line.promptEdited.emit("4 July 2026")
        await mode.settled()
        assert written(mode) == "2026-07-04"
        mode.inputs.line.promptEdited.emit("")
        await mode.settled()
        assert mode.view.body.state == "empty"
        mode.view.buttons["another"].click()
        await mode.settled()
        assert mode.view.body.state == "ready" and len(written(mode)) == 10

    run_async(body())


def test_a_head_that_is_not_there_is_told_and_the_sharpest_one_comes_back(make_mode, run_async):
    async def body():
        mode = await make_mode("translate")
        before = mode.scene.head
        mode.show_head(7, 0)
        await mode.settled()
        assert mode.view.body.state == "error" and "layers 0 to" in mode.view.body.message
        mode.view.buttons["sharpest"].click()
        await mode.settled()
        assert mode.view.body.state == "ready" and mode.scene.head == before
        mode.workspace.begin("transformer.translate", {"head": [1]})
        await mode.settled()
        assert mode.draft.value.head == () and mode.view.body.state == "ready"

    run_async(body())


@pytest.mark.parametrize(("typed", "said"), TOLD)
def test_what_the_model_cannot_read_is_told_and_the_mode_goes_on(make_mode, run_async, typed, said):
    async def body():
        mode = await make_mode("translate")
        mode.inputs.line.promptEdited.emit(typed)
        shown = []
        mode.inspection.connect(shown.append)
        await mode.settled()
        body = mode.view.body
        assert body.state == "error" and said in body.message and mode.headline == mode.teaches
        assert not mode.view.bars.isVisibleTo(body) and not mode.view.heads.isVisibleTo(body)
        assert shown[-1] is None, "no numbers of an earlier text stand beside the error"
        mode.inputs.line.promptEdited.emit(DATE)
        await mode.settled()
        assert mode.view.body.state == "ready" and written(mode) == ISO

    run_async(body())


def test_a_text_that_is_too_long_is_refused_at_its_line_and_nowhere_else(make_mode, run_async):
    async def body():
        mode = await make_mode("translate")
        pane, line, body = mode.parent(), mode.inputs.line, mode.view.body
        line.set_prompt("x" * 406)
        line.promptEdited.emit("x" * 406)
        await mode.settled()
        told = "At most 200 characters fit here (you typed 406)."
        assert line.error == line.accessibleDescription() == told == mode.headline
        assert body.state == "empty" and body.message == told and not mode.player.length
        mode.draft.change({"head": (0, 0)}, "Another head")
        await mode.settled()
        assert len(line.prompt) == 406 and body.message == told, "the text waits to be shortened"
        for name in ("generate", "lens"):
            pane.request_mode(name, None)
            await pane.settled()
            assert pane.mode.view.body.state == "ready" and told not in pane.headline
        pane.request_mode("translate", None)
        await mode.settled()
        assert body.message == told == pane.headline
        for typed, state in ((DATE, "ready"), ("x" * 201, "empty"), ("", "empty")):
            line.set_prompt(typed)
            line.promptEdited.emit(typed)
            await mode.settled()
            assert body.state == state and bool(line.error) is (len(typed) > 200)
            assert (written(mode) == ISO) if state == "ready" else (mode.headline == body.message)
        assert "Type a date" in body.message
        mode.take_another()
        await mode.settled()
        assert body.state == "ready" and not line.error

    run_async(body())


def test_a_new_text_dims_the_translation_of_the_last_one(make_mode, run_async, monkeypatch):
    async def body():
        mode = await make_mode("translate")
        go_on, ask = asyncio.Event(), mode.source.ask

        async def held(*asked, **told):
            await go_on.wait()
            return await ask(*asked, **told)

        monkeypatch.setattr(mode.source, "ask", held)
        mode.draft.change({"text": "4 June 2001"}, "Another date")
        await until(lambda: mode.view.body.state == "stale")
        assert mode.headline.startswith("Updating: ") and written(mode) == ISO
        go_on.set()
        await mode.settled()
        assert written(mode) == "2001-06-04" and mode.view.body.state == "ready"

    run_async(body())
