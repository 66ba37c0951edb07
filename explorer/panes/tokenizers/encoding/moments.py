"""Looks inside a tokenizer: a text's stages, every step with its picture. The engine runs it."""

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
from explorer.panes.tokenizers.encoding.frames import (
    Told,
    lattice_frames,
    match_frames,
    merge_frames,
)
from explorer.panes.tokenizers.encoding.numbers import stage_numbers
from explorer.panes.tokenizers.encoding.scenes import (
    Frame,
    LatticeFrame,
    LatticeScene,
    Number,
    Scene,
)

WITH_DROPOUT = (ByteLevelBPE, SentencePieceBPE)
LONGEST = 200  # characters: a sentence
PATHS = 5  # of the n best
STAGES = ("normalizer", "pre-tokenizer", "model", "post-processor")
OTHERS = (
    "Another library runs this tokenizer: the output of each stage is shown, but not how its model "
    "gets there. Most others here run on code that can be looked into."
)
_PARTS = ("encoding.special", "encoding.whole", "encoding.model")  # each is told of one part
_EARLY = ("encoding.pre-tokenizer", "encoding.special", "encoding.whole")


@dataclass(frozen=True)
class Moment:
    """One step as it is played.

    stage  which of STAGES it belongs to
    word   the part of the pre-tokenizer's that it happens in; -1 where it is the whole text
    scene  the word that it happens in, and how far that has come; None outside of the model
    numbers  what stands for the letters of its formula; () where its values do
    """

    step: Step
    stage: int
    word: int = -1
    scene: Scene | None = None
    frame: Frame | None = None
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True)
class Inside:
    """A text under one tokenizer of a kind; `why` says why there are no pictures of words."""

    text: str
    kind: str
    stages: tuple[Stage, ...]
    ids: tuple[int, ...]
    moments: tuple[Moment, ...]
    why: str = ""


def look_inside(
    tokenizer: Any,
    text: str,
    alpha: float = 1.0,
    dropout: float = 0.0,
    seed: int = 0,
    specials: bool = True,
) -> Inside:
    """Everything that Inside shows of a text of at most LONGEST characters.

    alpha    how much scores count where Unigram draws a way
    dropout  how likely a BPE passes over a merge
    seed     of what is drawn

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
        generator = drawn(seed)
        trace = trace_encoding(
            tokenizer, text, specials=specials, dropout=drops, generator=generator
        )
    except ValueError as error:
        return Inside(*known, (), str(error))
    why = OTHERS if isinstance(tokenizer, LibraryTokenizer) else ""
    moments = [
        one
        if one.scene is not None and one.step.name != "encoding.model"
        else replace(one, numbers=stage_numbers(tokenizer, one.step, encoding.pieces, encoding.ids))
        for one in _moments(tokenizer, trace, alpha, seed)
    ]
    return Inside(*known, tuple(moments), why)


def drawn(seed: int) -> np.random.Generator:
    """The chance of one look: the same for the trace and for what it is told of."""
    return np.random.default_rng(seed)


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
        for inner, scene, frame, numbers in _told(tokenizer, trace, index, word, alpha, seed):
            yield Moment(inner, 2, part, scene, frame, numbers)
        if isinstance(scene, LatticeScene):
            frame = LatticeFrame(len(word), path=scene.best.path.nodes)
        yield Moment(step, 2, part, scene, frame)


def _told(
    tokenizer: Any, trace: Trace, parent: int, word: str, alpha: float, seed: int
) -> Iterator[Told]:
    """The steps of one word, each with its picture; none where another library has made them."""
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


def step_of_way(moments: Sequence[Moment], seen: Moment | None, way: int) -> int | None:
    """The step that has shown a lattice's whole way: from 1 the n best, then the one drawn.

    It is the lattice that is seen, else the first one.
    """
    scene = seen.scene if seen is not None else None
    scene = scene or next((one.scene for one in moments if one.scene is not None), None)
    found = None
    for place, one in enumerate(moments):
        if one.scene is scene and isinstance(one.frame, LatticeFrame):
            assert isinstance(scene, LatticeScene)
            drawn_one = len(scene.n_best) + 1
            if way == (drawn_one if one.frame.way == "sample" else one.frame.rank):
                found = place
    return found


def step_of_draw(moments: Sequence[Moment]) -> int:
    """Where what was drawn is seen: the last step of a lattice's draw, else the end."""
    drawn_ones = [
        place
        for place, one in enumerate(moments)
        if isinstance(one.frame, LatticeFrame) and one.frame.way == "sample"
    ]
    return drawn_ones[-1] if drawn_ones else len(moments) - 1


def picture_near(moments: Sequence[Moment], place: int) -> Moment | None:
    """What a step without a picture of its own leads to: the next word as it ends; behind the last
    word, that one.
    """
    after = [one for one in moments[place:] if one.scene is not None]
    if after:
        return [one for one in after if one.scene is after[0].scene][-1]
    return next((one for one in reversed(moments[:place]) if one.scene is not None), None)
