"""The head of a column: what it says in the room that it has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QFontMetricsF

from explorer import theme
from explorer.panes.tokenizers.compare import compute
from explorer.panes.tokenizers.compare.column import LEAST, Column
from explorer.panes.tokenizers.compare.column_head import ColumnHead
from explorer.panes.tokenizers.compare.display_options import DisplayOptions
from explorer.panes.tokenizers.compare.toolbar import Toolbar
from tests.explorer.conftest import dispose
from tests.explorer.panes.tokenizers.small import small_bpe

SPLIT = compute.split_text("one", small_bpe(), "the cat", True)


@pytest.fixture
def head(qapp):
    head = ColumnHead()
    head.show()
    yield head
    dispose(head)


def of(tokens, unknown=0):
    """A split of so many tokens."""
    ids = np.zeros(tokens, dtype=np.int64)
    shown = replace(SPLIT.tokens, ids=ids)
    return replace(SPLIT, tokens=shown, unknown=unknown, lossless=not unknown)


@pytest.mark.parametrize("width", [96, 104, 120, 140, 160, 200, 320])
@pytest.mark.parametrize("split", [of(409_086), of(1_234_567, 30_000), of(7, 1), of(300_018)])
def test_the_number_of_tokens_is_whole_and_the_words_of_the_badge_give_way(
    head, qapp, width, split
):
    head.set_split(split, DisplayOptions())
    head.resize(width, head.sizeHint().height())
    qapp.processEvents()
    number = head.count
    assert number.text() == f"{split.count:,}"
    assert number.width() >= QFontMetricsF(number.font()).horizontalAdvance(number.text())
    assert number.geometry().right() < head.width() or width < 100
    assert head.glyph.isVisibleTo(head) and head.toolTip()
    if width == 320:
        assert head.badge.text() == head.badge.whole


def test_one_byte_is_told_as_one(head):
    one = compute.split_text("one", small_bpe(260), "z", True)
    head.set_split(one, DisplayOptions())
    assert head.rate.whole == "token, 1 byte each"


@pytest.mark.parametrize("zoom", [1.0, 1.77])
@pytest.mark.parametrize("width", [130, 170])  # of the five columns of another model, of four
def test_the_bundled_names_are_whole(head, qapp, width, zoom):
    theme.apply(qapp, "light", zoom, "off")
    for name in ("BPE", "WordPiece", "SentencePiece BPE", "Unigram", "stories (bundled)"):
        head.set_name(name, None)
        head.resize(theme.current().px(width), head.sizeHint().height())
        qapp.processEvents()
        label = head.title.name
        assert label.text().replace("\n", " ") == name
        lines = len(label.text().split("\n"))
        assert QFontMetricsF(label.font()).height() * lines <= label.height()


def test_a_column_keeps_its_least_width_at_another_zoom(qapp, qtbot):
    column = Column()
    qtbot.addWidget(column)
    column.set_layout("columns")
    theme.apply(qapp, "light", 1.77, "off")
    assert column.minimumWidth() == theme.current().px(LEAST)
    column.set_layout("rows")
    assert column.minimumWidth() == 0


@pytest.mark.parametrize("width", [90, 104, 170])
def test_no_name_is_cut_through_a_letter(head, qapp, width):
    """From two to six columns side by side."""
    for name in ("WordPiece", "SentencePiece BPE", "GPT-4o (o200k), a name that is long"):
        head.set_name(name, None)
        head.resize(width, head.sizeHint().height())
        qapp.processEvents()
        label = head.title.name
        for line in label.text().split("\n"):
            assert QFontMetricsF(label.font()).horizontalAdvance(line) <= label.width()
        assert head.title.toolTip() == name


@pytest.mark.parametrize(("width", "rows"), [(1100, 1), (790, 1), (500, 2)])
def test_the_price_has_its_unit_beside_it(qtbot, width, rows):
    toolbar = Toolbar()
    qtbot.addWidget(toolbar)
    toolbar.resize(width, 40)
    toolbar.show()
    price, unit = toolbar.price, toolbar.unit
    assert price.geometry().right() < unit.x() and unit.width() >= unit.sizeHint().width()
    assert toolbar.rect().contains(unit.parentWidget().geometry()) or rows > 1
    assert (unit.parentWidget().y() > price.height()) is (rows > 1)
