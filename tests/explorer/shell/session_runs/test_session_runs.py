"""Runs in the window: the strip's controls, the cards of those that wait, where they go on."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PySide6.QtWidgets import QPushButton

import core
from core.memory import LargeModelError
from core.training.writer import RunWriter
from explorer.engine import errors, tasks
from explorer.runs.live import Runs
from explorer.runs.sources import models_among
from tests.core.inference.hub_server import NAME
from tests.core.inference.test_loading import in_cache
from tests.core.transformer.foreign.test_gguf_models import put, tiny, tiny_tensors
from tests.explorer.demo import save_tiny_model, tiny_training
from tests.explorer.shell.session_runs.conftest import commands
from tests.explorer.waiting import until


def test_every_run_that_trains_is_steered_from_the_strip_of_any_pane(sitting, run_async):
    async def body():
        async with sitting as session:
            window, status = session.window, session.window.status
            folders = [session.runs.new(tiny_training(), name) for name in ("first", "second")]
            session.runs.start(folders[0])
            await until(lambda: status.run is not None)
            assert session.workspace.run == str(folders[0])

            session.workspace.set_run(None)  # New run
            await until(lambda: status.run is not None and status.run.name == "first")
            assert not status.line.pause.isHidden() and not status.line.stop.isHidden()
            status.line.pause.click()
            await until(lambda: commands(folders[0]) == ["pause"])

            session.runs.start(folders[1])
            session.workspace.set_run(str(folders[1]))
            await until(lambda: len(status.training) == 2)
            assert status.run.name == "second"
            window.show_pane("attention")
            assert window.actions_list.run("run.list")
            status.list.lines[str(folders[0])].stop.click()
            await until(lambda: commands(folders[0]) == ["pause", "stop"])
            await until(lambda: [run.name for run in status.training] == ["second"])
            assert commands(folders[1]) == []

            status.list.lines[str(folders[1])].name.click()
            assert window.pane.objectName() == "training"
            window.actions_list.run("run.stop")
            await until(lambda: not status.training)
            await until(lambda: commands(folders[1]) == ["stop"])
            assert not window.actions_list.run("run.list")

    run_async(body())


def test_the_strip_says_what_a_run_computes_on_and_else_what_the_engine_does(
    sitting, run_async, monkeypatch
):
    monkeypatch.setattr("explorer.shell.session.torch_threads", lambda: 3)

    async def body():
        async with sitting as session:
            device = session.window.status.device
            session.engine.activityChanged.emit()
            assert device.text() == "cpu, fp32, 3 threads"
            folder = session.runs.new(tiny_training(precision="bf16"), "run")
            session.runs.start(folder)
            writer = RunWriter(folder)
            writer.event("model", 0, {"device": "cpu", "ranks": 2, "threads": 1})
            await until(lambda: device.text() == "cpu, bf16, 2 ranks, 1 thread")
            writer.event("end", 0, {"reason": "stopped", "message": ""})
            writer.close()
            session.steer("stop")
            await until(lambda: device.text() == "cpu, fp32, 3 threads")

    run_async(body())


def test_a_job_that_is_held_is_not_said_to_go_on(sitting, run_async):
    def beats():
        while True:
            yield SimpleNamespace(idle=0.01)

    async def body():
        async with sitting as session:
            said = session.window.status.jobs
            job = session.engine.run(beats(), name="the playground learns")
            await until(lambda: said.text() == "the playground learns")
            job.pause()
            await until(lambda: said.text() == "" and said.isHidden())
            job.resume()
            await until(lambda: said.text() == "the playground learns")
            job.cancel()
            await until(lambda: said.text() == "")

    run_async(body())


def test_cards_take_one_line_where_there_is_room(sitting, run_async):
    async def body():
        async with sitting as session:
            window = session.window
            window.resize(1100, 680)
            notices = window.notices
            card = notices.offer("a", "error", "Title", "What to do.", {"Do it": print})
            other = notices.offer("b", "error", "Title", "What to do. " * 20, {"Do it": print})
            await until(lambda: card.height() <= 40 < other.height())
            line = card.message_label.fontMetrics().height()
            assert other.message_label.height() >= 2 * line, "all of a long message can be read"
            assert other.height() <= 100
            labels = (card.title_label, card.message_label)
            assert len({label.geometry().center().y() for label in labels}) == 1

    run_async(body())


def test_a_model_that_opens_retires_the_card_about_one_that_did_not(
    sitting, tmp_path, run_async, caplog
):
    caplog.set_level(logging.CRITICAL)
    good, bad = save_tiny_model(tmp_path / "good"), save_tiny_model(tmp_path / "bad")
    (bad / "model.safetensors").write_bytes(b"cut off")

    async def body():
        async with sitting as session:
            cards = session.window.notices.cards
            assert not await session.open_paths_now([bad])
            await session.open_model("stories")  # what the start falls back to
            assert len(cards) == 1
            await session.open_paths_now([tmp_path / "nowhere.txt"])
            assert len(cards) == 2
            assert await session.open_paths_now([good])
            (card,) = cards.values()
            assert "nowhere.txt" in card.message
            (tmp_path / "there.txt").write_text("a text")
            await session.open_paths_now([tmp_path / "there.txt"])
            assert not cards
            if hasattr(os, "mkfifo"):
                os.mkfifo(tmp_path / "pipe.txt")
                await session.open_paths_now([tmp_path / "pipe.txt"])
                (card,) = cards.values()
                assert "a pipe or a device; choose a text file" in card.message

    run_async(body())


def test_every_file_of_a_model_opens_it_or_says_why_it_cannot(sitting, tmp_path, run_async, caplog):
    caplog.set_level(logging.CRITICAL)
    model = save_tiny_model(tmp_path / "model")
    whole, words, cut = (tmp_path / name / "x.gguf" for name in ("whole", "words", "cut"))
    for place in (whole, words, cut):
        place.parent.mkdir()
    put(whole.parent, tiny(), tiny_tensors())
    put(words.parent, {"tokenizer.ggml.model": "gpt2"}, {})
    cut.write_bytes(whole.read_bytes()[:300])
    (tmp_path / "lone.safetensors").write_bytes((model / "model.safetensors").read_bytes())
    for name in ("model.pt", "pytorch_model.BIN"):
        (tmp_path / name).write_bytes(b"\x80\x04 a pickle")

    async def body():
        async with sitting as session:
            cards = session.window.notices.cards
            for part in ("config.json", "model.safetensors"):
                assert await session.open_paths_now([model / part])
                assert session.workspace.model_source.address == str(model)
            assert await session.open_paths_now([whole])
            assert session.workspace.model_source.address == str(whole)
            for path, said in (
                (cut, "cut off"),
                (tmp_path / "lone.safetensors", "give the folder that it lies in"),
                (tmp_path / "model.pt", "can run any code, so it is never opened"),
                (tmp_path / "pytorch_model.BIN", "save_pretrained(NEW_FOLDER)"),
            ):
                assert not await session.open_paths_now([path])
                assert any(said in card.message for card in cards.values()), path
                assert session.workspace.model_source.address == str(whole)
            given = []
            session.workspace.tokenizerGiven.connect(given.append)
            assert not await session.open_paths_now([words])
            assert given == [str(words)]

    run_async(body())


def test_a_large_model_is_opened_once_a_person_agrees(
    sitting, tmp_path, run_async, monkeypatch, caplog
):
    caplog.set_level(logging.CRITICAL)
    path = put(tmp_path, tiny(), tiny_tensors())
    needed = core.memory_needed(path)

    async def body():
        async with sitting as session:
            cards, before = session.window.notices.cards, session.workspace.model_source
            monkeypatch.setattr("core.memory.physical_bytes", lambda: needed * 3 // 2)
            for text, dtype in (("Open in fp32", torch.float32), ("Open in bf16", torch.bfloat16)):
                assert not await session.open_paths_now([path])
                assert session.workspace.model_source is before
                (card,) = cards.values()
                assert "x.gguf takes much memory" in card.title_label.text()
                (choice,) = [one for one in choices(card) if one.text().startswith(text)]
                choice.click()
                await until(lambda b=before: session.workspace.model_source not in (None, b))
                before = session.workspace.model_source
                found = await before.ask(lambda model: model.wte.weight.dtype)
                assert before.address == str(path) and found is dtype and not cards
            monkeypatch.setattr("core.memory.physical_bytes", lambda: needed // 4)
            assert not await session.open_paths_now([path])
            (card,) = cards.values()
            assert not choices(card), "not even half of it would fit"
            assert card.message.endswith("Choose a smaller model.")
            got = []
            error = LargeModelError(NAME, needed, needed)
            session.workspace.modelIsLarge.emit(NAME, error, got.append)
            half, _ = [one for one in choices(cards["large model"]) if "and open in" in one.text()]
            half.click()
            assert got == ["bfloat16"] and half.text().startswith("Get and open in bf16")

    run_async(body())


def test_a_model_of_the_hub_opens_by_its_name_and_is_no_recent_path(
    sitting, tmp_path, run_async, monkeypatch
):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    in_cache(tmp_path, NAME)

    async def body():
        async with sitting as session:
            session.saved["paths"]["model"] = NAME
            await session.open_last_model()
            assert session.workspace.model_source.address == NAME
            assert session.workspace.model_source.name == "tiny"
            assert not session.settings.recent and not errors.reports().problems
            with pytest.raises(FileNotFoundError, match="get one of the hub"):
                await session.open_model("somebody/gone")

    run_async(body())


def choices(card) -> list[QPushButton]:
    return [one for one in card.findChildren(QPushButton) if "pen in" in one.text()]


def test_the_model_of_the_last_session_comes_back(sitting, stopped, tmp_path, run_async):
    model = save_tiny_model(stopped[0] / "checkpoints" / "step-000004")

    async def body():
        async with sitting as session:
            for address in (model, stopped[0]):  # a checkpoint, and what the run trains
                session.saved["paths"]["model"] = str(address)
                await session.open_last_model()
                assert session.workspace.model_source.address == str(address)
            assert not errors.reports().problems

    run_async(body())


@pytest.mark.parametrize("name", ["checkpoints/step-000004", "my-model"])
def test_a_model_that_is_gone_since_the_last_session_is_told(
    name, sitting, tmp_path, run_async, caplog
):
    caplog.set_level(logging.CRITICAL)
    gone = tmp_path / name

    async def body():
        async with sitting as session:
            session.saved["paths"]["model"] = str(gone)
            await session.open_last_model()
            assert session.workspace.model_source.address == "stories"
            (problem,) = errors.reports().problems.values()
            assert str(gone) in problem.text
            of_run = "a run keeps only some of them" in problem.text
            assert of_run == name.startswith("checkpoints")
            assert problem.text.endswith(". The bundled model is shown instead.")

    run_async(body())


def test_a_model_opened_by_a_relative_path_is_remembered_from_anywhere(
    sitting, tmp_path, run_async, monkeypatch
):
    model = save_tiny_model(tmp_path / "model")
    monkeypatch.chdir(tmp_path)

    async def body():
        async with sitting as session:
            assert await session.open_paths_now([Path("model")])
            assert session.files()[tmp_path / "config" / "session.json"]["paths"]["model"] == str(
                model
            )

    run_async(body())


def test_only_what_could_be_used_is_offered_again_and_only_models_as_models(
    sitting, tmp_path, run_async
):
    model, bad = save_tiny_model(tmp_path / "model"), tmp_path / "bad"
    text, binary, empty = (tmp_path / name for name in ("a.txt", "binary.txt", "empty.txt"))
    text.write_text("a text to learn from")
    binary.write_bytes(bytes(range(256)) * 20)
    empty.write_text("")
    bad.mkdir()
    (bad / "run.json").write_text("no run")

    async def body():
        async with sitting as session:
            run = session.runs.new(tiny_training(), "run")
            await session.open_paths_now([binary, empty, bad, text, model, run])
            await tasks.wait_for(session.window)
            recent = session.settings.recent
            assert {Path(path).name for path in recent} == {"a.txt", "model", "run"}
            assert models_among([*recent, str(tmp_path / "gone")]) == [str(model.resolve())]

    run_async(body())


def test_quitting_says_which_runs_go_on(sitting, run_async, monkeypatch):
    async def body():
        async with sitting as session:
            names = []
            for left in ([], ["one"], ["one", "two"], ["one", "two", "three"]):
                monkeypatch.setattr(Runs, "going_on", [Path(name) for name in left])
                names.append(session.window.actions_list.items["app.quit"].name)
            return names

    assert run_async(body()) == [
        "Quit",
        "Quit (one will go on training)",
        "Quit (one and two will go on training)",
        "Quit (one and 2 more will go on training)",
    ]


def test_logs_of_other_programs_open_as_runs_and_a_trainers_checkpoint_as_a_model(
    sitting, tmp_path, run_async
):
    log, poems = tmp_path / "log.csv", tmp_path / "poems.csv"
    log.write_text("step,loss\n1,2.5\n2,2.0\n")
    poems.write_text("title,poem\nrain,it rains\n")
    model = save_tiny_model(tmp_path / "checkpoint-2")
    (model / "trainer_state.json").write_text('{"log_history": [{"step": 1, "loss": 3.0}]}')
    broken = tmp_path / "trainer_state.json"
    broken.write_text("no state")

    async def body():
        async with sitting as session:
            assert await session.open_paths_now([model])
            assert session.workspace.run is None
            assert not await session.open_paths_now([poems])
            assert session.workspace.run is None
            assert not await session.open_paths_now([log])
            assert session.workspace.run == str(log)
            session.open_run_folder(tmp_path)
            await tasks.wait_for(session.window)
            assert session.workspace.run == str(tmp_path)  # a Trainer's folder; broken
            assert str(log.resolve()) in session.settings.recent
            assert str(tmp_path.resolve()) not in session.settings.recent

    run_async(body())
