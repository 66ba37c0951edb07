"""Of which text and which model it is: such as it refuses, a run's checkpoint, long waits."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QPushButton

from tests.explorer.panes.backprop.gpt.conftest import small_model
from tests.explorer.waiting import until


@pytest.mark.parametrize(("text", "remedy"), [("a", "Type a longer text"), ("", "Type a text")])
def test_a_text_that_is_too_short_says_so_and_another_one_heals_it(
    make_mode, run_async, text, remedy
):
    """To ask again for the same text would not: there is no Retry."""
    pane = make_mode(text=text)
    mode = pane.mode
    assert mode.view.body.state == "empty" and mode.worked is None
    shown = [button.text() for button in mode.view.body.findChildren(QPushButton)]
    assert remedy in shown and not mode.headline.startswith("This example cannot")

    async def type_more():
        mode.workspace.set_prompt("The cat sat.")
        await pane.settled()

    run_async(type_more())
    assert mode.view.body.state == "ready" and mode.worked is not None


def test_a_model_whose_weights_are_no_numbers_is_refused_in_the_pictures_place(make_mode):
    import torch

    model = small_model()
    with torch.no_grad():
        model.h[1].mlp.c_fc.weight[0, 0] = float("inf")
    mode = make_mode(model).mode
    assert mode.view.body.state == "error" and mode.worked is None
    said = mode.view.body.message
    assert "h.1.mlp.c_fc.weight are NaN or infinite" in said and "earlier checkpoint" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dropout": 0.2}, "dropout"),
        ({"positions": "rope"}, "positions 'rope' cannot be explained"),
        ({"n_kv_head": 1}, "n_kv_head None"),
    ],
    ids=str,
)
def test_a_model_that_cannot_be_explained_is_refused_in_the_pictures_place(
    make_mode, changes, said
):
    mode = make_mode(small_model(**changes)).mode
    assert mode.view.body.state == "error" and mode.worked is None
    assert said in mode.view.body.message


@pytest.fixture
def context(torch_engine, tmp_path, run_async):
    """With torch on the engine: runs train there."""
    from explorer.panes.base import Context
    from explorer.runs.live import Runs
    from explorer.state.settings import Settings
    from explorer.state.workspace import Workspace

    runs = Runs(torch_engine, tmp_path / "runs")
    yield Context(torch_engine, Workspace(torch_engine), Settings(), runs)
    run_async(runs.close(20))


def test_the_model_of_a_run_is_its_checkpoint_and_says_which_step(make_mode, context, run_async):
    from tests.explorer.demo import tiny_training

    pane = make_mode()
    mode = pane.mode
    assert not mode.view.newer.isVisible() and "step" not in mode.view.note.whole

    async def look_at_a_run():
        folder = context.runs.new(tiny_training(steps=100_000), "live")
        context.runs.start(folder, "thread")
        live = context.runs.source(folder)
        await live.open()
        mode.workspace.set_model_source(live)
        await pane.settled()
        first = mode.worked.step
        assert mode.worked.model == live.name and first is not None
        assert f"step {first:,}" in mode.view.note.whole and mode.view.newer.isVisible()
        mode.view.newer.click()
        await pane.settled()
        assert mode.worked.step > first and mode.view.body.state == "ready"
        live.set_version(mode.worked.step + 5)
        assert "the run is at step" in mode.view.note.whole

    run_async(look_at_a_run())


def test_a_run_without_a_checkpoint_says_what_to_do(make_mode, context, run_async):
    from tests.explorer.demo import tiny_training

    pane = make_mode()

    async def look_at_a_run():
        folder = context.runs.new(tiny_training(), "young")
        young = context.runs.source(folder)
        await young.open()
        pane.workspace.set_model_source(young)
        await pane.settled()

    run_async(look_at_a_run())
    assert pane.mode.view.body.state == "error" and pane.mode.worked is None


def test_a_wait_that_is_given_up_leaves_no_explanation_of_another_text(
    make_mode, context, run_async
):
    pane = make_mode()
    mode = pane.mode

    async def give_up():
        context.workspace.set_prompt("The dog sat.")
        assert not mode.is_current
        mode.view.body.cancelRequested.emit()
        await pane.settled()
        assert mode.view.body.state == "error" and mode.worked is None
        mode.view.body.retryRequested.emit()
        await pane.settled()

    run_async(give_up())
    assert mode.view.body.state == "ready" and "dog" in mode.worked.example.text


@pytest.mark.parametrize("end", ["the person cancels", "another text comes"])
def test_an_explanation_ends_in_its_middle(make_mode, context, run_async, monkeypatch, end):
    """Nobody waits for the whole of it: it is closed where it stands."""
    pane = make_mode()
    mode = pane.mode
    before, begun, ended = mode.worked, [], []
    source = context.workspace.model_source

    def endless(job, *args):
        try:
            while True:
                begun.append(True)
                yield "forward"
        finally:
            ended.append(True)

    async def begin_and_end():
        with monkeypatch.context() as patched:
            patched.setattr(source, "model_steps", endless, raising=False)
            context.workspace.set_prompt("The dog sat.")
            await until(lambda: begun)
        if end == "the person cancels":
            mode.computing.cancel()
            assert mode.view.body.state == "ready" and mode.worked is before
        else:
            context.workspace.set_prompt("The cat ran.")
        await pane.settled()

    run_async(begin_and_end())
    assert ended and mode.view.body.state == "ready"
    assert (mode.worked is before) == (end == "the person cancels")
