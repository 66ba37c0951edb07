"""The inspector's content for a lane's step: formula, lines of core, live numbers."""

from __future__ import annotations

import math
from typing import Any

from core.substitution import arithmetic
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
from core.tokenization.telling import verb
from core.tokenization.training_trace import trace_training_step
from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.pieces import text_of
from explorer.panes.tokenizers.train.compute import Recording
from explorer.panes.tokenizers.train.text import SYMBOLS, step_title
from explorer.panes.tokenizers.train.track import MergeTrack
from explorer.widgets.live_numbers import Equation


def inspection(recording: Recording, lane: int, index: int) -> Inspection:
    """Returns the inspection of a lane's step at a moment."""
    state = recording.state(lane, index)
    step = trace_training_step(state.step) if state.step is not None else None
    rows = [*_symbols(step), *numbers(recording.plans[lane].kind, state)]
    per_token = recording.bytes_per_token(lane, index)
    if math.isfinite(per_token):
        note = f"= {recording.text_size:,} / {state.tokens:,.0f}"
        rows.append(Equation("bytes per token", per_token, "text", note))
    title = f"{recording.names[lane]}: {step_title(state)}"
    return Inspection(step, rows, title=title, plain=True)


def part_inspection(recording: Recording, track: MergeTrack, step: int) -> Inspection:
    """Returns the inspection of a step inside a merge."""
    part = track.item(step)
    state = recording.state(track.lane, track.moment)
    kind, merge = recording.plans[track.lane].kind, state.step
    assert isinstance(merge, MergeStep)
    before = recording.state(track.lane, track.moment - 1).tokens
    match part.name:
        case "training.merge":
            rows: list[Any] = [
                Equation("a", text_of(kind, merge.left_piece), note=f"id {merge.left:,}"),
                Equation("b", text_of(kind, merge.right_piece), note=f"id {merge.right:,}"),
                Equation("ab", text_of(kind, merge.piece), "attention", f"id {merge.token:,}"),
            ]
        case "training.update":
            rows = [
                Equation("n before", f"{before:,.0f}", note="tokens in the text"),
                Equation("joined", f"{before - merge.tokens:,.0f}", note="times"),
                Equation("n", f"{merge.tokens:,}", "attention"),
            ]
        case _:
            rows = _merge(kind, merge)
    title = f"{recording.names[track.lane]}: {part.title}"
    return Inspection(part, [*_symbols(part), *rows], title=title, plain=True)


def _symbols(step: Step | None) -> list[Any]:
    """Returns the meaning of the symbols in a step's formula."""
    return [SYMBOLS[step.name]] if step is not None and step.name in SYMBOLS else []


def numbers(kind: str, state: LaneState) -> list[Any]:
    """Returns the step's own numbers, one per row."""
    match state.step:
        case MergeStep() as step:
            rows = _merge(kind, step)
            if state.done and round(state.tokens) not in (0, step.tokens):
                note = "as the finished tokenizer splits it"
                rows.append(Equation("tokens at the end", round(state.tokens), "attention", note))
            return rows
        case AlphabetStep() as step:
            return [
                Equation("pieces", step.vocab_size),
                Equation("tokens in the text", step.tokens),
            ]
        case SeedStep():
            return [_pieces(state)]
        case ExpectStep() as step:
            return [
                Equation("objective", step.objective, "attention", "nats per word"),
                Equation("expected tokens", step.tokens),
                _pieces(state),
            ]
        case MaximizeStep() as step:
            best = int(step.scores.argmax())
            name = f"score of {text_of(kind, step.pieces[best])}"
            return [
                _pieces(state),
                Equation("dropped as too rare", len(step.removed)),
                Equation(name, float(step.scores[best]), note="the best piece"),
            ]
        case PruneStep() as step:
            rows = [
                _pieces(state, "pieces kept"),
                Equation("pieces dropped", len(step.removed)),
            ]
            if step.removed:
                piece, loss = step.removed[-1]
                rows.append(Equation(f"loss without {text_of(kind, piece)}", loss, note="dropped"))
            return rows
        case FinishStep() as step:
            rows = [_pieces(state), Equation("left out", len(step.removed))]
            if state.done and state.tokens:
                rows.append(Equation("tokens in the text", round(state.tokens)))
            return rows
    return []


def _pieces(state: LaneState, name: str = "pieces") -> Equation:
    """Returns the size of Unigram's vocabulary, as on its card."""
    untrained = state.vocab_size - getattr(state.step, "vocab_size", state.vocab_size)
    note = f"{untrained:,} of them special and not trained" if untrained else ""
    return Equation(name, state.vocab_size, note=note)


def _merge(kind: str, step: MergeStep) -> list[Any]:
    """Returns the merged pair, its score, its rivals, and the sizes after the merge."""
    pair = f"{text_of(kind, step.left_piece)} {text_of(kind, step.right_piece)}"
    times = verb(step.count, "time", "times")
    rows = [Equation(pair, step.count, "attention", f"{times} in the text; this pair is merged")]
    by_likelihood = step.algorithm == "wordpiece-likelihood"
    if by_likelihood:
        told = arithmetic(trace_training_step(step))
        rows.append(Equation("score", told.result, "attention", f"= {told.expression}"))
    for rival in step.rivals:
        name = f"{text_of(kind, rival.left_piece)} {text_of(kind, rival.right_piece)}"
        rows.append(Equation(name, rival.score if by_likelihood else rival.count, "muted"))
    return [
        *rows,
        Equation("pieces", step.vocab_size),
        Equation("tokens in the text", step.tokens),
    ]
