"""Finds the glitch tokens of a model by its embeddings. Runs on the engine's thread."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.tokenization.analysis.embeddings import read_embeddings_steps
from core.tokenization.analysis.glitches import (
    GlitchCandidate,
    Yardstick,
    most_suspicious,
    never_written_steps,
    similarity_steps,
    yardstick_steps,
)
from explorer.panes.tokenizers.entries import Entry, Opened
from explorer.panes.tokenizers.entries import opened as opened_entry

COUNT = 200  # candidates


@dataclass(frozen=True, eq=False)
class Suspects:
    """One model's candidates, the most suspicious first, and the similarity of every piece."""

    opened: Opened
    candidates: list[GlitchCandidate]
    similarity: np.ndarray
    yardstick: Yardstick
    rows: np.ndarray  # the candidates' embeddings
    bytes_only: bool  # True: compared with bytes that no text contains; False: with special tokens


def suspect_steps(opened: Opened | None, path: Path, name: str) -> Generator[float, None, Suspects]:
    """Finds a model's suspects; opens its tokenizer from `path` if `opened` is None."""
    if opened is None:
        from core.tokenization import open_tokenizer

        tokenizer = open_tokenizer(path)
        opened = opened_entry(Entry(f"file:{path}", name, path=path), tokenizer)
        yield 0.0
    embeddings = yield from read_embeddings_steps(path)
    tokenizer = opened.tokenizer
    never = yield from never_written_steps(tokenizer)
    size = tokenizer.vocab_size
    yardstick = yield from yardstick_steps(embeddings, tokenizer, never or None)
    similarity = yield from similarity_steps(embeddings, size, yardstick)
    candidates = most_suspicious(tokenizer, similarity, yardstick, COUNT)
    rows = np.array(embeddings[[one.token for one in candidates]], dtype=np.float32)
    return Suspects(opened, candidates, similarity, yardstick, rows, bool(never))
