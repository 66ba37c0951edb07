"""Two texts compared head by head: differences in the mosaic, the chosen head on both."""

from __future__ import annotations

import numpy as np
import pytest

from core.inference.head_comparison import moved_attention, same_queries
from core.resources import resource
from core.tensor_files import write_tensors
from core.tokenization import open_tokenizer
from core.tokenization.characters import CharacterTokenizer
from explorer.panes.attention.compared import (
    SAME,
    compare,
    inspection,
    mosaic,
    sentence,
    suggestion,
)
from explorer.panes.attention.model import read_prompt
from explorer.runs.recorded_source import RecordedSource
from explorer.runs.sources import Captured
from tests.explorer.panes.attention.conftest import PROMPT, made_heads, open_model
from tests.explorer.waiting import until

PIECES = (b"Mira", b" met", b" Tom", b".", b" Mira", b" sang", b" Mira")
IDS = (4, 1, 2, 3, 4, 5, 4)


def both(ids: tuple[int, ...], pieces: tuple[bytes, ...] = PIECES):
    first, second = made_heads(IDS, PIECES), made_heads(ids, pieces)
    from core.inference.activations import Activations

    kept = Captured(Activations(np.array(ids), attention=second.attention), 0)
    return compare(first, kept, second.prompt, None)


def test_the_head_that_copies_changes_most_when_a_repeat_is_taken_away():
    found = both((4, 1, 2, 3, 6, 5, 4), (*PIECES[:4], b" Anna", *PIECES[5:]))
    assert found.aligned and found.difference.shape == (1, 3)
    np.testing.assert_allclose(found.difference, [[0, 0.9, 0]], atol=1e-6)
    assert found.query(0, 1) == 6, "the last Mira, whose own token is the same"
    assert sentence(found, 0, 1) == (
        "This head changes most: 0.900 of the attention of \u201cMira\u201d moves, most of it from "
        "\u201csang\u201d to \u201cmet\u201d."
    )
    assert "layer 0, head 1 changes most, by 0.900" in sentence(found, 0, 2)
    change = found.change(0, 1, False)
    np.testing.assert_allclose(change[6, [1, 5]], [0.9, -0.9], atol=1e-6)
    np.testing.assert_allclose(change.sum(axis=1), 0, atol=1e-6)
    assert found.labels[4] == "Mira/Anna" and found.labels[3] == "."
    maps = mosaic(found, 7, False)
    np.testing.assert_array_equal(maps[0, 1], np.rint(np.abs(change) * 255))
    told = inspection(found, 0, 1, None, False)
    assert told.cell.startswith("query 6") and float(told.step.value("moved")) == pytest.approx(0.9)


def test_texts_of_other_lengths_are_compared_by_their_scores():
    found = both(IDS[:5], PIECES[:5])
    assert not found.aligned
    assert "compared by their heads' scores" in sentence(found, 0, 1)
    assert mosaic(found, 5, False).shape == (1, 3, 5, 5)
    assert inspection(found, 0, 1, (6, 0), False).rows, "a cell of the longer one alone"


def test_a_text_compared_with_itself_says_what_to_do():
    assert sentence(both(IDS), 0, 0) == SAME


@pytest.mark.parametrize(
    "text",
    ["Once upon a time, Mira found a red kite. One day, Mira", "The cat sat.", "Mira", "one two"],
)
def test_the_suggested_text_differs_by_a_word_and_has_as_many_tokens_where_it_can(text):
    tokenizer = open_tokenizer(resource("models", "stories", "tokenizer.json"))
    other = suggestion(tokenizer, text, 64)
    assert other != text
    sizes = [len(read_prompt(tokenizer, one, 64).ids) for one in (text, other)]
    assert sizes[0] == sizes[1]
    assert suggestion(tokenizer, "...", 64) == "..."


def test_a_suggestion_holds_no_letter_that_the_tokenizer_does_not_know():
    tokenizer = CharacterTokenizer(sorted(set("abcdef ")))
    assert suggestion(tokenizer, "abc fed abc", 64) == "fed fed abc"
    assert suggestion(tokenizer, "abcadcb", 64) == "bbcadcb", "of one word, another letter"
    assert suggestion(tokenizer, "a", 64) == "a", "there is no other letter"


def test_comparing_shows_differences_and_leaving_brings_everything_back(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        view, panel, mosaic_ = pane.view.head.compared, pane.view.panel, pane.view.panel.mosaic
        before = mosaic_.displayed()
        heads = pane.looker.heads
        pane.set_mode("compare")
        await pane.settled()
        found = pane.comparison.found
        assert found is not None and found.aligned and found.prompt.text != PROMPT
        moved = moved_attention(heads.attention, found.attention)
        moved[..., ~same_queries(heads.prompt.ids, found.prompt.ids)] = 0
        np.testing.assert_allclose(mosaic_.displayed()["scores"], moved.max(axis=-1))
        layer, head, _ = pane.chosen
        np.testing.assert_array_equal(
            view.first.displayed()["values"], heads.attention[layer, head]
        )
        np.testing.assert_array_equal(
            view.second.displayed()["values"], found.attention[layer, head]
        )
        assert not panel.score_button.isEnabled() and panel.score_button.text() == "Difference"
        assert pane.headline.startswith("This head changes most")
        assert view.views.current == "difference"
        shown = view.change.displayed()["values"]
        np.testing.assert_allclose(
            shown, found.attention[layer, head] - heads.attention[layer, head]
        )
        about = pane.about(pane.pictures()["difference"])
        assert about["second text"] == found.prompt.text and about["prompt"] == PROMPT
        low, high = view.change.limits()
        assert low == -high
        assert pane.cancel() and pane.choices.mode == "map", "Esc"
        await pane.settled()
        after = mosaic_.displayed()
        for name in before:
            np.testing.assert_array_equal(after[name], before[name])
        assert panel.score_button.isEnabled() and panel.score_button.text() != "Difference"

    run_async(body())


def test_a_second_text_that_is_typed_is_read_and_kept_in_the_session(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.set_mode("compare")
        await pane.settled()
        view = pane.view.head.compared
        view.textEdited.emit("Mira met nobody at all. One day Mira and")
        await pane.settled()
        found = pane.comparison.found
        assert not found.aligned and not view.views.isEnabled()
        assert view.second.displayed()["values"].shape[0] == len(found.prompt.ids)
        assert pane.choices.compared == "difference" and view.views.current == "sides"
        saved = pane.state()
        pane.set_mode("arcs")
        pane.restore(saved)
        await pane.settled()
        assert pane.choices.mode == "compare" and view.text.prompt == saved["second"]
        pane.workspace.set_prompt("Tom met Mira. One day Tom")
        await pane.settled()
        assert pane.comparison.found.heads is pane.looker.heads
        pane.workspace.set_prompt("")
        await pane.settled()
        assert pane.comparison.found is None
        pane.workspace.set_prompt(PROMPT)
        await until(lambda: pane.comparison.found is not None, "both texts")

    run_async(body())


def test_a_pinned_query_beyond_the_text_that_was_compared_is_its_last(pane, tmp_path, run_async):
    """Between another text and its comparison, the one before is still shown."""

    async def body():
        await open_model(pane, tmp_path)
        pane.set_mode("compare")
        await pane.settled()
        last = pane.looker.heads.n_tokens - 1
        pane.workspace.set_prompt(" ".join(PROMPT.split()[:2]))
        await pane.settled()
        short = pane.comparison.found
        assert short.heads.n_tokens <= last
        pane.workspace.set_prompt(PROMPT)
        await pane.settled()
        pane.comparison.found = short
        pane.pick_query(last)
        layer, head, query = pane.chosen
        assert query == last
        shown = pane.view.head.compared.first.displayed()["values"]
        np.testing.assert_array_equal(shown, short.heads.attention[layer, head])

    run_async(body())


def test_heads_that_are_off_are_off_for_both_texts(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.head_switch.toggle()
        await pane.settled()
        heads = pane.looker.heads
        assert heads.off == (pane.chosen[:2],)
        pane.set_mode("compare")
        await pane.settled()
        view = pane.view.head.compared
        view.textEdited.emit(PROMPT)
        await pane.settled()
        found = pane.comparison.found
        np.testing.assert_allclose(found.attention, heads.attention, atol=1e-6)
        assert pane.headline == SAME

    run_async(body())


def test_what_is_being_typed_as_second_text_is_not_written_over(pane, tmp_path, run_async, qtbot):
    async def body():
        await open_model(pane, tmp_path)
        pane.set_mode("compare")
        await pane.settled()
        line = pane.view.head.compared.text
        assert line.prompt == pane.comparison.found.prompt.text, "the suggestion"
        pane.activateWindow()
        line.setFocus()
        await until(line.hasFocus, "the focus")
        line.setText("Mira met")
        pane.source_controller.update_heads()  # as those of a live model come every second
        await pane.settled()
        assert line.text() == "Mira met"
        line.clear()
        pane.choose(second="")
        pane.source_controller.update_heads()
        await pane.settled()
        assert line.text() == pane.comparison.found.prompt.text

    run_async(body())


def test_the_checkpoint_reads_both_texts_where_the_heads_were_recorded(pane, tmp_path, run_async):
    async def body():
        plain = await open_model(pane, tmp_path)
        checkpoint, ids = pane.looker.heads.attention, pane.looker.heads.prompt.ids
        attention = np.zeros(checkpoint.shape, np.uint8)
        attention[..., 0] = 255
        probe = tmp_path / "step-000012.safetensors"
        write_tensors(probe, {"ids": np.array(ids), "attention": attention})
        recorded = RecordedSource(pane.engine, probe, 12, plain.folder(), 10)
        await recorded.open()
        pane.workspace.set_model_source(recorded)
        await pane.settled()
        assert pane.looker.heads.version == 12
        pane.set_mode("compare")
        await pane.settled()
        found, layer, head = pane.comparison.found, *pane.chosen[:2]
        changed = int(np.argmax(np.array(ids) != found.prompt.ids))
        change = found.change(layer, head, False)
        np.testing.assert_allclose(change[:changed], 0, atol=1e-6)
        np.testing.assert_allclose(found.heads.attention, checkpoint, atol=1e-6)
        assert found.version == found.heads.version == 10
        panel, tokens = pane.view.panel, pane.view.tokens
        assert panel.version.text() == "both texts: heads of the checkpoint, step 10"
        row = found.heads.weights(layer, head)[found.query(layer, head)]
        np.testing.assert_array_equal(tokens.displayed()["weights"], row)
        pane.set_mode("map")
        await pane.settled()
        assert panel.version.text() == "heads recorded at step 12"

    run_async(body())
