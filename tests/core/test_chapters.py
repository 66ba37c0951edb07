"""Each chapter of the textbook says in which order it is read."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re

import pytest

import core
from tests.core.test_trace import modules_of_core

CHAPTERS = [found.name for found in pkgutil.walk_packages(core.__path__, "core.") if found.ispkg]


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_reading_order_names_every_file_of_the_chapter(name: str) -> None:
    chapter = importlib.import_module(name)
    words = set(re.findall(r"\w+", chapter.__doc__ or ""))
    files = {found.name for found in pkgutil.iter_modules(chapter.__path__)}
    assert files - {"__main__"} <= words


@pytest.mark.parametrize("name", modules_of_core())
def test_every_public_function_and_class_says_what_it_is(name: str) -> None:
    silent = []
    for key, member in vars(importlib.import_module(name)).items():
        if key.startswith("_") or getattr(member, "__module__", None) != name:
            continue
        if inspect.isclass(member) or inspect.isroutine(member):
            said = member.__doc__ or ""
            written_by_python = dataclasses.is_dataclass(member) and said.startswith(f"{key}(")
            if not said or written_by_python:
                silent.append(key)
    assert silent == []
