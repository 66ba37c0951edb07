"""Generate: tokens come, are forced, taken back and forked; settings bend what was read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

import core
from core.numbers import format_bytes
from core.transformer.cache import bytes_per_token
from explorer.panes.transformer.generate import text
from explorer.panes.transformer.generate.view import GenerateView
from tests.explorer.panes.transformer.conftest import PROMPT
from tests.explorer.waiting import until


def test_the_first_state_shows_probabilities(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        assert mode.choice.scene.table.steps[mode.player.step] == "softmax"
        assert mode.headline.startswith("The likeliest ")
        assert len(mode.view.bars.displayed()["token"]) == len(mode.choice.scene.table.ids)
        assert mode.view.text.displayed()["token"].size == len(mode.prompt_ids)
        assert np.isfinite(mode.choice.surprises[1:]).all()
        mode.view.bars.grab()
        assert mode.view.bars.broken is None

    run_async(body())


def test_what_is_written_is_what_core_writes(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        mode.set_settings(temperature=0.8)
        mode.set_settings(top_k=10)
        await mode.settled()
        for _ in range(4):
            mode.append()
            await mode.settled()
        model = core.load(mode.source.address).model
        told = core.generate(model, mode.prompt_ids, 4, temperature=0.8, top_k=10)
        assert mode.ids == told
        surprises = core.inference.surprise.surprises(model, mode.ids)
        np.testing.assert_allclose(mode.choice.surprises[1:], surprises[1:], atol=1e-4)

    run_async(body())


def test_back_takes_tokens_and_forks_back(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        for _ in range(3):
            mode.append()
            await mode.settled()
        whole, count = mode.tree.here, len(mode.prompt_ids)
        mode.look_at(count + 1)
        await mode.settled()
        assert " nats" in mode.headline and mode.choice.token == whole[1]
        other = next(one for one in mode.choice.scene.table.ids if one != whole[1])
        mode.view.bars.picked.emit(mode.choice.scene.table.ids.index(other))
        await mode.settled()
        assert mode.tree.here == (whole[0], other) and mode.place is None
        mode.go_back()
        await mode.settled()
        assert mode.tree.here == whole
        for _ in range(3):
            mode.go_back()
        await mode.settled()
        assert mode.tree.here == () and not mode.view.buttons["back"].isEnabled()

    run_async(body())


def test_a_token_of_the_prompt_is_looked_at_and_not_changed(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode, said = await make_mode("generate"), []
        mode.statusRequested.connect(said.append)
        mode.look_at(2)
        await mode.settled()
        assert mode.choice.token == mode.prompt_ids[2]
        assert not mode.view.buttons["next"].isEnabled()
        mode.force(mode.choice.scene.table.ids[0])
        assert said == [text.OF_PROMPT] and mode.tree.here == ()
        assert mode.cancel() and mode.place is None

    run_async(body())


def test_it_writes_until_the_context_is_full(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        mode.toggle_writing()
        assert mode.view.buttons["write"].text() == text.STOP
        most = mode.source.config.block_size
        specials = mode.source.tokenizer.special_tokens.values()
        await until(lambda: mode.begun is None, "the end of the text")
        await mode.settled()
        assert len(mode.ids) == most or mode.choice.token in specials
        assert mode.view.buttons["write"].text() == text.BUTTONS["write"][0]

    run_async(body())


def test_it_writes_no_further_than_the_end_of_the_text(
    make_mode: Any, run_async: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        end = mode.choice.token
        monkeypatch.setattr(type(mode.source.tokenizer), "special_tokens", {"<|end|>": end})
        mode.toggle_writing()
        await mode.settled()
        assert mode.tree.here == () and mode.begun is None and mode.headline == text.ENDED
        mode.force(end)
        await mode.settled()
        assert mode.headline != text.ENDED
        mode.toggle_writing()
        await mode.settled()
        assert mode.tree.here == (end,) and mode.begun is None and mode.headline == text.ENDED

    run_async(body())


def test_it_writes_until_the_stop_string_as_core_does(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        lm = core.load(mode.source.address)
        asked = lm.model, mode.prompt_ids, 30
        plain = core.generate(*asked)[len(mode.prompt_ids) :]
        said = b"".join(map(mode.piece, plain)).decode("utf-8", "replace")
        line, stop = mode.view.settings.widgets["stop_at"], said[20:24]
        assert line.isHidden() or not line.isVisibleTo(mode.view)
        mode.view.more.click()
        assert line.isVisibleTo(mode.view)
        line.setText(stop)
        line.textEdited.emit(stop)
        line.returnPressed.emit()
        assert (
            mode.draft.value.stop_at == stop
            and mode.workspace.undo_text == f"Stop at \u201c{stop}\u201d"
        )
        await mode.settled()
        mode.toggle_writing()
        await mode.settled()
        assert mode.ids == core.generate(*asked, stop_strings=stop, tokenizer=lm.tokenizer)
        assert mode.headline == text.stopped(stop) and mode.begun is None
        mode.player.seek(0)
        assert mode.headline != text.stopped(stop)
        count = len(mode.tree.here)
        mode.toggle_writing()
        await until(lambda: len(mode.tree.here) > count, "it goes on from there")
        mode.stop_writing()
        await mode.settled()
        mode.workspace.undo()
        assert mode.draft.value.stop_at == "" == line.prompt

    run_async(body())


def test_a_text_longer_than_the_context_says_what_is_read(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        most = mode.source.config.block_size
        mode.workspace.set_prompt("Mira met Tom. " * most)
        await mode.settled()
        count = len(mode.prompt_ids)
        assert count > most
        told = f"; the model reads only the last {most:,} of {count:,} tokens"
        for name in ("generate", "map", "lens"):
            mode.modeRequested.emit(name, None)
            pane = mode.parent()
            await pane.settled()
            assert pane.headline.endswith(told)

    run_async(body())


def test_a_slider_bends_what_was_read_and_can_be_undone(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        read, first = mode.choice.read, mode.choice.scene.table.probabilities[0]
        QTest.keyClick(mode.view.settings.widgets["temperature"].slider, Qt.Key.Key_Home)
        await mode.settled()
        assert mode.draft.value.temperature == 0 and mode.choice.read is read
        assert mode.choice.scene.table.probabilities[0] == 1 > first
        assert mode.choice.scene.table.steps[mode.player.step] == "greedy"
        mode.workspace.undo()
        await mode.settled()
        assert mode.draft.value.temperature == 1
        assert mode.view.settings.widgets["temperature"].value == 1

    run_async(body())


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("temperature", 0.0, "0: greedy"),
        ("temperature", 0.7, "0.7"),
        ("top_k", 0, "all"),
        ("top_k", 40, "40"),
        ("top_p", 1.0, "off"),
        ("min_p", 0.0, "off"),
        ("repetition_penalty", 1.2, "1.2"),
        ("stop_at", ".", "\u201c.\u201d"),
    ],
)
def test_a_setting_is_told_in_words(qapp: Any, setting: str, value: Any, words: str) -> None:
    view = GenerateView()
    assert view.settings.words(setting, value) == words
    view.deleteLater()


def test_keys_choose_a_row_and_let_it_come(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        wanted = mode.choice.scene.table.ids[1]
        for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
            QTest.keyClick(mode.view.bars, key)
        await mode.settled()
        assert mode.tree.here == (wanted,)

    run_async(body())


def test_another_prompt_begins_anew_and_none_says_so(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        mode.append()
        await mode.settled()
        mode.workspace.set_prompt("Tom")
        await mode.settled()
        assert mode.tree.here == () and len(mode.ids) == len(mode.prompt_ids) < 4
        mode.workspace.set_prompt("")
        await mode.settled()
        assert mode.headline == mode.no_text and mode.view.body.state == "empty"
        shown = mode.view.text, mode.view.note, mode.view.side
        assert not any(one.isVisibleTo(mode.view) for one in shown)

    run_async(body())


def test_a_session_brings_the_text_back(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        mode.append()
        await mode.settled()
        kept = mode.state()
        mode.forget()
        mode.read()
        await mode.settled()
        mode.restore(kept)
        await mode.settled()
        assert mode.tree.here == tuple(kept["written"])
        bad: list[dict] = [{}, {**kept, "prompt": "other"}, {**kept, "forks": 3}]
        for one in (*bad, {"prompt": PROMPT, "written": ["a"], "forks": [4, "x", [-1]]}):
            mode.restore(one)
        await mode.settled()
        assert mode.tree.here == tuple(kept["written"])
        mode.restore({**kept, "written": [10**9]})
        await mode.settled()
        assert mode.tree.here == () and not mode.tree.past and mode.view.body.state == "ready"

    run_async(body())


def test_a_session_comes_back_before_its_model_is_open(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        scene = {"version": 1, "prompt": PROMPT, "written": [3, 1], "forks": [[3, 2]]}
        mode = await make_mode("generate", {"prompt": PROMPT, "transformer.generate.scene": scene})
        assert mode.tree.here == (3, 1) and len(mode.tree.texts) == 2
        assert mode.view.body.state == "ready"

    run_async(body())


def test_every_step_has_its_numbers_in_the_inspector(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        mode.set_settings(top_k=5)
        mode.set_settings(min_p=0.1)
        mode.set_settings(repetition_penalty=1.2)
        await mode.settled()
        told: list[Any] = []
        mode.inspection.connect(told.append)
        for step in range(len(mode.choice.scene.table.steps)):
            mode.player.seek(step)
            assert told[-1].step.name == f"sampling.{mode.choice.scene.table.steps[step]}"
            assert told[-1].rows

    run_async(body())


def test_forks_stay_and_a_click_goes_back_to_one(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        for _ in range(3):
            mode.append()
            await mode.settled()
        whole, count = mode.tree.here, len(mode.prompt_ids)
        mode.look_at(count + 1)
        await mode.settled()
        mode.force(next(one for one in mode.choice.scene.table.ids if one != whole[1]))
        await mode.settled()
        forks = mode.view.forks
        shown = forks.displayed()
        assert shown["indent"].tolist() == [0, 1, 1]
        assert shown["is_here"].tolist() == [False, False, True]
        assert shown["is_on_way"].tolist() == [True, False, True]
        mode.view.show_side("forks")
        forks.grab()
        assert forks.broken is None
        line = forks.rects(forks.scene)[1].center()
        assert forks.said_at(line) == b"".join(map(mode.piece, whole)).decode()
        forks.picked.emit(1)
        await mode.settled()
        assert mode.tree.here == whole
        np.testing.assert_allclose(
            mode.choice.surprises[1:],
            core.inference.surprise.surprises(core.load(mode.source.address).model, mode.ids)[1:],
            atol=1e-4,
        )
        kept = mode.state()
        assert kept["forks"] == [list(whole), list(mode.tree.texts[1])]
        mode.forget()
        mode.read()
        await mode.settled()
        assert not len(forks.displayed()["text"]) and not mode.view.buttons["back"].isEnabled()
        mode.restore(kept)
        await mode.settled()
        assert mode.tree.here == whole
        assert len(forks.displayed()["text"]) == 3

    run_async(body())


def test_the_cache_grows_with_the_text_and_a_window_lets_go(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("generate", window=(None, 4))
        mode.view.show_side("cache")
        before = mode.view.cache.scene
        assert before.tokens == len(mode.prompt_ids)
        mode.append()
        await mode.settled()
        model = core.load(mode.source.address).model
        scene, shown = mode.view.cache.scene, mode.view.cache.displayed()
        assert shown["kept"].tolist() == [scene.tokens] * 2 == [before.tokens + 1] * 2
        assert shown["seen"].tolist() == [scene.tokens, 3]
        assert scene.bytes == sum(layer.bytes for layer in mode.choice.read.cache) > 0
        assert scene.bytes_held == bytes_per_token(model.config) * scene.tokens
        held = format_bytes(scene.bytes_held)
        assert held in mode.view.cache_words.text() and held in mode.view.note.text()
        mode.view.cache.grab()
        assert mode.view.cache.broken is None
        assert mode.view.cache.said_at(QPointF(60, 4)).startswith("Layer 0 ")
        assert "Hatched" in mode.view.cache_words.text()

    run_async(body())


def test_a_click_on_the_bars_of_what_is_read_no_more_does_nothing(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("generate")
        mode.workspace.set_prompt("Mira met Lena. One day")
        mode.player.seek(0)
        mode.view.bars.picked.emit(0)
        assert not mode.tree.here
        await mode.settled()
        mode.view.bars.picked.emit(0)
        assert len(mode.tree.here) == 1
        await mode.settled()

    run_async(body())
