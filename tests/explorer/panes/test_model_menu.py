"""The menu of models: what it offers, and what is opened by it."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QMenu, QWidget

from core.download import Progress
from core.tokenization.known import known
from explorer.engine import errors
from explorer.panes.base import Context
from explorer.panes.model_menu import REAL, ModelMenu
from explorer.runs.sources import BundledSource, FolderSource
from explorer.state.settings import Settings
from explorer.state.workspace import Workspace
from tests.explorer.conftest import dispose
from tests.explorer.waiting import until


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
    found = ModelMenu(Context(engine, Workspace(engine), settings, runs), menu, "The model", window)
    found.menu, found.opened = menu, []
    monkeypatch.setattr(found, "_open", found.opened.append)
    yield found
    dispose(window)


def offered(models):
    models.menu.aboutToShow.emit()
    return {one.text(): one for one in models.menu.actions() if one.text()}


def test_every_model_that_is_offered_is_opened(models, tmp_path):
    texts = offered(models)
    assert list(texts) == [
        "The bundled model",
        "The model of a run",
        "Get SmolLM2 135M (92.9 MB)",
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
    monkeypatch.setattr("explorer.panes.model_menu.tokenizer_folder", lambda: tmp_path)
    with (tmp_path / known(REAL).file).open("wb") as file:
        file.truncate(known(REAL).size)  # opening it finds that it is none
    offered(models)["Open SmolLM2 135M"].trigger()
    assert [one.address for one in models.opened] == [REAL]


def test_the_real_model_is_downloaded_watched_and_opened(models, monkeypatch, run_async):
    come, told = asyncio.Event(), []

    def steps(_):
        yield Progress(50, 100)
        while not go.is_set():
            time.sleep(0.01)
            yield Progress(50, 100)
        return Path("there")

    go = threading.Event()
    monkeypatch.setattr("explorer.panes.model_menu.get_steps", steps)
    monkeypatch.setattr(models, "open_folder", lambda path: (told.append(path), come.set()))

    async def body():
        offered(models)["Get SmolLM2 135M (92.9 MB)"].trigger()
        names = []
        models.named.connect(lambda name, _: names.append(name))
        await until(lambda: "getting SmolLM2 135M, 50\u2009%" in names, "its progress")
        assert "Cancel the download of SmolLM2 135M" in offered(models)
        go.set()
        await come.wait()
        assert told == [REAL] and "Cancel the download of SmolLM2 135M" not in offered(models)

    run_async(body())


def test_a_download_that_fails_has_its_card_and_can_be_tried_again(models, monkeypatch, run_async):
    def steps(_):
        yield Progress(1, 100)
        raise OSError("the line is broken; try again")

    monkeypatch.setattr("explorer.panes.model_menu.get_steps", steps)
    reported = []
    monkeypatch.setattr(errors, "report", lambda error, *_: reported.append(str(error)))

    async def body():
        models.download()
        await until(lambda: reported, "the card")
        assert reported == ["the line is broken; try again"]
        assert "Get SmolLM2 135M (92.9 MB)" in offered(models)

    run_async(body())


def test_the_model_of_a_run_is_offered_once_there_is_a_run(models):
    assert not offered(models)["The model of a run"].isEnabled()
    models._context.workspace.set_run("/runs/stories-3")
    offered(models)["The model of stories-3"].trigger()
    assert models.opened == [("live", "/runs/stories-3")]


def test_the_name_of_the_model_is_told(models):
    told = []
    models.named.connect(lambda *what: told.append(what))
    models.refresh()
    assert told == [("opening\u2026", "")]
    models._context.workspace.set_model_source(
        SimpleNamespace(name="mine", address="/models/mine", close=lambda: None)
    )
    assert told[-1] == ("mine", "/models/mine")
