"""Traces how a byte-level BPE encodes one word, merge by merge: the candidates, the choice, the
result; and with dropout, the random numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from core.tokenization.bpe.dropout import Draw, merge_with_dropout, verdict
from core.tokenization.bpe.merging import GONE, Choice, merge_short
from core.tokenization.bpe.tokenizer import ByteLevelBPE
from core.tokenization.byte_level import clean_text, readable
from core.tokenization.telling import arrays, count, quoted, refuse_longer, separate, trace_of, verb
from core.trace import Step, Trace

LONGEST_WORD = 1000  # bytes; every merge is two steps that contain the whole word

_WORD = "core.tokenization.bpe.tokenizer:ByteLevelBPE.encode_word"
_MERGE = "core.tokenization.bpe.merging:merge_short"
_DROPOUT = "core.tokenization.bpe.dropout:merge_with_dropout"


def trace_merges(tokenizer: ByteLevelBPE, word: str) -> Trace:
    """Traces one word from its bytes to its tokens; each merge is two steps, a choice and a join.

    Raises ValueError for a word of more than 1,000 bytes.
    """
    word = clean_text(word)
    size = _checked_size(word)
    return trace_of(_steps(tokenizer, word, size), {"kind": tokenizer.kind, "word": word})


def trace_dropout(
    tokenizer: ByteLevelBPE, word: str, dropout: float, generator: np.random.Generator
) -> Trace:
    """Traces one word with BPE-dropout: for every possible merge, a step draws a random number; if
    the merge is not skipped, another joins the pair. The last step is the word.

    The trace's `about` contains the `ids`.

    Raises ValueError for a word of more than 1,000 bytes, and for a probability outside 0 to 1.
    """
    word = clean_text(word)
    letters = tokenizer.byte_ids(word.encode())
    size = _checked_size(word)
    seen: list[Draw] = []
    ids = merge_with_dropout(letters, tokenizer.ranks_of_pairs, dropout, generator, seen)
    pieces = tokenizer.vocabulary
    steps = [bytes_step(size, f"{_DROPOUT}#bytes", {"symbols": letters})]
    for draw in seen:
        steps.append(draw_step(pieces, draw, dropout))
        if draw.draw >= dropout:
            steps.append(joined_step(pieces, draw))
    steps.append(word_step(pieces, ids))
    return trace_of(steps, {"kind": tokenizer.kind, "word": word, "ids": ids})


def _told(piece: str) -> str:
    return quoted(readable(piece))


def _checked_size(word: str) -> int:
    size = len(word.encode())
    refuse_longer("word", size, "bytes", LONGEST_WORD, "merge by merge")
    return size


def _steps(tokenizer: ByteLevelBPE, word: str, size: int) -> Iterator[Step]:
    pieces = tokenizer.vocabulary
    ids = tokenizer.encode_word(word)
    if tokenizer.ignore_merges and len(ids) == 1:
        yield Step(
            "bpe.whole",
            f"The word is itself a piece, so no merge is needed: {_told(pieces[ids[0]])}",
            r"w \in V \;\Rightarrow\; w",
            f"{_WORD}#whole",
            arrays({"whole": ids[0]}),
        )
        return
    letters = tokenizer.byte_ids(word.encode())
    yield bytes_step(size, f"{_WORD}#bytes", {"letters": letters})
    seen: list[Choice] = []
    end = merge_short(letters, tokenizer.ranks_of_pairs, seen)
    after = [choice.symbols for choice in seen[1:]] + [end]
    for choice, merged in zip(seen, after):
        yield choose_step(pieces, choice)
        if choice.token >= 0:
            yield join_step(pieces, choice, merged)


def bytes_step(size: int, code: str, values: Mapping[str, object]) -> Step:
    """Describes a word as its bytes, the start of merging."""
    return Step(
        "bpe.bytes",
        f"The word starts out as {separate(size, 'byte')}",
        r"w = b_1 b_2 \ldots b_n",
        code,
        arrays(values),
    )


def choose_step(pieces: list[str], choice: Choice) -> Step:
    """Describes which pair is merged next, or that no merge applies any more."""
    if choice.token < 0:
        left_over = len(choice.symbols)
        remain = verb(left_over, "remains", "remain")
        title = f"No pair can be merged any more; {count(left_over, 'token')} {remain}"
    else:
        left, right = choice.symbols[choice.place : choice.place + 2]
        fitting = sum(token >= 0 for _, token in choice.found)
        pair = f"{_told(pieces[left])} + {_told(pieces[right])}"
        title = (
            f"Only {pair} can be merged (rank {choice.rank:,})"
            if fitting == 1
            else f"Of {fitting:,} pairs that can be merged, {pair} was learned first "
            f"(rank {choice.rank:,})"
        )
    return Step(
        "bpe.choose",
        title,
        r"i^* = \text{arg min}_i \; \text{rank}(s_i, s_{i+1})",
        f"{_MERGE}#choose",
        arrays(
            {
                "symbols": choice.symbols,
                "found": choice.found,
                "rank": choice.rank,
                "token": choice.token,
            },
        ),
    )


def join_step(pieces: list[str], choice: Choice, merged: list[int]) -> Step:
    """Describes the word after the chosen pair is joined."""
    return Step(
        "bpe.merge",
        f"Join the two into {_told(pieces[choice.token])}",
        r"s_{i^*},\, s_{i^*+1} \;\to\; s_{i^*} s_{i^*+1}",
        f"{_MERGE}#merge",
        arrays({"symbols": merged, "place": choice.place, "token": choice.token}),
    )


def word_step(pieces: list[str], ids: list[int]) -> Step:
    """Describes the word when no merge is left."""
    written = " ".join(_told(pieces[token]) for token in ids)
    return Step(
        "bpe.word",
        f"No merge is left to try; the word becomes {count(len(ids), 'token')}: {written}",
        r"w \to t_1 t_2 \ldots t_k",
        f"{_DROPOUT}#word",
        arrays({"word": ids}),
    )


def draw_step(pieces: list[str], draw: Draw, dropout: float) -> Step:
    """Describes a possible merge and the random number drawn for it."""
    left, right = draw.symbols[draw.place], draw.symbols[draw.after]
    pair = f"{_told(pieces[left])} + {_told(pieces[right])} (rank {draw.rank:,})"
    return Step(
        "bpe.draw",
        f"{pair} {verdict(draw.draw, dropout)}",
        r"u \sim U(0, 1): \quad u < p \;\Rightarrow\; \text{skipped}",
        f"{_DROPOUT}#draw",
        arrays({**draw._asdict(), "dropout": dropout}),
    )


def joined_step(pieces: list[str], draw: Draw) -> Step:
    """Describes a merge that dropout did not skip."""
    symbols = list(draw.symbols)
    symbols[draw.place], symbols[draw.after] = draw.token, GONE
    return Step(
        "bpe.merge",
        f"Join the two into {_told(pieces[draw.token])}",
        r"s_{i^*},\, s_{i^*+1} \;\to\; s_{i^*} s_{i^*+1}",
        f"{_DROPOUT}#merge",
        arrays({"symbols": symbols, "place": draw.place, "token": draw.token}),
    )
