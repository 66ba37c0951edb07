"""Encodes a text step by step, with a picture for each step. Runs on the engine's thread."""

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
LONGEST = 200  # characters, about a sentence
PATHS = 5  # number of best paths
STAGES = ("normalizer", "pre-tokenizer", "model", "post-processor")
OTHERS = (
    "Another library runs this tokenizer: you see what each stage returns, but not the steps of "
    "its model. Most other tokenizers here run on code that you can step through."
)
_PARTS = ("encoding.special", "encoding.whole", "encoding.model")  # one of these for each part
_EARLY = ("encoding.pre-tokenizer", "encoding.special", "encoding.whole")


@dataclass(frozen=True)
class EncodingStep:
    """One step for the player.

    stage  its index in STAGES
    word   the index of the part of the text it works on; -1 for the whole text
    scene  the word it works on, drawn up to `frame`; None outside the model
    rows   the live numbers of its formula; () if the step's values are shown instead
    """

    step: Step
    stage: int
    word: int = -1
    scene: Scene | None = None
    frame: Frame | None = None
    rows: Rows = ()


@dataclass(frozen=True)
class ExplainedText:
    """An encoded text, its tokenizer's kind, and in `why` the reason if there are no pictures."""

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

    alpha    the exponent of probabilities when Unigram samples a path
    dropout  the probability that BPE skips a merge
    seed     the seed of all random numbers

    Raises ValueError if the tokenizer cannot encode the text.
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
    """Returns a new generator: encoding and trace need the same random numbers."""
    return np.random.default_rng(seed)


def _steps(tokenizer: Any, trace: Trace, alpha: float, seed: int) -> Iterator[EncodingStep]:
    """Yields the steps in order of time: steps inside a step precede its result."""
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
    """Returns the steps of a word with their pictures; none if another library encoded it."""
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
    """Returns the index in STAGES of a step outside the model."""
    if step.name == "encoding.post-processor":
        return 3
    return 1 if step.name in _EARLY else 0


def step_of_way(steps: Sequence[EncodingStep], seen: EncodingStep | None, way: int) -> int | None:
    """Returns the index of the step that completes a path in the visible lattice or the first."""
    scene = seen.scene if seen is not None else None
    scene = scene or next((one.scene for one in steps if one.scene is not None), None)
    found = [
        place
        for place, one in enumerate(steps)
        if one.scene is scene and isinstance(one.frame, LatticeFrame) and one.frame.way == way
    ]
    return found[-1] if found else None


def step_of_draw(steps: Sequence[EncodingStep]) -> int:
    """Returns the index of the last lattice's complete sample, else that of the last step."""
    for place, one in reversed(list(enumerate(steps))):
        scene, frame = one.scene, one.frame
        is_lattice = isinstance(scene, LatticeScene) and isinstance(frame, LatticeFrame)
        if is_lattice and frame.way == len(scene.ways):
            return place
    return len(steps) - 1


def picture_near(steps: Sequence[EncodingStep], place: int) -> EncodingStep | None:
    """Returns the step whose picture to show for one without: the next word's last, else the
    previous word's."""
    after = [one for one in steps[place:] if one.scene is not None]
    if after:
        return [one for one in after if one.scene is after[0].scene][-1]
    return next((one for one in reversed(steps[:place]) if one.scene is not None), None)
