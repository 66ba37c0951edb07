"""What the pane says of a race, in one sentence. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.panes.backprop.optimizers.racing import Lane, Recording
from explorer.theme_numbers import MINUS, format_number

FEW = 2  # that are told one by one
NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def headline(recording: Recording | None, step: int) -> str:
    """What is seen after that many steps."""
    if recording is None:
        return "The race is being run."
    surface, lanes = recording.course.surface, recording.lanes
    if recording.trouble:
        return f"There is no race: {_small(recording.trouble).rstrip('.')}."
    if not lanes:
        return f"{surface.title}: {_small(surface.what)}. Tick who shall race."
    if step <= 0:
        who = "One optimizer begins" if len(lanes) == 1 else f"{_count(lanes)} optimizers begin"
        return f"{who} at {place(recording.course.start)}. {surface.what}."
    parts = [_standing(recording, step)]
    gone = recording.lost(step)
    if gone:
        latest = max(gone, key=lambda lane: lane.lost_at or 0)
        others = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        parts.append(f"{latest.title} ran away at step {latest.lost_at}{others}")
    return f"Step {step} of {recording.course.steps}: {'; '.join(parts)}."


def _standing(recording: Recording, step: int) -> str:
    """Who was down first, or who is lowest by now."""
    down = sorted((at, name) for name, at in recording.arrivals.items() if at <= step)
    leader = recording.leader(step)
    if down:
        at, name = down[0]
        lane = recording.lane(name)
        assert lane is not None
        same = [one for one in down if one[0] == at]
        if len(same) > 1:
            titles = [_title(recording, one) for _, one in same]
            return f"{' and '.join(titles)} were down first, at step {at}"
        said = f"{lane.title} was down first, at step {at}"
        return f"{said}, {_others(recording, down[1:])}" if len(down) > 1 else said
    if leader is None:
        return "nobody is left"
    low = f"{leader.title} is lowest, at {format_number(leader.heights[step])}"
    return low if step < recording.course.steps else f"{low}; nobody is down yet"


def _others(recording: Recording, down: list[tuple[int, str]]) -> str:
    at, name = down[0]
    more = f" and {len(down) - 1} more" if len(down) > 1 else ""
    return f"then {_title(recording, name)} at {at}{more}"


def _title(recording: Recording, name: str) -> str:
    lane = recording.lane(name)
    return lane.title if lane is not None else name


def lost(gone: Sequence[Lane]) -> str:
    """Who has run away, and who stepped where the surface has no height; of many only the first."""
    away = [lane for lane in gone if not lane.fell_off]
    off = [lane for lane in gone if lane.fell_off]
    parts = []
    if 0 < len(away) <= FEW:
        parts += [
            f"{lane.title} at step {lane.lost_at}, a rate of {lane.settings.learning_rate:g} is too"
            " high here"
            for lane in away
        ]
    elif away:
        parts.append(f"{_first(away)}: these rates are too high here")
    if off:
        parts.append(f"{_first(off)} stepped where the surface has no height")
    return "; ".join(parts)


def _first(lanes: Sequence[Lane]) -> str:
    """The first to be lost, and how many more."""
    lane = min(lanes, key=lambda one: one.lost_at or 0)
    more = f" and {len(lanes) - 1} more" if len(lanes) > 1 else ""
    return f"{lane.title} at step {lane.lost_at}{more}"


def step_title(recording: Recording, step: int) -> str:
    """On the transport."""
    if step <= 0:
        return "the start"
    if recording.trouble:
        return "there is no race"
    leader = recording.leader(step)
    if leader is None:
        return f"after step {step} nobody is left"
    return f"after step {step} {leader.title} is lowest, {format_number(leader.heights[step])}"


def described(recording: Recording, step: int) -> str:
    """The map in words, for screen readers: where everybody is."""
    told = [f"{recording.course.surface.title}, start at {place(recording.course.start)}"]
    for lane in recording.lanes:
        if lane.lost_at is not None and lane.lost_at <= step:
            told.append(f"{lane.title} ran away at step {lane.lost_at}")
        else:
            height = format_number(lane.heights[step])
            told.append(f"{lane.title} at {place(lane.positions[step])}, height {height}")
    return "; ".join(told)


def marks(recording: Recording) -> dict[int, str]:
    """Who was down, and who was lost, and when."""
    found: dict[int, list[str]] = {}
    for name, at in recording.arrivals.items():
        if at > 0:
            found.setdefault(at, []).append(f"{_title(recording, name)} is down")
    for lane in recording.lanes:
        if lane.lost_at is not None:
            found.setdefault(lane.lost_at, []).append(f"{lane.title} ran away")
    return {step: ", ".join(told) for step, told in sorted(found.items())}


def line_headline(lane: Lane, step: int, title: str) -> str:
    """Inside a step."""
    return f"{lane.title}, step {step}. {title}."


def plain(value: float) -> str:
    """Without zeros at the end: 0.9, not 0.900."""
    text = format_number(value)
    if "." in text and "e" not in text:
        text = text.rstrip("0").rstrip(".")
    return text


def short(value: float) -> str:
    """A number in little room: 9.2e6 from a hundred thousand on."""
    if np.isfinite(value) and abs(value) >= 1e5:
        mantissa, exponent = f"{value:.1e}".replace("-", MINUS).split("e+")
        return f"{mantissa}e{int(exponent)}"
    return format_number(value)


def place(point: tuple[float, float] | np.ndarray) -> str:
    return f"({format_number(point[0])}, {format_number(point[1])})"


def _count(lanes: tuple[Lane, ...]) -> str:
    return NUMBERS[len(lanes)]


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
