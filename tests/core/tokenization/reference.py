"""The Hugging Face tokenizers library as the reference, and texts to compare on."""

import json
import random

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from core.tokenization import END_OF_TEXT

SYLLABLES = ["ba", "lo", "mi", "ra", "the", "ing", "er", "é", "ß", "漢", "字", "🙂", "x", "q"]
SIGNS = [".", ",", "!", "?", " -", "...", "'s", "'ll", "\n", "\n\n", "  ", "\t", " 17", " 2026"]


def prose(seed: int, words: int) -> str:
    """Made-up prose: words that return often, contractions, digits, white space, other scripts."""
    rng = random.Random(seed)
    lexicon = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(200)]
    weights = [1 / (rank + 1) for rank in range(200)]
    parts = []
    for word in rng.choices(lexicon, weights, k=words):
        parts.append(rng.choice([" ", " ", " ", ""]) + word)
        if rng.random() < 0.2:
            parts.append(rng.choice(SIGNS))
    return "".join(parts)


def any_text(rng: random.Random, length: int) -> str:
    """Characters of all of Unicode, half of them ASCII, without surrogates."""
    return "".join(
        chr(
            rng.choice(
                [
                    rng.randrange(32, 127),
                    rng.choice(b" \n\t'"),
                    rng.randrange(0, 0xD800),
                    rng.randrange(0xE000, 0x110000),
                ]
            )
        )
        for _ in range(length)
    )


def reference_bpe(texts: list[str], vocab_size: int) -> Tokenizer:
    """Trains the reference on the texts, with all 256 bytes in its alphabet."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def merges_and_vocabulary(tokenizer: Tokenizer) -> tuple[list[tuple[str, str]], dict[str, int]]:
    model = json.loads(tokenizer.to_str())["model"]
    return [(left, right) for left, right in model["merges"]], model["vocab"]
