"""The live numbers of an encoding's steps: the values of the symbols in their formulas. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.numbers import lowered
from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.sentencepiece.normalizer import readable
from core.tokenization.telling import count
from core.trace import Step
from explorer.panes.tokenizers.pieces import text_of
from explorer.widgets.equations import Equation

MOST = 8  # words, tokens or pairs listed at most

Rows = tuple[Equation | str, ...]


def stage_rows(tokenizer: Any, step: Step, pieces: Sequence[str], ids: Sequence[int]) -> Rows:
    """Returns the rows of a step outside a word; `pieces` and `ids` are the whole text's."""
    values = np.atleast_1d(next(iter(step.values.values()))).tolist()
    stage = step.name.rpartition(".")[2]
    if isinstance(tokenizer, LibraryTokenizer):  # its method knows the spelling of the parts
        told = [tokenizer.readable(str(value), stage) for value in values]
    else:
        told = [readable(str(value)) for value in values]
    match stage:
        case "normalizer" | "rewrite" | "spaces":
            names = {"normalizer": "normalize(x)", "rewrite": "rules(x)"}
            name = names.get(stage, "result")
            texts = [Equation(name, value, "attention") for value in told[:MOST]]
            size = Equation("characters", sum(map(len, told)))
            return (*texts, size, *_more(told, "part"))
        case "special" | "whole":
            note = _id(int(step.value("special"))) if "special" in step.values else ""
            return (Equation("x", told[0], "attention", note),)
        case "pre-tokenizer":
            words = [Equation(lowered("w", at), word) for at, word in enumerate(told[:MOST], 1)]
            return (Equation("m", len(values), "attention"), *words, *_more(values, "word"))
        case "model":
            return token_rows(tokenizer, values)
        case "post-processor":
            texts = [text_of(tokenizer.kind, piece) for piece in pieces]
            return _tokens("n", list(zip(texts, map(_id, ids), strict=True)))
    return ()


def token_rows(tokenizer: Any, values: Sequence[Any]) -> Rows:
    """Returns the tokens of a word or of a part of it."""
    return _tokens("k", [_told(tokenizer, value) for value in values])


def letter_rows(letters: Sequence[str], what: str) -> Rows:
    """Returns the symbols that merging begins with; `what` is "byte" or "character"."""
    listed = [Equation(lowered(what[0], at), one) for at, one in enumerate(letters[:MOST], 1)]
    return (Equation("n", len(letters), "attention"), *listed, *_more(letters, what))


def pair_rows(pairs: Sequence[tuple[str, str]], tried: bool = False) -> Rows:
    """Returns the chosen pair and its rivals, given as (both symbols, rank or score). `tried`
    with dropout, which may skip this pair and others before it.
    """
    if not pairs:
        return (Equation("pairs to merge", "none", "attention"),)
    (best, by), *others = pairs
    note = "the pair tried" if tried else "the best pair" if others else "the only pair"
    rows = [Equation(best, by, "attention", note)]
    rows += [Equation(name, by, "muted") for name, by in others[:MOST]]
    return (*rows, *_more(others, "pair"))


def dropout_rows(pairs: Sequence[tuple[str, str]], draw: float, dropout: float) -> Rows:
    """Returns the random number that decides if a merge is skipped, and the pairs."""
    skipped = draw < dropout
    said = "below p, so skipped" if skipped else "not below p, so merged"
    drawn = Equation("u", draw, "warning" if skipped else "success", said)
    return (drawn, Equation("p", dropout, note="the dropout"), *pair_rows(pairs, tried=True))


def join_rows(left: str, right: str, joined: str, token: int) -> Rows:
    """Returns the two merged symbols and the resulting one."""
    return (
        Equation("left", left),
        Equation("right", right),
        Equation("joined", joined, "attention", _id(token)),
    )


def lookup_rows(tokenizer: Any, step: Step) -> Rows:
    """Returns the rows of a lookup, of a token that is taken, or of an unknown word."""
    ids = step.value("ids").tolist() if "ids" in step.values else []
    if "start" not in step.values:
        return token_rows(tokenizer, ids)
    token = int(step.value("token"))
    place = (Equation("i", int(step.value("start"))), Equation("j", int(step.value("end"))))
    if ids:
        return (*place, *token_rows(tokenizer, ids))
    role, note = ("success", _id(token)) if token >= 0 else ("muted", "not in the vocabulary")
    return (*place, Equation("piece", str(step.value("piece")), role, note))


def _tokens(letter: str, tokens: Sequence[tuple[str, str]]) -> Rows:
    listed = [
        Equation(lowered("t", at), text, note=note)
        for at, (text, note) in enumerate(tokens[:MOST], 1)
    ]
    return (Equation(letter, len(tokens), "attention"), *listed, *_more(tokens, "token"))


def _told(tokenizer: Any, value: Any) -> tuple[str, str]:
    """Returns text and note of a token, given as a piece, an id, or the number of a symbol."""
    if isinstance(value, str):
        return text_of(tokenizer.kind, value), ""
    if value < len(tokenizer.vocabulary):
        return text_of(tokenizer.kind, tokenizer.vocabulary[value]), _id(value)
    return readable(tokenizer.symbols.spelled[value]), "not a piece"


def _id(token: int) -> str:
    return f"id {token:,}"


def _more(values: Sequence[Any], what: str) -> Rows:
    rest = len(values) - MOST
    return (f"and {count(rest, f'more {what}')}",) if rest > 0 else ()
