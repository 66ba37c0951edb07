"""Encodes a text step by step, every step with its picture. Runs on the engine's thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.tokenization.bpe import ByteLevelBPE
from core.tokenization.encoding_trace import trace_encoding
from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.sentencepiece import SentencePieceBPE
from core.tokenization.tokenizer import Stage
from core.tokenization.unigram.trace import trace_lattice
from core.trace import Step, Trace
from explorer.panes.tokenizers.encoding.inspector_rows import Rows, stage_rows
from explorer.panes.tokenizers.encoding.scene import (
    Drawn,
    Frame,
    LatticeFrame,
    LatticeScene,
    Scene,
    lattice_frames,
    match_frames,
    merge_frames,
)

WITH_DROPOUT = (ByteLevelBPE, SentencePieceBPE)
LONGEST = 200  # characters: a sentence
PATHS = 5  # of the n best
STAGES = ("normalizer", "pre-tokenizer", "model", "post-processor")
OTHERS = (
    "Another library runs this tokenizer: you see what each stage returns, but not the steps of "
    "its model. Most other tokenizers here run on code that you can step through."
)
_PARTS = ("encoding.special", "encoding.whole", "encoding.model")  # one for each part
_EARLY = ("encoding.pre-tokenizer", "encoding.special", "encoding.whole")


@dataclass(frozen=True)
class EncodingStep:
    """One step as it is played.

    stage  which of STAGES it belongs to
    word   the part of the pre-tokenizer's that it happens in; -1 for the whole text
    scene  the word that it happens in, and how far that has come; None outside the model
    rows   the live numbers of its formula; () where its values are shown instead
    """

    step: Step
    stage: int
    word: int = -1
    scene: Scene | None = None
    frame: Frame | None = None
    rows: Rows = ()


@dataclass(frozen=True)
class ExplainedText:
    """An encoded text, the tokenizer's kind, and why there are no pictures of words, if so."""

    text: str
    kind: str
    stages: tuple[Stage, ...]
    ids: tuple[int, ...]
    steps: tuple[EncodingStep, ...]
    why: str = ""


def explain_text(
    tokenizer: Any,
    text: str,
    alpha: float = 1.0,
    dropout: float = 0.0,
    seed: int = 0,
    specials: bool = True,
) -> ExplainedText:
    """Encodes the first LONGEST characters of a text, step by step.

    alpha    how much scores count when Unigram samples a path
    dropout  how likely a BPE passes over a merge
    seed     of everything random

    Raises ValueError where the tokenizer cannot read the text.
    """
    text = text[:LONGEST]
    drops = dropout if isinstance(tokenizer, WITH_DROPOUT) else 0.0
    if drops:
        encoding = tokenizer.sample(text, drops, drawn(seed), specials=specials)
    else:
        encoding = tokenizer.encode(text, specials=specials)
    known = encoding.text, tokenizer.kind, tuple(encoding.stages), tuple(encoding.ids)
    try:
        trace = trace_encoding(
            tokenizer, text, specials=specials, dropout=drops, generator=drawn(seed)
        )
    except ValueError as error:
        return ExplainedText(*known, (), str(error))
    why = OTHERS if isinstance(tokenizer, LibraryTokenizer) else ""
    steps = [
        one
        if one.scene is not None and one.step.name != "encoding.model"
        else replace(one, rows=stage_rows(tokenizer, one.step, encoding.pieces, encoding.ids))
        for one in _steps(tokenizer, trace, alpha, seed)
    ]
    return ExplainedText(*known, tuple(steps), why)


def drawn(seed: int) -> np.random.Generator:
    """The same random numbers for the encoding and for its trace."""
    return np.random.default_rng(seed)


def _steps(tokenizer: Any, trace: Trace, alpha: float, seed: int) -> Iterator[EncodingStep]:
    """In order of time: the steps inside a step come before its result."""
    words: list[str] = []
    normalized = ""
    part = -1
    for index in trace.children(None):
        step = trace[index]
        if step.name == "encoding.pre-tokenizer":
            words = [str(word) for word in next(iter(step.values.values()))]
        elif step.name == "sentencepiece.spaces":
            normalized = str(step.value("normalized"))
        part += step.name in _PARTS
        if step.name != "encoding.model":
            yield EncodingStep(step, stage_of(step), part if step.name in _PARTS else -1)
            continue
        word = words.pop(0) if words else normalized
        scene: Scene | None = None
        frame: Frame | None = None
        for inner, scene, frame, rows in _word_steps(tokenizer, trace, index, word, alpha, seed):
            yield EncodingStep(inner, 2, part, scene, frame, rows)
        if isinstance(scene, LatticeScene):
            frame = LatticeFrame(len(word), path=scene.best.path.nodes)
        yield EncodingStep(step, 2, part, scene, frame)


def _word_steps(
    tokenizer: Any, trace: Trace, parent: int, word: str, alpha: float, seed: int
) -> Iterator[Drawn]:
    """The steps of one word, each with its picture; none where another library encoded it."""
    if not trace.children(parent):
        return iter(())
    if tokenizer.kind == "unigram":
        inner = trace_lattice(
            tokenizer, word, n=PATHS, alpha=alpha, generator=drawn(seed), normalized=True
        )
        return lattice_frames(inner, list(_in_time(inner, None)), tokenizer.unknown_id)
    steps = list(_in_time(trace, parent))
    if tokenizer.kind == "wordpiece":
        return match_frames(tokenizer, word, steps)
    return merge_frames(tokenizer, steps)


def _in_time(trace: Trace, parent: int | None) -> Iterator[Step]:
    for index in trace.children(parent):
        yield from _in_time(trace, index)
        yield trace[index]


def stage_of(step: Step) -> int:
    """Which of STAGES a step outside of the model belongs to."""
    if step.name == "encoding.post-processor":
        return 3
    return 1 if step.name in _EARLY else 0


def step_of_way(steps: Sequence[EncodingStep], seen: EncodingStep | None, way: int) -> int | None:
    """The step at which a whole way is bold in the lattice that is seen, or in the first one."""
    scene = seen.scene if seen is not None else None
    scene = scene or next((one.scene for one in steps if one.scene is not None), None)
    found = [
        place
        for place, one in enumerate(steps)
        if one.scene is scene and isinstance(one.frame, LatticeFrame) and one.frame.way == way
    ]
    return found[-1] if found else None


def step_of_draw(steps: Sequence[EncodingStep]) -> int:
    """The step at which everything random is there: the last lattice's whole sample, or the end."""
    for place, one in reversed(list(enumerate(steps))):
        scene, frame = one.scene, one.frame
        is_lattice = isinstance(scene, LatticeScene) and isinstance(frame, LatticeFrame)
        if is_lattice and frame.way == len(scene.ways):
            return place
    return len(steps) - 1


def picture_near(steps: Sequence[EncodingStep], place: int) -> EncodingStep | None:
    """The picture for a step that has none: the end of the next word, else of the last one."""
    after = [one for one in steps[place:] if one.scene is not None]
    if after:
        return [one for one in after if one.scene is after[0].scene][-1]
    return next((one for one in reversed(steps[:place]) if one.scene is not None), None)
