"""Traces how WordPiece encodes one word: every piece it looks up, and the longest one it finds."""

from __future__ import annotations

from collections.abc import Iterator

from core.tokenization.telling import arrays, count, quoted, trace_of, verb
from core.tokenization.wordpiece.tokenizer import Lookup, WordPiece
from core.trace import Step, Trace

_WORDPIECE = "core.tokenization.wordpiece.tokenizer:WordPiece"


def trace_longest_match(tokenizer: WordPiece, word: str) -> Trace:
    """Traces one normalized word: a step for every look-up in the vocabulary, and one for every
    piece that is taken.
    """
    return trace_of(_steps(tokenizer, word), {"kind": tokenizer.kind, "word": word})


def _steps(tokenizer: WordPiece, word: str) -> Iterator[Step]:
    seen: list[Lookup] = []
    ids, _ = tokenizer.match(word, seen)
    taken: list[int] = []
    for look in seen:
        yield lookup_step(look)
        if look.token >= 0:
            taken = [*taken, look.token]
            yield take_step(look, taken, word)
    if taken != ids:
        yield unknown_step(tokenizer, word, seen, ids)


def lookup_step(look: Lookup) -> Step:
    """Describes one look-up in the vocabulary: is this part a piece?"""
    answer = "is" if look.token >= 0 else "is not"
    return Step(
        "wordpiece.look",
        f"{quoted(look.piece)} {answer} in the vocabulary",
        r"w_{i:j} \in V \,?",
        f"{_WORDPIECE}.match#look",
        arrays({"piece": look.piece, "token": look.token, "start": look.start, "end": look.end}),
    )


def take_step(look: Lookup, taken: list[int], word: str) -> Step:
    """Describes how the longest piece that fits is taken."""
    rest = len(word) - look.end
    remain = f"{count(rest, 'character')} {verb(rest, 'remains', 'remain')}"
    after = remain if rest else "the word is complete"
    return Step(
        "wordpiece.take",
        f"Take {quoted(look.piece)}, the longest piece that fits; {after}",
        r"j^* = \max \, \{\, j : w_{i:j} \in V \,\}",
        f"{_WORDPIECE}.match#take",
        arrays({"ids": taken, "token": look.token, "start": look.start, "end": look.end}),
    )


def unknown_step(tokenizer: WordPiece, word: str, seen: list[Lookup], ids: list[int]) -> Step:
    """Describes a word that becomes one unknown token, and why."""
    if seen:
        why = f"No piece fits at {quoted(word[seen[-1].start :])}, so the whole word becomes"
    else:
        most = count(tokenizer.longest_word, "character")
        why = f"The word has more than {most}, so it becomes"
    return Step(
        "wordpiece.unknown",
        f"{why} {tokenizer.unknown}",
        r"w \to \text{[UNK]}",
        f"{_WORDPIECE}._give_up#unknown",
        arrays({"ids": ids}),
    )
