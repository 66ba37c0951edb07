"""Examples: a row for each number of examples, and the text that was read for it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

import core
from core.data.few_shot_tasks import FORMS, LOOKUPS, TASKS, lines_of
from explorer.panes.transformer.examples import text
from explorer.panes.transformer.examples.draft import ExamplesDraft
from explorer.runs.sources import BundledSource

CAPITALS = {"transformer.examples": {"lines": lines_of(TASKS["Capitals"].items())}}


def test_it_shows_what_core_finds(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("examples", CAPITALS, block_size=256)
        *examples, (question, answer) = TASKS["Capitals"].items()
        lm = core.load(mode.source.address)
        told = core.few_shot(lm, examples, question, answer, (0, 1, 2, 4, 8), FORMS["arrow"])
        shown = mode.view.bars.displayed()
        names = ["0 examples", "1 example", "2 examples", "4 examples", "8 examples"]
        assert shown["name"].tolist() == names
        assert shown["number"].tolist() == [one.probability for one in told]
        answers = shown["the model answers"].tolist()
        assert answers == [f"wrong: \u201c{one.said}\u201d" for one in told]
        assert "stays unlikely" in mode.headline and "cannot do this task" in mode.headline
        opened: list[Any] = []
        mode.models.open_folder = opened.append
        mode.models.get = opened.append
        assert mode.view.real.isVisibleTo(mode.view)
        mode.view.real.click()
        assert opened == ["smollm2"]
        assert mode.view.read.tokens.data.decode() == told[-1].text
        mode.view.grab()
        assert mode.view.bars.broken is None

    run_async(body())


def test_each_step_shows_the_text_that_is_read_and_frames_the_answer(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("examples", CAPITALS, block_size=256)
        bars, read = mode.view.bars, mode.view.read
        row = bars.rects(bars.scene)[1].center()
        QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=row.toPoint())
        assert mode.player.step == 1
        assert read.tokens.data.decode() == "Germany => Berlin\nFrance => Paris"
        framed = b"".join(read.tokens.slice(token) for token in read.marked)
        assert framed.decode().strip() == "Paris"
        assert "click to see the text" in bars.said_at(row)
        seen: list[Any] = []
        mode.inspection.connect(seen.append)
        mode.inspect()
        assert seen[-1].step.name == "few_shot.answer" and seen[-1].rows

    run_async(body())


def test_other_lines_are_asked_once_typing_rests_and_undo_brings_the_old_ones(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("examples", CAPITALS, block_size=256)
        mode.view.lines.setPlainText("hot -> cold\nday -> night")
        mode.view.lines.rested.emit()
        await mode.settled()
        assert [one.count for one in mode.shots] == [0, 1]
        assert mode.inputs.task.currentText() == "your own"
        mode.set_up(form="dialog")
        await mode.settled()
        assert mode.shots[1].text == "Q: hot\nA: cold\n\nQ: day\nA: night"
        mode.workspace.undo()
        mode.workspace.undo()
        await mode.settled()
        assert mode.inputs.task.currentText() == text.LARGER.format("Capitals")
        assert len(mode.shots) == 5

    run_async(body())


def test_a_line_without_an_arrow_says_so_and_nothing_is_lost(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("examples", CAPITALS, block_size=256)
        mode.set_up(lines="hot -> cold\nday")
        await mode.settled()
        assert "write question -> answer" in mode.view.body.message
        assert mode.view.body.state == "error" and mode.view.lines.text.endswith("day")
        mode.set_up(lines="hot -> cold\nday -> night")
        await mode.settled()
        assert mode.view.body.state == "ready" and len(mode.shots) == 2

    run_async(body())


def test_the_bundled_model_finds_every_answer_that_stands_in_the_examples(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("examples")
        source = BundledSource(mode.engine)
        await source.open()
        mode.workspace.set_model_source(source)
        for task in LOOKUPS.values():
            mode.set_up(lines=lines_of(task))
            await mode.settled()
            first, *others = mode.shots
            assert first.probability < 0.01 and not first.is_right
            assert all(one.is_right and one.probability > 0.5 for one in others)
            assert mode.headline.endswith(text.COPIED) and mode.view.real.isHidden()
        assert ExamplesDraft().lines in map(lines_of, LOOKUPS.values())
        mode.player.seek(0)
        assert mode.headline.startswith("Without any examples")

    run_async(body())
