"""A text that the open model's tokenizer cannot read, for it knows only the letters of its own."""

from __future__ import annotations

from core.tokenization.characters import CharacterTokenizer
from tests.explorer.panes.attention.conftest import open_model


def test_a_prompt_with_an_unknown_letter_says_so_and_another_one_is_read(pane, tmp_path, run_async):
    async def body():
        source = await open_model(pane, tmp_path)
        source.tokenizer = CharacterTokenizer(sorted(set("Mira met ")))
        pane.workspace.set_prompt("Mira met Tom")
        await pane.settled()
        assert pane.view.body.state == "error" and pane.reader.heads is None
        pane.workspace.set_prompt("Mira met")
        await pane.settled()
        assert pane.view.body.state == "ready" and pane.reader.heads is not None

    run_async(body())
