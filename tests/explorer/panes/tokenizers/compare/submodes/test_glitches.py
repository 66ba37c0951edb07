"""Glitch tokens: of the open model, of a folder, of one that has changed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from core.tensor_files import write_tensors
from core.tokenization.analysis.glitches import glitch_candidates, never_written
from tests.explorer.panes.tokenizers.compare.submodes.conftest import BIG, checkpoint, tool


def test_glitch_tokens_of_the_open_model(pane, context, run_async):
    async def body():
        told = []
        pane.inspection.connect(told.append)
        pane.mode.choose(view="glitches")
        await pane.settled()
        found = tool(pane, "glitches")
        table = context.workspace.model_source.table
        expected = glitch_candidates(table, BIG, never_written(BIG), 200)
        assert found.view.displayed()["ids"].tolist() == [one.token for one in expected]
        assert expected[0].token == 270 and "looks untrained" in pane.headline
        assert found.view.displayed()["counts"].sum() == BIG.vocab_size
        assert told[-1].step.name == "glitches.similarity"
        assert float(told[-1].step.value("similarity")[0]) == pytest.approx(
            expected[0].similarity, abs=1e-5
        )
        suspects = found.view.list
        suspects.setCurrentIndex(suspects.pieces.index(1))
        await pane.settled()
        assert pane.mode.selection.derivation.token == expected[1].token
        pane.grab()

    run_async(body())


@pytest.mark.parametrize("learned", ["the same one", "another one"])
def test_a_model_that_has_changed_is_asked_again(pane, context, run_async, learned):
    """A run goes on in its folder; or another model is opened where the old one lay."""
    source = context.workspace.model_source

    async def body():
        pane.mode.choose(view="glitches")
        await pane.settled()
        found = tool(pane, "glitches")
        before = found.found
        found.ask()
        await pane.settled()
        assert found.found is before  # nothing is another
        table = source.table.copy()
        table[[270, 271]] = table[[271, 270]]
        write_tensors(source.folder() / "model.safetensors", {"wte.weight": table})
        if learned == "the same one":
            source.version = 1
            found.ask()
        else:
            context.workspace.set_model_source(SimpleNamespace(**vars(source)))
        await pane.settled()
        assert found.found.candidates[0].token == 271

    run_async(body())


def test_glitch_tokens_of_a_folder_and_of_one_without_a_model(pane, run_async, tmp_path):
    async def body():
        found = tool(pane, "glitches")
        pane.mode.choose(view="glitches")
        await pane.settled()
        other, _ = checkpoint(tmp_path / "other")
        found.open_folder(str(other))
        await pane.settled()
        assert found.found.opened.name == "other" and found.view.body.state == "ready"
        empty = tmp_path / "empty"
        empty.mkdir()
        found.open_folder(str(empty))
        await pane.settled()
        assert found.view.body.state == "error"
        assert found.view.body.card.title_label.text() == "empty could not be read"

    run_async(body())


def test_the_first_model_that_can_be_read_is_shown_at_first(pane, context, run_async, tmp_path):
    async def body():
        found = tool(pane, "glitches")
        broken = [tmp_path / name for name in ("a.gguf", "b.gguf")]
        for path in broken:
            path.write_bytes(b"no model")
        source = context.workspace.model_source
        context.workspace.set_model_source(
            SimpleNamespace(name="mine", tokenizer=BIG, close=lambda: None)
        )
        for path in broken:
            pane.catalogue.add_file(path)
        pane.mode.choose(view="glitches")
        await pane.settled()
        assert found.view.body.state == "error", "there is no good one"
        title = found.view.body.card.title_label.text()
        assert title in [f"{path.name} could not be read" for path in broken]
        context.workspace.set_model_source(source)
        await pane.settled()
        assert found.chosen == "model" and found.view.body.state == "ready"
        found.choose(f"file:{broken[1]}")  # a person's choice stays
        await pane.settled()
        assert found.view.body.card.title_label.text() == "b.gguf could not be read"

    run_async(body())
