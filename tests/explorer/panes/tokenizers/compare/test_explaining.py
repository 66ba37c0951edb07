"""Compare explains: what a text costs, a token under the pointer or clicked, a look inside."""

from __future__ import annotations

from PySide6.QtTest import QTest

from tests.explorer.panes.tokenizers.compare.conftest import columns
from tests.explorer.waiting import until


def test_a_clicked_token_is_explained_step_by_step(pane, run_async):
    async def body():
        await pane.settled()
        mode, told = pane.mode, []
        pane.inspection.connect(told.append)
        token = next(i for i, at in enumerate(columns(pane)[0].flow.tokens.ends) if at > 5)
        columns(pane)[0].flow.choose(token)
        await pane.settled()
        drawer, making = mode.view.drawer, mode.selection.derivation
        assert drawer.isVisible() and making.data == columns(pane)[0].flow.tokens.slice(token)
        assert pane.player.length == len(making.steps) > 2
        assert told[-1].pinned and told[-1].step.code.startswith("core.tokenization.bpe")
        assert pane.headline == making.steps[mode.selection.result].step.title
        pane.player.seek(0)
        assert told[-1].step.name == "encoding.normalizer"
        pane.grab()
        assert pane.cancel() and not drawer.isVisible() and not pane.cancel()
        assert told[-1].step.name.startswith("rates.") and pane.player.length == 3

    run_async(body())


def test_what_the_text_costs_is_played_before_a_token_is_chosen(pane, run_async):
    async def body():
        await pane.settled()
        told = []
        pane.inspection.connect(told.append)
        pane.mode.inspect()
        for step, name in enumerate(("bytes-per-token", "tokens-per-word", "cost")):
            pane.player.seek(step)
            assert told[-1].step.name == f"rates.{name}" and len(told[-1].rows) == 3
        assert float(told[-2].step.value("words")) == 6
        QTest.keyClicks(pane.mode.view.editor, "a ")
        await pane.settled()
        assert pane.player.step == 2  # typing leaves the cursor alone

    run_async(body())


def test_a_hovered_token_is_explained_until_the_pointer_leaves(pane, run_async):
    async def body():
        await pane.settled()
        told = []
        pane.inspection.connect(told.append)
        flow = columns(pane)[1].flow
        flow.hover(0)
        await until(lambda: told and not told[-1].step.name.startswith("rates."))
        assert told[-1].step.name == "encoding.model" and not told[-1].pinned
        flow.hover(-1)
        assert told[-1].step.name.startswith("rates.")
        await pane.settled()

    run_async(body())


def test_a_change_of_the_text_closes_what_was_explained(pane, run_async):
    async def body():
        await pane.settled()
        columns(pane)[0].flow.choose(0)
        await pane.settled()
        assert pane.mode.view.drawer.isVisible()
        pane.mode.set_text("a hat")
        await pane.settled()
        assert not pane.mode.view.drawer.isVisible() and pane.mode.selection.derivation is None

    run_async(body())


def test_a_token_is_looked_at_inside(pane, run_async):
    async def body():
        await pane.settled()
        columns(pane)[0].flow.choose(1)
        await pane.settled()
        wishes = []
        pane.mode.modeRequested.connect(lambda *wish: wishes.append(wish))
        pane.mode.view.drawer.inside.click()
        ((name, wish),) = wishes
        assert name == "inside" and wish == {
            "tokenizer": "model",
            "text": pane.mode.selection.derivation.text,
        }

    run_async(body())
