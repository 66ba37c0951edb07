"""Map: the forward pass plays, one looks inside a step and comes out again, presets are drawn."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

import core
from core.transformer.parameters import parameter_count
from core.transformer.presets import ENCODER_DECODER_PRESETS, PRESETS, preset
from explorer.panes.transformer.map import text
from explorer.runs.sources import FolderSource
from explorer.widgets.diagrams.scenes import BlockScene, SpineScene, StepsScene

FAMILIES = [
    {},
    {"norm_placement": "post", "mlp": "relu", "positions": "sinusoidal"},
    {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "n_kv_head": 1, "bias": False},
]


def parameters_of(mode: Any) -> int:
    """The sum of the first bar."""
    shown = mode.view.costs.displayed()
    return int(shown["number"][shown["bar"] == shown["bar"][0]].sum())


def painted(mode: Any) -> Any:
    """The scene, once it has been painted without an error."""
    mode.view.picture.grab()
    assert mode.view.picture.broken is None
    return mode.view.picture.scene


def test_the_first_state_is_the_whole_model_with_its_next_token(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode = await make_mode("map")
        scene = painted(mode)
        assert isinstance(scene, SpineScene)
        model = core.load(mode.source.address).model
        acts = core.capture(model, mode.prompt_ids, ["logits", "attention"])
        likeliest = mode.piece(int(acts.logits[-1].argmax())).decode()
        assert likeliest.strip() in mode.headline
        reads = acts.attention[:, :, -1].mean(axis=1)
        np.testing.assert_allclose(scene.reads, reads, atol=1e-5)
        assert mode.player.step == mode.player.length - 1
        assert parameters_of(mode) == parameter_count(model.config)

    run_async(body())


@pytest.mark.parametrize("changes", FAMILIES, ids=str)
def test_every_step_of_every_level_is_drawn_with_its_numbers(
    make_mode: Any, run_async: Any, changes: dict[str, Any]
):
    async def body() -> None:
        mode = await make_mode("map", **changes)
        player, seen, told = mode.player, [], []
        mode.inspection.connect(told.append)

        async def look() -> None:
            for step in range(player.length):
                player.seek(step)
                await mode.settled()
                assert told[-1].rows, "every step has live numbers"
                scene, depth = painted(mode), player.depth
                seen.append(scene)
                if isinstance(scene, StepsScene):
                    named = {symbol.name for symbol in scene.symbols if symbol.name}
                    assert named == set(scene.shapes) >= set(scene.matrices) and scene.matrices
                    assert set(mode.view.picture.displayed()) == set(scene.matrices)
                    if scene.pair is not None:
                        made = scene.matrices["turned_first"].values
                        assert scene.pair[1, 0] == pytest.approx(made[scene.symbols[-1].cell])
                in_block = mode.way[0].startswith("block") and depth == 0
                if (not in_block or step == 1) and player.enter():
                    await mode.settled()
                    await look()
                    assert player.leave() and player.depth == depth

        await look()
        kinds = {type(scene) for scene in seen}
        assert kinds == {SpineScene, BlockScene, StepsScene}
        assert told[-1].step is mode.found.trace[mode.at]
        turned = [one for one in seen if isinstance(one, StepsScene) and one.pair is not None]
        assert bool(turned) == (changes.get("positions") == "rope")

    run_async(body())


def test_a_click_goes_in_and_esc_goes_out(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode = await make_mode("map")
        picture = mode.view.picture
        for kind in ("block", "attention", "project"):
            places = reversed(picture.places().items())
            names = {mode.found.parts[at].label.split()[0]: place for at, place in places}
            at = names[kind].center().toPoint()
            QTest.mouseClick(picture, Qt.MouseButton.LeftButton, pos=at)
            await mode.settled()
            painted(mode)
        shown = [one.text() for one in mode.view.crumbs if not one.isHidden()]
        assert shown == ["Model", "Block 0", "Attention", "q, k, v"]
        mode.view.crumbs[1].click()
        await mode.settled()
        assert isinstance(painted(mode), BlockScene) and mode.player.depth == 1
        assert mode.cancel() and not mode.player.depth and not mode.cancel()

    run_async(body())


def test_a_chosen_cell_and_head_are_told_with_their_numbers(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode, told = await make_mode("map"), []
        mode.inspection.connect(told.append)
        mode.go_to("block", "attention", "weights")
        mode.view.heads.picked.emit(1)
        await mode.settled()
        mode.choose_cell(3, 2)
        await mode.settled()
        model = core.load(mode.source.address).model
        weights = core.capture(model, mode.prompt_ids, ["attention"]).attention[0, 1]
        np.testing.assert_allclose(painted(mode).matrices["weights"].values, weights, atol=1e-5)
        assert told[-1].cell.startswith("weights[3, 2]: ")
        assert float(told[-1].rows[0].text.split()[-1]) == pytest.approx(weights[3, 2], rel=0.01)
        assert told[-1].step.name == "forward.weights" and told[-1].rows

    run_async(body())


def test_a_chosen_cell_does_not_follow_into_a_step_where_it_means_something_else(
    make_mode: Any, run_async: Any
):
    async def body() -> None:
        mode, told = await make_mode("map"), []
        mode.inspection.connect(told.append)
        mode.go_to("block", "attention", "scores")
        await mode.settled()
        mode.choose_cell(3, 2)
        for name, cell in (("weights", "weights[3, 2]"), ("output", "output[3, ")):
            mode.go_to("block", "attention", name)
            await mode.settled()
            assert told[-1].cell.startswith(cell)
        mode.go_to("softmax")
        await mode.settled()
        answer = int(mode.found.about["logits"].argmax())
        assert told[-1].cell.startswith(f"probabilities[{answer}]: ")

    run_async(body())


def test_the_id_of_each_token_picks_the_row_that_becomes_its_vector(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode = await make_mode("map")
        ids, picture = mode.prompt_ids, mode.view.picture
        assert painted(mode).ids == tuple(ids)
        mode.go_to("embed", "token")
        await mode.settled()
        scene, layout = painted(mode), picture.layout_of(painted(mode)).equation
        weight = core.load(mode.source.address).model.wte.weight.detach().numpy()
        np.testing.assert_array_equal(picture.displayed()["x"], weight[ids])
        assert scene.lookup.ids == tuple(ids) and scene.lookup.size == weight.shape
        order = np.argsort([layout.row(at) for at in range(len(ids))], kind="stable")
        np.testing.assert_array_equal(np.sort(ids), np.array(ids)[order])
        assert all((weight == row).all(axis=1).any() for row in scene.lookup.table)
        assert f"the id {ids[-1]}: it picks row {ids[-1]} of " in mode.headline
        token = layout.shown.start + 1
        at = layout.line(layout.ids, token).center().toPoint()
        QTest.mouseClick(picture, Qt.MouseButton.LeftButton, pos=at)
        await mode.settled()
        assert f"the id {ids[token]}: it picks row {ids[token]} of " in mode.headline
        mode.go_to("embed", "position")
        await mode.settled()
        painted(mode)
        assert f"is at position {token}," in mode.headline

    run_async(body())


def test_softmax_shows_the_bars_that_it_computes(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode = await make_mode("map")
        for name in ("softmax", "next"):
            mode.go_to(name)
            await mode.settled()
            painted(mode)
            shown = mode.view.picture.displayed()["probability"]
            chances = np.sort(mode.found.about["probabilities"])[::-1]
            np.testing.assert_allclose(shown, chances[: len(shown)], atol=1e-7)
        mode.go_to("unembed")
        assert "probability" not in mode.view.picture.displayed()

    run_async(body())


def test_a_head_that_is_left_again_is_not_drawn(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode = await make_mode("map")
        mode.go_to("block", "attention", "weights")
        await mode.settled()
        kept = painted(mode).matrices["weights"].values
        for head in (1, 0):
            mode.view.heads.picked.emit(head)
        await mode.settled()
        np.testing.assert_array_equal(painted(mode).matrices["weights"].values, kept)

    run_async(body())


def test_where_one_is_stays_when_the_text_is_another(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode = await make_mode("map")
        mode.go_to("block 1", "mlp", "c_fc")
        await mode.settled()
        kept = mode.state()
        mode.workspace.set_prompt("Tom")
        await mode.settled()
        assert mode.way == ["block 1", "mlp", "c_fc"]
        assert painted(mode).shapes["x"][0] == len(mode.prompt_ids)
        mode.go_to("next")
        mode.restore(kept)
        assert mode.way == ["block 1", "mlp", "c_fc"]
        for bad in ({}, {"way": [1]}, {"way": ["block 99", "x"]}):
            mode.restore(bad)
        await mode.settled()
        painted(mode)
        mode.workspace.set_prompt("")
        await mode.settled()
        assert mode.headline == text.NO_TEXT and mode.view.body.state == "empty"

    run_async(body())


@pytest.mark.parametrize("name", ["gpt1", "gpt3-175b", "transformer-base"])
def test_a_preset_is_drawn_without_weights(make_mode: Any, run_async: Any, name: str):
    async def body() -> None:
        mode = await make_mode("map")
        mode.show_model(name)
        await mode.settled()
        assert name in mode.headline
        assert parameters_of(mode) == parameter_count(preset(name))
        for way in (
            ("block",),
            ("block", "mlp"),
            ("block", "attention", "scores"),
            ("embed", "token"),
        ):
            mode.go_to(*way)
            await mode.settled()
            painted(mode)
            assert [one.split()[0] for one in mode.way] == list(way)
        mode.workspace.undo()
        await mode.settled()
        assert mode.found.trace.about["position"] == len(mode.prompt_ids) - 1

    run_async(body())


def test_an_encoder_decoder_is_drawn_as_two_stacks(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode = await make_mode("map")
        mode.show_model("transformer-big")
        await mode.settled()
        decoder = painted(mode)
        assert decoder.source.source is None and decoder.source.size == (1024, 1024)
        assert len(decoder.windows) == len(decoder.source.windows) == 6
        layout = mode.view.picture.layout_of(decoder)
        assert layout.encoder.band.bottom() < layout.decoder.columns[1].top()
        for layer in range(6):
            read, found = (layout.decoder.bar_of(layer, name) for name in ("attention", "cross"))
            assert read.right() <= found.left() and found.bottom() == layout.decoder.band.top()
        mode.player.seek(8)  # the first block of the decoder
        assert mode.player.enter()
        await mode.settled()
        assert "cross" in [kind for _, kind in painted(mode).parts]
        assert mode.way[0] == "block 0"
        mode.go_to("block", "cross", "scores")
        await mode.settled()
        kinds = [node.kind for node in painted(mode).nodes]
        assert kinds[:3] == ["queries", "keys_and_values", "scores"] and "mask" not in kinds
        mode.go_to("encoder block 1", "mlp")
        await mode.settled()
        assert "cross" not in [kind for _, kind in painted(mode).parts]
        assert mode.way == ["encoder block 1", "mlp"]

    run_async(body())


def test_a_model_that_cannot_read_the_text_says_why(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode = await make_mode("map")

        async def refuse(*_: Any, **__: Any) -> Any:
            raise ValueError("shorten the text")

        mode.source.ask = refuse
        mode.workspace.set_prompt("Tom met")
        await mode.settled()
        assert mode.view.body.state == "error" and mode.view.body.message == "shorten the text"
        mode.show_model("gpt2")
        await mode.settled()
        assert mode.view.body.state == "ready" and isinstance(painted(mode), SpineScene)

    run_async(body())


def test_nothing_is_left_of_a_model_that_is_no_longer_open(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode = await make_mode("map")
        mode.go_to("block 1", "mlp", "c_fc")
        await mode.settled()
        trace = weakref.ref(mode.found.trace)
        mode.modeRequested.emit("generate", {})
        other = FolderSource(mode.engine, mode.source.address)
        await other.open()
        mode.workspace.set_model_source(other)
        await mode.settled()
        gc.collect()
        assert trace() is None
        mode.modeRequested.emit("map", {})
        await mode.settled()
        assert mode.way == ["block 1", "mlp", "c_fc"] and mode.found is not None

    run_async(body())


def test_the_presets_stand_side_by_side(make_mode: Any, run_async: Any):
    async def body() -> None:
        mode = await make_mode("map")
        mode.toggle_compare()
        await mode.settled()
        table = mode.view.table
        table.grab()
        names = [*ENCODER_DECODER_PRESETS, *PRESETS]
        assert table.broken is None and list(table.displayed()["name"]) == names
        QTest.keyClick(table, Qt.Key.Key_Down)
        QTest.keyClick(table, Qt.Key.Key_Return)
        await mode.settled()
        assert mode.draft.value.shown == names[0] and not mode.draft.value.compared
        painted(mode)

    run_async(body())
