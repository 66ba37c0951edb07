"""Every icon that the program names is there: else a picture is found broken when it is shown."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import explorer
from explorer.theme import icons

PLACES = {  # where a call takes the name of an icon
    "IconButton": 0,
    "MenuButton": 0,
    "Glyph": 0,
    "set_icon": 0,
    "icon": 0,
    "pixmap": 0,
    "icon_pixmap": 0,
    "show_empty": 2,
}


def named_icons(source: str) -> Iterator[str]:
    """The names that stand in a module as they are, also one of two."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        function = node.func.id if isinstance(node.func, ast.Name) else function
        given = [one.value for one in node.keywords if one.arg == "icon"]
        if function in PLACES:
            place = PLACES[function]
            given += node.args[place : place + 1]
        for argument in given:
            two = isinstance(argument, ast.IfExp)
            for one in (argument.body, argument.orelse) if two else (argument,):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value


def test_names_are_found_where_they_stand() -> None:
    source = "a.show_empty('why', 'do', 'info')\nIconButton('play' if b else 'pause', 'Play')"
    assert set(named_icons(source)) >= {"info", "play", "pause"}


def test_every_icon_that_is_named_is_there() -> None:
    folder, found = Path(explorer.__file__).parent, {}
    for path in sorted(folder.rglob("*.py")):
        for name in named_icons(path.read_text(encoding="utf-8")):
            found.setdefault(name, path.relative_to(folder).as_posix())
    assert len(found) > 20
    assert {name: where for name, where in found.items() if name not in icons.names()} == {}
