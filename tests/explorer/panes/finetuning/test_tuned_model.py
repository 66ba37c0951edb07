"""The fine-tuned models that are here, and how one of them is chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.panes.finetuning.inside import text
from explorer.panes.finetuning.tuned_mode import OPEN
from explorer.runs.tuned_models import BUNDLED, Tuned, method_of, tuned_models


def run(folder: Path, method: str, *steps: int, task: str = "finetuning") -> None:
    for step in steps:
        (folder / "checkpoints" / f"step-{step:06d}").mkdir(parents=True)
    folder.mkdir(parents=True, exist_ok=True)
    config = {"task": task, "settings": {"method": method}}
    (folder / "run.json").write_text(json.dumps({"config": config}))


def adapter(folder: Path) -> str:
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    return str(folder)


def test_those_with_an_a_and_a_b_come_first(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run(runs / "tune-prompt", "prompt", 20)
    run(runs / "tune-lora", "lora", 20, 1000)
    run(runs / "begun", "lora")
    run(runs / "plain", "lora", 10, task="language-modelling")
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text("[]")
    mine = adapter(tmp_path / "mine")
    found = tuned_models(runs, [mine, mine, BUNDLED, str(tmp_path), "/gone"])
    lora = str(runs / "tune-lora" / "checkpoints" / "step-001000")
    prompt = str(runs / "tune-prompt" / "checkpoints" / "step-000020")
    assert found == [
        Tuned(BUNDLED, BUNDLED),
        Tuned(lora, "tune-lora, step 1,000"),
        Tuned(mine, "mine"),
        Tuned(prompt, "tune-prompt, step 20", "prompt"),
    ]


def test_a_folder_says_what_tuned_its_model(tmp_path: Path) -> None:
    assert method_of(str(tmp_path)) is None
    (tmp_path / "config.json").write_text(json.dumps({"finetuning": {"method": "head"}}))
    assert method_of(str(tmp_path)) == "head"


@pytest.mark.parametrize("method", ["bottleneck", "head", ""])
def test_a_model_without_a_changed_matrix_says_what_learned_instead(method: str) -> None:
    why = text.unchanged(method)
    assert why.endswith("Choose a model that was tuned by another method.")
    assert ("small new layers" in why) == (method == "bottleneck")


def test_a_model_is_chosen_in_the_menu(
    make_mode: Any, run_async: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        menu, tuned, asked = mode.inputs.model, mode.desk.tuned, []
        monkeypatch.setattr(tuned, "open", lambda: None)
        monkeypatch.setattr(
            "explorer.panes.finetuning.tuned_mode.ask_folder", lambda *args: asked.append(args[2])
        )
        run(mode.context.runs.folder() / "tune-lora", "lora", 20)
        tuned.look()
        await mode.parent().settled()
        texts = [menu.itemText(at) for at in range(menu.count())]
        assert texts == [BUNDLED, "tune-lora, step 20", OPEN]
        menu.setCurrentIndex(1)
        menu.activated.emit(1)
        assert tuned.draft.value.address == menu.itemData(1)
        assert not mode.context.settings.recent
        menu.activated.emit(menu.count() - 1)
        menu.setCurrentIndex(menu.count() - 1)
        menu.activated.emit(menu.count() - 1)
        mine = adapter(tmp_path / "mine")
        asked[-1](mine)
        await mode.parent().settled()
        tuned.look()
        await mode.parent().settled()
        assert mode.context.settings.recent == [mine]
        assert menu.findData(mine) == menu.currentIndex()

    run_async(body())


@pytest.mark.parametrize("name", ["inside", "try"])
def test_a_second_adapter_is_one_of_those_that_are_here(
    make_mode: Any, run_async: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def body() -> None:
        mode = await make_mode(name)
        chosen: list[str] = []
        monkeypatch.setattr(mode, "take_second", chosen.append)
        monkeypatch.setattr(
            "explorer.panes.finetuning.tuned_mode.ask_folder", lambda *args: args[2]("a folder")
        )
        run(mode.context.runs.folder() / "tune-lora", "lora", 20)
        run(mode.context.runs.folder() / "tune-full", "full", 20)
        mode.desk.tuned.look()
        await mode.parent().settled()
        entries = mode.second_menu.actions()
        assert [one.text() for one in entries] == ["tune-lora, step 20", OPEN]
        for one in entries:
            one.trigger()
        newest = mode.context.runs.folder() / "tune-lora" / "checkpoints" / "step-000020"
        assert chosen == [str(newest), "a folder"]
        deed = {one.text: one.run for one in mode.actions()}[mode.second_menu.title()]
        deed()
        assert mode.second_menu.isVisible()
        mode.second_menu.close()

    run_async(body())
