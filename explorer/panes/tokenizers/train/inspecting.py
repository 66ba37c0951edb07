"""What the inspector shows of a lane's step: formula, lines of core, the live numbers."""

from __future__ import annotations

import math
from importlib import import_module
from importlib.util import find_spec
from typing import Any

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
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.pieces import text_of
from explorer.panes.tokenizers.train.recording import Recording
from explorer.panes.tokenizers.train.words import step_title
from explorer.widgets.live_numbers import Equation


def inspection(recording: Recording, lane: int, index: int) -> Inspection:
    """The step of a lane at a moment."""
    state = recording.state(lane, index)
    step = traced(state)
    rows = numbers(recording.plans[lane].kind, state)
    per_token = recording.bytes_per_token(lane, index)
    if math.isfinite(per_token):
        note = f"of {recording.text.size:,} bytes"
        rows.append(Equation("bytes a token", per_token, "text", note))
    return Inspection(step, rows, title=f"{recording.names[lane]}: {step_title(state)}")


def traced(state: LaneState) -> Any:
    """The step as core tells it; None where core does not tell steps of training."""
    if state.step is None or find_spec("core.tokenization.training_trace") is None:
        return None
    return import_module("core.tokenization.training_trace").trace_training_step(state.step)


def numbers(kind: str, state: LaneState) -> list[Any]:
    """The step's own numbers, one a row."""
    match state.step:
        case MergeStep() as step:
            return _merge(kind, step)
        case AlphabetStep() as step:
            return [
                Equation("pieces", step.vocab_size),
                Equation("tokens of the text", step.tokens),
            ]
        case SeedStep() as step:
            return [_pieces(state)]
        case ExpectStep() as step:
            return [
                Equation("objective", step.objective, "attention", "nats a word"),
                Equation("expected tokens", step.tokens),
                _pieces(state),
            ]
        case MaximizeStep() as step:
            rows: list[Any] = [
                _pieces(state),
                Equation("too rare, gone", len(step.removed)),
            ]
            best = int(step.scores.argmax())
            name = text_of(kind, step.pieces[best])
            return [*rows, Equation(f"score of {name}", float(step.scores[best]), note="the best")]
        case PruneStep() as step:
            rows = [
                _pieces(state, "pieces that stay"),
                Equation("pieces that go", len(step.removed)),
            ]
            if step.removed:
                piece, loss = step.removed[-1]
                rows.append(Equation(f"loss without {text_of(kind, piece)}", loss, note="it goes"))
            return rows
        case FinishStep() as step:
            return [_pieces(state), Equation("left out", len(step.removed))]
    return []


def _pieces(state: LaneState, name: str = "pieces") -> Equation:
    """The vocabulary of Unigram, as its card counts it."""
    untrained = state.vocab_size - getattr(state.step, "vocab_size", state.vocab_size)
    note = f"{untrained:,} of them need no training" if untrained else ""
    return Equation(name, state.vocab_size, note=note)


def _merge(kind: str, step: MergeStep) -> list[Any]:
    pair = f"{text_of(kind, step.left_piece)} {text_of(kind, step.right_piece)}"
    rows: list[Any] = [Equation(pair, step.count, "attention", "times in the text: the best pair")]
    likelihood = step.algorithm == "wordpiece-likelihood"
    if likelihood:
        rows.append(Equation("its score", step.score, "attention", "count / (left \u00d7 right)"))
    for rival in step.rivals:
        name = f"{text_of(kind, rival.left_piece)} {text_of(kind, rival.right_piece)}"
        rows.append(Equation(name, rival.score if likelihood else rival.count, "muted"))
    rows.append(Equation("pieces", step.vocab_size))
    rows.append(Equation("tokens of the text", step.tokens))
    return rows
