"""What a lane's card shows of its step: the merge with its rivals, scores, what has come or gone.

Knows no Qt.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.numbers import format_number
from core.tokenization.lockstep import LaneState
from core.tokenization.steps import (
    AlphabetStep,
    ExpectStep,
    FinishStep,
    MaximizeStep,
    MergeStep,
    PruneStep,
    SeedStep,
)
from core.tokenization.telling import count, verb
from explorer.panes.tokenizers.pieces import bytes_of, text_of
from explorer.panes.tokenizers.train.recording import Recording
from explorer.panes.tokenizers.train.text import compression, ended_early, letter_of, lost, pieces

BARS = 5
MOST_CHIPS = 40


@dataclass(frozen=True)
class Chip:
    """A piece: its text and its bytes, which give it its color."""

    text: str
    data: bytes


@dataclass(frozen=True)
class Bar:
    """`share` of the longest; `strong`: what the step chose or keeps, the others lost or go."""

    text: str
    share: float
    value: str
    strong: bool = False


@dataclass(frozen=True)
class LaneFace:
    """One lane at one moment.

    state    "merge", "words", "done", "lossy" (done, but it loses text) or "error"
    merge    left, right and joined piece, where state is "merge"
    sentence what happens, in words
    caption  what the bars measure
    title    what the chips are
    gone     the chips have left the vocabulary
    """

    state: str
    sentence: str
    merge: tuple[Chip, ...] = ()
    caption: str = ""
    bars: tuple[Bar, ...] = ()
    title: str = ""
    chips: tuple[Chip, ...] = ()
    gone: bool = False


class LaneFaces:
    """The faces of a recording; each is made once."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._known: dict[tuple[int, int, bool], LaneFace] = {}

    def face(self, lane: int, index: int) -> LaneFace:
        state = self._recording.state(lane, index)
        key = (lane, state.number, state.done)
        if key not in self._known:
            if len(self._known) > 20_000:
                self._known.clear()
            self._known[key] = self._make(lane, state)
        return self._known[key]

    def _make(self, lane: int, state: LaneState) -> LaneFace:
        if state.error:
            return LaneFace("error", state.error)
        kind = self._recording.plans[lane].kind
        face = step_face(kind, state)
        if isinstance(state.step, MergeStep | AlphabetStep):
            newest = self._newest(kind, lane, state.number)
            face = replace(face, title="newest", chips=newest)
        if state.done:
            early = ended_early(self._recording.wanted[lane], state)
            sentence = early or f"done: {count(state.vocab_size, 'piece')}"
            loses = lost(state.lost)
            if loses:
                sentence = f"{loses} of the text" + (f"; {early}" if early else "")
            face = replace(face, state="lossy" if loses else "done", sentence=sentence, merge=())
        return face

    def _newest(self, kind: str, lane: int, number: int) -> tuple[Chip, ...]:
        states = self._recording.states(lane)[max(0, number - MOST_CHIPS) : number]
        steps = [state.step for state in reversed(states)]
        return chips(kind, [step.piece for step in steps if isinstance(step, MergeStep)])


@dataclass(frozen=True)
class LaneWords:
    """What stands above a face: name, pieces now, bytes a token stands for, and the share of its
    own steps that the lane has made.
    """

    name: str
    pieces: str
    facts: str
    progress: float = 0.0


def lane_words(recording: Recording, lane: int, index: int) -> LaneWords:
    """What stands above the face of a lane at a moment."""
    state = recording.state(lane, index)
    return LaneWords(
        recording.names[lane],
        count(state.vocab_size, "piece"),
        f"{compression(recording, lane, index)} bytes a token",
        state.progress,
    )


def chips(kind: str, pieces: Iterable[str]) -> tuple[Chip, ...]:
    return tuple(Chip(text_of(kind, piece), bytes_of(kind, piece)) for piece in pieces)


def step_face(kind: str, state: LaneState) -> LaneFace:
    """What one step shows by itself."""
    match state.step:
        case MergeStep() as step:
            return _merge(kind, step)
        case AlphabetStep() as step:
            best = sorted(range(len(step.pieces)), key=lambda place: -step.counts[place])[:BARS]
            return LaneFace(
                "words",
                f"begins with {pieces(state)}",
                caption=f"most frequent {letter_of(kind)}s",
                bars=_bars(kind, [(step.pieces[place], step.counts[place]) for place in best]),
            )
        case SeedStep() as step:
            return _scored(kind, step, f"begins with {pieces(state)}")
        case ExpectStep() as step:
            return LaneFace(
                "words",
                f"E step of round {step.round + 1}: {format_number(step.objective, 4)} nats a word",
                caption="expected uses in the text",
                bars=_largest(kind, step.pieces, step.expected),
            )
        case MaximizeStep() as step:
            gone = chips(kind, [piece for piece, _ in step.removed[:MOST_CHIPS]])
            title = f"too rare, gone ({len(step.removed):,})"
            face = _scored(kind, step, f"M step of round {step.round + 1}: new scores")
            return replace(face, title=title, chips=gone, gone=True)
        case PruneStep() as step:
            return _prune(kind, state, step)
        case FinishStep() as step:
            best = chips(kind, _long_ones(step.pieces, step.scores, MOST_CHIPS))
            face = _scored(kind, step, f"{pieces(state)} {verb(state.vocab_size, 'stays', 'stay')}")
            return replace(face, title="best pieces", chips=best)
    return LaneFace("words", "prepares")


def _scored(kind: str, step: SeedStep | MaximizeStep | FinishStep, sentence: str) -> LaneFace:
    """A vocabulary with its scores: the likeliest pieces."""
    bars = _likeliest(kind, step.pieces, step.scores)
    return LaneFace("words", sentence, caption="likeliest of several letters, \u2030", bars=bars)


def _merge(kind: str, step: MergeStep) -> LaneFace:
    likelihood = step.algorithm == "wordpiece-likelihood"
    compared = [(step.left_piece, step.right_piece, step.score, step.count)]
    compared += [(one.left_piece, one.right_piece, one.score, one.count) for one in step.rivals]
    top = max((abs(score) for _, _, score, _ in compared), default=1.0) or 1.0
    bars = tuple(
        Bar(
            f"{text_of(kind, left)} {text_of(kind, right)}",
            max(0.0, score) / top,
            format_number(score) if likelihood else f"{count:,}",
            place == 0,
        )
        for place, (left, right, score, count) in enumerate(compared[:BARS])
    )
    return LaneFace(
        "merge",
        "",
        chips(kind, (step.left_piece, step.right_piece, step.piece)),
        "count / (count of left \u00d7 of right)" if likelihood else "pairs in the text",
        bars,
    )


def _prune(kind: str, state: LaneState, step: PruneStep) -> LaneFace:
    """The threshold: the dearest pieces that go, the cheapest that stay."""
    gone = [(piece, loss) for piece, loss in step.removed if math.isfinite(loss)][-3:]
    finite = np.flatnonzero(np.isfinite(step.losses))
    cheapest = finite[np.argsort(step.losses[finite], kind="stable")[: BARS - len(gone)]]
    kept = [(step.pieces[place], float(step.losses[place])) for place in cheapest]
    top = max((abs(loss) for _, loss in (*gone, *kept)), default=1.0) or 1.0
    rows = [(piece, loss, False) for piece, loss in gone] + [(p, loss, True) for p, loss in kept]
    return LaneFace(
        "words",
        f"prunes: {len(step.removed):,} {verb(len(step.removed), 'goes', 'go')}, "
        f"{state.vocab_size:,} {verb(state.vocab_size, 'stays', 'stay')}",
        caption="what the text loses without it",
        bars=tuple(
            Bar(text_of(kind, piece), abs(loss) / top, format_number(loss), strong)
            for piece, loss, strong in rows
        ),
        title=f"gone ({len(step.removed):,})",
        chips=chips(kind, [piece for piece, _ in step.removed[-MOST_CHIPS:]][::-1]),
        gone=True,
    )


def _bars(kind: str, rows: Sequence[tuple[str, float]]) -> tuple[Bar, ...]:
    top = max((value for _, value in rows), default=1) or 1
    return tuple(Bar(text_of(kind, p), value / top, f"{value:,.0f}", True) for p, value in rows)


def _largest(kind: str, pieces: Sequence[str], values: np.ndarray) -> tuple[Bar, ...]:
    best = _several_letters(pieces, values)[:BARS]
    return _bars(kind, [(pieces[place], float(values[place])) for place in best])


def _likeliest(kind: str, pieces: Sequence[str], scores: np.ndarray) -> tuple[Bar, ...]:
    best = _several_letters(pieces, scores)[:BARS]
    likely = [math.exp(float(scores[place])) for place in best]
    top = max(likely, default=1.0) or 1.0
    return tuple(
        Bar(text_of(kind, pieces[place]), value / top, format_number(1000 * value), True)
        for place, value in zip(best, likely, strict=True)
    )


def _long_ones(pieces: Sequence[str], scores: np.ndarray, most: int) -> list[str]:
    return [pieces[place] for place in _several_letters(pieces, scores)[:most]]


def _several_letters(pieces: Sequence[str], values: np.ndarray) -> list[int]:
    """Places of pieces with more than one character, the largest value first."""
    several = np.array([len(piece) > 1 for piece in pieces], dtype=bool)
    ranked = np.where(several, np.asarray(values, dtype=np.float64), -np.inf)
    count = min(MOST_CHIPS, int(several.sum()))
    if not count:
        return []
    best = np.argpartition(-ranked, count - 1)[:count]
    return best[np.argsort(-ranked[best], kind="stable")].tolist()
