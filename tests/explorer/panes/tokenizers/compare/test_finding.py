"""What was searched for is never cut out of a piece that has no room."""

from __future__ import annotations

import pytest

from explorer import theme
from explorer.panes.tokenizers.compare.finding import elide_around, finder


@pytest.mark.parametrize(
    ("query", "way", "any_case", "text", "found"),
    [
        ("straw", "contains", False, "\u2423strawberry", "straw"),
        ("\u0120straw", "begins", False, "\u2423strawberry", "\u2423straw"),
        ("\u00b7straw", "contains", False, "\u2423strawberry", "\u2423straw"),
        ("BERRY", "ends", True, "\u2423strawberry", "berry"),
        ("ing", "begins", False, "##ings", "##ing"),
        ("r+y", "regex", False, "\u2423strawberry", "rry"),
        ("a.b", "contains", False, "aXb", None),
        ("(", "regex", False, "\u2423strawberry", None),
        ("(x+x+)+y", "regex", False, "x" * 60, None),
    ],
)
def test_what_was_searched_for_is_found_in_what_is_shown(query, way, any_case, text, found):
    find = finder(query, way, any_case)
    span = find(text) if find is not None else None
    assert (text[slice(*span)] if span is not None else None) == found


def test_bytes_are_not_found_in_text():
    assert finder("e2 96", "bytes", False) is None and finder("", "contains", False) is None


def test_the_found_part_stays_whole_whatever_the_room(qapp):
    font = theme.current().font("mono", mono=True)
    letter = theme.current().metrics("mono", mono=True).horizontalAdvance("x")
    text = "\u2423unstrawberrylike"
    span = (text.index("straw"), text.index("straw") + 5)
    assert elide_around(text, span, font, 100 * letter) == text
    for room in range(7, len(text)):
        cut = elide_around(text, span, font, room * letter + 1)
        assert "straw" in cut and len(cut) <= room and cut != text
    assert elide_around(text, span, font, 9 * letter + 1) == "\u2026nstrawb\u2026"
    assert elide_around(text, span, font, 4 * letter + 1).count("\u2026") == 1
    assert "straw" not in elide_around(text, None, font, 7 * letter + 1)
