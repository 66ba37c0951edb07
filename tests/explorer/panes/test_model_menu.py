"""The menu of models: what it offers, and what is opened by it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QInputDialog, QLineEdit, QMenu, QWidget

from core.download import Progress
from core.tokenization.known import known
from core.transformer.foreign.writing import write_foreign
from core.transformer.parameters import parameter_count
from explorer.engine import errors, tasks
from explorer.panes.base import Context
from explorer.panes.model_menu import EXAMPLE, REAL, ModelMenu
from explorer.runs.sources import BundledSource, FolderSource
from explorer.state.settings import Settings
from explorer.state.workspace import Workspace
from tests.core.inference.hub_server import NAME, serving_hub
from tests.core.inference.test_loading import LLAMA, llama
from tests.explorer.conftest import dispose
from tests.explorer.waiting import Gate, until


@pytest.fixture
def models(engine, tmp_path, monkeypatch):
    """`opened` are the sources that it was asked for."""
    checkpoint = tmp_path / "mine"
    checkpoint.mkdir()
    for name in ("config.json", "model.safetensors"):
        (checkpoint / name).touch()
    settings = Settings(recent=[str(checkpoint)])
    runs = SimpleNamespace(source=lambda run: ("live", run))
    window = QWidget()
    menu = QMenu(window)
    context = Context(engine, Workspace(engine), settings, runs)
    found = ModelMenu(context, menu, "The model", window)
    found.menu, found.window, found.opened = menu, window, []
    found.workspace, found.hub = context.workspace, context.hub_models
    monkeypatch.setattr(found, "open", found.opened.append)
    yield found
    dispose(window)


def offered(models):
    models.menu.aboutToShow.emit()
    return {one.text(): one for one in models.menu.actions() if one.text()}


def test_a_fine_tuned_model_offers_its_base_and_the_base_offers_it(
    models, engine, tmp_path, monkeypatch
):
    told, tuned = [], FolderSource(engine, tmp_path / "run" / "checkpoints" / "step-000060")
    models.named.connect(lambda name, _: told.append(name))
    tuned.base = "stories"
    shown = [tuned]
    monkeypatch.setattr(Workspace, "model_source", property(lambda _: shown[-1]))
    models.workspace.modelChanged.emit(tuned)
    assert told[-1] == "run, step 60 (fine-tuned)"
    offered(models)["Before fine-tuning: stories"].trigger()
    base = models.opened.pop()
    assert type(base) is BundledSource
    shown.append(base)
    models.workspace.modelChanged.emit(base)
    assert told[-1] == "stories (bundled)"
    offered(models)["After fine-tuning: run, step 60"].trigger()
    assert models.opened.pop().address == tuned.address
    other = FolderSource(engine, "mine")
    shown.append(other)
    models.workspace.modelChanged.emit(other)
    assert not any("fine-tuning" in one for one in offered(models))


def test_every_model_that_is_offered_is_opened(models, tmp_path):
    texts = offered(models)
    assert list(texts) == [
        "The bundled model",
        "The model of a run",
        "Get SmolLM2 135M (92.9 MB)",
        "From the Hugging Face hub\u2026",
        "Open a model folder\u2026",
        "Open a GGUF file\u2026",
        "mine",
    ]
    texts["The bundled model"].trigger()
    texts["mine"].trigger()
    kinds = [type(one) for one in models.opened]
    assert kinds == [BundledSource, FolderSource]
    assert models.opened[1].address == str(tmp_path / "mine")


def test_the_real_model_is_opened_by_its_name_where_it_is_here(models, tmp_path, monkeypatch):
    monkeypatch.setattr("explorer.runs.hub_models.tokenizer_folder", lambda: tmp_path)
    with (tmp_path / known(REAL).file).open("wb") as file:
        file.truncate(known(REAL).size)  # opening it finds that it is none
    offered(models)["Open SmolLM2 135M"].trigger()
    assert [one.address for one in models.opened] == [REAL]


def test_the_real_model_is_downloaded_watched_and_opened(models, monkeypatch, run_async):
    def steps(name, *, large):
        assert name == REAL
        yield Progress(50, 100)
        while not go.is_set():
            time.sleep(0.01)
            yield Progress(50, 100)
        return Path("there")

    go = threading.Event()
    monkeypatch.setattr("core.inference.hub.get_model_steps", steps)

    async def body():
        offered(models)["Get SmolLM2 135M (92.9 MB)"].trigger()
        names = []
        models.named.connect(lambda name, _: names.append(name))
        await until(lambda: "50\u2009% of SmolLM2 135M" in names, "its progress")
        cancel = "Cancel the download of SmolLM2 135M (50\u2009% of 100 B)"
        assert cancel in offered(models)
        reported = []
        monkeypatch.setattr(errors, "report", lambda error, *_: reported.append(str(error)))
        models.get("somebody/else")
        await until(lambda: reported, "that one at a time comes")
        assert reported[0].startswith("SmolLM2 135M is being downloaded: wait for it, or cancel")
        go.set()
        await until(lambda: models.opened, "the model")
        assert models.opened[0].address == REAL and cancel not in offered(models)

    run_async(body())


def test_a_download_that_fails_has_its_card_and_can_be_tried_again(models, monkeypatch, run_async):
    def steps(name, *, large):
        yield Progress(1, 100)
        raise OSError("the line is broken; try again")

    monkeypatch.setattr("core.inference.hub.get_model_steps", steps)
    reported = []
    monkeypatch.setattr(errors, "report", lambda error, *_: reported.append(str(error)))

    async def body():
        models.open_real()
        await until(lambda: reported, "the card")
        assert reported == ["the line is broken; try again"]
        assert "Get SmolLM2 135M (92.9 MB)" in offered(models)

    run_async(body())


def test_the_model_of_a_run_is_offered_once_there_is_a_run(models):
    assert not offered(models)["The model of a run"].isEnabled()
    models.workspace.set_run("/runs/stories-3")
    offered(models)["The model of stories-3"].trigger()
    assert models.opened == [("live", "/runs/stories-3")]


def test_the_name_of_the_model_is_told(models):
    told = []
    models.named.connect(lambda *what: told.append(what))
    models.refresh()
    assert told == [("opening\u2026", "")]
    models.workspace.set_model_source(
        SimpleNamespace(name="mine", address="/models/mine", close=lambda: None)
    )
    assert told[-1] == ("mine", "/models/mine")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The hub, on this machine; nothing of it is here yet."""
    write_foreign(llama(), tmp_path / "served")
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with serving_hub(tmp_path / "served") as made:
        yield made


@pytest.fixture
def reported(monkeypatch):
    """What the cards of errors say."""
    texts = []
    monkeypatch.setattr(errors, "report", lambda error, *_: texts.append(str(error)))
    return texts


def type_name(models, name):
    """As a person does: chooses the entry of the menu, types, and presses OK."""
    offered(models)["From the Hugging Face hub\u2026"].trigger()
    (dialog,) = models.window.findChildren(QInputDialog)
    assert not dialog.isHidden() and dialog.findChild(QLineEdit).placeholderText() == EXAMPLE
    dialog.setTextValue(name)
    dialog.accept()


def test_a_model_is_got_by_its_name_and_listed_from_then_on(models, hub, reported, run_async):
    async def body():
        type_name(models, f" {NAME} ")
        await until(lambda: models.opened, "the model")
        assert models.opened[0].address == NAME and not reported
        offered(models)
        await until(lambda: models.hub.here, "the list")
        models.opened.clear()
        offered(models)["Downloaded models"].menu().actions()[0].trigger()
        assert [one.address for one in models.opened] == [NAME]
        await models.opened[0].open()
        assert models.opened[0].name == "tiny" and models.opened[0].config == LLAMA

    run_async(body())


def test_a_download_that_broke_off_is_offered_and_goes_on(models, hub, reported, run_async):
    async def body():
        hub.cut_at = 900
        type_name(models, NAME)
        await until(lambda: reported, "the card")
        assert "try again" in reported[0] and not models.opened
        hub.cut_at = None
        offered(models)
        await until(lambda: f"Get the rest of {NAME}" in offered(models), "the offer")
        offered(models)[f"Get the rest of {NAME}"].trigger()
        await until(lambda: models.opened, "the model")
        assert hub.asked[-1] == ("model.safetensors", "bytes=900-")
        await until(lambda: f"Get the rest of {NAME}" not in offered(models), "its end")

    run_async(body())


def test_a_download_that_was_cancelled_opens_nothing_and_keeps_what_came(
    models, hub, reported, monkeypatch, run_async
):
    from core.inference.hub import get_model_steps

    gate = Gate()

    def steps(name, *, large):
        for progress in get_model_steps(name, large=large):
            yield progress
            if progress.done > 900:
                gate()

    monkeypatch.setattr("core.inference.hub.get_model_steps", steps)

    async def body():
        models.get(NAME)
        await gate.reached()
        texts = offered(models)
        (cancel,) = [text for text in texts if text.startswith("Cancel the download of tiny")]
        texts[cancel].trigger()
        gate.open()
        await until(lambda: f"Get the rest of {NAME}" in offered(models), "the offer")
        assert not models.opened and not reported

    run_async(body())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a b", "'a b' is not a model on the hub: give its owner and its name"),
        ("somebody/else", "somebody/else is not among the hub's models, or not open to everyone"),
        ("../..", "is not a model on the hub"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(models, hub, reported, run_async, name, told):
    async def body():
        type_name(models, name)
        await until(lambda: reported, "the card")
        assert told in reported[0] and not models.opened and not models.hub.coming

    run_async(body())


def test_an_empty_name_asks_nobody(models, hub):
    type_name(models, "  ")
    assert not models.hub.coming


def test_without_a_network_the_remedy_is_told(models, hub, reported, monkeypatch, run_async):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    async def body():
        models.get(NAME)
        await until(lambda: reported, "the card")
        assert "127.0.0.1 does not answer" in reported[0]
        assert "check the network connection and try again" in reported[0]

    run_async(body())


def test_a_model_that_cannot_be_opened_is_told_before_its_weights_come(
    models, hub, reported, run_async
):
    path = hub.folder / "config.json"
    path.write_text(path.read_text().replace('"llama"', '"mamba"'))

    async def body():
        models.get(NAME)
        await until(lambda: reported, "the card")
        assert "'mamba'" in reported[0] and "choose one of those" in reported[0]
        assert [name for name, _ in hub.asked] == ["config.json"]

    run_async(body())


def test_about_a_large_model_a_person_is_asked_before_its_weights_come(
    models, hub, monkeypatch, run_async
):
    monkeypatch.setattr("core.memory.physical_bytes", lambda: 4 * parameter_count(LLAMA))
    asked = []
    models.workspace.modelIsLarge.connect(lambda *what: asked.append(what))

    async def body():
        models.get(NAME)
        await until(lambda: asked, "the question")
        assert [name for name, _ in hub.asked] == ["config.json"]
        name, error, get = asked[0]
        assert (name, error.needed) == (NAME, 4 * parameter_count(LLAMA))
        get("bfloat16")
        await until(lambda: models.opened, "the model")
        assert models.opened[0].dtype == "bfloat16"

    run_async(body())


def test_a_download_ends_with_its_pane(models, monkeypatch, run_async):
    begun, closed = threading.Event(), threading.Event()

    def steps(name, *, large):
        try:
            while True:
                begun.set()
                time.sleep(0.01)
                yield Progress(1, 100)
        finally:
            closed.set()

    monkeypatch.setattr("core.inference.hub.get_model_steps", steps)

    async def body():
        models.get(NAME)
        await until(begun.is_set, "the download")
        tasks.cancel_all(models.parent())
        await until(closed.is_set, "its end")
        assert not models.hub.coming and not models.opened

    run_async(body())
