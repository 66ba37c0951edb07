"""The texts of Train: notes of the setup, titles of steps, numbers of lanes, the headline."""

from __future__ import annotations

import math
from pathlib import Path

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
from core.tokenization.telling import average, count, listed, share_said, verb
from explorer.panes.tokenizers.pieces import text_of
from explorer.panes.tokenizers.train.algorithms import algorithm_of
from explorer.panes.tokenizers.train.compute import Recording, Survey
from explorer.panes.tokenizers.train.draft import NUMBERS, STORIES, TYPED, Lane
from explorer.state.typed_numbers import read_for

SETUP = "Choose a text and up to four algorithms, which learn their pieces from it side by side."
START = "Train the tokenizers side by side, step by step (Enter)"
CHANGES = {  # names of changes in Undo
    "corpus": "Text",
    "kilobytes": "Kilobytes",
    "vocab_size": "Vocabulary",
    "lanes": "The algorithms",
    "sample": "Sample",
    "typed": "Your text",
}
USES = {  # actions for a finished tokenizer
    "save": "Save\u2026",
    "train": "Train a model with it",
    "compare": "Compare it with others",
    "inside": "Look inside it",
}
CURVES = {"size": "Vocabulary", "count": "Pair counts", "objective": "Objective"}
AXES = {
    "bytes": "bytes per token",
    "size": "pieces",
    "count": "count of the merged pair",
    "objective": "Unigram: nats per word",
}
NO_CURVE = {
    "bytes": "no step yet",
    "size": "no step yet",
    "count": "none of these algorithms merges pairs",
    "objective": "only Unigram has an objective",
}
BUSY = {
    "seeds": "collecting every string that appears at least twice",
    "expect": "weighing all ways to cut every word",
    "measure": "counting the tokens of the text",
    "prune": "estimating what the text would lose without each piece",
}
SYMBOLS = {  # meaning of the symbols in a step's formula: the inspector's first row
    "training.alphabet": "V\u2080 is the vocabulary that training begins with.",
    "training.choose": "a and b are two pieces, and count(a b) is how often b follows a in the "
    "text.",
    "training.merge": "Wherever b follows a, the piece ab takes the place of both.",
    "training.update": "n is the number of tokens in the text.",
    "training.seed": "p is the probability of a piece x, and |x| is its length; the sum is over "
    "all pieces y.",
    "training.expect": "E stands for expectation. c is how often a piece x is used; a word w "
    "occurs n times in the text, and s is a way to cut it, with probability P. The loss of a word "
    "is the negative natural logarithm of its probability; its unit is the nat.",
    "training.maximize": "M stands for maximization. p is the probability of a piece x, and c is "
    "how often it is used. \u03c8 is the digamma function, which is nearly a logarithm but makes "
    "rare pieces rarer.",
    "training.prune": "f is how often a word uses the piece x on average, and p is its "
    "probability. s\u2032 is the best way to spell x with other pieces, whose probabilities would "
    "then be p\u2032.",
    "training.finish": "V is the vocabulary, p is the probability of a piece x, and k is the "
    "number of pieces that there is still room for.",
}
UNKNOWN = "\u2013"  # in place of a number not known yet
EXHAUSTED = "the text yields no more pieces"
N_BYTES = 256  # all in a byte-level vocabulary
TOLD = 0.001  # share of the text; a tokenizer that loses less counts as lossless in the ranking


# the setup ---------------------------------------------------------------------------------------


def text_note(survey: Survey, corpus: str) -> str:
    """Describes the origin of the text, or notes that only its beginning is read."""
    if corpus == STORIES:
        return "This program makes up these short stories, and can make as many as you like."
    return "" if survey.whole else "Only the beginning of the text is read."


def lane_note(survey: Survey, lane: Lane, common: int) -> tuple[str, str]:
    """Returns a note on the possible sizes of a lane and the error of its size, or "". `common` is
    the size of lanes without their own.
    """
    if lane.pieces:
        try:
            read_for(NUMBERS["vocab_size"], lane.pieces)
        except ValueError as error:
            return "", str(error)
    size, lane = lane.size(common), lane.unsized
    if lane in survey.errors:
        return "", survey.errors[lane]
    limits = survey.limits.get(lane)
    if limits is None:
        return "finding out what this text allows", ""
    smallest, largest = limits.smallest, limits.largest
    if size and size < smallest:
        title = algorithm_of(lane.kind).title
        least = f"{count(smallest, 'piece')} here: {alphabet(lane.kind, smallest)}"
        return "", f"{title} needs at least {least}"
    if largest is None:
        return f"this text allows {count(smallest, 'piece')} or more", ""
    if size > largest:
        return f"this text yields at most {count(largest, 'piece')}: training ends there", ""
    return f"this text allows {smallest:,} to {count(largest, 'piece')}", ""


def tokenizer_title(name: str, pieces: int, corpus: str) -> str:
    """Returns the title of a finished tokenizer: "Unigram 1,000, stories"."""
    about = {STORIES: "stories", TYPED: "your text"}.get(corpus) or Path(corpus).stem
    return f"{name} {pieces:,}, {about}"


# steps -------------------------------------------------------------------------------------------


def step_title(state: LaneState) -> str:
    """Returns the title of a step, for the transport."""
    if state.error:
        return "stopped with an error"
    step = state.step
    if state.done and not isinstance(step, FinishStep):
        return f"finished with {pieces(state)}"
    match step:
        case AlphabetStep():
            size = count(state.vocab_size, "piece")
            return f"begins with {size} ({alphabet(step.algorithm, state.vocab_size)})"
        case MergeStep():
            left, right, joined = (
                text_of(step.algorithm, piece)
                for piece in (step.left_piece, step.right_piece, step.piece)
            )
            return f"{left} + {right} \u2192 {joined} ({count(step.count, 'time')} in the text)"
        case SeedStep():
            return f"begins with {pieces(state)}, which is far too many"
        case ExpectStep():
            asked = f"how often each of {count(step.vocab_size, 'trained piece')} is used"
            return f"the E step of round {step.round + 1} estimates {asked}"
        case MaximizeStep():
            gone = len(step.removed)
            rare = f" and drops {count(gone, 'rare piece')}" if gone else ""
            return (
                f"the M step of round {step.round + 1} computes new scores from these counts{rare}"
            )
        case PruneStep():
            gone = count(len(step.removed), "piece")
            return f"round {step.round + 1} drops {gone} and keeps {pieces(state)}"
        case FinishStep():
            return f"finished with {pieces(state)}"
    return "prepares"


def pieces(state: LaneState) -> str:
    """Returns the size of the vocabulary and the number of special, untrained pieces."""
    untrained = state.vocab_size - getattr(state.step, "vocab_size", state.vocab_size)
    special = f" ({untrained:,} special)" if untrained else ""
    return f"{count(state.vocab_size, 'piece')}{special}"


def alphabet(kind: str, size: int) -> str:
    """Describes the content of the smallest vocabulary, which has `size` pieces."""
    if letter_of(kind) == "byte":
        return f"all {N_BYTES} bytes and {count(size - N_BYTES, 'special token')}"
    return "the characters of the text and the special tokens"


def letter_of(kind: str) -> str:
    """Returns the unit of the first vocabulary: "byte" or "character"."""
    return "byte" if kind == "bpe" else "character"


def busy(recording: Recording) -> str:
    """Describes the work before the first step or within a long one."""
    preparing: Preparing | None = recording.preparing
    if not recording.text_read:
        return f"reading the text: {recording.text_size / 1000:,.0f} kB"
    if preparing is None:
        return "counting words"
    name, step = recording.names[preparing.lane], preparing.step
    if isinstance(step, CountingStep):
        return f"{name}: counting words, {step.characters / 1000:,.0f} thousand characters so far"
    return f"{name}: {BUSY.get(step.what, step.what)}, {step.done:,} so far"


def compression(recording: Recording, lane: int, index: int) -> str:
    """Returns "3.10 bytes per token", or that it is not known yet."""
    value = recording.bytes_per_token(lane, index)
    if math.isfinite(value):
        return f"{format_fixed(value, 2)} bytes per token"
    return "bytes per token not known yet"


def lost(share: float) -> str:
    """Returns "loses 4.4 % of the text"; "" if nothing is lost or the share is not known yet."""
    if not share > 0:
        return ""
    return f"loses {share_said(share) if share >= TOLD else f'<0.1{THIN_SPACE}%'} of the text"


def ended(wanted: int, state: LaneState) -> str:
    """Describes the result of a finished lane for which `wanted` pieces were requested."""
    early = EXHAUSTED if state.vocab_size < wanted else ""
    told = "; ".join(filter(None, (lost(state.lost), early)))
    return told or f"finished with {count(state.vocab_size, 'piece')}"


# the headline ------------------------------------------------------------------------------------


def headline(recording: Recording | None, index: int, state: str, live: bool) -> str:
    """Returns the headline. `state` is the runner's; `live` if the cursor is at the live edge."""
    if recording is None:
        return SETUP
    if state == "failed":
        return "The training has stopped; the reason is given below."
    if not len(recording):
        return "Reading the text and counting its words."
    moment = recording.moments[min(index, len(recording) - 1)]
    best = _best(recording, moment.index)
    if state == "done" and index >= len(recording) - 1:
        names = zip(recording.names, moment.lanes, strict=True)
        gave_up = [name for name, lane in names if lane.error]
        if len(gave_up) == len(recording.names):
            return f"{listed(gave_up)} stopped with an error: the reason is given below."
        what = f"Done, but {listed(gave_up)} stopped with an error" if gave_up else "Done"
        return f"{what}. {best}" if best else f"{what}. Press Play to see it again."
    number = f"step {moment.index + 1:,}"  # counted from 1, as in the transport
    if live and state == "paused":
        where = f"Paused at {number}"
    elif state == "done":
        where = f"{number.capitalize()} of {len(recording):,}"
    else:
        where = f"{number.capitalize()} of about {recording.expected + 1:,}"
    if moment.index == 0:
        if state == "done":
            started, play = "started", "see how the vocabularies changed"
        else:
            started, play = "starts", "train the tokenizers side by side"
        return f"{where} shows the pieces that each algorithm {started} with. Press Play to {play}."
    return best or f"{where}."


def _best(recording: Recording, index: int) -> str:
    """Names the lane that packs the most text into a token. Returns "" until the losses of all are
    known: a tokenizer that drops letters needs fewer tokens but is no better.
    """
    lanes = [lane for lane, state in enumerate(recording.moments[index].lanes) if not state.error]
    values = {lane: recording.bytes_per_token(lane, index) for lane in lanes}
    known = {lane: value for lane, value in values.items() if math.isfinite(value)}
    shares = {lane: recording.lost(lane) for lane in known}
    if not known or any(map(math.isnan, shares.values())):
        return ""
    lossy = [lane for lane in known if shares[lane] >= TOLD]
    whole = {lane: value for lane, value in known.items() if lane not in lossy}
    told = []
    most = max(whole.values(), default=0.0)
    if whole:
        best = listed([recording.names[lane] for lane, value in whole.items() if value == most])
        packs = verb(list(whole.values()).count(most), "packs", "pack")
        size = average(most, "byte")
        if len(recording.names) == 1:
            told.append(f"A token stands for {size} of text on average")
        elif lossy and len(whole) == 1:
            told.append(f"Only {best} keeps almost all of the text, with {size} per token")
        else:
            said = f"{best} {packs} the most text into a token: {size}"
            if lossy:
                among = "Of the tokenizers that keep almost all of the text"
                said = f"{among}, {best} {packs} the most into a token: {size}"
            told.append(said)
    if len(lossy) > 1:
        told.append(f"{len(lossy)} {'others' if whole else 'of them'} lose part of the text")
    elif lossy:
        lane = lossy[0]
        name, loses = recording.names[lane], lost(shares[lane])
        if not whole:
            told.append(f"{name} reaches {average(known[lane], 'byte')} per token, but {loses}")
        elif known[lane] > most:
            told.append(f"{name} reaches {format_number(known[lane])}, but {loses}")
        else:
            told.append(f"{name} reaches only {format_number(known[lane])} and still {loses}")
    return "; ".join(told) + "."
