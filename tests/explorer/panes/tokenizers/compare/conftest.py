"""Compare with two tokenizers on a short text."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from core.tokenization import ByteLevelBPE
from explorer.panes.tokenizers.modes import MODES
from tests.explorer.panes.tokenizers.small import small_bpe

COMPARE = MODES[0]
TEXT = "the cat sat on the mat"


@pytest.fixture
def pane(make_pane, context):
    """Compare with two tokenizers, on a short text."""
    big = small_bpe()
    source = SimpleNamespace(name="mine", tokenizer=big, close=lambda: None)
    context.workspace.set_model_source(source)
    letters = ByteLevelBPE(big.vocabulary, big.merges[:3], big.special_tokens)

    def begin(pane):
        pane.catalogue.add_trained("letters", letters)
        pane.mode.set_text(TEXT)
        pane.mode.shown_ones.add("trained:letters")

    return make_pane(COMPARE, then=begin)


def columns(pane):
    return pane.mode.view.columns


def ids(pane, place):
    return columns(pane)[place].flow.displayed()["ids"].tolist()
