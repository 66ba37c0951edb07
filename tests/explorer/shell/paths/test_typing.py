"""What is typed or turned in one go is one change; after the field was left comes another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.explorer.waiting import until


def keys(field: Any) -> None:
    QTest.keyClicks(field, "12")


def turns(field: Any) -> None:
    field.turn(True)
    field.turn(True)


def enter(field: Any) -> None:
    QTest.keyClick(field, Qt.Key.Key_Return)


def leave(field: Any) -> None:
    field.clearFocus()
    field.setFocus()


def of_optimizers(mode: Any) -> Iterator[Any]:
    """One after the other: to enter a rate shows another optimizer's settings."""
    view = mode.view
    yield from (view.common.steps, view.common.warmup, view.racers.rows["adam"].rate)
    yield view.settings.fields["beta1"]


MODES: list[tuple[str, str, Callable[[Any], Iterable[Any]], Callable[[Any], None]]] = [
    ("tokenizers", "compare", lambda mode: [mode.view.editor], keys),
    ("tokenizers", "inside", lambda mode: [mode.inputs.text], keys),
    ("tokenizers", "train", lambda mode: [mode.inputs.sample], keys),
    ("backprop", "optimizers", of_optimizers, turns),
]


@pytest.mark.parametrize(("pane", "mode", "fields", "act"), MODES, ids=[one[1] for one in MODES])
def test_what_comes_after_a_field_was_left_is_another_change(sit, pane, mode, fields, act):
    async def body(session: Any) -> None:
        shown, workspace = session.window.show_pane(pane), session.workspace
        shown.show_mode(mode)
        await shown.settled()
        session.window.activateWindow()
        path = f"{pane}.{mode}"
        for field in fields(shown.mode):
            for go in (leave, leave if mode == "compare" else enter):
                field.setFocus()
                await until(field.hasFocus, "the focus")
                values = [workspace.value(path)]
                for _ in range(2):
                    act(field)
                    go(field)
                    values.append(workspace.value(path))
                assert values[0] != values[1] != values[2]
                for value in reversed(values[:2]):
                    workspace.undo()
                    assert workspace.value(path) == value

    sit(body, computing=False)


def test_an_example_is_no_part_of_what_was_typed_before_it(sit):
    async def body(session: Any) -> None:
        mode, workspace = session.window.show_pane("tokenizers").mode, session.workspace
        QTest.keyClicks(mode.view.editor, "kites")
        typed = mode.text
        mode.inputs.exampleChosen.emit("An example")
        workspace.undo()
        assert mode.text == typed

    sit(body, computing=False)


def test_a_prompt_that_was_typed_just_before_its_pane_is_left_is_kept_and_undone_there(sit):
    async def body(session: Any) -> None:
        window, workspace = session.window, session.workspace
        prompt = window.show_pane("attention").inputs.prompt
        before = workspace.prompt
        prompt.end(False)
        QTest.keyClicks(prompt, " ran")
        window.show_pane("training")
        assert workspace.prompt == before + " ran"
        workspace.undo()
        assert (workspace.prompt, window.pane_name) == (before, "attention")
        prompt.end(False)
        QTest.keyClicks(prompt, " sat")
        window.hide()  # as the end does, before it writes the session
        assert workspace.state()["prompt"] == before + " sat"

    sit(body, computing=False)
