"""A small tokenizer of each kind, and Inside with one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from core.data import story_text
from core.tokenization import train_tokenizer
from explorer.panes.tokenizers.modes import MODES
from tests.explorer.panes.tokenizers.small import small_bpe

INSIDE = next(spec for spec in MODES if spec.id == "inside")
TEXT = "the cats"
SIZES = {"bpe": 300, "wordpiece": 150, "sentencepiece-bpe": 150, "unigram": 120}


@pytest.fixture(scope="module")
def trained():
    text = story_text(1, 8000)
    return {kind: train_tokenizer(kind, [text], vocab_size=size) for kind, size in SIZES.items()}


@pytest.fixture
def pane(make_pane, context):
    source = SimpleNamespace(name="mine", tokenizer=small_bpe(), close=lambda: None)
    context.workspace.set_model_source(source)

    def begin(pane):
        pane.mode.set_text(TEXT)

    return make_pane(INSIDE, then=begin)
