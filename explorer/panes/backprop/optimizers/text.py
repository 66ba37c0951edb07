"""What the pane says of a race, in one sentence. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.numbers import format_general, format_number, typeset
from explorer.panes.backprop.optimizers.racing import SPELL, Lane, Recording

LONGEST = 115  # letters of a headline that are seen in a window of 1,440
FEW = 2  # that are told one by one
CRAWLS = "crawls in a flat valley, whose steep walls limit its rate"
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def unreadable(recording: Recording | None) -> str:
    """While the typed formula is none; the line below it says why."""
    told = "The formula cannot be read yet"
    raced = recording is not None and recording.lanes
    return f"{told}: the race is still that of the formula before." if raced else f"{told}."


def headline(recording: Recording | None, step: int) -> str:
    """What is seen after that many steps, or at the end of a shorter race."""
    if recording is None:
        return "Running the race."
    step = min(step, recording.course.steps)
    surface, lanes = recording.course.surface, recording.lanes
    if recording.trouble:
        return f"There is no race: {_small(recording.trouble).rstrip('.')}."
    if not lanes:
        return f"{surface.title}: {closed(_small(surface.what))} Tick the optimizers to race."
    if step <= 0:
        who = "One optimizer begins" if len(lanes) == 1 else f"{_count(lanes)} optimizers begin"
        return f"{who} at {place(recording.course.start)}. {closed(surface.what)}"
    parts = [_standing(recording, step)]
    gone = recording.lost(step)
    if gone:
        parts.append(_lately(recording, gone))
    where = f"Step {step} of {recording.course.steps}: "
    whole = f"{where}{'; '.join(parts)}."
    # Over the map stands who is lost, and the start of a sentence says more than that it goes on.
    return whole if len(whole) <= LONGEST else f"{where}{parts[0]}."


def _standing(recording: Recording, step: int) -> str:
    """Who was down first, or who is lowest by now."""
    if recording.stands_still:
        level = recording.prospect.level
        why = "the surface is level everywhere" if level else "there is no slope at the start"
        if any(lane.racers[0].gradient.any() for lane in recording.lanes):
            why = "every step is too small"
        return f"no optimizer moves, because {why}"
    down = sorted((at, name) for name, at in recording.arrivals.items() if at <= step)
    leaders = recording.leaders(step)
    if down:
        first = [name for at, name in down if at == down[0][0]]
        were = "was" if len(first) == 1 else "were"
        titles = _all([_title(recording, name) for name in first])
        said = f"{titles} {were} first to the bottom, at step {down[0][0]}"
        fleeting = _fleeting(recording, step, leaders)
        if fleeting:  # else whoever is lowest and not counted would seem forgotten
            return f"{said}; {fleeting}"
        later = down[len(first) :]
        if later:
            return f"{said}, {_others(recording, later)}"
        slow = recording.crawling if step == recording.course.steps else None
        return said if slow is None else f"{said}; {slow.title} {CRAWLS}"
    if not leaders:
        return "no optimizer is left"
    height = format_number(recording.height(leaders[0], step))
    who, are = _all([lane.title for lane in leaders]), "is" if len(leaders) == 1 else "are"
    if recording.noisy:
        count = min(step + 1, SPELL)
        averaged = f"at {height} averaged over {count} steps"
        return f"{who} {are} lowest, {averaged}; noise keeps them all moving"
    if recording.endless:
        if recording.prospect.cliff:
            ever = "the surface falls until it has no height"
        else:
            ever = "the surface falls forever, so this shows only speed"
        return f"{who} {are} furthest down, at {height}; {ever}"
    if len(leaders) == len(recording.lanes) > 2:
        return f"all are equally high, at {height}"
    low = f"{who} {are} lowest, at {height}"
    if step < recording.course.steps:
        return low
    if not recording.lowest_is_low:
        return f"{low}, but the surface is lower beside it"
    if recording.rests_at(leaders[0], step):
        return f"{low}; the surface is level there, but it is not the lowest point"
    if recording.height(leaders[0], step) <= recording.low:
        return f"{low}, but none has stayed there"
    if recording.crawling is not None:
        it = "it" if leaders == [recording.crawling] else recording.crawling.title
        return f"{low}; {it} {CRAWLS}"
    return f"{low}; none has reached the bottom yet"


def _others(recording: Recording, down: list[tuple[int, str]]) -> str:
    at = down[0][0]
    together = [_title(recording, name) for then, name in down if then == at]
    more = len(down) - len(together)
    return f"then {_all(together)} at {at}{f', and {more} more later' if more else ''}"


def _fleeting(recording: Recording, step: int, leaders: Sequence[Lane]) -> str:
    """Who is lowest by now without being counted as down, for it will not be there for long."""
    lane = leaders[0] if leaders else None
    if lane is None or recording.arrivals.get(lane.name, step + 1) <= step:
        return ""
    after = lane.heights[step + 1 :]
    leaves = lane.lost_at is not None or bool((after > recording.low).any())
    return f"{lane.title} is lowest, but {'leaves again' if leaves else 'has only just arrived'}"


def _all(titles: Sequence[str]) -> str:
    """A; A and B; A, B and 3 more."""
    if len(titles) > 3:
        titles = [*titles[:2], f"{len(titles) - 2} more"]
    head, last = titles[:-1], titles[-1]
    return f"{', '.join(head)} and {last}" if head else last


def _lately(recording: Recording, gone: Sequence[Lane]) -> str:
    """Who was lost last, when, and how many were before."""
    latest = max(gone, key=lambda lane: lane.lost_at or 0)
    went = {_went(recording, lane) for lane in gone}
    if len(gone) == 1:
        return f"{latest.title} {went.pop()} at step {latest.lost_at}"
    what = went.pop() if len(went) == 1 else "are lost"
    return f"{latest.title} (step {latest.lost_at}) and {len(gone) - 1} more {what}"


def _went(recording: Recording, lane: Lane) -> str:
    """What became of one that is lost."""
    if recording.fell_away(lane):
        return "fell out of sight"
    return "stepped where the surface has no height" if lane.fell_off else "diverged"


def _title(recording: Recording, name: str) -> str:
    lane = recording.lane(name)
    return lane.title if lane is not None else name


def lost(recording: Recording, gone: Sequence[Lane]) -> str:
    """Who has run away, who stepped where the surface has no height, and who fell out of sight; of
    many only the first.
    """
    fell = [lane for lane in gone if recording.fell_away(lane)]
    off = [lane for lane in gone if lane.fell_off]
    away = [lane for lane in gone if lane not in fell and lane not in off]
    parts = []
    if 0 < len(away) <= FEW:
        parts += [
            f"{lane.title} diverged at step {lane.lost_at}: a rate of"
            f" {format_general(lane.settings.learning_rate)} is too high here"
            for lane in away
        ]
    elif away:
        parts.append(f"{_first(away)} diverged: these rates are too high here")
    if off:
        parts.append(f"{_first(off)} stepped where the surface has no height")
    if fell:
        parts.append(f"{_first(fell)} fell out of sight: the surface falls forever")
    return "; ".join(parts)


def _first(lanes: Sequence[Lane]) -> str:
    """The first to be lost, and how many more."""
    lane = min(lanes, key=lambda one: one.lost_at or 0)
    if len(lanes) == 1:
        return f"{lane.title} at step {lane.lost_at}"
    return f"{lane.title} (step {lane.lost_at}) and {len(lanes) - 1} more"


def step_title(recording: Recording, step: int) -> str:
    """On the transport."""
    if step <= 0:
        return "the start"
    if recording.trouble:
        return "there is no race"
    leaders = recording.leaders(step)
    if not recording.lanes:
        return "no optimizer races"
    if not leaders:
        return f"after step {step} no optimizer is left"
    if recording.stands_still:
        return f"after step {step} none has moved"
    down = sum(at <= step for at in recording.arrivals.values())
    if down > 1:
        many = len(recording.lanes)
        who = "all are at the bottom" if down == many else f"{down} of {many} are at the bottom"
        return f"after step {step}, {who}"
    height = format_number(recording.height(leaders[0], step))
    height += " on average" if recording.noisy else ""
    who, are = _all([lane.title for lane in leaders]), "is" if len(leaders) == 1 else "are"
    if recording.endless:
        return f"after step {step} {who} {are} furthest down, at {height}"
    return f"after step {step} {who} {are} lowest, {height}"


def described(recording: Recording, step: int) -> str:
    """The map in words, for screen readers: where everybody is."""
    told = [f"{recording.course.surface.title}, start at {place(recording.course.start)}"]
    for lane in recording.lanes:
        if lane.lost_at is not None and lane.lost_at <= step:
            told.append(f"{lane.title} {_went(recording, lane)} at step {lane.lost_at}")
        else:
            height = format_number(lane.heights[step])
            told.append(f"{lane.title} at {place(lane.positions[step])}, height {height}")
    return "; ".join(told)


def marks(recording: Recording) -> dict[int, str]:
    """Who was down, and who was lost, and when."""
    found: dict[int, list[str]] = {}
    for name, at in recording.arrivals.items():
        if at > 0:
            found.setdefault(at, []).append(f"{_title(recording, name)} reaches the bottom")
    for lane in recording.lanes:
        if lane.lost_at is not None:
            found.setdefault(lane.lost_at, []).append(f"{lane.title} {_went(recording, lane)}")
    return {step: ", ".join(told) for step, told in sorted(found.items())}


def line_headline(lane: Lane, step: int, title: str) -> str:
    """Inside a step."""
    return f"{lane.title}, step {step}. {title}."


def plain(value: float) -> str:
    """Without zeros at the end: 0.9, not 0.900, and 1e-8."""
    mantissa, *power = format_number(value).split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return "e".join([mantissa, *power])


def share(value: float) -> str:
    """A part of 1 as it was set: 0.9999 is not 1."""
    return format_general(value) if 1e-3 <= value < 1 else plain(value)


def short(value: float) -> str:
    """A number in little room: 9.2e6 from a hundred thousand on."""
    if np.isfinite(value) and abs(value) >= 1e5:
        return typeset(f"{value:.1e}")
    return format_number(value)


def place(point: tuple[float, float] | np.ndarray) -> str:
    return f"({format_number(point[0])}, {format_number(point[1])})"


def closed(sentence: str) -> str:
    """With its mark at the end."""
    return sentence if sentence.endswith("?") else f"{sentence}."


def _count(lanes: tuple[Lane, ...]) -> str:
    return NUMBERS[len(lanes)]


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
