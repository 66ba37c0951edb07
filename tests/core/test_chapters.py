"""Each chapter of the textbook says in which order it is read."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import core

CHAPTERS = [found.name for found in pkgutil.walk_packages(core.__path__, "core.") if found.ispkg]


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_reading_order_names_every_file_of_the_chapter(name: str) -> None:
    chapter = importlib.import_module(name)
    words = set(re.findall(r"\w+", chapter.__doc__ or ""))
    files = {found.name for found in pkgutil.iter_modules(chapter.__path__)}
    assert files - {"__main__"} <= words
