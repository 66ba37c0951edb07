"""Heads compared: on two texts, and before and after fine-tuning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import core
from core.inference.head_comparison import moved_attention, same_queries
from core.tensor_files import write_tensors
from explorer.panes.attention.comparison import compare
from explorer.panes.attention.compute import changed_heads, mosaic, read_prompt
from explorer.panes.attention.inspector import comparison_inspection
from explorer.panes.attention.selected_head import strongest
from explorer.panes.attention.text import SAME, comparison_sentence, view_name
from explorer.panes.attention_link import show_head
from explorer.runs.recorded_source import RecordedSource
from explorer.runs.sources import FolderSource
from tests.core.finetuning.small import small_base, small_tuning, tune
from tests.explorer.demo import save_tiny_model
from tests.explorer.panes.attention.conftest import PROMPT, made_heads, open_model
from tests.explorer.waiting import until

PIECES = (b"Mira", b" met", b" Tom", b".", b" Mira", b" sang", b" Mira")
IDS = (4, 1, 2, 3, 4, 5, 4)


def both(ids: tuple[int, ...], pieces: tuple[bytes, ...] = PIECES):
    return compare(made_heads(IDS, PIECES), made_heads(ids, pieces))


def test_the_head_that_copies_changes_most_when_a_repeat_is_taken_away():
    found = both((4, 1, 2, 3, 6, 5, 4), (*PIECES[:4], b" Anna", *PIECES[5:]))
    assert found.is_aligned and found.difference.shape == (1, 3)
    np.testing.assert_allclose(found.difference, [[0, 0.9, 0]], atol=1e-6)
    assert found.query(0, 1) == 6, "the last Mira, whose own token is the same"
    said = comparison_sentence(found, 0, 1)
    assert "90" in said and said.index("sang") < said.index("met"), "from where it goes, and to"
    assert "layer 0, head 1 changes most" in comparison_sentence(found, 0, 2)
    change = found.change(0, 1, False)
    np.testing.assert_allclose(change[6, [1, 5]], [0.9, -0.9], atol=1e-6)
    np.testing.assert_allclose(change.sum(axis=1), 0, atol=1e-6)
    assert found.labels[4] == "Mira/Anna" and found.labels[3] == "."
    maps = mosaic(found, 7, False)
    np.testing.assert_array_equal(maps[0, 1], np.rint(np.abs(change) * 255))
    told = comparison_inspection(found, 0, 1, None, False, "")
    assert told.cell.startswith("query 6") and float(told.step.value("moved")) == pytest.approx(0.9)


def test_texts_of_other_lengths_are_compared_by_their_scores():
    found = both(IDS[:5], PIECES[:5])
    assert not found.is_aligned
    assert "7 and 5 tokens" in comparison_sentence(found, 0, 1)
    assert mosaic(found, 5, False).shape == (1, 3, 5, 5)
    assert comparison_inspection(found, 0, 1, (6, 0), False, "").rows, (
        "a cell of the longer one alone"
    )


def test_a_text_compared_with_itself_says_what_to_do():
    assert comparison_sentence(both(IDS), 0, 0) == SAME


def test_comparing_shows_differences_and_leaving_brings_everything_back(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        view, panel, mosaic_ = pane.view.head.compared, pane.view.panel, pane.view.panel.mosaic
        before = mosaic_.displayed()
        heads = pane.reader.heads
        pane.set_mode("compare")
        await pane.settled()
        found = pane.comparer.found
        assert found is not None and found.is_aligned and found.second.prompt.text != PROMPT
        moved = moved_attention(heads.attention, found.second.attention)
        moved[..., ~same_queries(heads.prompt.ids, found.second.prompt.ids)] = 0
        np.testing.assert_allclose(mosaic_.displayed()["scores"], moved.max(axis=-1))
        layer, head, _ = pane.choice.place
        np.testing.assert_array_equal(
            view.first.displayed()["values"], heads.attention[layer, head]
        )
        np.testing.assert_array_equal(
            view.second.displayed()["values"], found.second.attention[layer, head]
        )
        assert not panel.score.isEnabled() and panel.score.currentText() == "Difference"
        assert "changes most" in pane.headline and view.others.isHidden()
        assert view.layouts.current == "difference"
        shown = view.change.displayed()["values"]
        np.testing.assert_allclose(
            shown, found.second.attention[layer, head] - heads.attention[layer, head]
        )
        about = pane.about(pane.pictures()["difference"])
        assert about["compared with"] == found.second.prompt.text and about["prompt"] == PROMPT
        low, high = view.change.limits()
        assert low == -high
        assert pane.cancel() and pane.settings.mode == "map", "Esc"
        await pane.settled()
        after = mosaic_.displayed()
        for name in before:
            np.testing.assert_array_equal(after[name], before[name])
        assert panel.score.isEnabled() and panel.score.currentText() != "Difference"

    run_async(body())


def test_a_second_text_that_is_typed_is_read_and_kept_in_the_session(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.set_mode("compare")
        await pane.settled()
        view = pane.view.head.compared
        view.changed.emit("second", "Mira met nobody at all. One day Mira and")
        await pane.settled()
        found = pane.comparer.found
        assert not found.is_aligned and not view.layouts.isEnabled()
        assert view.second.displayed()["values"].shape[0] == len(found.second.prompt.ids)
        assert pane.settings.compared == "difference" and view.layouts.current == "sides"
        saved = pane.state()
        pane.set_mode("arcs")
        pane.restore(saved)
        await pane.settled()
        assert pane.settings.mode == "compare" and view.second_text.prompt == saved["second"]
        pane.workspace.set_prompt("Tom met Mira. One day Tom")
        await pane.settled()
        assert pane.comparer.found.first is pane.reader.heads
        pane.workspace.set_prompt("")
        await pane.settled()
        assert pane.comparer.found is None
        pane.workspace.set_prompt(PROMPT)
        await until(lambda: pane.comparer.found is not None, "both texts")

    run_async(body())


def test_a_pinned_query_beyond_the_text_that_was_compared_is_its_last(pane, tmp_path, run_async):
    """Between another text and its comparison, the one before is still shown."""

    async def body():
        await open_model(pane, tmp_path)
        pane.set_mode("compare")
        await pane.settled()
        last = pane.reader.heads.n_tokens - 1
        pane.workspace.set_prompt(" ".join(PROMPT.split()[:2]))
        await pane.settled()
        short = pane.comparer.found
        assert short.first.n_tokens <= last
        pane.workspace.set_prompt(PROMPT)
        await pane.settled()
        pane.comparer.found = short
        pane.choice.pick_query(last)
        layer, head, query = pane.choice.place
        assert query == last
        shown = pane.view.head.compared.first.displayed()["values"]
        np.testing.assert_array_equal(shown, short.first.attention[layer, head])

    run_async(body())


def test_heads_that_are_off_are_off_for_both_texts(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.toggle_head()
        await pane.settled()
        heads = pane.reader.heads
        assert heads.off == (pane.choice.place[:2],)
        pane.set_mode("compare")
        await pane.settled()
        view = pane.view.head.compared
        view.changed.emit("second", PROMPT)
        await pane.settled()
        found = pane.comparer.found
        np.testing.assert_allclose(found.second.attention, heads.attention, atol=1e-6)
        assert pane.headline == SAME

    run_async(body())


def test_what_is_being_typed_as_second_text_is_not_written_over(pane, tmp_path, run_async, qtbot):
    async def body():
        await open_model(pane, tmp_path)
        pane.set_mode("compare")
        await pane.settled()
        line = pane.view.head.compared.second_text
        assert line.prompt == pane.comparer.found.second.prompt.text, "the suggestion"
        pane.activateWindow()
        line.setFocus()
        await until(line.hasFocus, "the focus")
        line.setText("Mira met")
        pane.update_heads()  # as those of a live model come every second
        await pane.settled()
        assert line.text() == "Mira met"
        line.clear()
        pane.choose(second="")
        pane.update_heads()
        await pane.settled()
        assert line.text() == pane.comparer.found.second.prompt.text

    run_async(body())


def test_the_checkpoint_reads_both_texts_where_the_heads_were_recorded(pane, tmp_path, run_async):
    async def body():
        plain = await open_model(pane, tmp_path)
        checkpoint, ids = pane.reader.heads.attention, pane.reader.heads.prompt.ids
        attention = np.zeros(checkpoint.shape, np.uint8)
        attention[..., 0] = 255
        probe = tmp_path / "step-000012.safetensors"
        write_tensors(probe, {"ids": np.array(ids), "attention": attention})
        recorded = RecordedSource(pane.engine, probe, 12, plain.folder(), 10)
        await recorded.open()
        pane.workspace.set_model_source(recorded)
        await pane.settled()
        assert pane.reader.heads.version == 12
        pane.set_mode("compare")
        await pane.settled()
        found, layer, head = pane.comparer.found, *pane.choice.place[:2]
        changed = int(np.argmax(np.array(ids) != found.second.prompt.ids))
        change = found.change(layer, head, False)
        np.testing.assert_allclose(change[:changed], 0, atol=1e-6)
        np.testing.assert_allclose(found.first.attention, checkpoint, atol=1e-6)
        assert found.second.version == found.first.version == 10
        panel, tokens = pane.view.panel, pane.view.tokens
        assert "10" in panel.version.text() and "12" not in panel.version.text()
        row = found.first.weights(layer, head)[found.query(layer, head)]
        np.testing.assert_array_equal(tokens.displayed()["weights"], row)
        pane.set_mode("map")
        await pane.settled()
        assert "12" in panel.version.text()

    run_async(body())


async def open_tuned(pane, tmp_path: Path) -> FolderSource:
    """A tiny model with an adapter of random numbers, opened in the pane."""
    import torch

    base, folder = save_tiny_model(tmp_path / "base"), tmp_path / "tuned"
    model = core.load(base).model
    adapter = core.add_lora(model, core.LoRAConfig(r=2, target_modules=("attn.c_attn",)))
    with torch.no_grad():
        for update in adapter.updates.values():
            update.B.normal_(0, 0.5, generator=torch.Generator().manual_seed(0))
    adapter.save(folder, base=str(base))
    source = FolderSource(pane.engine, folder)
    await source.open()
    pane.workspace.set_prompt(PROMPT)
    pane.workspace.set_model_source(source)
    await pane.settled()
    return source


def test_a_tuned_model_is_compared_with_what_it_was_before(pane, tmp_path, run_async):
    async def body():
        await open_tuned(pane, tmp_path)
        heads, ids = pane.reader.heads, pane.reader.prompt.ids
        before = core.capture(core.load(tmp_path / "base").model, ids, ("attention",)).attention
        pane.compare_with_base()
        await pane.settled()
        found, view = pane.comparer.found, pane.view.head.compared
        assert found.of_base and found.shown is heads and found.is_aligned
        assert (found.first.source, found.second.source) == ("base", "tuned")
        assert pane.about(view.change)["compared with"] == "base"
        np.testing.assert_array_equal(found.first.attention, before)
        moved = moved_attention(before, heads.attention).max(axis=-1)
        assert moved.max() > 0.01
        shown = pane.view.panel.mosaic.displayed()
        np.testing.assert_allclose(shown["scores"], moved)
        layer, head, _ = pane.choice.place
        assert (layer, head) == np.unravel_index(moved.argmax(), moved.shape), "it changes most"
        change = heads.attention[layer, head] - before[layer, head]
        np.testing.assert_allclose(view.change.displayed()["values"], change)
        assert view.others.isVisible() and not view.second_text.isVisible()
        assert pane.headline.startswith("Fine-tuning") and pane.player.track.caption == view_name(
            "compare", False, found
        )
        again = pane.workspace.model_source
        kept = (await again.capture(ids, ("attention",))).attention
        np.testing.assert_array_equal(kept, heads.attention)
        view.changed.emit("other", "text")
        await pane.settled()
        found = pane.comparer.found
        assert not found.of_base and found.first is heads and view.second_text.isVisible()
        saved = pane.state()
        pane.restore({**saved, "other": "base"})
        await pane.settled()
        assert pane.comparer.found.of_base

    run_async(body())


@pytest.mark.parametrize("method", ["full", "lora", "bottleneck"])
def test_before_fine_tuning_the_heads_are_those_of_the_base(method, tmp_path):
    """Bit for bit, and afterwards the model is as it was."""
    base = small_base(tmp_path)
    config = small_tuning(base, settings={"method": method}, learning_rate=1e-2)
    tuned = core.load(tune(config, tmp_path / method).checkpoints[-1].folder)
    prompt = read_prompt(tuned.tokenizer, "A met s. s?", 16)

    def heads(as_base):
        return changed_heads(tuned.model, prompt, "tuned", (), as_base)

    now, before = heads(False), heads(True)
    plain = core.capture(core.load(base).model, prompt.ids, ("attention",)).attention
    np.testing.assert_array_equal(before.attention, plain)
    assert compare(before, now, True).difference.max() > 0
    np.testing.assert_array_equal(heads(False).attention, now.attention)


def test_heads_are_off_before_fine_tuning_too(pane, tmp_path, run_async):
    async def body():
        await open_tuned(pane, tmp_path)
        pane.choice.pick_head(0, 1)
        pane.toggle_head()
        await pane.settled()
        pane.compare_with_base()
        await pane.settled()
        found = pane.comparer.found
        assert found.first.off == found.second.off == ((0, 1),)
        model = core.load(tmp_path / "base").model
        whole = core.capture(model, pane.reader.prompt.ids, ("attention",)).attention
        assert np.abs(found.first.attention[1] - whole[1]).max() > 1e-6

    run_async(body())


def test_a_model_that_was_not_tuned_is_compared_with_another_text(pane, tmp_path, run_async):
    async def body():
        await open_tuned(pane, tmp_path)
        pane.compare_with_base()
        await pane.settled()
        assert pane.comparer.found.of_base
        await open_model(pane, tmp_path)
        found, view = pane.comparer.found, pane.view.head.compared
        assert not found.of_base and not view.others.isVisible() and view.second_text.isVisible()
        assert pane.settings.other == "base", "the next tuned model is compared with its base again"

    run_async(body())


def test_a_head_of_a_tuned_model_arrives_beside_what_it_was(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.join_workspace()
        source = await open_tuned(pane, tmp_path)
        again = FolderSource(pane.engine, source.address)
        assert await show_head(pane.workspace, again, PROMPT, 1, 0)
        await pane.settled()
        assert pane.comparer.found.of_base and pane.choice.place[:2] == (1, 0)
        assert pane.view.panel.mosaic.locked == (1, 0)

    run_async(body())


def test_without_a_head_the_one_that_tuning_changed_most_is_chosen(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.join_workspace()
        source = await open_tuned(pane, tmp_path)
        assert await show_head(pane.workspace, FolderSource(pane.engine, source.address), PROMPT)
        await pane.settled()
        assert pane.comparer.found.of_base and pane.choice.locked is None
        assert pane.choice.place[:2] == strongest(pane.comparer.found.difference)

    run_async(body())
