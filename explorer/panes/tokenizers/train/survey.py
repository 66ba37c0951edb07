"""What a text allows before anything is trained on it: its size, its words, each lane's limits.

Knows no Qt; the engine drives `survey_steps`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

from core.data.excerpt import Excerpt
from core.tokenization.steps import CountingStep
from core.tokenization.telling import count
from core.tokenization.vocabulary_limits import Limits, vocabulary_limits_steps
from explorer.panes.tokenizers.train.draft import AMOUNTS, Lane, algorithm_of
from explorer.panes.tokenizers.train.recording import Beat
from explorer.panes.tokenizers.train.text import each
from explorer.state.typed_numbers import read_for

SHOWN = 1500  # letters of the beginning that are shown
ROOM = 100  # pieces beyond the smallest vocabulary, so that there is something to learn


@dataclass
class Survey:
    """Filled by the engine's thread, read by the GUI's.

    size      bytes of the text; `whole`: nothing was left out
    words     words and different ones, as the first lane counts them
    limits    of each lane that has been looked at
    errors    of lanes that the text cannot be used for, with the remedy
    """

    size: int = 0
    whole: bool = True
    read: bool = False
    beginning: str = ""
    words: int = 0
    different: int = 0
    limits: dict[Lane, Limits] = field(default_factory=dict)
    errors: dict[Lane, str] = field(default_factory=dict)


def survey_steps(
    survey: Survey, reading: Generator[int, None, Excerpt], lanes: Sequence[Lane]
) -> Generator[Beat, None, None]:
    """Reads the text, then looks at lane after lane. Raises what reading raises."""
    while True:
        try:
            survey.size = next(reading)
        except StopIteration as end:
            excerpt = end.value
            break
        yield Beat()
    survey.size, survey.whole = excerpt.size, excerpt.whole
    survey.beginning = beginning(excerpt.texts)
    survey.read = True
    yield Beat()
    for lane in dict.fromkeys(lane.algorithm for lane in lanes):
        steps = vocabulary_limits_steps(lane.plan, excerpt.texts)
        try:
            while True:
                item = next(steps)
                if isinstance(item, CountingStep) and lane == lanes[0].algorithm:
                    survey.words, survey.different = item.words, item.different_words
                elif isinstance(item, Limits):
                    survey.limits[lane] = item
                yield Beat()
        except StopIteration as end:
            survey.limits[lane] = end.value
        except ValueError as error:
            survey.errors[lane] = str(error)
        yield Beat()


def beginning(texts: Sequence[str]) -> str:
    """How the text begins, in at most SHOWN letters."""
    shown = ""
    for text in texts:
        shown += ("\n\n" if shown else "") + text[: SHOWN + 1]
        if len(shown) > SHOWN:
            return shown[:SHOWN].rstrip() + "\u2026"
    return shown


def lane_words(survey: Survey, lane: Lane, pieces: int) -> tuple[str, str]:
    """A note below the lane, and what is wrong with it; "" for none. pieces: the common size."""
    if lane.pieces:
        try:
            read_for(AMOUNTS["vocab_size"], lane.pieces)
        except ValueError as error:
            return "", str(error)
    pieces, lane = lane.size(pieces), lane.algorithm
    if lane in survey.errors:
        return "", survey.errors[lane]
    limits = survey.limits.get(lane)
    title = algorithm_of(lane.kind).title
    if limits is None:
        return "finding out what this text allows", ""
    if pieces and pieces < limits.smallest:
        return "", (
            f"{title} needs at least {count(limits.smallest, 'piece')} here: {each(lane.kind)}"
        )
    largest = limits.largest
    if largest is None:
        return f"from {count(limits.smallest, 'piece')}", ""
    if pieces > largest:
        return f"this text yields at most {count(largest, 'piece')}: training ends there", ""
    return f"from {limits.smallest:,} to {count(largest, 'piece')}", ""


def within(survey: Survey, lanes: Sequence[Lane], pieces: int) -> tuple[Lane, ...]:
    """The lanes, each with at most as many pieces as this text yields."""
    found = []
    for lane in lanes:
        limits = survey.limits.get(lane.algorithm)
        if limits is not None and limits.largest is not None and lane.size(pieces) > limits.largest:
            lane = replace(lane, pieces=str(limits.largest))
        found.append(lane)
    return tuple(found)


def fitted(survey: Survey, lanes: Sequence[Lane], pieces: int) -> tuple[Lane, ...]:
    """The lanes, each that cannot have its size with the nearest that this text allows."""
    found = []
    for lane in lanes:
        limits = survey.limits.get(lane.algorithm)
        if limits is not None and lane.size(pieces) < limits.smallest:
            lane = replace(lane, pieces=str(limits.smallest + ROOM))
        found.append(lane)
    return within(survey, found, pieces)
