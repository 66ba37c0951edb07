"""The life of one gradient in a run whose loss is scaled: computed, scaled, stored, unscaled,
applied.

Its fate depends on its size after scaling. If it is too small, it becomes 0 and its weight does not
learn; if it is too large, it becomes infinite and no weight learns. In fp32, where it is computed
and applied, it is neither.
"""

from __future__ import annotations

import math

import numpy as np

from core.numbers import format_percent, format_share, format_significant
from core.trace import Step, Trace
from core.training.bits import AlignedNumbers, TracedNumber, align
from core.training.number_formats import FORMATS, NumberFormat, rounding
from core.training.phases import CODE, FORMULAS
from core.training.rounding_trace import number_format, trace_rounding
from core.training.scaler import scale_text

DIGITS = 5  # enough to tell fp16 from fp32


def trace_scaled_gradient(
    gradient: float,
    loss: float,
    loss_scale: float,
    format: NumberFormat | str,
    infinite: float = 0.0,
) -> Trace:
    """Traces `gradient`, stored in a format under a loss scale, from its computation to its use.

    Steps are named "gradient.computed", "gradient.scaled", "gradient.stored" (inside it those of a
    rounding), "gradient.unscaled" and "gradient.applied". `about` has "format", "scale",
    "gradient", "scaled", "stored", "unscaled", and "numbers": these bit by bit; and the given
    "loss" and "infinite".

    loss      loss of the step; backward starts from its multiple
    infinite  share of the step's gradients that become infinite; if it is not 0, the step is
              skipped

    Raises ValueError for an unknown format.
    """
    format = number_format(format) if isinstance(format, str) else format
    given, scale, whole = (np.asarray(one, np.float32) for one in (gradient, loss_scale, loss))
    with np.errstate(over="ignore"):
        scaled = np.asarray(given * scale)  # backward is linear: it scales all gradients alike
    stored = np.asarray(format.round(scaled), np.float32)
    unscaled = np.asarray(stored / scale)
    known = {"gradient": given, "scaled": scaled, "stored": stored, "unscaled": unscaled}
    numbers = {name: float(value) for name, value in known.items()}
    about = {"format": format, "scale": float(scale), **numbers}
    about |= {"loss": loss, "infinite": infinite}
    trace = Trace({**about, "numbers": _bit_by_bit(numbers, format)})
    title = "Computed in fp32: how the loss would change if one weight grew a little"
    told = {"loss": whole}
    trace.append(Step("gradient.computed", title, FORMULAS["backward"], CODE["backward"], told))
    losses = {"loss": whole, "scale": scale, "scaled": np.asarray(whole * scale)}
    title = f"Scaled: the loss, and so every gradient, is multiplied by {scale_text(float(scale))}"
    trace.append(Step("gradient.scaled", title, FORMULAS["scale"], CODE["scale"], losses))
    title = f"Stored in {format.name.removesuffix('fn')}: {_fate(numbers, format)}"
    code = "core.training.number_formats:rounding#stored"
    rounded = np.asarray(rounding(float(scaled), format).rounded)
    values = {"rounded": rounded, "stored": stored}
    place = trace.append(Step("gradient.stored", title, r"\hat{g} \approx s g", code, values))
    for step in trace_rounding(float(scaled), format):
        inner = Step(step.name, step.title, step.formula, step.code, step.values, place)
        trace.append(inner)
    divided = {"gradient": unscaled, "scale": scale}
    title = "Unscaled: the gradient is divided by the scale, in fp32"
    trace.append(Step("gradient.unscaled", title, FORMULAS["unscale"], CODE["unscale"], divided))
    trace.append(_applied(numbers, float(scale), infinite))
    return trace.finish()


def _bit_by_bit(numbers: dict[str, float], format: NumberFormat) -> AlignedNumbers:
    wide = FORMATS["fp32"]
    rows = (
        TracedNumber("computed", numbers["gradient"], wide, 0),
        TracedNumber("scaled", numbers["scaled"], wide, 1, is_rounded=True),
        TracedNumber("stored", numbers["stored"], format, 2),
        TracedNumber("unscaled", numbers["unscaled"], wide, 3),
    )
    return align(rows, float(rounding(numbers["scaled"], format).spacing))


def _fate(numbers: dict[str, float], format: NumberFormat) -> str:
    scaled, stored = abs(numbers["scaled"]), abs(numbers["stored"])
    if math.isinf(stored):
        return "it is too large and becomes infinite"
    if scaled and not stored:
        return "it is too small and becomes 0"
    if scaled > format.largest:
        return "it is too large and becomes the largest number"
    if stored == scaled:
        return "it stays the same"
    error = format_percent(abs(stored - scaled) / scaled)
    if stored < format.smallest_normal:
        return f"it is subnormal and keeps only some of its digits, with an error of {error}"
    return f"it is rounded, with an error of {error}"


def _applied(numbers: dict[str, float], scale: float, infinite: float) -> Step:
    told = {"loss_scale": np.asarray(scale)}
    if infinite or not math.isfinite(numbers["unscaled"]):
        which = f"{format_share(infinite)} of the gradients are" if infinite else "one gradient is"
        title = f"Skipped: {which} infinite, so no weight moves"
        return Step("gradient.applied", title, FORMULAS["skip"], CODE["skip"], told)
    got, given = numbers["unscaled"], numbers["gradient"]
    title = f"Applied in fp32: the optimizer gets {format_significant(got, DIGITS)}"
    if got != given:
        title += f" instead of {format_significant(given, DIGITS)}"
    rule = r"\theta \leftarrow \theta - \eta \, u(g)"
    return Step("gradient.applied", title, rule, CODE["optimizer"], told)
