"""Trains any tokenizer by its name."""

from collections.abc import Generator, Iterable, Sequence

from core.tokenization.bpe import ByteLevelBPE
from core.tokenization.bpe_training import bpe_steps
from core.tokenization.byte_level import clean_text
from core.tokenization.characters import CharacterTokenizer
from core.tokenization.specials import END_OF_TEXT
from core.tokenization.steps import CountingStep, TrainingStep
from core.tokenization.tokenizer import Tokenizer

KINDS = ("bpe", "characters")
CHUNK = 1 << 20  # characters between two yields while characters are collected


def train_tokenizer(
    kind: str,
    texts: str | Iterable[str],
    vocab_size: int | None = None,
    special_tokens: Sequence[str] | None = None,
) -> Tokenizer:
    """Trains a tokenizer on the texts, to the end.

    kind            "bpe" (byte-level, with GPT-2's word pattern) or "characters"
    texts           one text, or many; a special token that is written in them is ordinary text
    vocab_size      how many pieces at most, special tokens included. BPE ends with fewer when the
                    texts hold no more pairs to join. None: 1,000 for BPE, every character else
    special_tokens  None: "<|endoftext|>" for BPE, none for characters

    Raises ValueError for an unknown kind, and for a vocab_size that cannot hold the special tokens
    and the 256 bytes (BPE) or every character of the texts.
    """
    steps = train_tokenizer_steps(kind, texts, vocab_size, special_tokens)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def train_tokenizer_steps(
    kind: str,
    texts: str | Iterable[str],
    vocab_size: int | None = None,
    special_tokens: Sequence[str] | None = None,
) -> Generator[TrainingStep, None, Tokenizer]:
    """train_tokenizer, step by step: progress while words are counted, then every merge.

    The generator returns the tokenizer.
    """
    texts = [texts] if isinstance(texts, str) else texts
    if kind == "bpe":
        return (yield from _bpe(texts, vocab_size, special_tokens))
    if kind == "characters":
        return (yield from _characters(texts, vocab_size, special_tokens))
    raise ValueError(f"no tokenizer is of the kind {kind!r}: choose one of {', '.join(KINDS)}")


def _bpe(
    texts: Iterable[str], vocab_size: int | None, special_tokens: Sequence[str] | None
) -> Generator[TrainingStep, None, ByteLevelBPE]:
    specials = (END_OF_TEXT,) if special_tokens is None else special_tokens
    trained = yield from bpe_steps(texts, 1000 if vocab_size is None else vocab_size, specials)
    pieces = trained.vocabulary
    merges = [(pieces[left], pieces[right]) for left, right in trained.merges]
    return ByteLevelBPE(pieces, merges, trained.special_tokens)


def _characters(
    texts: Iterable[str], vocab_size: int | None, special_tokens: Sequence[str] | None
) -> Generator[TrainingStep, None, CharacterTokenizer]:
    specials = list(dict.fromkeys(special_tokens or ()))
    found: set[str] = set()
    seen = 0
    for text in texts:
        for start in range(0, len(text), CHUNK):
            chunk = clean_text(text[start : start + CHUNK])
            found.update(chunk)
            seen += len(chunk)
            yield CountingStep(seen, seen, len(found))
    vocabulary = specials + sorted(found - set(specials))
    if not found:
        raise ValueError("the text is empty, so it has no characters: choose a text with some")
    if vocab_size is not None and vocab_size < len(vocabulary):
        raise ValueError(
            f"vocab_size {vocab_size} is too small: the text has {len(found)} different characters "
            f"and there are {len(specials)} special tokens; choose at least {len(vocabulary)}, "
            "leave vocab_size out, or use the byte-level BPE"
        )
    return CharacterTokenizer(vocabulary, {token: id_ for id_, token in enumerate(specials)})
