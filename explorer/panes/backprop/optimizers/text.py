"""The texts of Optimizers. Does not import Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.numbers import format_general, format_number, typeset
from core.optimization.surfaces import Surface
from explorer.panes.backprop.optimizers.compute import AVERAGED, Lane, Recording

LONGEST = 115  # characters of a headline that fit a window of 1,440 px
FEW = 2  # optimizers that a sentence names one by one
COUNTS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
HELD_BACK = "crawls along a flat valley whose steep walls limit its learning rate"
TO_CHOOSE = "Tick an optimizer and select it to see what it remembers."
NO_RACE = "There is no race, so there is nothing to show."
USUAL_RATE, TENTH = "Usual rate", "A tenth of the rate"
SMALLER = "A smaller rate may keep {} on the map."


def unreadable(recording: Recording | None) -> str:
    """Returns the headline for a typed formula with an error, which is shown below it."""
    told = "The formula cannot be read yet"
    raced = recording is not None and recording.lanes
    return f"{told}, so this is still the race on the previous one." if raced else f"{told}."


def headline(recording: Recording | None, step: int) -> str:
    """Returns the headline after that many steps, or at the end of a shorter race."""
    if recording is None:
        return "Running the race."
    step = min(step, recording.course.steps)
    surface, lanes = recording.course.surface, recording.lanes
    if recording.trouble:
        return f"There is no race: {_small(recording.trouble).rstrip('.')}."
    if not lanes:
        return f"{surface.title}. {closed(surface.what)} Tick optimizers to race them."
    if step <= 0:
        who = (
            "One optimizer starts" if len(lanes) == 1 else f"{COUNTS[len(lanes)]} optimizers start"
        )
        return f"{who} at {place(recording.course.start)}. {closed(surface.what)}"
    parts = [_standing(recording, step)]
    if gone := recording.lost(step):
        latest = max(gone, key=lambda lane: lane.lost_at or 0)
        more = f", and {len(gone) - 1} more before it" if len(gone) > 1 else ""
        parts.append(f"{latest.title} {went(latest)} at step {latest.lost_at}{more}")
    where = f"Step {step} of {recording.course.steps}: "
    whole = f"{where}{'; '.join(parts)}."
    # The notice over the map names diverged optimizers, too.
    return whole if len(whole) <= LONGEST else f"{where}{parts[0]}."


def _standing(recording: Recording, step: int) -> str:
    """Returns who was the first to stay down, or else who is lowest."""
    if recording.stands_still:
        return "no optimizer moves, because the slope at the start is 0"
    leaders, at_end = recording.leaders(step), step == recording.course.steps
    down = sorted((at, name) for name, at in recording.arrivals.items() if at <= step)
    crawls = recording.held_back if at_end else None
    if down:
        first = [recording.title(name) for at, name in down if at == down[0][0]]
        were = "was" if len(first) == 1 else "were"
        got = f"{were} the first to get 99.9 % of the way down for good, at step {down[0][0]}"
        said = f"{_all(first)} {got}"
        if later := down[len(first) :]:
            more = f", and {len(later) - 1} more later" if len(later) > 1 else ""
            return f"{said}; {recording.title(later[0][1])} followed at step {later[0][0]}{more}"
        return said if crawls is None else f"{said}; {crawls.title} {HELD_BACK}"
    if not leaders:
        return "no optimizer is left in the race"
    who, are = _all([lane.title for lane in leaders]), "is" if len(leaders) == 1 else "are"
    said = f"{who} {are} lowest, at {format_number(recording.height(leaders[0], step))}"
    if recording.noisy:
        count = min(step + 1, AVERAGED)
        return f"{said}, averaged over {count} steps; noise keeps every optimizer moving"
    if crawls is not None:
        it = "it" if leaders == [crawls] else crawls.title
        return f"{said}; {it} {HELD_BACK}"
    match recording.place(leaders[0], step) if at_end else "":
        case "minimum":
            return f"{said}, but only in a local minimum; a lower one exists elsewhere"
        case "saddle":
            return f"{said}, close to a saddle point"
    return said


def _all(titles: Sequence[str]) -> str:
    """Joins titles: A; A and B; A, B and 3 more."""
    if len(titles) > 3:
        titles = [*titles[:2], f"{len(titles) - 2} more"]
    head, last = titles[:-1], titles[-1]
    return f"{', '.join(head)} and {last}" if head else last


def went(lane: Lane) -> str:
    """Returns how an optimizer dropped out."""
    return "left the surface" if lane.fell_off else "diverged"


def lost(gone: Sequence[Lane]) -> str:
    """Returns who dropped out, when, and a remedy; names only the first FEW."""
    first = sorted(gone, key=lambda lane: lane.lost_at or 0)[:FEW]
    said = "; ".join(
        f"{lane.title} {went(lane)} at step {lane.lost_at}, with learning rate"
        f" {format_general(lane.settings.learning_rate)}"
        for lane in first
    )
    more = f"; so did {len(gone) - FEW} more" if len(gone) > FEW else ""
    return f"{said}{more}. {SMALLER.format('it' if len(gone) == 1 else 'them')}"


def step_title(recording: Recording, step: int) -> str:
    """Returns the transport's title of a step."""
    if step <= 0:
        return "The start"
    leaders = recording.leaders(step)
    if not leaders:
        return "No optimizer is left in the race" if recording.lanes else "No optimizer races"
    height = format_number(recording.height(leaders[0], step))
    who, are = _all([lane.title for lane in leaders]), "is" if len(leaders) == 1 else "are"
    average = " on average" if recording.noisy else ""
    return f"After step {step}, {who} {are} lowest, at {height}{average}"


def described(recording: Recording, step: int) -> str:
    """Describes the map for screen readers."""
    told = [f"{recording.course.surface.title}: the start is at {place(recording.course.start)}"]
    for lane in recording.lanes:
        if lane.is_lost(step):
            told.append(f"{lane.title} {went(lane)} at step {lane.lost_at}")
        else:
            height = format_number(lane.heights[step])
            told.append(f"{lane.title} is at {place(lane.positions[step])}, height {height}")
    return "; ".join(told)


def marks(recording: Recording) -> dict[int, str]:
    """Returns the steps from which an optimizer stays down, or at which it drops out."""
    found: dict[int, list[str]] = {}
    for name, at in recording.arrivals.items():
        if at > 0:
            found.setdefault(at, []).append(
                f"{recording.title(name)} stays 99.9 % of the way down from here on"
            )
    for lane in recording.lanes:
        if lane.lost_at is not None:
            found.setdefault(lane.lost_at, []).append(f"{lane.title} {went(lane)}")
    return {step: ", ".join(told) for step, told in sorted(found.items())}


def line_headline(lane: Lane, step: int, title: str) -> str:
    """Returns the headline inside a step."""
    return f"{lane.title}, step {step}. {title}."


def pointed(surface: Surface, point: tuple[float, float], hit: str) -> str:
    """Describes the point under the pointer; `hit` is an optimizer's title, "start", or ""."""
    told = f"height {format_number(float(surface.value(*point)))} at {place(point)}"
    if hit == "start":
        return f"{told}\nDrag the start, move it with the arrow keys, or double-click another point"
    return f"{hit}: {told}" if hit else told


def plain(value: float) -> str:
    """Formats a number without trailing zeros: 0.9, not 0.900, and 1e-8."""
    mantissa, *power = format_number(value).split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return "e".join([mantissa, *power])


def share(value: float) -> str:
    """Formats a fraction with all its digits: 0.9999 is not 1."""
    return format_general(value) if 1e-3 <= value < 1 else plain(value)


def short(value: float) -> str:
    """Formats a number briefly: 9.2e6, from a hundred thousand on."""
    if np.isfinite(value) and abs(value) >= 1e5:
        return typeset(f"{value:.1e}")
    return format_number(value)


def place(point: tuple[float, float] | np.ndarray) -> str:
    """Formats a point as (x, y)."""
    return f"({format_number(point[0])}, {format_number(point[1])})"


def closed(sentence: str) -> str:
    """Adds a full stop, unless the sentence is a question."""
    return sentence if sentence.endswith("?") else f"{sentence}."


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
