"""Looks inside a tokenizer: a text's stages, every step with its picture. The engine runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.tokenization.encoding_trace import trace_encoding
from core.tokenization.tokenizer import Stage
from core.tokenization.unigram.trace import trace_lattice
from core.trace import Step, Trace
from explorer.panes.tokenizers.inside.scenes import Frame, LatticeFrame, LatticeScene, Scene
from explorer.panes.tokenizers.inside.telling import lattice_frames, match_frames, merge_frames

LONGEST = 200  # characters: a sentence
PATHS = 5  # of the n best
STAGES = ("normalizer", "pre-tokenizer", "model", "post-processor")
_PARTS = ("encoding.special", "encoding.whole", "encoding.model")  # each is told of one part
_EARLY = ("encoding.pre-tokenizer", "encoding.special", "encoding.whole")


@dataclass(frozen=True)
class Moment:
    """One step as it is played.

    stage  which of STAGES it belongs to
    word   the part of the pre-tokenizer's that it happens in; -1 where it is the whole text
    scene  the word that it happens in, and how far that has come; None outside of the model
    """

    step: Step
    stage: int
    word: int = -1
    scene: Scene | None = None
    frame: Frame | None = None


@dataclass(frozen=True)
class Inside:
    """A text under one tokenizer; `why` says why there are no moments."""

    text: str
    stages: tuple[Stage, ...]
    ids: tuple[int, ...]
    moments: tuple[Moment, ...]
    why: str = ""


def look_inside(tokenizer: Any, text: str, alpha: float = 1.0, seed: int = 0) -> Inside:
    """Everything that Inside shows of a text of at most LONGEST characters.

    Raises ValueError where the tokenizer cannot read the text.
    """
    text = text[:LONGEST]
    encoding = tokenizer.encode(text)
    stages, ids = tuple(encoding.stages), tuple(encoding.ids)
    try:
        trace = trace_encoding(tokenizer, text)
    except ValueError as error:
        return Inside(encoding.text, stages, ids, (), str(error))
    moments = tuple(_moments(tokenizer, trace, alpha, seed))
    return Inside(encoding.text, stages, ids, moments)


def _moments(tokenizer: Any, trace: Trace, alpha: float, seed: int) -> Iterator[Moment]:
    """The steps in the order of time: what happens inside a step comes before its result."""
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
            yield Moment(step, stage_of(step), part if step.name in _PARTS else -1)
            continue
        word = words.pop(0) if words else normalized
        scene: Scene | None = None
        frame: Frame | None = None
        for inner, scene, frame in _told(tokenizer, trace, index, word, alpha, seed):
            yield Moment(inner, 2, part, scene, frame)
        if isinstance(scene, LatticeScene):
            frame = LatticeFrame(len(word), path=scene.best.path.nodes)
        yield Moment(step, 2, part, scene, frame)


def _told(
    tokenizer: Any, trace: Trace, parent: int, word: str, alpha: float, seed: int
) -> Iterator[tuple[Step, Scene, Frame]]:
    """The steps of one word, each with its picture."""
    if tokenizer.kind == "unigram":
        generator = np.random.default_rng(seed)
        inner = trace_lattice(
            tokenizer, word, n=PATHS, alpha=alpha, generator=generator, normalized=True
        )
        return lattice_frames(inner, list(_in_time(inner, None)), tokenizer.unknown_id)
    steps = list(_in_time(trace, parent))
    if tokenizer.kind == "wordpiece":
        return match_frames(word, steps, tokenizer.vocabulary)
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
