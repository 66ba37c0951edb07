"""Trains a tokenizer of any kind by its name."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from numbers import Integral

from core.files import quoted
from core.jobs import to_the_end
from core.tokenization.bpe.tokenizer import ByteLevelBPE
from core.tokenization.bpe.training import bpe_steps
from core.tokenization.characters import character_steps
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece
from core.tokenization.sentencepiece.text import CHARACTER_COVERAGE
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE
from core.tokenization.sentencepiece.training import sentencepiece_bpe_steps
from core.tokenization.specials import END_OF_TEXT
from core.tokenization.steps import TrainingStep
from core.tokenization.tokenizer import Tokenizer
from core.tokenization.unigram.tokenizer import Unigram
from core.tokenization.unigram.training import unigram_steps
from core.tokenization.wordpiece.tokenizer import BERT_TOKENS, UNKNOWN, WordPiece
from core.tokenization.wordpiece.training import wordpiece_steps

# The options of each kind; rivals applies to every kind that merges.
OPTIONS = {
    "bpe": ("tie", "pattern", "rivals"),
    "wordpiece": ("score", "rivals"),
    "sentencepiece-bpe": ("byte_fallback", "character_coverage", "normalizer", "rivals"),
    "unigram": ("byte_fallback", "character_coverage", "normalizer"),
    "characters": (),
}
KINDS = tuple(OPTIONS)
LARGEST_VOCABULARY = 1 << 21  # pieces; ten times the largest vocabularies


def train_tokenizer(
    kind: str,
    texts: str | Iterable[str],
    vocab_size: int | None = None,
    special_tokens: Sequence[str] | None = None,
    *,
    tie: str | None = None,
    pattern: str | None = None,
    score: str | None = None,
    byte_fallback: bool | None = None,
    character_coverage: float | None = None,
    normalizer: str | None = None,
) -> Tokenizer:
    """Trains a tokenizer and returns it; the arguments and errors of train_tokenizer_steps."""
    steps = train_tokenizer_steps(
        kind,
        texts,
        vocab_size,
        special_tokens,
        tie=tie,
        pattern=pattern,
        score=score,
        byte_fallback=byte_fallback,
        character_coverage=character_coverage,
        normalizer=normalizer,
    )
    return to_the_end(steps)


def train_tokenizer_steps(
    kind: str,
    texts: str | Iterable[str],
    vocab_size: int | None = None,
    special_tokens: Sequence[str] | None = None,
    *,
    tie: str | None = None,
    pattern: str | None = None,
    score: str | None = None,
    byte_fallback: bool | None = None,
    character_coverage: float | None = None,
    normalizer: str | None = None,
    rivals: int = 0,
) -> Generator[TrainingStep, None, Tokenizer]:
    """Trains a tokenizer step by step; the generator returns it.

    kind            "bpe" (byte-level), "wordpiece", "sentencepiece-bpe", "unigram" or "characters"
    texts           one text, or several; special tokens written out in them are ordinary text
    vocab_size      maximum number of pieces, including special tokens. BPE and WordPiece end with
                    fewer when the texts have no more pairs to join. None: 1,000, or every
                    character for "characters"
    special_tokens  None: "<|endoftext|>" for BPE; BERT's five for WordPiece; none for the others
                    (SentencePiece always has its own <unk>, <s> and </s>)
    tie             BPE: which of equally frequent pairs is merged, "hf", "rustbpe" or "minbpe"
    pattern         BPE: how words are cut, "gpt2" or another name of core.tokenization.bpe.patterns
    score           WordPiece: how pairs are compared, by "count" or by "likelihood"
    byte_fallback   SentencePiece BPE and Unigram: spell unknown characters with their bytes
    character_coverage, normalizer   of the same two: the share of the text's characters that get
                    a piece (0.9995), and "nmt_nfkc" or "identity"
    rivals          how many runner-up pairs each MergeStep lists

    An option is None for its default, and if the kind does not have it.

    Raises ValueError for an unknown kind, an option of another kind, texts that are empty or not
    strings, and a vocab_size that is not a whole number, is too small for the special tokens and
    the alphabet, or is above LARGEST_VOCABULARY.
    """
    if kind not in OPTIONS:
        raise ValueError(f"no tokenizer is of the kind {kind!r}: choose one of {', '.join(KINDS)}")
    given = {
        "tie": tie,
        "pattern": pattern,
        "score": score,
        "byte_fallback": byte_fallback,
        "character_coverage": character_coverage,
        "normalizer": normalizer,
    }
    options = {name: value for name, value in given.items() if value is not None}
    if foreign := sorted(set(options) - set(OPTIONS[kind])):
        raise ValueError(
            f"{foreign[0]} is no option of a tokenizer of the kind {kind!r}: leave it out"
        )
    if vocab_size is not None:
        vocab_size = check_vocab_size(vocab_size)
    if isinstance(special_tokens, str):
        raise ValueError(f"special_tokens is one string: put it into a list, [{special_tokens!r}]")
    for token in special_tokens or ():
        if not isinstance(token, str):
            raise ValueError(f"the special token {quoted(token)} is no string: give it as one")
    texts = [texts] if isinstance(texts, str) else only_text(texts)
    if kind == "characters":
        return (yield from character_steps(texts, vocab_size, special_tokens or ()))
    size = 1000 if vocab_size is None else vocab_size
    if kind == "bpe":
        specials = (END_OF_TEXT,) if special_tokens is None else special_tokens
        cut = pattern or "gpt2"
        return (yield from _bpe(texts, size, specials, tie or "hf", cut, rivals))
    if kind == "wordpiece":
        specials = BERT_TOKENS if special_tokens is None else special_tokens
        return (yield from _wordpiece(texts, size, specials, score or "count", rivals))
    fallback = bool(byte_fallback)
    coverage = CHARACTER_COVERAGE if character_coverage is None else character_coverage
    rules = SentencePieceNormalizer(normalizer or "nmt_nfkc")
    own = special_tokens or ()
    pieces: list[Piece]
    if kind == "unigram":
        pieces = yield from unigram_steps(
            texts,
            size,
            own,
            normalizer=rules,
            byte_fallback=fallback,
            character_coverage=coverage,
        )
        return Unigram(pieces, rules, byte_fallback=fallback)
    pieces = yield from sentencepiece_bpe_steps(
        texts,
        size,
        own,
        normalizer=rules,
        byte_fallback=fallback,
        character_coverage=coverage,
        rivals=rivals,
    )
    return SentencePieceBPE(pieces, rules, byte_fallback=fallback)


def check_vocab_size(vocab_size: int) -> int:
    """Returns vocab_size as an int. Raises ValueError if it is not a whole number or too large."""
    if not isinstance(vocab_size, Integral) or isinstance(vocab_size, bool):
        raise ValueError(
            f"vocab_size is {quoted(vocab_size)}: choose a whole number of pieces, such as 1,000"
        )
    if vocab_size > LARGEST_VOCABULARY:
        raise ValueError(
            f"vocab_size {quoted(vocab_size)} is more than any vocabulary holds: choose at most "
            f"{LARGEST_VOCABULARY:,}"
        )
    return int(vocab_size)


def only_text(texts: Iterable[str]) -> Iterator[str]:
    """Yields the texts. Raises ValueError at the first that is not a str, such as bytes."""
    if isinstance(texts, bytes | bytearray | memoryview):
        raise ValueError("the text is bytes: decode them first, with .decode()")
    if not isinstance(texts, Iterable):
        raise ValueError(f"the text is {quoted(texts)}: give a string, or several of them")
    for text in texts:
        if not isinstance(text, str):
            raise ValueError(
                f"one of the texts is {quoted(text)}, which is no string: decode it, or leave it "
                "out"
            )
        yield text


def _bpe(
    texts: Iterable[str],
    vocab_size: int,
    special_tokens: Sequence[str],
    tie: str,
    pattern: str,
    rivals: int,
) -> Generator[TrainingStep, None, ByteLevelBPE]:
    trained = yield from bpe_steps(
        texts, vocab_size, special_tokens, tie=tie, pattern=pattern, rivals=rivals
    )
    pieces = trained.vocabulary
    merges = [(pieces[left], pieces[right]) for left, right in trained.merges]
    return ByteLevelBPE(pieces, merges, trained.special_tokens, pattern=pattern)


def _wordpiece(
    texts: Iterable[str],
    vocab_size: int,
    special_tokens: Sequence[str],
    score: str,
    rivals: int,
) -> Generator[TrainingStep, None, WordPiece]:
    if UNKNOWN not in special_tokens:
        raise ValueError(
            f"WordPiece needs the special token {UNKNOWN!r} for words that it cannot spell: add it"
        )
    trained = yield from wordpiece_steps(
        texts, vocab_size, special_tokens, score=score, rivals=rivals
    )
    return WordPiece(trained.vocabulary, trained.special_tokens)
