"""Inside with a small tokenizer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from explorer.panes.tokenizers.modes import MODES
from tests.explorer.panes.tokenizers.small import small_bpe

INSIDE = next(spec for spec in MODES if spec.id == "inside")
TEXT = "the cats"


@pytest.fixture
def pane(make_pane, context):
    source = SimpleNamespace(name="mine", tokenizer=small_bpe(), close=lambda: None)
    context.workspace.set_model_source(source)

    def begin(pane):
        pane.mode.set_text(TEXT)

    return make_pane(INSIDE, then=begin)
