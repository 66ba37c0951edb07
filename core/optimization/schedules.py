"""Learning-rate schedules: pure functions of how many steps have been applied.

A schedule is a row of parts, one after the other: a warm-up, a wave, an end. A part is a function
with one marked line and the step at which it begins. `step` counts the applied steps, 0 before the
first; eta is the learning rate of the step that follows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from core.fields import check, either, field
from core.files import quoted

DECAY_SHARE = 0.2  # of a run: the last part of "wsd"
DROPS = (0.5, 0.75)  # shares of a run after which "step" divides the rate by 10
RISE_FACTOR = 25.0  # "one-cycle" begins at a 25th of its peak


@dataclass(frozen=True, slots=True)
class Plan:
    """What every part needs to know. Raises ValueError, with the remedy, for what cannot be.

    learning_rate      the peak
    min_learning_rate  where a rate that falls comes to rest
    warmup_steps       applied steps until the peak
    steps              of the whole run
    """

    learning_rate: float = field(least=0, remedy="1e-3 is usual")
    min_learning_rate: float = field(least=0, remedy="a tenth of the peak is usual")
    warmup_steps: int = field(least=0, remedy="a twentieth of the steps is usual")
    steps: int = field(least=1)

    def __post_init__(self) -> None:
        check(self)


# The parts -----------------------------------------------------------------------------------


def warmup(step: int, plan: Plan) -> float:
    """A straight line up to the peak that begins above 0, as in nanoGPT."""
    peak, warmup_steps = _peak(step, plan), _warmup_steps(step, plan)
    rate = peak * (step + 1) / (warmup_steps + 1)  # step: warmup
    return rate


def constant(step: int, plan: Plan) -> float:
    """Stays at the peak."""
    peak = plan.learning_rate
    rate = peak  # step: constant
    return rate


def end(step: int, plan: Plan) -> float:
    """Stays at the last rate."""
    low = plan.min_learning_rate
    rate = low  # step: end
    return rate


def cosine(step: int, plan: Plan) -> float:
    """Falls along half a cosine wave (SGDR, Loshchilov & Hutter 2017, equation 5, no restarts)."""
    low, reach, height = _low(step, plan), _reach(step, plan), _wave(step, plan)
    rate = low + height * reach  # step: cosine
    return rate


def linear(step: int, plan: Plan) -> float:
    """Falls in a straight line (BERT, Devlin et al. 2019, appendix A.2)."""
    low, reach, progress = _low(step, plan), _reach(step, plan), _progress(step, plan)
    rate = low + (1.0 - progress) * reach  # step: linear
    return rate


def drop(step: int, plan: Plan) -> float:
    """A tenth at half of the run, a hundredth at three quarters (He et al. 2016, section 4.2)."""
    low, peak, drops = _low(step, plan), _peak(step, plan), _drops(step, plan)
    rate = max(low, peak * 0.1**drops)  # step: drop
    return rate


def noam(step: int, plan: Plan) -> float:
    """In a line up, then as one over the square root (AIAYN, Vaswani et al. 2017, equation 3).

    The peak stands for the paper's (d_model warmup_steps)^-0.5: see `noam_peak`.
    """
    peak, slope = _peak(step, plan), _noam_slope(step, plan)
    rate = peak * slope  # step: noam
    return rate


def decay(step: int, plan: Plan) -> float:
    """The end of warm-up, stable, decay: one minus a root (Hägele et al. 2024, equation 1)."""
    low, reach, progress = _low(step, plan), _reach(step, plan), _decay_progress(step, plan)
    rate = low + (1.0 - math.sqrt(progress)) * reach  # step: decay
    return rate


def rise(step: int, plan: Plan) -> float:
    """One cycle's first half: half a cosine wave up (Smith & Topin 2018, section 3)."""
    low, peak, height = _first_rate(step, plan), _peak(step, plan), _rising_wave(step, plan)
    rate = low + height * (peak - low)  # step: rise
    return rate


def fall(step: int, plan: Plan) -> float:
    """Its second half: down to the last rate at the last step, as torch's OneCycleLR."""
    low, reach, height = _low(step, plan), _reach(step, plan), _falling_wave(step, plan)
    rate = low + height * reach  # step: fall
    return rate


# What their lines read -----------------------------------------------------------------------


def _peak(step: int, plan: Plan) -> float:
    return plan.learning_rate


def _low(step: int, plan: Plan) -> float:
    """The lowest rate."""
    return plan.min_learning_rate


def _reach(step: int, plan: Plan) -> float:
    """How far above the lowest rate the peak lies."""
    return plan.learning_rate - plan.min_learning_rate


def _step(step: int, plan: Plan) -> float:
    return step


def _warmup_steps(step: int, plan: Plan) -> float:
    return plan.warmup_steps


def _progress(step: int, plan: Plan) -> float:
    """From the peak on to the end of the run: 0 to 1."""
    return (step - plan.warmup_steps) / (plan.steps - plan.warmup_steps)


def _wave(step: int, plan: Plan) -> float:
    """Half a cosine wave: 1 to 0."""
    return 0.5 * (1.0 + math.cos(math.pi * _progress(step, plan)))


def _drops(step: int, plan: Plan) -> float:
    return sum(step >= share * plan.steps for share in DROPS)


def _noam_slope(step: int, plan: Plan) -> float:
    applied, until = step + 1, max(plan.warmup_steps, 1)
    return float(min(applied / until, (until / applied) ** 0.5))


def _decay_progress(step: int, plan: Plan) -> float:
    """From where the decay begins to the end of the run: 0 to 1."""
    begin = _decay_begins(plan)
    return (step - begin) / (plan.steps - begin)


def _first_rate(step: int, plan: Plan) -> float:
    return plan.learning_rate / RISE_FACTOR


def _rising_wave(step: int, plan: Plan) -> float:
    """Half a cosine wave over the warm-up: 0 to 1."""
    return 0.5 * (1.0 - math.cos(math.pi * (step / plan.warmup_steps)))


def _falling_wave(step: int, plan: Plan) -> float:
    """Half a cosine wave that reaches its end in the last step: 1 to 0."""
    progress = (step - plan.warmup_steps) / max(plan.steps - 1 - plan.warmup_steps, 1)
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def noam_peak(width: int, warmup_steps: int) -> float:
    """The highest rate of the paper's schedule for a model of that width (d_model)."""
    return (width * warmup_steps) ** -0.5


# The schedules -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a schedule: its marked line's name and formula, and from which step on it holds.

    where  what happens in it, and what the letters of its formula are, in a few words; t, the
           applied steps, is everybody's
    reads  how each name that its line reads comes about
    """

    name: str
    formula: str
    where: str
    rate: Callable[[int, Plan], float]
    begins: Callable[[Plan], int]
    reads: Mapping[str, Callable[[int, Plan], float]]

    def numbers(self, step: int, plan: Plan) -> dict[str, float]:
        """The rate after `step` applied steps, and what its line reads, by name."""
        return {"rate": self.rate(step, plan)} | {
            name: number(step, plan) for name, number in self.reads.items()
        }

    @property
    def code(self) -> str:
        """Marker of its line."""
        return f"{self.rate.__module__}:{self.rate.__name__}#{self.name}"


class Span(NamedTuple):
    """A part, and the first and the last step of a run that it gives the rate of, from 1."""

    part: Part
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """A row of parts, and what the schedule is called.

    warmup_share  of a run: the warm-up that belongs to it, where it is nothing without one
    """

    name: str
    title: str
    parts: tuple[Part, ...]
    warmup_share: float = 0.0

    def part(self, step: int, plan: Plan) -> Part:
        """The part that the step after `step` applied ones is in: the last that has begun."""
        begun = [part for part in self.parts if part.begins(plan) <= step]
        return begun[-1] if begun else self.parts[0]

    def spans(self, plan: Plan) -> list[Span]:
        """The parts that a run with this plan comes through, in order."""
        begins = [part.begins(plan) for part in self.parts]
        ends = [min(end, plan.steps) for end in (*begins[1:], plan.steps)]
        rows = zip(self.parts, begins, ends, strict=True)
        return [Span(part, begin + 1, end) for part, begin, end in rows if begin < end]

    @property
    def main(self) -> Part:
        """The part that gives the schedule its name."""
        return next(part for part in self.parts if part.name not in ("warmup", "rise"))


def _from_start(plan: Plan) -> int:
    return 0


def _from_peak(plan: Plan) -> int:
    return plan.warmup_steps


def _from_end(plan: Plan) -> int:
    return max(plan.steps, plan.warmup_steps)


def _decay_begins(plan: Plan) -> int:
    return max(plan.warmup_steps, plan.steps - round(DECAY_SHARE * plan.steps))


_WAVE = r"\frac{1 + \cos(\pi p)}{2} \, (\eta_{max} - \eta_{min})"
_ALONG = "p rises from 0 toward 1"

WARMUP = Part(
    "warmup",
    r"\eta_t = \eta_{max} \, \frac{t + 1}{w + 1}",
    "warm-up over w steps",
    warmup,
    _from_start,
    {"peak": _peak, "step": _step, "warmup_steps": _warmup_steps},
)
CONSTANT = Part(
    "constant", r"\eta_t = \eta_{max}", "the peak", constant, _from_peak, {"peak": _peak}
)
END = Part("end", r"\eta_t = \eta_{min}", "where it came to rest", end, _from_end, {"low": _low})
COSINE = Part(
    "cosine",
    rf"\eta_t = \eta_{{min}} + {_WAVE}",
    _ALONG,
    cosine,
    _from_peak,
    {"low": _low, "height": _wave, "reach": _reach},
)
LINEAR = Part(
    "linear",
    r"\eta_t = \eta_{min} + (1 - p) \, (\eta_{max} - \eta_{min})",
    _ALONG,
    linear,
    _from_peak,
    {"low": _low, "progress": _progress, "reach": _reach},
)
DROP = Part(
    "drop",
    r"\eta_t = \max(\eta_{min}, \; \eta_{max} \cdot 10^{-k})",
    "k drops so far: at half and at 3/4",
    drop,
    _from_peak,
    {"low": _low, "peak": _peak, "drops": _drops},
)
NOAM = Part(
    "noam",
    r"\eta_t = \eta_{max} \, \min\left( \frac{t + 1}{w}, \sqrt{\frac{w}{t + 1}} \right)",
    "up for w steps, then down",
    noam,
    _from_start,
    {"peak": _peak, "slope": _noam_slope},
)
DECAY = Part(
    "decay",
    r"\eta_t = \eta_{min} + (1 - \sqrt{p}) \, (\eta_{max} - \eta_{min})",
    _ALONG,
    decay,
    _decay_begins,
    {"low": _low, "progress": _decay_progress, "reach": _reach},
)
RISE = Part(
    "rise",
    r"\eta_t = \eta_0 + \frac{1 - \cos(\pi p)}{2} \, (\eta_{max} - \eta_0),"
    r" \quad \eta_0 = \frac{\eta_{max}}{25}",
    _ALONG,
    rise,
    _from_start,
    {"low": _first_rate, "height": _rising_wave, "peak": _peak},
)
FALL = Part(
    "fall",
    rf"\eta_t = \eta_{{min}} + {_WAVE}",
    _ALONG,
    fall,
    _from_peak,
    {"low": _low, "height": _falling_wave, "reach": _reach},
)

SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        schedule.name: schedule
        for schedule in (
            Schedule("cosine", "Cosine", (WARMUP, COSINE, END)),
            Schedule("constant", "Constant", (WARMUP, CONSTANT)),
            Schedule("linear", "Linear", (WARMUP, LINEAR, END)),
            Schedule("step", "Steps", (WARMUP, DROP)),
            Schedule("wsd", "Stable, then decay", (WARMUP, CONSTANT, DECAY, END)),
            Schedule("noam", "Noam", (NOAM,), warmup_share=0.1),
            Schedule("one-cycle", "One cycle", (RISE, FALL, END), warmup_share=1 / 3),
        )
    }
)


def schedule_named(name: str) -> Schedule:
    """The schedule of that name. Raises ValueError where there is none."""
    if name not in SCHEDULES:
        raise ValueError(f"schedule {quoted(name)} is unknown; use {either(SCHEDULES)}")
    return SCHEDULES[name]


def usual_warmup(schedule: str, steps: int) -> int:
    """The warm-up steps that belong to a schedule; 0 where it has none of its own.

    Raises ValueError for an unknown schedule.
    """
    share = schedule_named(schedule).warmup_share
    return max(1, round(share * steps)) if share else 0


def part_at(step: int, *, schedule: str, warmup_steps: int, steps: int) -> str:
    """Which part of the schedule the step after `step` applied ones is in: a Part's name.

    Raises ValueError for an unknown schedule.
    """
    return schedule_named(schedule).part(step, Plan(1.0, 0.0, warmup_steps, steps)).name


def learning_rate_at(
    step: int,
    *,
    schedule: str,
    learning_rate: float,
    min_learning_rate: float,
    warmup_steps: int,
    steps: int,
) -> float:
    """The learning rate of the step that follows `step` applied ones (0 for the first).

    Raises ValueError for an unknown schedule.
    """
    plan = Plan(learning_rate, min_learning_rate, warmup_steps, steps)
    return schedule_named(schedule).part(step, plan).rate(step, plan)
