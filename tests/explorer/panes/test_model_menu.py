"""The menu of models: what it offers, and what is opened by it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QMenu, QWidget

from explorer.panes.base import Context
from explorer.panes.model_menu import ModelMenu
from explorer.runs.sources import BundledSource, FolderSource
from explorer.state.settings import Settings
from explorer.state.workspace import Workspace
from tests.explorer.conftest import dispose


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
        "The bundled model", "The model of a run", "Open a checkpoint folder\u2026", "mine"
    ]  # fmt: skip
    texts["The bundled model"].trigger()
    texts["mine"].trigger()
    kinds = [type(one) for one in models.opened]
    assert kinds == [BundledSource, FolderSource]
    assert models.opened[1].address == str(tmp_path / "mine")


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
