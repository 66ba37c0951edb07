"""Learning-rate schedules: pure functions of the number of applied steps.

A schedule is a sequence of parts: a warm-up, a wave, an end. A part is a function with one marked
line and the step at which it begins. `step` counts the applied steps, 0 before the first; eta is
the learning rate of the next step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from core.fields import check, either, field
from core.files import quoted

DECAY_SHARE = 0.2  # share of a run that is the last part of "wsd"
DROPS = (0.5, 0.75)  # shares of a run after which "step" divides the rate by 10
RISE_FACTOR = 25.0  # "one-cycle" begins at a 25th of its peak


@dataclass(frozen=True, slots=True)
class Plan:
    """The numbers that every part needs. Raises ValueError, with a remedy, if one is out of range.

    learning_rate      the peak
    min_learning_rate  the lowest rate of a schedule that decays
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
    """Returns a rate that rises in a straight line from above 0 to the peak, as in nanoGPT."""
    peak, warmup_steps = _peak(step, plan), _warmup_steps(step, plan)
    rate = peak * (step + 1) / (warmup_steps + 1)  # step: warmup
    return rate


def constant(step: int, plan: Plan) -> float:
    """Returns the peak rate."""
    peak = plan.learning_rate
    rate = peak  # step: constant
    return rate


def end(step: int, plan: Plan) -> float:
    """Returns the final rate, `min_learning_rate`."""
    low = plan.min_learning_rate
    rate = low  # step: end
    return rate


def cosine(step: int, plan: Plan) -> float:
    """Returns a falling half cosine wave (SGDR, Loshchilov & Hutter 2017, eq. 5, no restarts)."""
    low, reach, height = _low(step, plan), _reach(step, plan), _wave(step, plan)
    rate = low + height * reach  # step: cosine
    return rate


def linear(step: int, plan: Plan) -> float:
    """Returns a rate that falls in a straight line (BERT, Devlin et al. 2019, appendix A.2)."""
    low, reach, progress = _low(step, plan), _reach(step, plan), _progress(step, plan)
    rate = low + (1.0 - progress) * reach  # step: linear
    return rate


def drop(step: int, plan: Plan) -> float:
    """Returns a tenth of the peak from half of the run on, a hundredth from three quarters on (He
    et al. 2016, section 4.2).
    """
    low, peak, drops = _low(step, plan), _peak(step, plan), _drops(step, plan)
    rate = max(low, peak * 0.1**drops)  # step: drop
    return rate


def noam(step: int, plan: Plan) -> float:
    """Returns a rate that rises in a line, then falls as one over the square root of the step.

    AIAYN, Vaswani et al. 2017, equation 3. The peak replaces the paper's
    (d_model warmup_steps)^-0.5: see `noam_peak`.
    """
    peak, slope = _peak(step, plan), _noam_slope(step, plan)
    rate = peak * slope  # step: noam
    return rate


def decay(step: int, plan: Plan) -> float:
    """Returns the decay of warm-up, stable, decay: one minus a root (Hägele et al. 2024, eq. 1)."""
    low, reach, progress = _low(step, plan), _reach(step, plan), _decay_progress(step, plan)
    rate = low + (1.0 - math.sqrt(progress)) * reach  # step: decay
    return rate


def rise(step: int, plan: Plan) -> float:
    """Returns one cycle's first part: half a cosine wave up (Smith & Topin 2018, section 3)."""
    low, peak, height = _first_rate(step, plan), _peak(step, plan), _rising_wave(step, plan)
    rate = low + height * (peak - low)  # step: rise
    return rate


def fall(step: int, plan: Plan) -> float:
    """Returns one cycle's second part: down to the last rate at the last step, as OneCycleLR."""
    low, reach, height = _low(step, plan), _reach(step, plan), _falling_wave(step, plan)
    rate = low + height * reach  # step: fall
    return rate


# The values they read ------------------------------------------------------------------------


def _peak(step: int, plan: Plan) -> float:
    return plan.learning_rate


def _low(step: int, plan: Plan) -> float:
    """Returns the lowest rate."""
    return plan.min_learning_rate


def _reach(step: int, plan: Plan) -> float:
    """Returns the difference between the peak and the lowest rate."""
    return plan.learning_rate - plan.min_learning_rate


def _step(step: int, plan: Plan) -> float:
    return step


def _warmup_steps(step: int, plan: Plan) -> float:
    return plan.warmup_steps


def _progress(step: int, plan: Plan) -> float:
    """Returns the progress from the peak to the end of the run: 0 to 1."""
    return (step - plan.warmup_steps) / (plan.steps - plan.warmup_steps)


def _wave(step: int, plan: Plan) -> float:
    """Returns half a cosine wave: 1 to 0."""
    return 0.5 * (1.0 + math.cos(math.pi * _progress(step, plan)))


def _drops(step: int, plan: Plan) -> float:
    return sum(step >= share * plan.steps for share in DROPS)


def _noam_slope(step: int, plan: Plan) -> float:
    applied, until = step + 1, max(plan.warmup_steps, 1)
    return float(min(applied / until, (until / applied) ** 0.5))


def _decay_progress(step: int, plan: Plan) -> float:
    """Returns the progress from the start of the decay to the end of the run: 0 to 1."""
    begin = _decay_begins(plan)
    return (step - begin) / (plan.steps - begin)


def _first_rate(step: int, plan: Plan) -> float:
    return plan.learning_rate / RISE_FACTOR


def _rising_wave(step: int, plan: Plan) -> float:
    """Returns half a cosine wave over the warm-up: 0 to 1."""
    return 0.5 * (1.0 - math.cos(math.pi * (step / plan.warmup_steps)))


def _falling_wave(step: int, plan: Plan) -> float:
    """Returns half a cosine wave that ends in the last step: 1 to 0."""
    progress = (step - plan.warmup_steps) / max(plan.steps - 1 - plan.warmup_steps, 1)
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def noam_peak(width: int, warmup_steps: int) -> float:
    """Returns the peak of the paper's schedule for a model of that width (d_model)."""
    return (width * warmup_steps) ** -0.5


# The schedules -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a schedule: the name and formula of its marked line, and its first step.

    where  a few words on the part and the letters of its formula, except t, the applied steps,
           which all formulas share
    reads  a function for each name that its line reads
    """

    name: str
    formula: str
    where: str
    rate: Callable[[int, Plan], float]
    begins: Callable[[Plan], int]
    reads: Mapping[str, Callable[[int, Plan], float]]

    def numbers(self, step: int, plan: Plan) -> dict[str, float]:
        """Returns the rate after `step` applied steps and the values its line reads, by name."""
        return {"rate": self.rate(step, plan)} | {
            name: number(step, plan) for name, number in self.reads.items()
        }

    @property
    def code(self) -> str:
        """The code marker of its line."""
        return f"{self.rate.__module__}:{self.rate.__name__}#{self.name}"


class Span(NamedTuple):
    """A part with its first and last step in a run, counted from 1."""

    part: Part
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """A named sequence of parts.

    warmup_share  the warm-up as a share of a run, for a schedule that needs one
    """

    name: str
    title: str
    parts: tuple[Part, ...]
    warmup_share: float = 0.0

    def part(self, step: int, plan: Plan) -> Part:
        """Returns the part of the step after `step` applied ones: the last that has begun."""
        begun = [part for part in self.parts if part.begins(plan) <= step]
        return begun[-1] if begun else self.parts[0]

    def spans(self, plan: Plan) -> list[Span]:
        """Returns the parts of a run with this plan, in order."""
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
    """Returns the schedule of that name. Raises ValueError if it is unknown."""
    if name not in SCHEDULES:
        raise ValueError(f"schedule {quoted(name)} is unknown; use {either(SCHEDULES)}")
    return SCHEDULES[name]


def usual_warmup(schedule: str, steps: int) -> int:
    """Returns the warm-up steps that a schedule needs, or 0 if it needs none.

    Raises ValueError for an unknown schedule.
    """
    share = schedule_named(schedule).warmup_share
    return max(1, round(share * steps)) if share else 0


def part_at(step: int, *, schedule: str, warmup_steps: int, steps: int) -> str:
    """Returns the name of the schedule's part for the step after `step` applied ones.

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
    """Returns the learning rate of the step after `step` applied ones (0 for the first).

    Raises ValueError for an unknown schedule.
    """
    plan = Plan(learning_rate, min_learning_rate, warmup_steps, steps)
    return schedule_named(schedule).part(step, plan).rate(step, plan)
