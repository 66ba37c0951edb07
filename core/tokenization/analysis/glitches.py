"""Glitch tokens: pieces that were in the vocabulary, but hardly ever in the model's training text.

The embeddings of tokens that never occurred in training change together: weight decay and the
output layer push them the same way. So the embeddings of special tokens that no text used show the
direction of the untrained ones, and a token close to it is suspicious. The mean of all embeddings
is subtracted first, as it is most of what any two of them share. (The length of an embedding is no
clue if input and output share their table.)

Source: Land and Bartolo 2024, "Fishing for Magikarp", section 3.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.jobs import retold, to_the_end
from core.tokenization.telling import quoted, real, shown
from core.tokenization.tokenizer import Tokenizer
from core.trace import Step

ROWS = 8192  # rows of the table between two yields
NEVER = frozenset(bytes([byte]) for byte in (0xC0, 0xC1, *range(0xF5, 0x100)))
USED = 0.5  # a special token less similar to the others than this was trained after all


@dataclass(frozen=True, slots=True)
class GlitchCandidate:
    """A token that may be untrained.

    data        the bytes that the piece stands for
    similarity  cosine similarity with the untrained special tokens, -1 to 1
    reachable   some text is encoded to this token; otherwise it never occurred in training
    """

    token: int
    piece: str
    data: bytes
    similarity: float
    reachable: bool


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The reference that tokens are compared with.

    mean       (C) of all embeddings
    reference  ids of tokens that look untrained; rows (m, C) are their embeddings
    """

    mean: np.ndarray
    reference: tuple[int, ...]
    rows: np.ndarray


def never_written_steps(tokenizer: Tokenizer) -> Generator[float, None, list[int]]:
    """Returns the ids of single bytes that never occur in UTF-8, which are certainly untrained.

    These are the bytes C0, C1 and F5 to FF (RFC 3629, section 1), if the vocabulary has them.
    Yields the share of the vocabulary that was searched.
    """
    special = set(tokenizer.special_tokens.values())
    size = tokenizer.vocab_size
    found = []
    for start in range(0, size, ROWS):
        for token in range(start, min(start + ROWS, size)):
            if token not in special and tokenizer.piece_bytes(token) in NEVER:
                found.append(token)
        yield start / size
    return found


def never_written(tokenizer: Tokenizer) -> list[int]:
    """Runs never_written_steps to the end; returns the ids."""
    return to_the_end(never_written_steps(tokenizer))


def yardstick_steps(
    embeddings: np.ndarray, tokenizer: Tokenizer, untrained: Sequence[int] | None = None
) -> Generator[float, None, Yardstick]:
    """Finds the reference that untrained tokens resemble; yields the share that is done. Arguments
    and errors are those of glitch_steps.
    """
    if embeddings.ndim != 2 or len(embeddings) < tokenizer.vocab_size:
        raise ValueError(
            f"embeddings of the shape {embeddings.shape} do not fit a vocabulary of "
            f"{tokenizer.vocab_size} pieces: give the table of the model that uses this tokenizer"
        )
    special = sorted(tokenizer.special_tokens.values())
    reference = special if untrained is None else sorted(set(untrained))
    if not reference or not 0 <= reference[0] <= reference[-1] < len(embeddings):
        raise ValueError(
            "there is no untrained token to compare with: name some ids that no text uses, such as "
            "reserved ones"
        )
    mean = np.zeros(embeddings.shape[1], dtype=np.float64)
    for start in range(0, len(embeddings), ROWS):
        mean += embeddings[start : start + ROWS].sum(axis=0, dtype=np.float64)
        yield start / len(embeddings)
    mean = (mean / len(embeddings)).astype(np.float32)
    if untrained is None:
        among = similarity_to(embeddings[reference], embeddings[reference], mean).similarity
        kept = [token for token, close in zip(reference, among, strict=True) if close >= USED]
        reference = kept or reference
    return Yardstick(mean, tuple(reference), np.array(embeddings[reference], dtype=np.float32))


def similarity_steps(
    embeddings: np.ndarray, size: int, yardstick: Yardstick
) -> Generator[float, None, np.ndarray]:
    """Returns the similarity of the first `size` rows to the untrained tokens: (size)."""
    similarity = np.empty(size, dtype=np.float32)
    for start in range(0, size, ROWS):
        rows = embeddings[start : min(start + ROWS, size)]
        similarity[start : start + len(rows)] = similarity_to(
            rows, yardstick.rows, yardstick.mean
        ).similarity
        yield start / size
    return similarity


def most_suspicious(
    tokenizer: Tokenizer, similarity: np.ndarray, yardstick: Yardstick, count: int = 100
) -> list[GlitchCandidate]:
    """Returns the `count` pieces with the largest similarity, without special tokens and the
    reference tokens."""
    apart = [*tokenizer.special_tokens.values(), *yardstick.reference]
    ordinary = np.setdiff1d(np.arange(tokenizer.vocab_size), apart)
    order = ordinary[np.argsort(-similarity[ordinary], kind="stable")][:count]
    return [
        GlitchCandidate(
            int(token),
            tokenizer.vocabulary[token],
            tokenizer.piece_bytes(int(token)),
            float(similarity[token]),
            is_reachable(tokenizer, int(token)),
        )
        for token in order
    ]


def glitch_steps(
    embeddings: np.ndarray,
    tokenizer: Tokenizer,
    untrained: Sequence[int] | None = None,
    count: int = 100,
) -> Generator[float, None, list[GlitchCandidate]]:
    """Finds the tokens that look least trained; yields the share that is done, from 0 to 1.

    embeddings  (V, C) rows of the model's token embeddings; V may be larger than the vocabulary,
                as tables are often padded
    untrained   ids that are known to be untrained; None: the tokenizer's special tokens, without
                those that do not resemble the others
    Returns `count` candidates, the most suspicious first.

    Raises ValueError, with a remedy, if the table does not fit the tokenizer, or if there is no
    token to compare with.
    """
    measuring = yardstick_steps(embeddings, tokenizer, untrained)
    yardstick = yield from retold(measuring, lambda share: 0.5 * share)
    comparing = similarity_steps(embeddings, tokenizer.vocab_size, yardstick)
    similarity = yield from retold(comparing, lambda share: 0.5 + 0.5 * share)
    return most_suspicious(tokenizer, similarity, yardstick, count)


def glitch_candidates(
    embeddings: np.ndarray,
    tokenizer: Tokenizer,
    untrained: Sequence[int] | None = None,
    count: int = 100,
) -> list[GlitchCandidate]:
    """Runs glitch_steps to the end; returns the candidates."""
    return to_the_end(glitch_steps(embeddings, tokenizer, untrained, count))


class Similarity(NamedTuple):
    """similarity (n): the products of centered rows (n, C) and a direction (C), over the products
    of their lengths (n).
    """

    similarity: np.ndarray
    centered: np.ndarray
    direction: np.ndarray
    lengths: np.ndarray


def similarity_to(rows: np.ndarray, reference: np.ndarray, mean: np.ndarray) -> Similarity:
    """Computes the cosine similarity of each row (n, C) with the mean of reference rows (m, C).

    `mean` is subtracted from both first.
    """
    centered = rows.astype(np.float32) - mean  # (n, C)
    direction = (reference.astype(np.float32) - mean).mean(axis=0)  # (C)
    lengths = np.linalg.norm(centered, axis=1) * np.linalg.norm(direction)  # (n)
    similarity = centered @ direction / np.maximum(lengths, 1e-12)  # step: similarity
    return Similarity(similarity, centered, direction, lengths)


def glitch_step(row: np.ndarray, yardstick: Yardstick, candidate: GlitchCandidate) -> Step:
    """Returns the step that computes a token's similarity; `row` (C) is its embedding."""
    rows = np.asarray(row, dtype=np.float32)[None]  # (1, C)
    found = similarity_to(rows, yardstick.rows, yardstick.mean)
    piece = quoted(shown(candidate.piece, candidate.data))
    return Step(
        "glitches.similarity",
        f"{piece} has a cosine similarity of {real(candidate.similarity, 3)} with untrained tokens",
        r"\cos(e_t - \bar e, \; \bar e_{\text{untrained}} - \bar e)",
        "core.tokenization.analysis.glitches:similarity_to#similarity",
        {**found._asdict(), "rows": rows, "mean": yardstick.mean},
    )


def is_reachable(tokenizer: Tokenizer, token: int) -> bool:
    """True if the piece's own text, alone or after a letter, is encoded with this token."""
    try:
        text = tokenizer.piece_bytes(token).decode()
    except UnicodeDecodeError:
        return True  # part of a character occurs in texts only together with the rest
    alone = tokenizer.encode_ids(text, specials=False)
    return token in alone or token in tokenizer.encode_ids(f"a{text}", specials=False)
