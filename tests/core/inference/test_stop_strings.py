"""Stop strings end a text at the token that completes one of them, as a search through every
beginning of the text finds it.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

import core
from core.data import story_text
from core.inference.stop_strings import check_stop_strings, cut_at_stop, first_stop
from core.tokenization import Tokenizer
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT

PROMPT = [3, 1, 4]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Few pieces: a random model writes bytes of characters one by one, too."""
    return core.train_tokenizer("bpe", story_text(0, 20), 300, ["<|endoftext|>"])


@pytest.fixture(scope="module")
def model(tokenizer: Tokenizer) -> GPT:
    """It has more tokens than the tokenizer, as models of others do."""
    config = ModelConfig(
        vocab_size=tokenizer.vocab_size + 4, block_size=64, n_layer=1, n_head=2, n_embd=16
    )
    return GPT(config, torch.Generator().manual_seed(0))


def said(tokenizer: Tokenizer, ids: list[int]) -> bytes:
    return b"".join(tokenizer.piece_bytes(one) for one in ids if one < tokenizer.vocab_size)


def beginnings(data: bytes, seed: int) -> list[str]:
    """Some strings that stand in a text, wherever their characters are whole."""
    chosen, found = random.Random(seed), []
    while len(found) < 2:
        start = chosen.randrange(len(data))
        piece = data[start : start + chosen.randint(1, 7)]
        try:
            found.append(piece.decode())
        except UnicodeDecodeError:
            continue
    return found


@pytest.mark.parametrize("seed", range(12))
def test_a_text_ends_with_the_first_token_that_completes_a_string(
    model: GPT, tokenizer: Tokenizer, seed: int
) -> None:
    plain = core.generate(model, PROMPT, 60, seed=seed)
    strings = beginnings(said(tokenizer, plain[len(PROMPT) :]), seed)
    counts = range(len(PROMPT), len(plain) + 1)
    texts = [said(tokenizer, plain[len(PROMPT) : count]) for count in counts]
    ends = next(at for at, text in enumerate(texts) if any(one.encode() in text for one in strings))
    stopped = core.generate(model, PROMPT, 60, seed=seed, stop_strings=strings, tokenizer=tokenizer)
    assert stopped == plain[: len(PROMPT) + ends] and ends > 0


def test_a_string_in_the_prompt_ends_nothing(model: GPT, tokenizer: Tokenizer) -> None:
    prompt = tokenizer.encode_ids("One day.")
    written = core.generate(model, prompt, 5, stop_strings="day.", tokenizer=tokenizer)
    assert len(written) == len(prompt) + 5


def test_a_token_of_stop_and_a_string_end_a_text_whichever_comes_first(
    model: GPT, tokenizer: Tokenizer
) -> None:
    plain = core.generate(model, PROMPT, 20, seed=2)
    asked = {"seed": 2, "stop_strings": "Never written", "tokenizer": tokenizer}
    stopped = core.generate(model, PROMPT, 20, stop=plain[8], **asked)
    assert stopped == plain[: plain.index(plain[8], len(PROMPT)) + 1]


@pytest.mark.parametrize(
    ("text", "strings", "before"),
    [
        ("One day. Tom", ".", "One day"),
        ("One day. Tom", ("Tom", "day"), "One "),
        ("One day", "\n\n", "One day"),
        ("One day", (), "One day"),
        ("stop", "stop", ""),
        ("\u00e9t\u00e9", "t\u00e9", "\u00e9"),
        ("half \ud800", ("\ud800",), "half "),
    ],
)
def test_a_text_is_cut_before_the_first_string(
    text: str, strings: str | tuple[str, ...], before: str
) -> None:
    assert cut_at_stop(text, strings) == before


def test_of_two_strings_the_one_that_stands_first_is_named() -> None:
    assert first_stop(b"One day.", (".", "day")) == "day"
    assert first_stop(b"One day", (".", "!")) is None


def test_what_ends_no_text_says_the_remedy(model: GPT, tokenizer: Tokenizer) -> None:
    for wrong in ("", [""], [3], [b"."]):
        with pytest.raises(ValueError, match="give texts of one character or more"):
            check_stop_strings(wrong, tokenizer)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="give tokenizer="):
        core.generate(model, PROMPT, 5, stop_strings=".")


@pytest.mark.peers
def test_transformers_ends_the_same_texts_at_the_same_token(
    model: GPT, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer.save(tmp_path / "tokenizer.json")
    theirs = transformers.PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    ids = tokenizer.encode_ids(story_text(30, 31))[:120]
    text = tokenizer.decode(ids)
    for seed in range(6):
        start = random.Random(seed).randrange(20, len(text) - 8)
        string = text[start : start + 1 + seed]
        criterion = transformers.StopStringCriteria(theirs, [string])
        counts = range(1, len(ids) + 1)
        told = [bool(criterion(torch.tensor([ids[:count]]), None)[0]) for count in counts]
        ours = [first_stop(said(tokenizer, ids[:count]), [string]) == string for count in counts]
        assert told.index(True) == ours.index(True)
