"""What the pane computes of a text and says about its heads, against loops and hand-made heads."""

from __future__ import annotations

import numpy as np
import pytest

from core.tokenization import train_tokenizer
from explorer.panes.attention import compute, text
from explorer.panes.attention.draft import Held, ViewSettings, restored
from explorer.panes.attention.scene import keys_to_show
from explorer.panes.attention.selected_head import sensible_choice
from tests.explorer.panes.attention.conftest import made_heads


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer("bpe", ["Mira sat by the sea. Mira sang."] * 20, 290)


def test_a_prompt_keeps_the_last_tokens_and_says_what_is_cut(tokenizer):
    whole = compute.read_prompt(tokenizer, "Mira sat by the sea", 100)
    assert whole.cut == 0 and text.cut_warning(whole) == ""
    short = compute.read_prompt(tokenizer, "Mira sat by the sea", 3)
    assert short.ids == whole.ids[-3:] and short.cut == len(whole.ids) - 3
    assert f"3 tokens, so the first {short.cut} tokens are" in text.cut_warning(short)
    assert b"".join(whole.pieces).decode() == "Mira sat by the sea"


@pytest.mark.parametrize("words", ["Zoë 😀", "数字 and more", "\x00\n\t", "e\u0301\u200d"])
def test_any_unicode_becomes_tokens(tokenizer, words):
    prompt = compute.read_prompt(tokenizer, words, 100)
    assert len(prompt.ids) == len(prompt.pieces) == len(prompt.labels) > 0
    assert b"".join(prompt.pieces).decode() == words


def test_half_a_surrogate_is_replaced(tokenizer):
    assert b"".join(compute.read_prompt(tokenizer, "\ud800 x", 100).pieces).decode() == "\ufffd x"


def test_without_first_each_row_is_scaled_to_one(heads):
    shown = heads.weights(0, 2, hide_first=True)
    for row in range(heads.n_tokens):
        rest = heads.attention[0, 2, row, 1:]
        expected = rest / rest.sum() if rest.sum() > 1e-9 else rest
        np.testing.assert_allclose(shown[row, 1:], expected, rtol=1e-5)
        assert shown[row, 0] == 0
    assert shown[0].sum() == 0  # the first token sees nothing else
    np.testing.assert_array_equal(heads.weights(0, 2), heads.attention[0, 2])


def test_hidden_cells_are_the_future_the_window_and_the_first():
    hidden = compute.hidden_cells(5, True, window=2)
    for row in range(5):
        for column in range(5):
            may = column <= row and row - column < 2 and column != 0
            assert hidden[row, column] == (not may)


def test_the_strongest_induction_head_and_its_clearest_query_are_chosen(heads):
    layer, head, query = sensible_choice(heads, None, None, None)
    assert (layer, head) == (0, 1)
    assert heads.prompt.labels[query] == " Mira"
    assert sensible_choice(heads, 0, 2, 3) == (0, 2, 3)
    assert sensible_choice(heads, 7, 2, 300)[:2] == (0, 1)


def test_the_first_sentence_is_read_off_the_weights(heads):
    found = text.head_sentence(heads, (0, 1, 4))
    assert "finds an earlier “Mira”" in found and "after" in found


@pytest.mark.parametrize("token, shown", [(b" ", "\u2423"), (b"\n", "\u21b5"), (b"'", "'")])
def test_a_token_of_whitespace_or_punctuation_is_quoted_like_any_other(token, shown):
    heads = made_heads((1, 2, 1), (token, b"b", token))
    heads.attention[0, 0, 2] = [0.05, 0.9, 0.05]
    assert f"finds an earlier \u201c{shown}\u201d and" in text.head_sentence(heads, (0, 0, 2))


def test_an_empty_token_is_named_rather_than_quoted():
    assert text.quoted("") == "an empty token" and text.quoted(" a") == "\u201ca\u201d"


@pytest.mark.parametrize("piece, shown", [(b"\x02", "02"), (b"\xe2\x82", "E2 82"), (b" a", " a")])
def test_a_token_without_anything_to_see_is_told_by_its_bytes(piece, shown):
    assert compute.piece_text(piece) == shown


def test_a_head_that_does_something_else_is_not_called_induction(heads):
    assert "looks at the first token" in text.head_sentence(heads, (0, 2, 5))
    assert "spreads its attention" in text.head_sentence(heads, (0, 0, 6))
    assert "looks at itself" in text.head_sentence(heads, (0, 1, 3))
    assert "before the first token" in text.head_sentence(heads, (0, 1, 0))
    for query in range(heads.n_tokens):
        for head in (0, 2):
            assert "at what came after" not in text.head_sentence(heads, (0, head, query))


def test_previous_and_duplicate_tokens_are_named():
    heads = made_heads((1, 2, 1), (b"a", b"b", b"a"))
    heads.attention[0, 0, 2] = [0.9, 0.05, 0.05]
    assert "finds an earlier “a” and looks at that token" in text.head_sentence(heads, (0, 0, 2))
    heads.attention[0, 0, 1] = [0.9, 0.1, 0.0]
    here = text.head_sentence(heads, (0, 0, 1))
    assert here.startswith("Here") and "90\u2009%" in here, "once is no habit: its score is 0.42"
    heads.score("previous_token")[0, 0] = 0.8
    habit = text.head_sentence(heads, (0, 0, 1))
    assert habit.startswith("This head") and "“b” gives “a” 90" in habit


def test_with_the_first_token_hidden_the_sentence_speaks_of_what_is_shown(heads):
    heads.attention[0, 0, 5] = [0.6, 0.3, 0.02, 0.02, 0.02, 0.04, 0.0]
    assert "looks at the first token (60\u2009%" in text.head_sentence(heads, (0, 0, 5))
    shown = text.head_sentence(heads, (0, 0, 5), hide_first=True)
    assert "“sang”" in shown and "“met”: 75\u2009%" in shown
    heads.attention[0, 0, 5] = [1, 0, 0, 0, 0, 0, 0]
    assert "which is hidden" in text.head_sentence(heads, (0, 0, 5), hide_first=True)


def test_words_for_a_screen_reader(heads):
    words = text.announced(heads, (0, 1, 4), "induction", False)
    best = heads.attention[0, 1, 4].max()
    score = heads.score("induction")[0, 1]
    assert words.startswith(f"Layer 0, head 1: induction {score:.3f}.")
    assert "“Mira”" in words and f"“met” ({100 * best:.0f}\u2009%" in words


def test_keys_to_show_keep_the_heaviest_the_query_and_something_to_hide():
    weights = np.zeros(100)
    weights[[3, 40, 41, 50]] = [0.4, 0.3, 0.2, 0.1]
    rows = keys_to_show(weights, 50, 12)
    assert len(rows) == 12 and rows == sorted(rows)
    assert {3, 40, 41, 50, 51, 52} <= set(rows)
    assert keys_to_show(weights[:5], 2, 12) == [0, 1, 2, 3, 4]
    assert len(keys_to_show(weights, 1, 12)) == 12


def test_the_mosaic_keeps_a_single_strong_weight(heads):
    pooled = compute.mosaic(heads, 3, False)
    assert pooled.dtype == np.uint8 and pooled.shape[:2] == heads.shape and pooled.shape[2] <= 3
    for head in range(3):
        assert pooled[0, head].max() == round(float(heads.attention[0, head].max()) * 255)


def test_heads_that_are_no_numbers_are_refused_with_the_remedy(heads):
    from core.inference.activations import Activations

    attention = heads.attention.copy()
    attention[0, 1, 3] = np.nan
    kept = Activations(
        np.array(heads.prompt.ids),
        attention=attention,
        queries=heads.queries,
        keys=heads.keys,
        values=heads.values,
    )
    with pytest.raises(ValueError, match="overflows; open an earlier checkpoint"):
        compute.heads_of(kept, heads.prompt, "made")


def test_settings_restore_only_what_fits():
    saved = {"score": "entropy", "sorted": "yes", "least": 7, "hide_first": True, "other": 3}
    assert restored(ViewSettings(), saved) == ViewSettings(score="entropy", hide_first=True)
    assert restored(Held(), {"locked": [2, 1], "pinned": 1}) == Held(locked=(2, 1))
    assert restored(Held(locked=(2, 1)), {"locked": None}) == Held()
    assert restored(Held(locked=(2, 1)), {}) == Held(locked=(2, 1))


def test_entropy_knows_what_the_window_of_a_layer_hides(heads):
    from core.inference.activations import Activations
    from core.transformer import ModelConfig

    near = np.eye(7, dtype=np.float32) / 2 + np.eye(7, k=-1, dtype=np.float32) / 2
    near[0, 0] = 1.0
    config = ModelConfig(
        vocab_size=9, block_size=7, n_layer=2, n_head=1, n_embd=4, window=(2, None)
    )
    sites = np.zeros((2, 1, 7, 4), np.float32)
    attention = np.stack([near[None], near[None]])
    kept = Activations(np.arange(7), attention=attention, queries=sites, keys=sites, values=sites)
    found = compute.heads_of(kept, heads.prompt, "made", config).score("entropy")[:, 0]
    assert found[0] == pytest.approx(1.0) and found[1] < 0.7
