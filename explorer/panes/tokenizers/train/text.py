"""What the mode says about a training: titles of steps, numbers of lanes, the headline. No Qt."""

from __future__ import annotations

import math

from core.numbers import THIN_SPACE, format_fixed, format_number
from core.tokenization.lockstep import LaneState, Preparing
from core.tokenization.steps import (
    AlphabetStep,
    CountingStep,
    ExpectStep,
    FinishStep,
    MaximizeStep,
    MergeStep,
    PruneStep,
    SeedStep,
)
from core.tokenization.telling import count, listed, percent, verb
from explorer.panes.tokenizers.pieces import text_of
from explorer.panes.tokenizers.train.recording import Recording

TOLD = 0.001  # of the text: what is lost below that changes no rank
SETUP = "Choose a text and up to four algorithms: they learn their pieces side by side."
BUSY = {
    "seeds": "collecting every string that appears twice",
    "expect": "counting over all ways to cut every word",
    "measure": "counting the tokens of the text",
    "prune": "asking what the text would lose without each piece",
}


def step_title(state: LaneState) -> str:
    """One line for the transport."""
    if state.error:
        return "gave up"
    step = state.step
    if state.done and not isinstance(step, FinishStep):
        return f"done with {pieces(state)}"
    match step:
        case AlphabetStep():
            return f"begins with {pieces(state)}, {each(step.algorithm)}"
        case MergeStep():
            left, right, joined = (
                text_of(step.algorithm, piece)
                for piece in (step.left_piece, step.right_piece, step.piece)
            )
            return f"{left} + {right} \u2192 {joined}, {count(step.count, 'time')}"
        case SeedStep():
            return f"begins with {pieces(state)}, far too many"
        case ExpectStep():
            trained = count(step.vocab_size, "trained piece")
            return f"round {step.round + 1}, E step: how often is each of {trained} used?"
        case MaximizeStep():
            return f"round {step.round + 1}, M step: new scores by these counts{rare(step)}"
        case PruneStep():
            return f"round {step.round + 1}: {dropped(state, step)}"
        case FinishStep():
            return f"done with {pieces(state)}"
    return "prepares"


def pieces(state: LaneState) -> str:
    """All pieces, as the vocabulary counts them, and how many of them are not trained."""
    untrained = state.vocab_size - getattr(state.step, "vocab_size", state.vocab_size)
    special = f" ({untrained:,} special)" if untrained else ""
    return f"{count(state.vocab_size, 'piece')}{special}"


def rare(step: MaximizeStep) -> str:
    """What an M step drops, after its own words."""
    gone = len(step.removed)
    return f", {count(gone, 'rare one')} {verb(gone, 'goes', 'go')}" if gone else ""


def dropped(state: LaneState, step: PruneStep) -> str:
    """What Unigram drops, and what is left."""
    gone = len(step.removed)
    goes = f"{count(gone, 'piece')} {verb(gone, 'goes', 'go')}"
    return f"{goes}, {pieces(state)} {verb(state.vocab_size, 'stays', 'stay')}"


def each(kind: str) -> str:
    """What a vocabulary needs at least."""
    return f"one for each {letter_of(kind)}, and the special tokens"


def letter_of(kind: str) -> str:
    """What the vocabulary of a kind begins with: "byte" or "character"."""
    return "byte" if kind == "bpe" else "character"


def busy(preparing: Preparing | None, recording: Recording) -> str:
    """What is done while there is no first moment yet, or within a long step."""
    if not recording.text.read:
        size = recording.text.size / 1000
        return f"reading the text: {size:,.0f} kB"
    if preparing is None:
        return "counting words"
    name = recording.names[preparing.lane]
    step = preparing.step
    if isinstance(step, CountingStep):
        return f"{name}: counting words, {step.characters / 1000:,.0f} thousand letters so far"
    return f"{name}: {BUSY.get(step.what, step.what)}, {step.done:,} so far"


def compression(recording: Recording, lane: int, index: int) -> str:
    """Bytes a token stands for; a dash where it is not known yet."""
    value = recording.bytes_per_token(lane, index)
    return format_fixed(value, 2) if math.isfinite(value) else "\u2013"


def lost(share: float) -> str:
    """How much of the text a lane's tokenizer loses; "" where it gives all of it back, or that is
    not known yet."""
    if not share > 0:
        return ""
    return f"loses {percent(share) if share >= TOLD else f'<0.1{THIN_SPACE}%'}"


def ended_early(wanted: int, state: LaneState) -> str:
    """Why a lane has fewer pieces than were wanted; "" where it has them."""
    if not state.done or state.error or state.vocab_size >= wanted:
        return ""
    return "text exhausted"


def headline(recording: Recording | None, index: int, state: str, error: str, live: bool) -> str:
    """One sentence: what you see now."""
    if recording is None:
        return SETUP
    if error:
        return "The training has stopped; the reason is given below."
    if not len(recording):
        return "Reading the text and counting its words."
    moment = recording.moments[min(index, len(recording) - 1)]
    best = _best(recording, moment.index)
    if state == "done" and index >= len(recording) - 1:
        names = zip(recording.names, moment.lanes, strict=True)
        gave_up = [name for name, lane in names if lane.error]
        if len(gave_up) == len(recording.names):
            return f"{listed(gave_up)} gave up: the reason is given below."
        what = f"Done, but {listed(gave_up)} gave up" if gave_up else "Done"
        return f"{what}: {best}" if best else f"{what}. Play shows it again."
    number = moment.index + 1  # as the transport counts
    where = f"Step {number:,} of about {recording.expected + 1:,}"
    if state == "done":
        where = f"Step {number:,} of {len(recording):,}"
    elif live and state == "paused":
        where = f"Paused at step {number:,}"
    if moment.index == 0:
        plays = "shows how they grew" if state == "done" else "trains them in lock step"
        return f"{where}: the first pieces of each. Play {plays}."
    return best or f"{where}."  # the transport counts the steps


def _best(recording: Recording, index: int) -> str:
    """Which lane packs the most text into a token, once it is known what each of them loses: to
    leave letters out saves tokens, and is no thrift. "" before.
    """
    lanes = [lane for lane, state in enumerate(recording.moments[index].lanes) if not state.error]
    values = {lane: recording.bytes_per_token(lane, index) for lane in lanes}
    known = {lane: value for lane, value in values.items() if math.isfinite(value)}
    shares = {lane: recording.lost(lane) for lane in known}
    if not known or any(map(math.isnan, shares.values())):
        return ""
    lossy = [lane for lane in known if shares[lane] >= TOLD]
    whole = {lane: value for lane, value in known.items() if lane not in lossy}
    told = [f"{recording.names[lane]} {lost(shares[lane])}" for lane in lossy[:1]]
    if len(lossy) > 1:
        told = [f"{len(lossy)} {'others' if whole else 'of them'} lose part of the text"]
    if whole:
        most = max(whole.values())
        best = [recording.names[lane] for lane, value in whole.items() if value == most]
        verb = "packs" if len(best) == 1 else "pack"
        text = f"the most text into a token: {format_number(most)} bytes"
        alone = f"a token stands for {format_number(most)} bytes"
        among = f"{listed(best)} {verb} {text}"
        told.insert(0, among if len(recording.names) > 1 else alone)
    return "; ".join(told) + "."
