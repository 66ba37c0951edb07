"""Tokens in rows: every byte has its color, only what is visible is laid out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScrollBar

from explorer import theme
from explorer.theme.colors import PALETTES, contrast
from explorer.widgets import token_colors
from explorer.widgets.flow_layout import LONG_LINE, FlowLayout, block_starts
from explorer.widgets.token_faces import FlowOptions, TokenFaces
from explorer.widgets.token_flow import TokenFlow
from explorer.widgets.tokens import Tokens, described, whole_character


def cut(*parts: bytes, ids=None, unknown=-1, special=()) -> Tokens:
    """A text of these parts, each a token."""
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    starts = np.concatenate(([0], ends[:-1])) if len(parts) else ends
    ids = np.arange(len(parts)) if ids is None else np.array(ids)
    pieces = [part.decode("latin-1") for part in parts]
    return Tokens(b"".join(parts), ids, starts, ends, pieces, unknown, frozenset(special))


def shown(widget: TokenFlow) -> QImage:
    image = QImage(widget.size(), QImage.Format.Format_RGB32)
    image.fill(theme.current().color("surface"))
    widget.render(image)
    return image


@pytest.fixture
def flow(qtbot):
    widget = TokenFlow()
    qtbot.addWidget(widget)
    widget.resize(300, 200)
    return widget


# -- colors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PALETTES)
def test_text_reads_on_every_token_and_edges_stand_out(name):
    palette = PALETTES[name]
    assert len(palette.tokens) == token_colors.SLOTS >= 12
    for fill in palette.tokens:
        assert contrast(palette.roles["text"], fill) >= 4.5
    for edge in palette.token_edges:
        assert contrast(edge, palette.roles["surface"]) >= 3.0


def test_the_same_bytes_have_the_same_color_in_every_picture(flow):
    flow.set_tokens(cut(b"the", b" cat", b" sat", b" the", b" cat", b"the"))
    image = shown(flow)
    fills = [
        image.pixelColor(round(rect.x()) + 3, round(rect.y()) + 3).name() for _, rect in flow.places
    ]
    assert fills[1] == fills[4] and fills[0] == fills[5]
    assert fills[1] == token_colors.ink(b" cat").fill.name()
    assert len({token_colors.slot(bytes([a, b])) for a in range(97, 107) for b in range(9)}) == 16


def test_a_theme_change_redraws_in_its_colors(flow, qapp):
    flow.set_tokens(cut(b"the", b" cat"))
    light = shown(flow)
    theme.apply(qapp, "dark")
    assert shown(flow) != light
    theme.apply(qapp, "light")
    assert shown(flow) == light


# -- faces ------------------------------------------------------------------------------------


def test_parts_of_a_character_are_cells_of_bytes_never_question_marks(qapp):
    smile = "🙂".encode()
    tokens = cut(b" ", smile[:2], smile[2:3], smile[3:], "東".encode())
    faces = [TokenFaces(FlowOptions()).face(tokens, index) for index in range(5)]
    assert [face.text for face in faces] == ["\u2423", "F09F", "99", "82", "東"]
    assert [face.kind for face in faces] == ["text", "bytes", "bytes", "bytes", "text"]
    assert not any("\ufffd" in face.text for face in faces)
    whole = TokenFaces(FlowOptions(bytes=True)).face(tokens, 4)
    assert (whole.kind, whole.text) == ("bytes", "東".encode().hex().upper())


def test_unknown_special_and_added_tokens_have_their_own_look(qapp):
    tokens = Tokens(
        b"a?<s>",
        np.array([5, 1, 3, 2]),
        np.array([0, 0, 1, 2]),
        np.array([0, 1, 2, 5]),
        ("[CLS]", "a", "[UNK]", "<s>"),
        3,
        frozenset({5, 2}),
    )
    faces = [TokenFaces(FlowOptions()).face(tokens, index) for index in range(4)]
    assert [face.kind for face in faces] == ["special", "text", "unknown", "special"]
    assert [face.text for face in faces] == ["[CLS]", "a", "?", "<s>"]


def test_whitespace_is_a_glyph_or_a_blank(qapp):
    tokens = cut(b" a\n", b"\t")
    assert TokenFaces(FlowOptions()).face(tokens, 0).text == "\u2423a\u21b5"
    assert TokenFaces(FlowOptions(whitespace=False)).face(tokens, 0).text == " a "
    assert TokenFaces(FlowOptions()).face(tokens, 0).breaks


# -- layout -----------------------------------------------------------------------------------


@given(st.text(alphabet="ab \n東🙂", max_size=300), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_every_token_stands_once_in_order_within_the_width(qapp, text, size):
    data = text.encode()
    tokens = cut(*[data[i : i + size] for i in range(0, len(data), size)])
    flow = TokenFlow()
    flow.resize(120, 20_000)
    flow.set_tokens(tokens)
    places = flow.places
    assert [index for index, _ in places] == list(range(len(tokens)))
    for (_, one), (_, other) in pairwise(places):
        below = other.y() > one.y()
        assert below or (other.y() == one.y() and other.x() >= one.right())
        assert other.right() <= 120
    flow.deleteLater()


def test_a_line_break_ends_its_row(flow):
    flow.set_tokens(cut(b"a", b"\n", b"b", b".\n\n", b"c"))
    rows = [rect.y() for _, rect in flow.places]
    assert rows[0] == rows[1] < rows[2] == rows[3] < rows[4]


def test_blocks_are_lines_and_pieces_of_long_lines():
    assert block_starts(b"").tolist() == [0]
    assert block_starts(b"ab\ncd\n").tolist() == [0, 3]
    data = b"word " * 4000
    long = block_starts(data)
    assert len(long) > 5 and all(data[start] == 32 for start in long[1:].tolist())
    assert np.diff(long).max() <= 2 * LONG_LINE
    unbroken = block_starts("東".encode() * 4000)
    assert all(start % 3 == 0 for start in unbroken.tolist())


def test_of_a_long_text_only_what_is_visible_is_laid_out(flow, monkeypatch):
    laid_out, place = set(), FlowLayout.placed

    def noted(layout, block):
        laid_out.add(block)
        return place(layout, block)

    monkeypatch.setattr(FlowLayout, "placed", noted)
    tokens = cut(*([b"the", b" cat", b" sat", b"\n"] * 50_000))
    starts = block_starts(tokens.data)
    flow.set_tokens(tokens, starts)
    shown(flow)
    assert 5 < len(laid_out) < 30
    bar = flow.findChild(QScrollBar)
    bar.setValue(bar.maximum())
    assert flow.displayed()["visible"].size
    shown(flow)
    assert flow.displayed()["visible"][-1] == len(tokens) - 1
    assert len(laid_out) < 60


def test_scrolling_goes_through_every_row_and_back(flow):
    flow.set_tokens(cut(*[b"word%d\n" % number for number in range(200)]))
    told = []
    flow.scrolled.connect(told.append)
    flow.scroll_by(100_000)
    shown(flow)
    assert flow.displayed()["visible"][-1] == 199
    flow.scroll_by(-100_000)
    assert flow.first_byte == 0 and told[-1] == 0
    flow.scroll_to(int(flow.tokens.starts[100]))
    shown(flow)
    assert flow.displayed()["visible"][0] == 100
    assert len(told) == 2  # scrolling by program tells nobody


def test_what_a_program_has_scrolled_to_is_seen_at_every_size(flow):
    flow.set_tokens(cut(*[b"word%d\n" % number for number in range(40)]))
    flow.resize(300, 2000)
    flow.scroll_to(len(flow.tokens.data))
    for height in (100, 2000, 110):
        flow.resize(300, height)
        shown(flow)
        index, place = flow.places[-1]
        assert index == 39 and place.bottom() <= height
    flow.scroll_by(-100_000)
    flow.resize(300, 90)
    assert flow.first_byte == 0


def test_growing_wider_keeps_the_text_that_is_looked_at(flow):
    flow.set_tokens(cut(*[b"word%d " % number for number in range(2000)]))
    flow.scroll_to(int(flow.tokens.starts[1000]))
    before = flow.first_byte
    flow.resize(500, 300)
    assert abs(flow.first_byte - before) < 200


# -- pointing ---------------------------------------------------------------------------------


def test_pointing_tells_bytes_and_frames_what_shares_them(flow, qtbot):
    flow.set_tokens(cut(b"un", b"believ", b"able"))
    shown(flow)
    told = []
    flow.spanHovered.connect(lambda start, end: told.append((start, end)))
    at = flow.places[1][1].center()
    flow.hover(flow.token_at(at))
    flow.hover(-1)
    assert told == [(2, 8), (-1, -1)]
    flow.set_marked(1, 3)
    assert list(flow.marked) == [0, 1]
    flow.set_marked(2, 8)
    assert list(flow.marked) == [1]
    flow.set_marked(-1, -1)
    assert not len(flow.marked)


def test_added_tokens_are_framed_only_for_themselves():
    tokens = Tokens(
        b"ab", np.arange(3), np.array([0, 0, 2]), np.array([0, 2, 2]), ("[CLS]", "ab", "[SEP]")
    )
    assert list(tokens.overlapping(0, 1)) == [1]
    assert list(tokens.overlapping(0, 0)) == [0]
    assert list(tokens.overlapping(2, 2)) == [2]


def test_keys_move_the_chosen_token_along_rows_and_between_them(flow):
    flow.set_tokens(cut(*([b"abc"] * 40)))
    flow.show()
    shown(flow)
    told = []
    flow.tokenClicked.connect(told.append)
    QTest.keyClick(flow, Qt.Key.Key_Right)
    QTest.keyClick(flow, Qt.Key.Key_Right)
    QTest.keyClick(flow, Qt.Key.Key_Down)
    assert told[:2] == [0, 1] and told[2] > 4
    QTest.keyClick(flow, Qt.Key.Key_Up)
    assert told[3] == 1 and flow.selected == 1
    assert "abc" in flow.accessibleDescription()
    QTest.mouseClick(flow, Qt.MouseButton.LeftButton, pos=flow.places[3][1].center().toPoint())
    assert told[-1] == 3
    assert flow.token_at(QPointF(299, 199)) == -1
    flow.hide()


def test_a_part_of_a_character_says_which(flow):
    smile = "🙂".encode()
    flow.set_tokens(cut(smile[:2], smile[2:], b" x"))
    assert "bytes 1 to 2 of the 4 that spell 🙂" in flow.describe(0)
    assert "that spell" not in flow.describe(2)
    assert whole_character(smile, 1, 2) == (0, 4)


def test_differing_tokens_keep_their_colors(flow):
    flow.set_tokens(cut(b"a", b"b"))
    flow.set_differing(np.array([False, True]))
    image = shown(flow)
    fills = [
        image.pixelColor(round(rect.x()) + 3, round(rect.y()) + 3).name() for _, rect in flow.places
    ]
    assert fills == [theme.current().color("raised").name(), token_colors.ink(b"b").fill.name()]
    assert flow.displayed()["differing"].tolist() == [False, True]


def test_ids_stand_below_and_make_room(flow):
    flow.set_tokens(cut(b"a", b"b", ids=[100_257, 3]))
    shown(flow)
    narrow = flow.places[0][1]
    flow.set_options(FlowOptions(ids=True))
    shown(flow)
    wide = flow.places[0][1]
    assert wide.width() > narrow.width() and wide.height() > narrow.height()


def test_a_space_that_the_text_does_not_have_is_a_piece_and_no_special_token():
    starts = ends = np.array([0, 0], dtype=np.int64)
    tokens = Tokens(b"", np.array([1, 5]), starts, ends, ["<s>", "\u2581"], -1, frozenset({1}))
    first, second = TokenFaces(FlowOptions()).run(tokens, 0, 2)
    assert (first.kind, first.text) == ("special", "<s>")
    assert (second.kind, second.text) == ("text", "\u2423")
    assert second.slot == token_colors.slot(b" ")


def test_a_token_is_told_with_the_same_sign_for_a_space_as_it_is_drawn(flow):
    flow.set_tokens(cut(b" the", b"\xe2\x98", b"\x83"))
    assert flow.describe(0).startswith("token 1: \u2423the  id 0  spelled  the  bytes 20 74")
    assert flow.describe(1).startswith("token 2: <E2 98>  id 1")


def test_pieces_are_shown_as_the_vocabulary_holds_them(qapp):
    data = "How na\u00efve".encode()
    spelled = {"how": "how", "na": "na", "##ive": "##ive"}
    ends = np.array([3, 6, len(data)])
    tokens = Tokens(
        data, np.arange(3), np.array([0, 4, 6]), ends, list(spelled), reads=spelled.__getitem__
    )
    assert [tokens.written(index) for index in range(3)] == ["how", "", "##ive"]
    faces = TokenFaces(FlowOptions()).run(tokens, 0, 3)
    assert [face.text for face in faces] == ["how", "na", "##ive"]
    under = TokenFaces(FlowOptions(pieces=False)).run(tokens, 0, 3)
    assert [face.text for face in under] == ["How", "na", "\u00efve"]
    assert [face.slot for face in faces] == [face.slot for face in under]  # of the text
    assert "the vocabulary holds ##ive; the text has \u00efve" in described(tokens, 2)
    assert "holds" not in described(tokens, 1)


def cut_at(text, *places, unknown=()):
    """A text that is cut at some places of its bytes; `unknown` tokens by their number."""
    data = text.encode()
    bounds = [0, *places, len(data)]
    starts, ends = np.array(bounds[:-1]), np.array(bounds[1:])
    ids = np.arange(len(starts)) + 7000
    ids[list(unknown)] = 1
    pieces = [data[a:b].decode("utf-8", "replace") for a, b in zip(starts, ends, strict=True)]
    return Tokens(data, ids, starts, ends, pieces, 1)


def letters_of(flow):
    """Where each character of the text is written: {its byte: (x, y)}."""
    found = {}
    for index, rect, _, letters in flow.visible_tokens():
        place = int(flow.tokens.starts[index])
        for (middle, _), character in zip(letters, flow.tokens.slice(index).decode(), strict=False):
            found[place] = (round(rect.x() + middle, 3), round(rect.y(), 3))
            place += len(character.encode())
    return found


@pytest.mark.parametrize("options", [FlowOptions(), FlowOptions(ids=True)])
@pytest.mark.parametrize("width", [160, 300, 900])
def test_a_character_stands_in_one_place_for_every_tokenizer(qtbot, options, width):
    text = "How many r's are in strawberry? na\u00efve\nUnbelievably, some models can't tell."
    lost = cut_at(text, 3, 8, 20, unknown=(0,))
    cuts = [lost, cut_at(text, *range(1, 60, 4)), cut_at(text, 8, 30, 31)]
    flows = []
    for cut in cuts:
        flow = TokenFlow()
        qtbot.addWidget(flow)
        flow.resize(width, 600)
        flow.set_options(options)
        flow.set_tokens(cut)
        flows.append(flow)
    for flow in flows:
        flow.set_beside(cuts)
    found = [letters_of(flow) for flow in flows]
    together = {}
    assert len(found[1]) > 50  # short tokens; of a long one, which a row's end cuts, a part
    for places in found:
        assert len(places) > 10
        for byte, place in places.items():
            assert together.setdefault(byte, place) == place
    for flow in flows:
        rects = [rect for _, rect in flow.places]
        assert all(a.right() <= b.left() or a.top() < b.top() for a, b in pairwise(rects))
        assert all(rect.width() > 0 and rect.right() <= flow.width() for rect in rects)
        for index, rect, face, _ in flow.visible_tokens():
            least = face.width if options.ids and face.kind != "text" else 1
            assert rect.width() >= min(least, 40), index
    flows[0].set_beside(())
    assert letters_of(flows[0]) == {}


def beside_each_other(qtbot, *cuts):
    """A flow of each, whose letters stand at the same places."""
    flows = []
    for cut in cuts:
        flow = TokenFlow()
        qtbot.addWidget(flow)
        flow.resize(600, 100)
        flow.set_tokens(cut)
        flow.set_beside(list(cuts))
        flows.append(flow)
    return flows


def test_a_mark_moves_no_letter(qtbot):
    text = "unlucky"
    plain = cut_at(text)
    spelled = {"un": "un", "lucky": "##lucky"}
    marked = replace(cut_at(text, 2), pieces=list(spelled), reads=spelled.__getitem__)
    flows = beside_each_other(qtbot, plain, marked)
    faces = TokenFaces(FlowOptions())
    written = [letters for *_, letters in flows[1].visible_tokens()][1]
    assert written[0][1] == "##l"
    wide = faces.mark_width("##l")
    (rect,) = [rect for index, rect in flows[1].places if index == 1]
    letter = letters_of(flows[0])[2][0]
    assert rect.x() + written[0][0] + wide / 2 == pytest.approx(letter, abs=0.01)


def test_tokens_that_cover_no_text_have_room_of_their_own(qtbot):
    text = "a cat"
    cut = cut_at(text, 1)
    framed = Tokens(
        cut.data,
        np.array([101, 5, 6, 102]),
        np.array([0, 0, 1, 5]),
        np.array([0, 1, 5, 5]),
        ["[CLS]", "a", " cat", "[SEP]"],
        1,
        frozenset({101, 102}),
    )
    flows = beside_each_other(qtbot, cut, framed)
    first, second = letters_of(flows[0]), letters_of(flows[1])
    assert first == second and len(first) == 5
    rects = [rect for _, rect in flows[1].places]
    assert all(a.right() <= b.left() for a, b in pairwise(rects)) and len(rects) == 4


# -- typing -----------------------------------------------------------------------------------

SOME = [b"a", b" the", b"\n", b"\xc3", b"\xa9", b" cat", b""]
WORDS = st.lists(st.sampled_from(SOME), max_size=30)


@given(WORDS, WORDS, WORDS, st.booleans())
@settings(max_examples=100, deadline=None)
def test_what_is_kept_of_a_layout_stands_as_if_all_were_laid_out_anew(
    qapp, head, rest, other, renumbered
):
    """A key changes the text somewhere, or the same text has other ids."""
    ids = {b"a": 0, b" the": 1, b"\n": 2, b"\xc3": 3, b"\xa9": 4, b" cat": 5, b"": 6}
    faces = TokenFaces(FlowOptions(ids=True))
    before, now = (
        cut(*parts, ids=[ids[one] for one in parts]) for parts in ([*head, *rest], [*head, *other])
    )
    if renumbered:
        now = replace(now, ids=now.ids + 100)
    old = FlowLayout(before, block_starts(before.data), faces, 120, 40)
    for block in range(old.blocks):
        old.placed(block)
    starts = block_starts(now.data)
    kept = FlowLayout(now, starts, faces, 120, 40, before=old)
    anew = FlowLayout(now, starts, faces, 120, 40)
    assert [kept.placed(block) for block in range(kept.blocks)] == [
        anew.placed(block) for block in range(anew.blocks)
    ]


def test_a_key_at_the_end_lays_out_its_own_token_alone(flow, monkeypatch):
    asked = []
    run = TokenFaces.run
    monkeypatch.setattr(
        TokenFaces, "run", lambda self, *some: asked.append(some[1:]) or run(self, *some)
    )
    parts = [b" the"] * 200
    flow.set_tokens(cut(*parts, ids=[1] * 200))
    flow.set_tokens(cut(*parts, b"a", ids=[1] * 200 + [0]))
    assert asked == [(0, 200), (200, 201)]
