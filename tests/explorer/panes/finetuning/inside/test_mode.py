"""Inside: what is shown of a matrix, its adapter and the steps is what core says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from core.finetuning.adapter import adapters_of
from core.finetuning.examination import examine
from core.tensor_files import write_tensors
from explorer.engine import errors
from explorer.panes.finetuning.inside import text
from explorer.panes.finetuning.inside.scene import kind_of
from tests.core.finetuning.small import small_base, small_tuning, tune

NAME = "h.1.attn.c_attn"
BIAS_STEPS = "bias_change add grad_output grad_b"


async def model_of(mode: Any) -> torch.nn.Module:
    return await mode.source.ask(lambda model: model)


def kinds_of(mode: Any) -> list[str]:
    return [kind_of(step) for step in mode.scene.steps]


def test_the_first_state_shows_the_matrix_that_changed_most(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        ids = mode.source.tokenizer.encode_ids(text.EXAMPLE)
        told = examine(await model_of(mode), ids)
        assert mode.view.body.state == "ready" and mode.scene.found.name == told.name
        shown = mode.view.passage.displayed()
        np.testing.assert_array_equal(shown["W"], told.weight)
        np.testing.assert_array_equal(shown["delta"], told.delta)
        trace = {step.name: step for step in told.trace}
        reduced = trace["adapter.reduce"].value("reduced")
        np.testing.assert_array_equal(shown["a"], reduced[-1:])
        np.testing.assert_array_equal(shown["sum"][:, 0], trace["adapter.add"].value("adapted")[-1])
        bars = mode.view.spectrum.displayed()
        np.testing.assert_array_equal(bars["singular value"], told.spectrum.values)
        ratios = [one.ratio for one in told.strengths]
        values = mode.view.strength.displayed()["values"]
        np.testing.assert_array_equal(values.reshape(-1), ratios)
        assert mode.view.strength.scene.chosen == int(np.argmax(ratios))
        np.testing.assert_array_equal(mode.view.heads.displayed()["values"], told.heads)
        np.testing.assert_array_equal(
            mode.view.text.displayed()["share of W x"], told.relative_change
        )
        about = told.trace.about
        assert mode.headline.startswith(f"The {about['parameters']:,} numbers of A and B (")
        assert "direction" not in mode.headline and "\u0394W" in mode.headline
        for picture in mode.pictures().values():
            picture.grab()
            assert picture.broken is None

    run_async(body())


def test_each_step_fills_a_place_and_has_its_arithmetic(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        for dora in (False, True):
            mode, told = await make_mode("inside", dora=dora), []
            mode.inspection.connect(told.append)
            for at, step in enumerate(mode.scene.steps):
                mode.player.seek(at)
                assert told[-1].step is step and told[-1].rows and mode.headline
                passes = mode.headline.startswith("The gradient passes through only")
                assert passes == step.name.endswith("grad_reduced")
                mode.view.passage.grab()
                assert mode.view.passage.broken is None
            mode.player.seek(0)
            shown = mode.view.passage.displayed()
            assert {"W", "A", "B", "x", "h"} == set(shown)
            mode.player.seek(len(mode.scene.steps) - 1)
            last = mode.view.passage.displayed()
            gradient = mode.scene.steps[-1].value("grad_A")
            np.testing.assert_array_equal(last["A"], gradient)
            assert "W gets no gradient" in mode.headline
            product = kinds_of(mode).index("product")
            mode.view.set_cursor(product - 0.5, 0)
            mode.view.passage.grab()
            assert mode.view.passage.broken is None
            half = mode.scene.grown(0.5)
            now = mode.scene.contents[0]
            np.testing.assert_allclose(half, np.outer(now["B"].values[:, 0], now["A"].values[0]))

    run_async(body())


def test_an_adapter_that_has_learned_nothing_says_so(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        with torch.no_grad():
            for update in adapters_of(await model_of(mode))[0].updates.values():
                update.B.zero_()
        mode.read()
        await mode.settled()
        assert "while B is 0" in mode.headline and mode.scene.needed == 0
        for picture in mode.pictures().values():
            picture.grab()
            assert picture.broken is None

    run_async(body())


def test_a_matrix_a_token_and_an_output_are_chosen(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        cell = int(np.argmax(mode.scene.grid[3].reshape(-1) == NAME))
        mode.view.strength.picked.emit(cell)
        await mode.settled()
        assert mode.scene.found.name == NAME == mode.inputs.matrix.currentData()
        mode.view.text.chosen.emit(0, 3)
        await mode.settled()
        assert mode.scene.position == 3
        most = mode.scene.largest
        change = next(s for s in mode.scene.steps if s.name == "adapter.add").value("change")
        assert mode.view.output == most == int(np.abs(change[3]).argmax())
        QTest.keyClick(mode.view.passage, Qt.Key.Key_Up)
        assert mode.view.output == most - 1 == mode.output
        place = mode.view.passage.layout_of(mode.view.passage.scene).places["delta"]
        rows = len(mode.scene.found.weight)
        point = QPointF(place.center().x(), place.top() + 4.5 / rows * place.height())
        QTest.mouseClick(mode.view.passage, Qt.MouseButton.LeftButton, pos=point.toPoint())
        assert abs(mode.view.output - 4) <= rows / place.height() + 1
        assert mode.view.passage.said_at(place.center()).startswith("\u0394W")
        kept = mode.state()
        assert mode.cancel() and mode.position is None and not mode.cancel()
        await mode.settled()
        mode.restore(kept)
        await mode.settled()
        assert mode.scene.position == 3 and mode.state() == kept
        mode.restore({"position": 10**9, "output": 10**9, "step": "a"})
        await mode.settled()
        assert mode.scene.position == len(mode.scene.ids) - 1
        assert mode.view.output == rows - 1
        mode.workspace.undo()
        await mode.settled()
        assert mode.draft.value.matrix == ""

    run_async(body())


def test_a_matrix_with_fewer_outputs_follows_one_with_more(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        mode.look_at(NAME)
        await mode.settled()
        rows = len(mode.scene.found.weight)
        mode.choose("output", rows - 1)
        assert mode.view.output == rows - 1
        mode.look_at("h.0.mlp.c_proj")
        await mode.settled()
        assert mode.view.output == len(mode.scene.found.weight) - 1 < rows - 1
        assert mode.view.body.state == "ready"

    run_async(body())


def test_a_direction_is_seen_alone(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        total = sum(mode.scene.part(at).values for at in range(2))
        np.testing.assert_allclose(total, mode.scene.found.delta, atol=1e-5)
        mode.view.spectrum.point_at(1)
        assert mode.view.passage.scene.alone.name == text.ALONE.format(2)
        mode.view.passage.grab()
        assert mode.view.passage.broken is None
        assert mode.view.spectrum.told(1).startswith("Direction 2")
        told, place = [], mode.view.spectrum.rects(mode.view.spectrum.scene)[1].center()
        mode.inspection.connect(told.append)
        QTest.mouseClick(mode.view.spectrum, Qt.MouseButton.LeftButton, pos=place.toPoint())
        finding = mode.scene.found.finding
        for at, step in enumerate(finding):
            mode.player.seek(at)
            assert told[-1].step is step and mode.headline == step.title
        assert mode.view.position == mode.scene.matrix_step
        assert mode.cancel() and mode.player.track.length == len(mode.scene.steps)
        assert mode.player.step == mode.scene.matrix_step
        dora = await make_mode("inside", dora=True)
        dora.view.spectrum.picked.emit(0)
        assert dora.player.track.length == len(dora.scene.steps)

    run_async(body())


def test_a_runs_checkpoints_are_walked_through(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        folder = tmp_path / "run" / "checkpoints"
        model = await model_of(mode)
        learned = {name: p for name, p in model.named_parameters() if ".updates." in name}
        for step in (10, 20, 30):
            numbers = {n: (p * step / 30).detach().numpy() for n, p in learned.items()}
            (folder / f"step-{step:06d}").mkdir(parents=True)
            write_tensors(folder / f"step-{step:06d}" / "model.safetensors", numbers)
        mode.source.address = str(folder / "step-000030")
        mode.read()
        await mode.settled()
        view, found = mode.view.spectrum, mode.scene.found
        assert (found.steps, found.step) == ((10, 20, 30), 30)
        layout = view.layout_of(view.scene)
        point = QPointF(layout.x_of(18), layout.growth.center().y())
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=point.toPoint())
        await mode.settled()
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=point.toPoint())
        await mode.settled()
        assert mode.step == 20 == mode.scene.found.step and mode.scene.found.name == found.name
        shown = view.displayed()["singular value"]
        np.testing.assert_allclose(shown, found.spectrum.values * (20 / 30) ** 2, rtol=1e-5)
        QTest.keyClick(view, Qt.Key.Key_Left)
        await mode.settled()
        assert mode.step == 10
        view.grab()
        assert view.broken is None

    run_async(body())


def test_a_second_adapter_is_laid_beside_it(make_mode: Any, run_async: Any, tmp_path: Path) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        assert mode.view.shared.isHidden() or not mode.view.shared.isVisibleTo(mode.view)
        adapters_of(await model_of(mode))[0].save(tmp_path / "same")
        mode.take_second(str(tmp_path / "same"))
        await mode.settled()
        assert (
            mode.draft.value.other and mode.view.buttons["compare"].text() == "Compared with same"
        )
        shared = mode.view.shared.displayed()["values"]
        np.testing.assert_allclose(np.diag(shared), 1.0, atol=1e-5)
        scene, width = mode.view.shared.scene, mode.scene.found.weight.shape[1]
        assert list(scene.legend.values()) == [0, 2 / width, 1] and scene.most == 1
        mode.view.shared.grab()
        assert mode.view.shared.broken is None
        mode.view.buttons["compare"].click()
        await mode.settled()
        assert not mode.draft.value.other and mode.scene.found.shared is None
        mode.take_second(str(tmp_path / "nothing"))
        await mode.settled()
        problem = list(errors.reports().problems.values())[-1]  # its card has room for the remedy
        assert "is no adapter" in problem.text and mode.view.body.state == "ready"
        assert len(adapters_of(await model_of(mode))) == 1

    run_async(body())


def test_a_model_that_cannot_be_opened_leaves_the_one_before(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        mode.desk.tuned.choose(str(tmp_path / "gone"))
        await mode.parent().settled()
        problem = list(errors.reports().problems.values())[-1]  # its card has room for all of it
        assert "there is no folder" in problem.text and mode.view.body.state == "ready"
        adapters_of(await model_of(mode))[0].remove()
        mode.read()
        await mode.settled()
        assert mode.view.body.state == "empty" and mode.headline == text.unchanged("")
        assert mode.scene is None and not mode.tracks

    run_async(body())


@pytest.fixture(scope="module")
def small(tmp_path_factory: Any) -> Path:
    return small_base(tmp_path_factory.mktemp("inside") / "base")


@pytest.mark.parametrize("method", ["full", "bitfit", "prompt"])
def test_a_model_tuned_without_an_adapter_shows_what_changed(
    make_mode: Any, run_async: Any, small: Path, tmp_path: Path, method: str
) -> None:
    run = tune(small_tuning(small, settings={"method": method}), tmp_path / "run")
    folder = str(run.checkpoints[-1].folder)

    async def body() -> None:
        mode = await make_mode("inside")
        mode.desk.tuned.choose(folder)
        mode.draft.change({"text": "A met s. s? B met t."}, "")
        await mode.parent().settled()
        if method == "prompt":
            assert mode.view.body.state == "empty"
            assert mode.headline.startswith("4 learned tokens stand in front of each text.")
            return
        found, shown = mode.scene.found, mode.view.passage.displayed()
        assert mode.view.body.state == "ready" and not mode.view.buttons["compare"].isEnabled()
        own = "change add delta grad_output grad_W"
        kinds = ["frozen", "bias", *(own if method == "full" else BIAS_STEPS).split()]
        assert kinds_of(mode) == kinds
        if method == "full":
            np.testing.assert_array_equal(shown["delta"], found.delta)
        else:
            assert "delta" not in shown
            np.testing.assert_allclose(shown["change"], found.delta)
        assert mode.view.spectrum.displayed()["singular value"].size == min(found.delta.shape)
        for at in range(len(kinds)):
            mode.player.seek(at)
            assert mode.headline and "8 numbers" not in mode.headline
            for picture in mode.pictures().values():
                picture.grab()
                assert picture.broken is None
        layout = mode.view.passage.layout_of(mode.view.passage.scene)
        there = {name for name, _ in layout.shown()}
        more = {"delta", "x, again"} if method == "full" else set()
        assert there == {"x", "W", "h", "change", "sum"} | more

    run_async(body())


def test_a_head_opens_in_attention_and_too_short_a_text_says_so(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        mode.view.heads.picked.emit(1)
        await mode.settled()
        assert mode.workspace.model_source.address == mode.source.address
        assert mode.workspace.prompt == text.EXAMPLE
        assert mode.workspace.value("attention.scene") == {"locked": [0, 1]}
        assert mode.workspace.value("pane") == "attention"
        mode.draft.change({"text": " "}, "")
        await mode.settled()
        assert mode.view.body.state == "empty" and mode.headline == text.NO_TEXT
        mode.draft.change({"text": "a"}, "")
        await mode.settled()
        assert mode.view.body.state == "error" and "two tokens" in mode.view.body.card.message

    run_async(body())
