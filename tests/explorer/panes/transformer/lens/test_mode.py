"""Lens: what the table, the bars and the changes show is what core says."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

import core
from explorer.panes.model_menu import REAL
from explorer.panes.transformer.lens import text
from explorer.state.workspace import DEFAULT_PROMPT

TINY = {"n_layer": 2, "n_head": 2}


def model_of(mode: Any) -> Any:
    return core.load(mode.source.address).model


def test_the_first_state_shows_every_place_and_who_told_it(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY)
        ids, model = mode.prompt_ids, model_of(mode)
        lens, told = core.logit_lens(model, ids, sublayers=False), core.attribute(model, ids)
        shown = mode.view.table.displayed()
        np.testing.assert_allclose(shown["probability"], lens.probabilities[:, -16:, 0], atol=1e-5)
        assert mode.row == len(lens.places) - 1 and mode.scene.column == shown["words"].shape[1] - 1
        bars = mode.view.terms.displayed()
        assert np.isclose(bars["value"].sum(), told.logit, rtol=1e-4)
        assert bars["part"][-1] == "unexplained" and "before" not in bars
        assert "adds the most" in mode.headline
        written = core.generate(model, ids, 8, temperature=0.0)[len(ids) :]
        said = b"".join(map(mode.piece, written)).decode("utf-8", "replace")
        assert mode.view.goes_on.whole == text.goes_on(said, text.GOES_ON[0])
        for picture in mode.pictures().values():
            picture.grab()
            assert picture.broken is None

    run_async(body())


def test_one_picture_comes_first_and_the_rest_is_remembered(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY)
        view, kept = mode.view, mode.state()
        rest = view.text, view.terms, view.next, view.other, view.layer, view.goes_on
        assert view.table.isVisibleTo(view)
        assert not any(one.isVisibleTo(view) for one in rest)
        view.more.click()
        assert all(one.isVisibleTo(view) for one in (view.table, *rest))
        remembered = mode.state()
        for state, shown in ((kept, False), (remembered, True)):
            mode.restore(state)
            await mode.settled()
            assert view.terms.isVisibleTo(view) == view.text.isVisibleTo(view) == shown
        mode.view.more.click()
        mode.draft.change({"off": ((0, 1),)}, "a session")
        await mode.settled()  # a part that is off is told even while the rest is hidden
        assert view.note.isVisibleTo(view) and view.buttons["all_on"].isVisibleTo(view)

    run_async(body())


def numbers(sentence: str) -> list[float]:
    written = re.findall(r"[+\u2212]?\d+\.\d+", sentence)
    return [float(one.replace("\u2212", "-")) for one in written]


def test_what_a_logit_loses_is_told_in_pieces_that_add_up(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode, told = await make_mode("lens", **TINY), []
        mode.inspection.connect(told.append)
        for part in ((0, None), (1, None), (0, 1), (1, 0)):
            for mean in (False, True):
                mode.draft.change({"off": (part,), "mean": mean}, "a session")
                await mode.settled()
                change = mode.scene.found.change
                total, *pieces = numbers(mode.headline)
                if "stays" in mode.headline:  # the logit itself is named
                    assert total == pytest.approx(change.after, abs=0.005)
                    total = 0.0
                sign = -1 if "falls" in mode.headline else 1
                assert sign * total == pytest.approx(change.total, abs=0.0101)
                if pieces:
                    assert sum(pieces) == pytest.approx(sign * total, abs=1e-9)
                    assert pieces[0] == pytest.approx(change.own, abs=0.005)
                lines = [numbers(str(line))[0] for line in told[-1].rows[-4:]]
                parts = [change.total, change.own, change.reaction, change.norms]
                np.testing.assert_allclose(lines, parts, atol=0.0301)
                assert sum(lines[1:]) == pytest.approx(lines[0], abs=1e-9)
                before, after = change.before, change.after
                bars = mode.view.terms.displayed()
                assert bars["before"].sum() == pytest.approx(before, abs=1e-4)
                assert bars["value"].sum() == pytest.approx(after, abs=1e-4)

    run_async(body())


def test_a_chosen_token_is_not_mistaken_for_the_answer(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY)
        mode.view.next.clicked.emit(2)
        await mode.settled()
        found, scene = mode.scene.found, mode.scene
        answer, chosen = scene.quoted(found.shown[0]), scene.quoted(found.token)
        assert mode.headline.startswith(f"{answer} is the likeliest next token from ")
        assert mode.headline.endswith(f"adds the most to the logit of {chosen}")

    run_async(body())


def test_a_head_off_is_compared_and_can_be_undone(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY)
        parts = [term.part for _, term in mode.scene.found.terms]
        place = next(at for at, part in enumerate(parts) if part and part[1] is not None)
        part = parts[place]
        name = f"head {part[1]} of layer {part[0]}"
        mode.view.terms.picked.emit(place)
        await mode.settled()
        model, ids = model_of(mode), mode.prompt_ids
        off = core.scale_parts(model.config, {part: 0.0})
        told = core.compare_intervention(model, ids, off)
        shown, tokens = mode.view.next.displayed(), list(mode.scene.found.shown)
        before, after = (one.probabilities[tokens] for one in (told.before, told.after))
        np.testing.assert_allclose(shown["probability"], after, atol=1e-5)
        np.testing.assert_allclose(shown["before"], before, atol=1e-5)
        bars = mode.view.terms.displayed()
        assert bars["off"][place] and bars["value"][place] == 0 != bars["before"][place]
        assert mode.headline.startswith(f"With {name} off, ")
        assert mode.view.changed.whole.startswith(text.GOES_ON[1])
        assert mode.view.note.whole == f"switched off: {name}"
        mode.view.settings.widgets["mean"].click()
        await mode.settled()
        ablation = core.mean_ablation(model, ids, [part])
        mean = core.compare_intervention(model, ids, ablation).after.probabilities
        shown = mode.view.next.displayed()["probability"]
        np.testing.assert_allclose(shown, mean[list(mode.scene.found.shown)], atol=1e-5)
        for _ in range(2):
            mode.workspace.undo()
        await mode.settled()
        assert not mode.draft.value.off and not mode.scene.found.is_changed
        assert mode.view.changed.whole == text.HINT
        mode.workspace.redo()
        await mode.settled()
        mode.view.terms.picked.emit(place)
        assert not mode.draft.value.off

    run_async(body())


def test_another_text_is_patched_in_where_it_is_as_long(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY)
        other = mode.workspace.prompt.replace("Mira", "Anna").replace("Tom", "Ben")
        ids = mode.source.tokenizer.encode_ids(other)
        mode.set_settings(patch=other + " and")
        await mode.settled()
        assert mode.view.note.whole == text.note(mode.scene, len(ids) + 1) != ""
        assert not mode.scene.found.is_changed
        longest = mode.prompt_ids[::-1]
        mode.set_settings(patch=mode.source.tokenizer.decode(longest))
        mode.set_settings(patch_layer=1)
        await mode.settled()
        if not mode.view.note.whole:
            model, site = model_of(mode), core.Site("decoder", 1, "residual_in")
            patch = core.patch_activations(model, longest, [site], positions=[len(longest) - 1])
            told = core.compare_intervention(model, mode.prompt_ids, patch).after.probabilities
            shown = mode.view.next.displayed()["probability"]
            np.testing.assert_allclose(shown, told[list(mode.scene.found.shown)], atol=1e-5)
        mode.view.buttons["all_on"].click()
        await mode.settled()
        assert not mode.draft.value.patch and not mode.scene.found.is_changed

    run_async(body())


def test_keys_and_clicks_choose_a_place_and_a_token(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY)
        last, places = len(mode.prompt_ids) - 1, len(mode.scene.found.lens.places)
        for key in (Qt.Key.Key_Left, Qt.Key.Key_Down):
            QTest.keyClick(mode.view.table, key)
            await mode.settled()
        assert mode.scene.found.position == last - 1 and mode.row == places - 2
        assert "would" in mode.headline
        mode.view.text.chosen.emit(0, 2)
        await mode.settled()
        assert mode.scene.found.position == 2
        came = mode.scene.found.shown[3]
        mode.view.next.clicked.emit(3)
        await mode.settled()
        told = core.attribute(model_of(mode), mode.prompt_ids, came, position=2)
        shown = mode.view.terms.displayed()["value"]
        assert np.isclose(shown.sum(), told.logit, rtol=1e-4) and came in mode.scene.found.shown
        kept = mode.state()
        assert mode.cancel() and mode.position is None and mode.token is None
        await mode.settled()
        mode.restore(kept)
        await mode.settled()
        assert (mode.scene.found.position, mode.scene.found.token) == (2, came)
        for bad in ({}, {"position": "a", "token": -1}, {"position": 10**9, "token": 10**9}):
            mode.restore(bad)
            await mode.settled()
            assert mode.scene.found.position == last and mode.view.body.state == "ready"

    run_async(body())


def test_every_step_has_its_numbers_and_a_part_has_steps_of_its_own(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode, told = await make_mode("lens", **TINY), []
        mode.inspection.connect(told.append)
        for row in range(len(mode.scene.found.lens.places)):
            mode.player.seek(row)
            assert mode.row == row and told[-1].step.name.startswith("lens.") and told[-1].rows
            assert told[-1].cell.endswith(mode.scene.quoted(mode.scene.found.token))
        mode.player.seek(1.5)
        between = mode.scene.found.probabilities[1:3].mean(axis=0)
        np.testing.assert_allclose(mode.view.next.displayed()["probability"], between)
        mode.player.seek(row)
        mode.player.enter()
        names = [mode.player.track.item(at).name for at in range(mode.player.track.length)]
        assert names[-2:] == ["lens.unembed", "lens.softmax"] and mode.row == row
        place = next(at for at, (_, one) in enumerate(mode.scene.found.terms) if one.part)
        assert mode.cancel() and mode.row == row
        mode.view.terms.opened.emit(place)
        await mode.settled()
        names = [mode.player.track.item(at).name for at in range(mode.player.track.length)]
        assert names[-1] == "attribution.contribution" and told[-1].step.name == names[0]
        assert " to the logit " in mode.headline and mode.row == row
        mode.player.seek(len(names) - 1)
        assert told[-1].step.name == names[-1]
        value = float(told[-1].step.value("contribution"))
        assert np.isclose(value, mode.view.terms.displayed()["value"][place], rtol=1e-5)
        assert mode.cancel() and mode.row == row and "adds the most" in mode.headline

    run_async(body())


def test_what_the_model_does_not_have_is_left_alone(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY)
        mode.draft.change({"off": ((99, 0), (1, None), (0, 7)), "patch_layer": 50}, "a session")
        await mode.settled()
        assert mode.scene.found.intervention.off == ((1, None),) and mode.scene.found.is_changed
        mode.all_on()
        mode.workspace.set_prompt("")
        await mode.settled()
        assert mode.headline == text.NO_TEXT and mode.view.body.state == "empty"
        mode.workspace.set_prompt("Tom")
        await mode.settled()
        assert mode.view.body.state == "ready" and mode.view.says.text() == text.SAYS

    run_async(body())


def test_a_post_norm_model_says_what_its_sum_supposes(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY, norm_placement="post")
        told = core.attribute(model_of(mode), mode.prompt_ids)
        assert np.isclose(mode.view.terms.displayed()["value"].sum(), told.logit, rtol=1e-4)
        tips = [mode.view.terms.told(at) for at in range(len(mode.scene.found.terms))]
        assert "the scales of all 4 norms" in tips[-1]

    run_async(body())


def test_a_long_text_shows_some_tokens_and_says_which(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY)
        mode.workspace.set_prompt("Mira met Tom. " * 20)
        await mode.settled()
        count = len(mode.prompt_ids)
        read = min(count, mode.source.config.block_size)
        assert (
            len(mode.scene.found.ids) == read and mode.scene.columns[-16:] == [*range(read)][-16:]
        )
        mode.choose(3)
        await mode.settled()
        assert mode.scene.columns == list(range(16))
        mode.go_to(0, -1)
        await mode.settled()
        assert mode.scene.found.position == 0 and mode.row == 0
        mode.go_to(0, -1)
        await mode.settled()
        assert mode.scene.found.position == 0

    run_async(body())


def test_a_real_model_begins_with_a_fact(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY)
        mode.source.address = REAL
        mode.workspace.set_prompt(DEFAULT_PROMPT)
        await mode.settled()
        assert mode.workspace.prompt == text.FACT and mode.scene is not None
        mode.workspace.set_prompt("Tom met Mira.")
        await mode.settled()
        assert mode.workspace.prompt == "Tom met Mira."

    run_async(body())


def test_what_cannot_be_read_covers_what_was_read_before(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("lens", **TINY)
        view, ask = mode.view, mode.source.ask

        why = "the run has no checkpoint yet; let it write one"

        async def refuse(*_: Any, **__: Any) -> Any:
            raise ValueError(why)

        mode.source.ask = refuse
        mode.workspace.set_prompt("Mira met Tom.")
        await mode.settled()
        view.more.click()
        pictures = view.text, view.table, view.terms, view.next, view.goes_on
        assert view.body.message == why and mode.headline == mode.teaches
        assert not any(one.isVisibleTo(view) for one in pictures) and not mode.tracks
        mode.source.ask = ask
        view.body.retryRequested.emit()
        await mode.settled()
        assert view.body.state == "ready" and all(one.isVisibleTo(view) for one in pictures)

    run_async(body())
