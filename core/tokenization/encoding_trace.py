"""Traces how a text becomes tokens: normalizer, pre-tokenizer, model, post-processor.

Each stage is a step; the model has one step per word, and the steps inside it as children.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.tokenization.bpe.patterns import word_pattern
from core.tokenization.bpe.tokenizer import ByteLevelBPE
from core.tokenization.bpe.trace import trace_dropout, trace_merges
from core.tokenization.byte_level import clean_text
from core.tokenization.characters import CharacterTokenizer
from core.tokenization.encoding_stages import (
    normalizer_step,
    special_step,
    tokens_step,
    whole_step,
    word_step,
    words_step,
)
from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.library_trace import library_steps
from core.tokenization.sentencepiece.normalizer import one_of
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE, split_at
from core.tokenization.sentencepiece.trace import (
    normalizer_steps,
    trace_score_dropout,
    trace_score_merges,
)
from core.tokenization.specials import SpecialTokens
from core.tokenization.telling import Told, refuse_longer, trace_of_told
from core.tokenization.tokenizer import Tokenizer
from core.tokenization.unigram.tokenizer import Unigram
from core.tokenization.unigram.trace import trace_lattice
from core.tokenization.wordpiece.tokenizer import WordPiece
from core.tokenization.wordpiece.trace import trace_longest_match
from core.trace import Trace

LONGEST_TEXT = 2000  # characters

_BPE = "core.tokenization.bpe.tokenizer:ByteLevelBPE"
_TEXT = "core.tokenization.wordpiece.bert_text:BertText"
_WORDPIECE = "core.tokenization.wordpiece.tokenizer:WordPiece"
_SENTENCEPIECE = "core.tokenization.sentencepiece.tokenizer:SentencePieceBPE"
_SCORED = "core.tokenization.sentencepiece.base:SentencePieceTokenizer"
_CHARACTERS = "core.tokenization.characters:CharacterTokenizer"


def trace_encoding(
    tokenizer: Tokenizer,
    text: str,
    *,
    specials: bool = True,
    dropout: float = 0.0,
    generator: np.random.Generator | None = None,
) -> Trace:
    """Traces one text through all stages of a tokenizer.

    specials   False: a special token written out in the text is ordinary text
    dropout    with a generator, BPE only: the probability that a merge is skipped. The same random
               numbers give the same result as the tokenizer's `sample`

    For a tokenizer that the Hugging Face library runs, the trace has only the output of each stage:
    the computation inside a stage is not part of this package.

    Raises ValueError for a text of more than 2,000 characters, for a tokenizer of an unknown class,
    and for dropout with a tokenizer other than BPE.
    """
    refuse_longer("text", len(text), "characters", LONGEST_TEXT, "step by step")
    text = clean_text(text)
    if dropout and generator is not None:
        if isinstance(tokenizer, ByteLevelBPE):
            told = _byte_level_with_dropout(tokenizer, text, specials, dropout, generator)
        elif isinstance(tokenizer, SentencePieceBPE):
            told = _sentencepiece_with_dropout(tokenizer, text, specials, dropout, generator)
        else:
            raise ValueError(
                f"a tokenizer of the kind {tokenizer.kind} skips no merges: choose a dropout of 0"
            )
    else:
        told = _stages(tokenizer, text, specials)
    return trace_of_told(told, {"kind": tokenizer.kind, "text": text})


def _stages(tokenizer: Tokenizer, text: str, specials: bool) -> Iterator[Told]:
    if isinstance(tokenizer, ByteLevelBPE):
        return _byte_level(tokenizer, text, specials)
    if isinstance(tokenizer, WordPiece):
        return _wordpiece(tokenizer, text, specials)
    if isinstance(tokenizer, SentencePieceBPE):
        return _sentencepiece_bpe(tokenizer, text, specials)
    if isinstance(tokenizer, Unigram):
        return _unigram(tokenizer, text, specials)
    if isinstance(tokenizer, CharacterTokenizer):
        return _characters(tokenizer, text, specials)
    if isinstance(tokenizer, LibraryTokenizer):
        return library_steps(tokenizer, text, specials)
    raise ValueError(
        f"a {type(tokenizer).__name__} does not tell how it works: open its tokenizer.json, or "
        "train a tokenizer from scratch"
    )


def _parts(tokenizer: Tokenizer, text: str, specials: bool) -> Iterator[tuple[str, int | None]]:
    """Yields the special tokens of a text with their ids, and the text between them."""
    return SpecialTokens(tokenizer.special_tokens).split(text, specials)


def _byte_level(tokenizer: ByteLevelBPE, text: str, specials: bool) -> Iterator[Told]:
    encoding = tokenizer.encode(text, specials=specials)
    normalized = tokenizer.normalize(text, specials=specials)
    yield normalizer_step("normalized", normalized, f"{_BPE}.normalize#normalize"), ()
    tokenizer.words(text, specials=specials)
    for part, special in _parts(tokenizer, text, specials):
        if special is not None:
            yield special_step(tokenizer, part, special), ()
            continue
        words = word_pattern(tokenizer.pattern).split(tokenizer.normalize(part, specials=False))
        yield words_step("cut", words, f"{_BPE}.words#cut"), ()
        for word in words:
            ids = tokenizer.encode_word(word)
            inside = trace_merges(tokenizer, word)
            if inside[0].name == "bpe.whole":
                yield word_step(tokenizer, word, ids, "whole", ids[0]), ()
            else:
                yield word_step(tokenizer, word, ids), inside
    yield tokens_step("pieces", text, encoding.pieces, f"{_BPE}._encoding#pieces"), ()


def _byte_level_with_dropout(
    tokenizer: ByteLevelBPE,
    text: str,
    specials: bool,
    dropout: float,
    generator: np.random.Generator,
) -> Iterator[Told]:
    """Yields the steps of _byte_level with merges skipped at random."""
    normalized = tokenizer.normalize(text, specials=specials)
    yield normalizer_step("normalized", normalized, f"{_BPE}.normalize#normalize"), ()
    pieces: list[str] = []
    for part, special in _parts(tokenizer, text, specials):
        if special is not None:
            pieces.append(tokenizer.vocabulary[special])
            yield special_step(tokenizer, part, special), ()
            continue
        words = word_pattern(tokenizer.pattern).split(tokenizer.normalize(part, specials=False))
        yield words_step("cut", words, f"{_BPE}.words#cut"), ()
        for word in words:
            inside = trace_dropout(tokenizer, word, dropout, generator)
            ids = inside.about["ids"]
            pieces += [tokenizer.vocabulary[token] for token in ids]
            step = word_step(tokenizer, word, ids, "word", ids)
            yield (
                replace(step, code="core.tokenization.bpe.dropout:merge_with_dropout#word"),
                inside,
            )
    yield tokens_step("pieces", text, pieces, f"{_BPE}._encoding#pieces"), ()


def _wordpiece(tokenizer: WordPiece, text: str, specials: bool) -> Iterator[Told]:
    tokenizer.encode(text, specials=specials)
    for part, special in _parts(tokenizer, text, specials):
        if special is not None:
            yield special_step(tokenizer, part, special), ()
            continue
        normalized = tokenizer.text.normalize(part)
        moved = normalized != part.translate(tokenizer.text.replacements)
        code = f"{_TEXT}.align#align" if moved else f"{_TEXT}.normalize#normalize"
        yield normalizer_step("normalized", normalized, code), ()
        words = tokenizer.text.split(normalized)
        yield words_step("words", words, f"{_TEXT}.split#cut"), ()
        for word in words:
            ids, _ = tokenizer.match(word)
            yield word_step(tokenizer, word, ids), trace_longest_match(tokenizer, word)
    ids = tokenizer.encode_ids(text, specials=specials)
    if specials:
        yield tokens_step("around", text, ids, f"{_WORDPIECE}._surround#surround"), ()


def _sentencepiece_bpe(tokenizer: SentencePieceBPE, text: str, specials: bool) -> Iterator[Told]:
    encoding = tokenizer.encode(text, specials=specials)
    tokenizer.encode_ids(text, specials=specials)
    never_cut = one_of(tokenizer.pieces.user_defined)
    for part, special in _parts(tokenizer, text, specials):
        if special is not None:
            yield special_step(tokenizer, part, special), ()
            continue
        for step in normalizer_steps(tokenizer.normalizer, part):
            yield step, ()
        for piece, whole in split_at(never_cut, tokenizer.normalizer.normalize(part)):
            if whole:
                yield whole_step(piece, f"{_SENTENCEPIECE}._find#whole"), ()
                continue
            words = tokenizer.words(piece)
            if tokenizer.by_words:
                yield words_step("words", words, f"{_SENTENCEPIECE}._find#cut"), ()
            for word in words:
                found = tokenizer.encode_word(word)
                merged = [tokenizer.symbols[string] for string, _ in found]
                ids = tokenizer.pieces.finish_ids(found)
                inside = trace_score_merges(tokenizer, word)
                yield word_step(tokenizer, word, ids, "merged", merged), inside
    yield tokens_step("pieces", text, encoding.pieces, f"{_SCORED}._encoding#pieces"), ()


def _sentencepiece_with_dropout(
    tokenizer: SentencePieceBPE,
    text: str,
    specials: bool,
    dropout: float,
    generator: np.random.Generator,
) -> Iterator[Told]:
    """Yields the steps of _sentencepiece_bpe with merges skipped at random."""
    ids: list[int] = []
    never_cut = one_of(tokenizer.pieces.user_defined)
    for part, special in _parts(tokenizer, text, specials):
        if special is not None:
            ids.append(special)
            yield special_step(tokenizer, part, special), ()
            continue
        for step in normalizer_steps(tokenizer.normalizer, part):
            yield step, ()
        normalized = tokenizer.normalizer.normalize(part)
        cut = split_at(never_cut, normalized) if tokenizer.by_words else [(normalized, False)]
        found: list[tuple[str, int]] = []
        for piece, whole in cut:
            if whole:
                found.append((piece, tokenizer.pieces.ids[piece]))
                yield whole_step(piece, f"{_SENTENCEPIECE}._find#whole"), ()
                continue
            words = tokenizer.words(piece) if piece else []
            if tokenizer.by_words:
                yield words_step("words", words, f"{_SENTENCEPIECE}._find#cut"), ()
            for word in words:
                inside = trace_score_dropout(tokenizer, word, dropout, generator)
                kept = [tokenizer.symbols[string] for string, _ in inside.about["found"]]
                found += inside.about["found"]
                written = tokenizer.pieces.finish_ids(inside.about["found"])
                step = word_step(tokenizer, word, written, "kept", kept)
                yield replace(step, code=f"{_SENTENCEPIECE}._find_at_once#kept"), inside
        ids += tokenizer.pieces.finish_ids(found)
    pieces = [tokenizer.vocabulary[token] for token in ids]
    yield tokens_step("pieces", text, pieces, f"{_SCORED}._encoding#pieces"), ()


def _unigram(tokenizer: Unigram, text: str, specials: bool) -> Iterator[Told]:
    """Yields the steps of Unigram: without words, it searches the whole text for the best path."""
    encoding = tokenizer.encode(text, specials=specials)
    tokenizer.encode_ids(text, specials=specials)
    for part, special in _parts(tokenizer, text, specials):
        if special is not None:
            yield special_step(tokenizer, part, special), ()
            continue
        for step in normalizer_steps(tokenizer.normalizer, part):
            yield step, ()
        normalized = tokenizer.normalizer.normalize(part)
        if normalized:
            inside = trace_lattice(tokenizer, normalized, normalized=True)
            best = inside.about["best"].path.ids
            yield word_step(tokenizer, normalized, best, "best"), inside
    yield tokens_step("pieces", text, encoding.pieces, f"{_SCORED}._encoding#pieces"), ()


def _characters(tokenizer: CharacterTokenizer, text: str, specials: bool) -> Iterator[Told]:
    """Yields the steps of a character tokenizer, which only looks up each character."""
    encoding = tokenizer.encode(text, specials=specials)
    yield normalizer_step("text", text, f"{_CHARACTERS}.encode#normalize"), ()
    mark = "look" if tokenizer.unknown is None else "known"
    for part, special in _parts(tokenizer, text, specials):
        if special is not None:
            yield special_step(tokenizer, part, special), ()
            continue
        cut = f"{_CHARACTERS}._encode_ordinary#cut"
        yield words_step("characters", list(part), cut, "character"), ()
        ids = tokenizer.encode_ids(part, specials=False)
        yield word_step(tokenizer, part, ids, mark, ids, "ids"), ()
    yield tokens_step("pieces", text, encoding.pieces, f"{_CHARACTERS}.encode#pieces"), ()
