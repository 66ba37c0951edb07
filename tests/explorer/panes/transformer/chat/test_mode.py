"""Chat: what is typed is shown as the model reads it, and its answer comes token by token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

import core
from core.inference.usage import Usage
from explorer.panes.transformer.chat import text
from explorer.runs.sources import FolderSource
from tests.explorer.demo import save_tiny_model
from tests.explorer.waiting import until

TEMPLATE = (
    "{% if messages[0].role != 'system' %}Be kind.<|endoftext|>{% endif %}"
    "{% for m in messages %}{{ m.role }}: {{ m.content }}<|endoftext|>{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


@pytest.fixture
def make_chat(make_mode: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """`await make_chat()`: Chat with a tiny model that has a template."""

    async def make(**changes: Any) -> Any:
        mode = await make_mode("chat")
        lm = core.load(save_tiny_model(tmp_path / "chatty", **{"block_size": 128, **changes}))
        end = lm.tokenizer.special_tokens["<|endoftext|>"]
        core.export(replace(lm, usage=Usage((end,), TEMPLATE)), tmp_path / "exported")
        source = FolderSource(mode.engine, tmp_path / "exported")
        await source.open()
        mode.workspace.set_model_source(source)
        await mode.settled()
        return mode

    return make


def read_text(mode: Any) -> str:
    return mode.view.read.tokens.data.decode("utf-8", "replace")


def test_what_is_typed_is_shown_as_the_model_reads_it(make_chat: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_chat()
        whole = f"Be kind.<|endoftext|>user: {text.FIRST}<|endoftext|>assistant:"
        assert read_text(mode) == whole
        assert "14 of them come from messages" in mode.headline
        mode.view.line.setText("Hi")
        mode.view.line.textEdited.emit("Hi")
        await until(lambda: "user: Hi<" in read_text(mode), mode.view.read)
        system = mode.view.settings.widgets["system"]
        system.setText("Be rude.")
        system.textEdited.emit("Be rude.")
        system.returnPressed.emit()
        assert mode.workspace.undo_text == "System message \u201cBe rude.\u201d"
        await mode.settled()
        assert read_text(mode) == "system: Be rude.<|endoftext|>user: Hi<|endoftext|>assistant:"
        mode.view.grab()
        assert mode.view.read.broken is None and mode.view.bubbles.broken is None

    run_async(body())


def test_it_answers_as_core_does_and_undo_takes_both_back(make_chat: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_chat()
        messages = [{"role": "user", "content": text.FIRST}]
        lm = core.load(mode.source.address)
        told = core.chat(lm, messages, temperature=0.0)
        QTest.keyClick(mode.view.line, Qt.Key.Key_Return)
        await mode.settled()
        assert mode.draft.value.turns == ((text.FIRST, told),)
        assert mode.view.bubbles.displayed()["name"].tolist() == ["you", "the model"]
        assert mode.view.line.prompt == "" and not mode.view.buttons["send"].isEnabled()
        (track,) = mode.tracks
        mode.player.seek(1)
        first = lm.tokenizer.piece_bytes(int(track.item(0).value("chosen")))
        start, _ = mode.prompt.place(1)
        begin, end = mode.prompt.spans[mode.view.read.selected]
        assert begin <= start + len(first.lstrip()) < end
        assert track.item(1).code.endswith("generate_steps#append")
        mode.type("Why?")
        await mode.settled()
        assert mode.tracks == [], "the text is read anew, and may be cut otherwise"
        mode.type("")
        mode.workspace.undo()
        await mode.settled()
        assert mode.draft.value.turns == () and mode.tracks == []
        assert mode.headline == text.EMPTY and mode.view.body.state == "ready"

    run_async(body())


def test_a_stopped_answer_stays_as_far_as_it_came(make_chat: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_chat(block_size=8192)
        mode.send_or_stop()
        await until(lambda: len(mode.trace) > 2, mode)
        assert mode.state()["typed"] == text.FIRST
        mode.type("Why?")
        assert mode.view.buttons["send"].text() == text.STOP and mode.headline == text.WRITES
        assert mode.cancel() and not mode.cancel()
        await mode.settled()
        ((asked, said),) = mode.draft.value.turns
        assert asked == text.FIRST and said and mode.view.buttons["send"].text() == "Send"
        assert f"assistant: {said}" in read_text(mode) and "user: Why?" in read_text(mode)
        mode.view.buttons["anew"].click()
        await mode.settled()
        assert mode.draft.value.turns == ()

    run_async(body())


def test_the_tokens_of_a_message_are_framed(make_chat: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_chat()
        mode.send_or_stop()
        await mode.settled()
        bubbles, read = mode.view.bubbles, mode.view.read
        place = bubbles.rects(bubbles.scene)[0].center()
        assert bubbles.thing_at(place) == 0 and "framed" in bubbles.said_at(place)
        bubbles.point_at(0)
        framed = b"".join(read.tokens.slice(token) for token in read.marked)
        assert framed.decode().strip() == text.FIRST
        bubbles.point_at(-1)
        assert not len(read.marked)

    run_async(body())


def test_an_injection_is_text_unless_special_tokens_count(make_chat: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_chat()
        (end,) = mode.source.usage.end_ids
        assert mode.view.settings.widgets["typed_specials"].isHidden()
        mode.inject()
        await mode.settled()
        assert (
            list(mode.prompt.ids).count(end) == 2
            and not mode.view.settings.widgets["typed_specials"].isHidden()
        )
        read, first = mode.view.read, mode.prompt.typed[0]
        framed = [int(read.tokens.ids[one]) for one in read.framed]
        name = mode.prompt.data[slice(*first)].decode()
        assert f"\u201c{name}\u201d is text here" in mode.headline
        assert end not in framed and len(framed) > len(mode.prompt.typed), "ordinary tokens"
        mode.set_settings(typed_specials=True)
        await mode.settled()
        assert list(mode.prompt.ids).count(end) == 3 and mode.headline == text.ENDED
        framed = [int(read.tokens.ids[one]) for one in read.framed]
        assert end in framed and len(framed) == len(mode.prompt.typed)
        assert "pirate" in mode.state()["typed"]

    run_async(body())


def test_a_model_without_a_template_offers_one_that_has(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode, opened = await make_mode("chat"), []
        assert mode.view.body.state == "empty" and "cannot chat" in mode.view.body.message
        assert not mode.view.buttons["send"].isEnabled()
        assert mode.view.settings.widgets["typed_specials"].isHidden()
        said: list[str] = []
        mode.statusRequested.connect(said.append)
        mode.send_or_stop()
        mode.inject()
        assert mode.draft.value.turns == () and said == [text.CANNOT_SEND]
        mode.models.open_folder = opened.append
        mode.models.get = lambda name: opened.append(f"get {name}")
        mode.view.body.actionRequested.emit()
        offers = {"smollm2": "Open SmolLM2 135M", "get smollm2": "Get SmolLM2 135M (92.9 MB)"}
        assert offers[opened[0]] == mode.offer() and len(opened) == 1

    run_async(body())


def test_a_conversation_that_leaves_no_room_says_so(make_chat: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_chat()
        mode.type("word " * 200)
        await mode.settled()
        mode.send_or_stop()
        await mode.settled()
        assert "begin a new one" in mode.view.body.message and mode.view.body.state == "error"
        assert mode.view.line.prompt.strip() == ("word " * 200).strip()
        mode.view.buttons["anew"].click()
        mode.type("Hi")
        await mode.settled()
        assert mode.view.body.state == "ready" and mode.view.buttons["send"].isEnabled()

    run_async(body())
