"""Beams: the tree is core's, is played step by step, and its texts come into the prompt."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

import core
from core.inference.beam_search_trace import compared_search_steps
from core.numbers import format_fixed, format_significant
from explorer.panes.transformer.beams import compute, text
from explorer.widgets.beam_scene import BeamScene, scene_of
from tests.explorer.panes.transformer.conftest import PROMPT


def center(mode: Any, node: int) -> QPointF:
    return mode.view.tree.layout_of(mode.scene).chip(node).center()


def test_the_tree_is_the_one_that_core_finds(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("beams")
        model, draft = core.load(mode.source.address).model, mode.draft.value
        stop = compute.ends_of(mode.source.tokenizer, True)
        asked = (draft.depth, draft.beams, stop, draft.length_penalty)
        tree = core.beam_search(model, mode.prompt_ids, *asked)
        assert mode.scene.tree == tree
        assert mode.view.tree.displayed()["token"].tolist() == [one.token for one in tree.nodes]
        greedy = core.generate(model, mode.prompt_ids, draft.depth, temperature=0, stop=stop)
        written = b"".join(mode.piece(one) for one in greedy[len(mode.prompt_ids) :])
        assert mode.scene.texts[1][0] == written
        assert mode.player.step == len(mode.scene.moments) - 1 and mode.tracks[0].complete
        assert {mode.scene.state(one, mode.player.step) for one in mode.scene.best} == {"best"}

    run_async(body())


def test_every_step_is_drawn_told_and_inspected(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("beams")
        told: list[Any] = []
        mode.inspection.connect(told.append)
        states = set()
        for step, (depth, what) in enumerate(mode.scene.moments):
            mode.player.seek(step)
            assert told[-1].step.name == f"beams.{what}" and told[-1].table
            mode.view.tree.grab()
            assert mode.view.tree.broken is None
            nodes = [one for one, node in enumerate(mode.scene.tree.nodes) if node.depth > depth]
            assert {mode.scene.state(one, step) for one in nodes} <= {"hidden"}
            states |= {mode.scene.state(one, step) for one in mode.scene.column(step)}
            if step < len(mode.scene.moments) - 1:
                assert mode.headline == text.HEADLINES[what]
        assert {"new", "alive", "dropped"} <= states
        assert "greedy" in mode.headline

    run_async(body())


@pytest.mark.parametrize("seed", range(6))
def test_texts_of_different_lengths_are_compared_by_their_scores(seed: int) -> None:
    logits = 2 * torch.randn(12, 12, generator=torch.Generator().manual_seed(seed))
    settings = core.BeamSettings(max_new_tokens=6, beams=3, stop=(5,))
    *_, found = compared_search_steps(
        lambda texts: logits[[one[-1] for one in texts]], [0], settings
    )
    tree, trace, greedy = found
    scene = scene_of(tree, trace, greedy, 0, lambda token: b"%d " % token)
    (mine, _, score), (other, total, its) = scene.texts
    assert its == pytest.approx(total / ((5 + len(other.split())) / 6) ** 0.6)
    best, last = tree.nodes[tree.best], len(scene.moments) - 1
    assert score == best.score
    headline = text.headline(scene, last)
    if mine != other:
        ours, _, theirs = headline.partition("against")
        assert format_fixed(score) in ours and format_fixed(its) in theirs
        assert headline.startswith("Here the greedy text") == (score < its)
    step, node = scene.told(last)
    assert node == tree.best and trace[step].value("scores")[best.place] == score
    assert trace[step].value("length") == len(mine.split())


def test_at_the_end_the_text_that_was_found_is_explained(
    make_mode: Any, run_async: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        mode, told = await make_mode("beams"), list[Any]()
        mode.inspection.connect(told.append)
        mode.inspect()
        best, rows = mode.scene.tree.best, told[-1].rows
        assert rows[0] == f"\u201c{mode.scene.text_of(best).strip()}\u201d"
        score = format_significant(mode.scene.tree.nodes[best].score)
        assert rows[1].text.endswith(score)
        assert told[-1].title == mode.step_shown.title, "the transport names the same token"
        monkeypatch.setattr(BeamScene, "told", lambda scene, at: (0, 1))
        mode.inspect()
        assert told[-1].step is mode.tracks[0].item(0)
        assert told[-1].title == text.FOUND.format(1), "a text that was finished earlier"

    run_async(body())


def test_nothing_can_be_appended_where_nothing_was_found(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("beams")
        for prompt in ("", PROMPT):
            mode.workspace.set_prompt(prompt)
            await mode.settled()
            assert mode.view.buttons["use"].isEnabled() == bool(prompt)

    run_async(body())


def test_a_click_appends_a_text_and_can_be_undone(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("beams")
        node = next(one for one, node in enumerate(mode.scene.tree.nodes) if node.depth == 2)
        written, tree = mode.scene.text_of(node), mode.view.tree
        assert tree.said_at(center(mode, node)).startswith(f"\u201c{written.strip()}")
        QTest.mouseClick(tree, Qt.MouseButton.LeftButton, pos=center(mode, node).toPoint())
        assert mode.workspace.prompt == PROMPT + written
        await mode.settled()
        assert mode.view.body.state == "ready" and len(mode.prompt_ids) > 2
        mode.workspace.undo()
        await mode.settled()
        found = mode.scene.text_of(mode.scene.tree.best)
        mode.view.buttons["use"].click()
        assert mode.workspace.prompt == PROMPT + found

    run_async(body())


def test_keys_choose_a_text(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("beams")
        mode.player.seek(2)
        second = mode.scene.column(2)[1]
        for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
            QTest.keyClick(mode.view.tree, key)
        assert mode.workspace.prompt == PROMPT + mode.scene.text_of(second)

    run_async(body())


def test_settings_search_anew_and_can_be_undone(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("beams")
        mode.set_settings(length_penalty=0.0)
        QTest.keyClick(mode.view.settings.widgets["beams"].slider, Qt.Key.Key_Home)
        await mode.settled()
        assert mode.draft.value.beams == 1 and mode.workspace.undo_text == "Beams 1: greedy"
        assert mode.scene.texts[0][0] == mode.scene.texts[1][0]
        assert mode.scene.texts[0][1] == pytest.approx(mode.scene.texts[1][1], abs=1e-4)
        mode.view.settings.widgets["sentences"].click()
        await mode.settled()
        assert not mode.draft.value.sentences
        mode.workspace.undo()
        mode.workspace.undo()
        await mode.settled()
        assert mode.draft.value.beams == 6 and mode.view.settings.widgets["beams"].value == 6
        assert mode.view.settings.widgets["sentences"].isChecked()

    run_async(body())


def test_a_text_that_fills_the_context_says_so(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("beams")
        most = mode.source.config.block_size
        mode.workspace.set_prompt(" the" * (most - 3))
        await mode.settled()
        assert mode.view.body.state == "ready" and len(mode.prompt_ids) < most
        mode.workspace.set_prompt("Mira. " * most)
        await mode.settled()
        most -= mode.draft.value.depth
        assert mode.headline.endswith(" tokens") and f" {most:,} of " in mode.headline
        assert mode.scene.tree.depth == mode.draft.value.depth
        mode.workspace.set_prompt("")
        await mode.settled()
        assert mode.headline == mode.no_text and mode.view.body.state == "empty"
        mode.workspace.set_prompt(PROMPT)
        await mode.settled()
        assert mode.view.body.state == "ready"

    run_async(body())
