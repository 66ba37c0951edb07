"""Traces how SentencePiece's BPE encodes a text: rules for characters and spaces, then merges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from core.tokenization.bpe.dropout import check_dropout, verdict
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer, readable
from core.tokenization.sentencepiece.score_merging import (
    GONE,
    Choice,
    Offer,
    merge_by_score,
    split_unused,
)
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE
from core.tokenization.sentencepiece.vocabulary import SentencePieceVocabulary
from core.tokenization.telling import (
    arrays,
    count,
    plain,
    quoted,
    refuse_longer,
    separate,
    shortened,
    trace_of,
    visible,
)
from core.trace import Step, Trace

LONGEST_WORD = 1000  # characters; every merge takes two steps that hold the whole word

_NORMALIZER = "core.tokenization.sentencepiece.normalizer:SentencePieceNormalizer.trace"
_WORD = "core.tokenization.sentencepiece.tokenizer:SentencePieceBPE.encode_word"
_DROPOUT = "core.tokenization.sentencepiece.tokenizer:SentencePieceBPE._find_at_once"
_MERGE = "core.tokenization.sentencepiece.score_merging:merge_by_score"
_FINISH = "core.tokenization.sentencepiece.vocabulary:SentencePieceVocabulary.finish_ids"


def said(piece: str) -> str:
    """Returns a piece as a title quotes it."""
    return quoted(readable(piece))


def normalizer_steps(normalizer: SentencePieceNormalizer, text: str) -> Iterator[Step]:
    """Yields the two steps that prepare a text for cutting; none for a text without words."""
    normalized = normalizer.trace(text).text
    if not normalized:
        return
    rewritten = normalizer.rewrite(text)
    own = normalizer.name in ("", "precompiled")
    rules = "the file's own normalizer" if own else f"the normalizer {quoted(normalizer.name)}"
    does = f"{rules} turns the text into"
    if rewritten == text:
        does = f"{rules} leaves the text unchanged:"
    elif len(rewritten) < len(text) and rewritten.replace(" ", "") == text.replace(" ", ""):
        does = f"Extra spaces are removed; {rules} changes nothing else:"
    yield Step(
        "sentencepiece.rewrite",
        f"{does[0].upper()}{does[1:]} {quoted(shortened(visible(rewritten)))}",
        r"x \;\to\; \text{rules}(x)",
        f"{_NORMALIZER}#rewrite",
        arrays({"whole": rewritten}),
    )
    yield Step(
        "sentencepiece.spaces",
        f"{_where_spaces_go(normalizer)} as {visible(' ')}: {said(shortened(normalized))}",
        r"x \;\to\; \text{␣}\, x",
        f"{_NORMALIZER}#spaces",
        arrays({"normalized": normalized}),
    )


def _where_spaces_go(normalizer: SentencePieceNormalizer) -> str:
    """Describes the rule for spaces in words."""
    if not normalizer.add_dummy_prefix:
        return "Write every space"
    where = "at the end" if normalizer.whitespace_as_suffix else "in front"
    return f"Put a space {where}, and write every space"


def trace_score_merges(tokenizer: SentencePieceBPE, word: str) -> Trace:
    """Traces one word of a normalized text from its characters to its tokens.

    For every merge, one step chooses the pair, by score and from the left, and one merges it; at
    the end, strings that are not pieces become bytes or the unknown token.

    Raises ValueError for a word of more than 1,000 characters.
    """
    refuse_longer("word", len(word), "characters", LONGEST_WORD, "merge by merge")
    return trace_of(_steps(tokenizer, word), {"kind": tokenizer.kind, "word": word})


def trace_score_dropout(
    tokenizer: SentencePieceBPE, word: str, dropout: float, generator: np.random.Generator
) -> Trace:
    """Does the same as trace_score_merges with BPE-dropout: for every chosen merge, one step draws
    a random number, and another merges the pair unless it is skipped.

    The trace's `about` holds the result as `found`: strings with their ids.

    Raises ValueError for a word of more than 1,000 characters, and for a probability outside 0 to
    1.
    """
    refuse_longer("word", len(word), "characters", LONGEST_WORD, "merge by merge")
    check_dropout(dropout)
    seen: list[Choice] = []
    found = tokenizer.sample_word(word, dropout, generator, seen)
    numbers = [tokenizer.symbols[string] for string in tokenizer.letters(word)[0]]
    steps = [letters_step(numbers, f"{_DROPOUT}#letters")]
    spelled = tokenizer.symbols.spelled
    for choice in seen:
        steps.append(draw_step(tokenizer.pieces, spelled, choice, dropout))
        if choice.draw is None or choice.draw >= dropout:
            steps.append(join_step(spelled, choice))
    steps += finish_steps(tokenizer.pieces, [string for string, _ in found])
    return trace_of(steps, {"kind": tokenizer.kind, "word": word, "found": found})


def _steps(tokenizer: SentencePieceBPE, word: str) -> Iterator[Step]:
    tokenizer.encode_word(word)
    numbers = [tokenizer.symbols[letter] for letter in word]
    spelled = tokenizer.symbols.spelled
    yield letters_step(numbers, f"{_WORD}#letters")
    seen: list[Choice] = []
    merged = merge_by_score(numbers, [False] * len(numbers), tokenizer.joins, seen=seen)
    for choice in seen:
        yield choose_step(tokenizer.pieces, spelled, choice)
        yield join_step(spelled, choice)
    ends = split_unused(merged, frozenset(tokenizer.pieces.unused.values()))
    yield from finish_steps(tokenizer.pieces, [spelled[number] for number in ends])


def letters_step(numbers: Sequence[int], code: str) -> Step:
    """Returns the step that splits a word into its characters."""
    return Step(
        "sentencepiece-bpe.letters",
        f"The word starts out as {separate(len(numbers), 'character')}",
        r"w = c_1 c_2 \ldots c_n",
        code,
        arrays({"numbers": numbers}),
    )


def by_score(pieces: SentencePieceVocabulary, offer: Offer) -> str:
    """Describes the score of a merge: "score −116, rank 113"."""
    return f"score {plain(pieces.pieces[offer.token].score)}, rank {offer.rank + 1:,}"


def choose_step(pieces: SentencePieceVocabulary, spelled: Sequence[str], choice: Choice) -> Step:
    """Returns the step that chooses the pair to merge next."""
    best = choice.best
    fitting = len(choice.others) + 1
    pair = f"{said(spelled[best.left])} + {said(spelled[best.right])}"
    does = f"Of {fitting:,} pairs that spell a piece, {pair} scores best"
    if fitting == 1:
        does = f"Only {pair} spells a piece"
    title = f"{does} ({by_score(pieces, best)})"
    return Step(
        "sentencepiece-bpe.choose",
        title,
        r"i^* = \text{arg max}_i \; \text{score}(s_i s_{i+1})",
        f"{_MERGE}#choose",
        arrays({"symbols": choice.row, "best": best, "heap": _offers(choice.heap)}),
    )


def draw_step(
    pieces: SentencePieceVocabulary, spelled: Sequence[str], choice: Choice, dropout: float
) -> Step:
    """Returns the step that draws whether the best merge is skipped."""
    best, draw = choice.best, choice.draw or 0.0
    pair = f"{said(spelled[best.left])} + {said(spelled[best.right])}"
    return Step(
        "sentencepiece-bpe.draw",
        f"{pair} ({by_score(pieces, best)}) {verdict(draw, dropout)}",
        r"u \sim U(0, 1): \quad u < p \;\Rightarrow\; \text{skipped}",
        f"{_MERGE}#draw",
        arrays(
            {
                "symbols": choice.row,
                "best": best,
                "heap": _offers(choice.heap),
                "draw": draw,
                "dropout": dropout,
            }
        ),
    )


def _offers(heap: Sequence[Offer]) -> np.ndarray:
    """Returns the offers as rows of rank, place, after, left, right, token: (offers, 6)."""
    return np.array(heap, dtype=np.int64) if heap else np.empty(0)


def join_step(spelled: Sequence[str], choice: Choice) -> Step:
    """Returns the step that merges the chosen pair, with the word after it."""
    best = choice.best
    after = list(choice.row)
    after[best.place], after[best.after] = best.token, GONE
    return Step(
        "sentencepiece-bpe.merge",
        f"Join the two into {said(spelled[best.token])}",
        r"s_{i^*},\, s_{i^*+1} \;\to\; s_{i^*} s_{i^*+1}",
        f"{_MERGE}#merge",
        arrays({"symbols": after, "place": best.place}),
    )


def finish_steps(pieces: SentencePieceVocabulary, parts: Sequence[str]) -> Iterator[Step]:
    """Yields a step for each part of a word that is not a piece: bytes or the unknown token."""
    found = [(part, pieces.ids.get(part, pieces.unknown)) for part in parts]
    pieces.finish_ids(found)
    before: int | None = None
    for place, (part, token) in enumerate(found):
        if token == pieces.unknown and pieces.byte_fallback:
            data = [pieces.byte_ids[byte] for byte in part.encode()]
            yield Step(
                "sentencepiece.bytes",
                f"{said(part)} is not a piece, so it becomes {count(len(data), 'byte token')}",
                r"c \;\to\; b_1 \ldots b_k",
                f"{_FINISH}#bytes",
                arrays({"data": data}),
            )
        elif token == pieces.unknown and before != token:
            ids = pieces.finish_ids(found[: place + 1])
            yield Step(
                "sentencepiece.unknown",
                f"{said(part)} is not a piece, so it becomes the unknown token",
                r"c \;\to\; \text{unk}",
                f"{_FINISH}#unknown",
                arrays({"ids": ids}),
            )
        before = token
