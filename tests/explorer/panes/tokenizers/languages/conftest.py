"""Languages as most of its tests look at it."""

from types import SimpleNamespace

import pytest

from core.tokenization import WordPiece
from explorer.panes.tokenizers.modes import MODES
from tests.explorer.panes.tokenizers.small import small_bpe

LANGUAGES = next(spec for spec in MODES if spec.id == "languages")


def narrow():
    """A WordPiece of Latin letters: other scripts are unknown to it."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = ["[UNK]", ".", ",", "'", *letters, *[f"##{letter}" for letter in letters]]
    return WordPiece(pieces, {"[UNK]": 0})


@pytest.fixture
def pane(make_pane, context, monkeypatch, tmp_path):
    """Languages with two tokenizers, on our own sentences."""
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
    source = SimpleNamespace(name="mine", tokenizer=small_bpe(), close=lambda: None)
    context.workspace.set_model_source(source)

    def begin(pane):
        pane.catalogue.add_trained("narrow", narrow())
        pane.mode.shown_ones.add("trained:narrow")

    return make_pane(LANGUAGES, then=begin)
