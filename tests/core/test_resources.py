"""Resources are found in a checkout, in a wheel and in a frozen app."""

import sys
from pathlib import Path

import pytest

from core import resources


def test_a_checkout_keeps_resources_beside_core() -> None:
    assert resources.resource() == Path(resources.__file__).resolve().parents[1] / "resources"


def test_an_installed_wheel_keeps_them_inside_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "core" / "_resources" / "icons").mkdir(parents=True)
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "core" / "resources.py"))
    assert resources.resource("icons") == tmp_path / "core" / "_resources" / "icons"


def test_a_frozen_app_keeps_them_beside_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resources" / "models").mkdir(parents=True)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resources.resource("models") == tmp_path / "resources" / "models"


def test_a_missing_resource_says_where_it_was_searched(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"models/nothing is missing.*install LLM Explorer"):
        resources.resource("models", "nothing")


def test_a_resource_lies_inside() -> None:
    for parts in (("..", "core"), ("/etc",), ("models/../../core",)):
        with pytest.raises(ValueError, match="leaves resources/"):
            resources.resource(*parts)


def test_the_data_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "mine"))
    assert resources.data_folder() == tmp_path / "mine"
    assert (tmp_path / "mine").is_dir()


def test_a_data_folder_that_cannot_be_made_hinders_nobody_who_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(resources.DATA_VARIABLE, str(tmp_path / "file" / "data"))
    folder = resources.data_folder()
    assert folder == tmp_path / "file" / "data" and not folder.exists()


def test_the_data_folder_is_the_users_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLM_EXPLORER_DATA", raising=False)
    monkeypatch.setattr(
        resources.platformdirs, "user_data_dir", lambda name, appauthor: str(tmp_path / name)
    )
    assert resources.data_folder() == tmp_path / "llm-explorer"
