"""How pieces are spelled in pictures: with the bytes that their tokenizer says they have."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from core.tokenization import train_tokenizer
from core.tokenization.telling import SIGNS as TOLD
from explorer import theme
from explorer.panes.tokenizers import draw_piece
from explorer.panes.tokenizers.pieces import bytes_of, text_of
from explorer.widgets.tokens import SIGNS

TEXT = "the na\u00efve cat sat, the r\u00e9sum\u00e9 sat \u6771\u4eac\n" * 6
SIZES = {"bpe": 280, "wordpiece": 60, "sentencepiece-bpe": 40, "unigram": 22, "characters": None}


@pytest.mark.parametrize("kind", SIZES)
def test_a_piece_has_the_bytes_that_its_tokenizer_says(kind):
    tokenizer = train_tokenizer(kind, TEXT, SIZES[kind])
    special = set(tokenizer.special_tokens.values())
    for token, piece in enumerate(tokenizer.vocabulary):
        if token not in special:
            assert bytes_of(kind, piece) == tokenizer.piece_bytes(token)


def test_spaces_are_visible_and_bytes_that_are_no_text_are_told_as_bytes():
    assert text_of("bpe", "\u0120the") == "\u2423the"
    assert text_of("bpe", "\u00c3") == "<C3>"
    assert text_of("wordpiece", "##ing") == "##ing"
    assert text_of("unigram", "\u2581the") == "\u2423the"
    assert text_of("sentencepiece-bpe", "<0x0A>") == "\u21b5"
    assert text_of("bpe", "<|endoftext|>") == "<|endoftext|>"


def test_titles_and_pictures_have_the_same_signs_for_white_space():
    assert SIGNS == TOLD


@pytest.mark.parametrize(
    ("data", "cells"), [(b"\xc3", 1), (b"\x00", 1), (b"\xe2\x82", 2), (b"00", 0), (b" the", 0)]
)
def test_a_piece_that_is_no_text_is_drawn_as_cells_of_bytes(qapp, monkeypatch, data, cells):
    drawn = []
    monkeypatch.setattr(
        draw_piece, "put_text", lambda painter, rect, text, *_: drawn.append((text, rect.width()))
    )
    image = QImage(200, 30, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    draw_piece.draw_piece(painter, QRectF(2, 2, 120, 20), "text", data)
    painter.end()
    texts = [text for text, _ in drawn]
    assert texts == ([f"{byte:02X}" for byte in data] if cells else ["text"])
    wide = draw_piece.piece_width("text", data)
    assert wide >= cells * draw_piece.byte_width() and wide < 120 * theme.current().zoom


def test_of_many_bytes_as_many_are_drawn_as_there_is_room_for(qapp, monkeypatch):
    drawn = []
    monkeypatch.setattr(draw_piece, "put_text", lambda *args: drawn.append(args[2]))
    image = QImage(200, 30, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    room = QRectF(0, 0, 3.5 * draw_piece.byte_width(), 20)
    draw_piece.draw_piece(painter, room, "", bytes([0x80, 0x81, 0x82, 0x83]))
    painter.end()
    assert drawn == ["80", "81", "\u2026"]
