"""The live numbers of a step: what stands for the letters of its formula. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.sentencepiece.normalizer import readable
from core.tokenization.telling import count
from core.trace import Step
from explorer.panes.tokenizers.encoding.scenes import Number, Pair, SymbolFace
from explorer.panes.tokenizers.pieces import text_of

MOST = 8  # words, tokens or pairs that are listed

Numbers = tuple[Number, ...]


def stage_numbers(tokenizer: Any, step: Step, pieces: Sequence[str], ids: Sequence[int]) -> Numbers:
    """Of a step outside of a word; `pieces` and `ids` are the whole text's."""
    values = np.atleast_1d(next(iter(step.values.values()))).tolist()
    stage = step.name.rpartition(".")[2]
    if isinstance(tokenizer, LibraryTokenizer):  # it knows how the parts are spelled
        told = [tokenizer.readable(str(value), stage) for value in values]
    else:
        told = [readable(str(value)) for value in values]
    match stage:
        case "normalizer":
            return _texts("normalize(x)", told)
        case "rewrite":
            return _texts("rules(x)", told)
        case "spaces":
            return _texts("with its spaces", told)
        case "special" | "whole":
            token = [int(step.value("special"))] if "special" in step.values else []
            return (Number("x", told[0], "attention", _ids(token)),)
        case "pre-tokenizer":
            words = [Number(f"w{at}", word) for at, word in enumerate(told[:MOST], 1)]
            return (Number("m", len(values), "attention"), *words, *_more(values, "word"))
        case "model":
            return tokens_numbers(tokenizer, values)
        case "post-processor":
            texts = [text_of(tokenizer.kind, piece) for piece in pieces]
            return _tokens("n", [(text, _ids([one])) for text, one in zip(texts, ids, strict=True)])
    return ()


def tokens_numbers(tokenizer: Any, values: Sequence[Any]) -> Numbers:
    """What a word or a part of it has become."""
    return _tokens("k", [_told(tokenizer, value) for value in values])


def letters_numbers(faces: Sequence[SymbolFace], what: str) -> Numbers:
    """What merging begins with: `what` is "byte" or "character"."""
    letter = what[0]
    listed = [Number(f"{letter}{at}", one.text) for at, one in enumerate(faces[:MOST], 1)]
    return (Number("n", len(faces), "attention"), *listed, *_more(faces, what))


def pairs_numbers(pairs: Sequence[Pair]) -> Numbers:
    """The pair that is chosen, then those that it was chosen among."""
    if not pairs:
        return (Number("pairs that fit", "none", "attention"),)
    best, *others = pairs
    alone = "" if others else "the only one that fits"
    rows = [Number(f"{best.left} + {best.right}", best.by, "attention", alone or "the best")]
    rows += [Number(f"{one.left} + {one.right}", one.by, "muted") for one in others[:MOST]]
    return (*rows, *_more(others, "pair"))


def draw_numbers(pairs: Sequence[Pair], draw: float, dropout: float) -> Numbers:
    """What chance says to the pair that fits next."""
    said = "below p: passed over" if draw < dropout else "not below p: done"
    role = "warning" if draw < dropout else "success"
    chance = (Number("u", draw, role, said), Number("p", dropout, "text", "the dropout"))
    return (*chance, *pairs_numbers(pairs))


def join_numbers(left: SymbolFace, right: SymbolFace, joined: SymbolFace, token: int) -> Numbers:
    return (
        Number("left", left.text),
        Number("right", right.text),
        Number("joined", joined.text, "attention", _ids([token])),
    )


def match_numbers(tokenizer: Any, step: Step) -> Numbers:
    """A look into the vocabulary, what is taken, or that nothing fits."""
    ids = step.value("ids").tolist() if "ids" in step.values else []
    if "start" not in step.values:
        return tokens_numbers(tokenizer, ids)
    there = int(step.value("token"))
    place = (Number("i", int(step.value("start"))), Number("j", int(step.value("end"))))
    if ids:
        return (*place, *tokens_numbers(tokenizer, ids))
    found = _ids([there]) if there >= 0 else "no such piece"
    role = "success" if there >= 0 else "muted"
    return (*place, Number("piece", str(step.value("piece")), role, found))


def _texts(name: str, values: Sequence[str]) -> Numbers:
    size = sum(map(len, values))
    told = [Number(name, value, "attention") for value in values[:MOST]]
    return (*told, Number("characters", size), *_more(values, "part"))


def _tokens(letter: str, tokens: Sequence[tuple[str, str]]) -> Numbers:
    listed = [
        Number(f"t{at}", text, "text", note) for at, (text, note) in enumerate(tokens[:MOST], 1)
    ]
    return (Number(letter, len(tokens), "attention"), *listed, *_more(tokens, "token"))


def _told(tokenizer: Any, value: Any) -> tuple[str, str]:
    """A token that a step tells by its piece, by its id, or by its number where it is no piece."""
    if isinstance(value, str):
        return text_of(tokenizer.kind, value), ""
    if value < len(tokenizer.vocabulary):
        return text_of(tokenizer.kind, tokenizer.vocabulary[value]), _ids([value])
    return readable(tokenizer.symbols.spelled[value]), "no piece"


def _ids(ids: Sequence[int]) -> str:
    return f"id {ids[0]:,}" if ids else ""


def _more(values: Sequence[Any], what: str) -> Numbers:
    rest = len(values) - MOST
    return (Number("", f"and {count(rest, what)} more"),) if rest > 0 else ()
