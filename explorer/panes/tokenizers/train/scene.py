"""The data of cards and curves: a lane's merge with its rivals, its scores and its new or dropped
pieces at a moment; a lane's numbers over all moments. No Qt.
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
from core.tokenization.telling import count
from explorer.panes.tokenizers.pieces import SymbolFace, face_of, text_of
from explorer.panes.tokenizers.train import text
from explorer.panes.tokenizers.train.compute import Recording

BARS = 5
MOST_CHIPS = 40
CURVES = ("bytes", "size", "count", "objective")


@dataclass(frozen=True)
class Bar:
    """A bar, `share` of the longest; `strong` if the step chose or keeps it."""

    text: str
    share: float
    value: str
    strong: bool = False


@dataclass(frozen=True)
class Card:
    """One lane at one moment.

    name, pieces, facts  its head: name, size, bytes per token
    progress  the share of its own steps made so far
    state     "merge", "words", "done", "lossy" (done, but it loses text) or "error"
    sentence  the step in words
    merge     left, right and joined piece if the state is "merge"
    caption   the quantity of the bars
    title     the heading of the chips
    gone      True if the chips have been dropped from the vocabulary
    """

    name: str = ""
    pieces: str = ""
    facts: str = ""
    progress: float = 0.0
    state: str = "words"
    sentence: str = ""
    merge: tuple[SymbolFace, ...] = ()
    caption: str = ""
    bars: tuple[Bar, ...] = ()
    title: str = ""
    chips: tuple[SymbolFace, ...] = ()
    gone: bool = False


class Cards:
    """The cards of a recording. Caches the newest of each lane, since every frame of a transition
    needs it.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._newest: dict[int, tuple[LaneState, Card]] = {}

    def card(self, lane: int, index: int) -> Card:
        state = self._recording.state(lane, index)
        known = self._newest.get(lane)
        if known is None or known[0] is not state:
            known = self._newest[lane] = state, self._make(lane, index, state)
        return known[1]

    def _make(self, lane: int, index: int, state: LaneState) -> Card:
        recording = self._recording
        kind = recording.plans[lane].kind
        card = step_card(kind, state)
        if state.error:
            card = Card(state="error", sentence=state.error)
        elif isinstance(state.step, MergeStep | AlphabetStep):
            card = replace(card, title="newest", chips=self._newest_pieces(kind, lane, state))
        if state.done and not state.error:
            kept = "lossy" if text.lost(state.lost) else "done"
            sentence = text.ended(recording.wanted[lane], state)
            card = replace(card, state=kept, sentence=sentence, merge=())
        return replace(
            card,
            name=recording.names[lane],
            pieces=count(state.vocab_size, "piece"),
            facts=text.compression(recording, lane, index),
            progress=state.progress,
        )

    def _newest_pieces(self, kind: str, lane: int, state: LaneState) -> tuple[SymbolFace, ...]:
        number = state.number
        states = self._recording.states(lane)[max(0, number - MOST_CHIPS) : number]
        steps = [state.step for state in reversed(states)]
        return _chips(kind, [step.piece for step in steps if isinstance(step, MergeStep)])


def step_card(kind: str, state: LaneState) -> Card:
    """Returns the content of a step, without the lane's head."""
    match state.step:
        case MergeStep() as step:
            return _merge(kind, step)
        case AlphabetStep() as step:
            best = sorted(range(len(step.pieces)), key=lambda place: -step.counts[place])[:BARS]
            return Card(
                sentence=f"begins with {text.pieces(state)}",
                caption=f"most frequent {text.letter_of(kind)}s",
                bars=_bars(kind, [(step.pieces[place], step.counts[place]) for place in best]),
            )
        case SeedStep() as step:
            return _scored(kind, step, f"begins with {text.pieces(state)}")
        case ExpectStep() as step:
            objective = format_number(step.objective, 4)
            best = _long_ones(step.pieces, step.expected)[:BARS]
            return Card(
                sentence=f"the E step of round {step.round + 1} estimates how often each piece is "
                f"used (average loss: {objective} nats per word)",
                caption="expected uses in the text",
                bars=_bars(kind, [(step.pieces[at], float(step.expected[at])) for at in best]),
            )
        case MaximizeStep() as step:
            return replace(
                _scored(
                    kind, step, f"the M step of round {step.round + 1} gives each piece a new score"
                ),
                title=f"dropped as too rare ({len(step.removed):,})",
                chips=_chips(kind, [piece for piece, _ in step.removed[:MOST_CHIPS]]),
                gone=True,
            )
        case PruneStep() as step:
            return _prune(kind, state, step)
        case FinishStep() as step:
            best = _long_ones(step.pieces, step.scores)
            return replace(
                _scored(kind, step, f"keeps {text.pieces(state)}"),
                title="best pieces",
                chips=_chips(kind, [step.pieces[place] for place in best]),
            )
    return Card(sentence="prepares")


def _merge(kind: str, step: MergeStep) -> Card:
    by_likelihood = step.algorithm == "wordpiece-likelihood"
    caption = (
        "count of pair / (left \u00d7 right count)" if by_likelihood else "most frequent pairs"
    )
    compared = [(step.left_piece, step.right_piece, step.score, step.count)]
    compared += [(one.left_piece, one.right_piece, one.score, one.count) for one in step.rivals]
    top = max((abs(score) for _, _, score, _ in compared), default=1.0) or 1.0
    bars = tuple(
        Bar(
            f"{text_of(kind, left)} {text_of(kind, right)}",
            max(0.0, score) / top,
            format_number(score) if by_likelihood else f"{count:,}",
            place == 0,
        )
        for place, (left, right, score, count) in enumerate(compared[:BARS])
    )
    return Card(
        state="merge",
        merge=_chips(kind, (step.left_piece, step.right_piece, step.piece)),
        caption=caption,
        bars=bars,
    )


def _prune(kind: str, state: LaneState, step: PruneStep) -> Card:
    """Returns the card of a pruning: the pieces on both sides of the threshold."""
    gone = [(piece, loss) for piece, loss in step.removed if math.isfinite(loss)][-3:]
    finite = np.flatnonzero(np.isfinite(step.losses))
    cheapest = finite[np.argsort(step.losses[finite], kind="stable")[: BARS - len(gone)]]
    kept = [(step.pieces[place], float(step.losses[place])) for place in cheapest]
    top = max((abs(loss) for _, loss in (*gone, *kept)), default=1.0) or 1.0
    rows = [(piece, loss, False) for piece, loss in gone] + [(p, loss, True) for p, loss in kept]
    return Card(
        sentence=f"drops {count(len(step.removed), 'piece')} and keeps {state.vocab_size:,}",
        caption="likelihood lost without a piece",
        bars=tuple(
            Bar(text_of(kind, piece), abs(loss) / top, format_number(loss), strong)
            for piece, loss, strong in rows
        ),
        title=f"dropped ({len(step.removed):,})",
        chips=_chips(kind, [piece for piece, _ in step.removed[-MOST_CHIPS:]][::-1]),
        gone=True,
    )


def _scored(kind: str, step: SeedStep | MaximizeStep | FinishStep, sentence: str) -> Card:
    """Returns the card of a vocabulary: its most probable pieces, in per mille."""
    best = _long_ones(step.pieces, step.scores)[:BARS]
    rows = [(step.pieces[place], 1000 * math.exp(float(step.scores[place]))) for place in best]
    return Card(
        sentence=sentence,
        caption="probability of long pieces, \u2030",
        bars=_bars(kind, rows, format_number),
    )


def _chips(kind: str, pieces: Iterable[str]) -> tuple[SymbolFace, ...]:
    return tuple(face_of(kind, piece) for piece in pieces)


def _bars(kind: str, rows: Sequence[tuple[str, float]], told=lambda value: f"{value:,.0f}"):
    top = max((value for _, value in rows), default=1) or 1
    return tuple(Bar(text_of(kind, piece), value / top, told(value), True) for piece, value in rows)


def _long_ones(pieces: Sequence[str], values: np.ndarray) -> list[int]:
    """Returns the indices of pieces of more than one character, the largest value first."""
    several = np.array([len(piece) > 1 for piece in pieces], dtype=bool)
    ranked = np.where(several, np.asarray(values, dtype=np.float64), -np.inf)
    count = min(MOST_CHIPS, int(several.sum()))
    if not count:
        return []
    best = np.argpartition(-ranked, count - 1)[:count]
    return best[np.argsort(-ranked[best], kind="stable")].tolist()


class Curves:
    """Four numbers of each lane by common step."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.names = recording.names
        self._columns: dict[str, list[list[float]]] = {
            name: [[] for _ in recording.lanes] for name in CURVES
        }
        self._numbers = [0 for _ in recording.lanes]
        self.length = 0

    def grow(self) -> None:
        """Appends the new moments of the recording."""
        recording = self._recording
        for index in range(self.length, len(recording)):
            for lane, state in enumerate(recording.moments[index].lanes):
                is_fresh = state.number != self._numbers[lane]
                self._numbers[lane] = state.number
                merges = is_fresh and isinstance(state.step, MergeStep)
                values = (
                    recording.bytes_per_token(lane, index),
                    float(state.vocab_size) if state.vocab_size else math.nan,
                    float(state.step.count) if merges else math.nan,  # type: ignore[union-attr]
                    state.objective,
                )
                for name, value in zip(CURVES, values, strict=True):
                    self._columns[name][lane].append(value)
            self.length = index + 1

    def values(self, name: str) -> dict[int, np.ndarray]:
        """Returns the values of a curve by lane; lanes without values are left out."""
        columns = {lane: np.array(values) for lane, values in enumerate(self._columns[name])}
        return {lane: one for lane, one in columns.items() if np.isfinite(one).any()}
