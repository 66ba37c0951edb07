"""The texts of Precision. Does not import Qt."""

from __future__ import annotations

import math

from core.numbers import format_power, format_share, format_significant
from core.tokenization.telling import listed
from core.training.counted_numbers import DEVIATIONS
from core.training.exponents import Lost
from core.training.number_formats import FORMATS
from core.training.scaler import scale_text
from core.training.step_trace import label_of
from explorer.panes.training.precision.scene import LOW, Scene
from explorer.runs.run_data import COUNTED

KINDS = {kind: kind.capitalize() for kind in COUNTED}
TABS = {"gradient": "One gradient", "scale": "Loss scale", "weight": "One weight in bf16"}
START = "Train in fp16 here"
START_HELP = (
    "Trains a tiny model twice from one seed, in fp16 and in fp32, each in a process of its own. "
    "The loss scale starts too high on purpose, so that you see skipped steps right away"
)
LOSSES = ("become 0", "are subnormal", "overflow")  # the fields of a Lost
EXPLAINED = (LOSSES[0], f"{LOSSES[1]} (so close to 0 that they lose digits)", LOSSES[2])
ENOUGH = ". One infinite gradient is enough to skip a step"
SATURATES = ". {} has no infinity, so a number that is too large becomes {:.0f}"
ALL = "All layers"
LAYERS_HELP = "Which part of the model to show. To choose one, first record a step in Step mode"
NO_SCALE = "Only a run in fp16 scales its loss; fp32 and bf16 have a range that is wide enough."
SCALE_LESSON = (
    "The scale is found by trial and error: an overflow (a cross) skips the step and halves the "
    "scale; many steps without overflow double it"
)
NO_HISTOGRAMS = (
    "This run did not record how large its numbers are: an older version or another program "
    "trained it, or probe_every is 0. Train a run here to see them."
)
WAITING = "Waiting for the first step whose numbers are counted"
NOT_KEPT = "The recorded step kept no such numbers of this layer; choose another layer."
DRAG = (
    "Drag, or press Left and Right, to change the loss scale; "
    "click, or press Up and Down, to choose the format"
)
LESSON = (
    "bf16 has 8 significant bits, so an update 500 times smaller than its weight is lost{}. "
    "So weights stay in fp32"
)


def format_name(format: str) -> str:
    """Returns the common name of a format, such as "fp8 e4m3" for e4m3fn."""
    return format.removesuffix("fn")


def layer_name(layer: str) -> str:
    """Returns the name of a layer, such as "block 1" for "h.1"."""
    return label_of(layer) if layer else ALL


def scale_words(exponent: int) -> str:
    """Returns the label of the loss scale's handle."""
    return f"←  loss scale {scale_text(2.0**exponent)}  →"


def _shares(lost: Lost, words: tuple[str, ...] = LOSSES) -> list[tuple[str, str]]:
    """Returns (share, fate) for all losses, such as ("2.4 %", "become 0")."""
    return [(format_share(one), how) for one, how in zip(lost, words, strict=True) if one]


def loss_sentence(lost: Lost) -> str:
    """Returns text such as "2.4 % become 0 and 98 % are subnormal"."""
    return listed([" ".join(one) for one in _shares(lost)]) if any(lost) else "none are lost"


def brief_losses(lost: Lost) -> list[str]:
    """Returns the losses in a format, for the end of its row: all, and fewer where room is short.
    Numbers that become 0 or infinite come first, because subnormal ones only lose digits.
    """
    zero, subnormal, overflow = lost
    gone = sorted([(zero, LOSSES[0]), (overflow, LOSSES[2])], reverse=True)
    told = [
        f"{format_share(share)} {how}" for share, how in (*gone, (subnormal, "subnormal")) if share
    ]
    return [", ".join(told[:count]) for count in range(len(told), 0, -1)] or ["none are lost"]


def headline(scene: Scene) -> str:
    """Returns a sentence on the lost numbers."""
    counted, where = scene.counted, f"Stored in {format_name(scene.format)}"
    what = counted.kind + (f" of {layer_name(counted.layer)}" if counted.layer else "")
    whose = f"the {what} at step {counted.step:,}" if counted.step else f"these made-up {what}"
    if scene.is_scaled:
        power = format_power(scene.shift)
        where += f" after multiplication by {power}" if scene.shift else " without scaling"
    lost = scene.lost[scene.format]
    if scene.skips:
        share = format_share(lost.overflow)
        return f"{where}, {share} of {whose} overflow, so the whole step would be skipped"
    if not any(lost):
        return f"{where}, none of {whose} are lost"
    (share, how), *others = _shares(lost, EXPLAINED)
    told = [f"{share} of {whose} {how}", *map(" ".join, others)]
    return f"{where}, {listed(told)}"


def note(scene: Scene) -> str:
    """Returns the note below the histogram, with the number of its values."""
    counted, histogram = scene.counted, scene.counted.histogram
    whole = histogram.total + histogram.zeros + histogram.not_finite
    told = [f"{whole:,} {counted.kind} were counted"]
    if not counted.step:
        deviation = format_significant(DEVIATIONS[counted.kind], 1)
        drawn = f"a million normally distributed numbers with standard deviation {deviation}"
        told = [f"Made-up example: {drawn}"]
    if counted.kind == "gradients" and counted.loss_scale > 1:
        told.append(f"the run's loss scale was {counted.loss_scale:,.0f}")
    for count, words in ((histogram.zeros, "0"), (histogram.not_finite, "infinite or NaN")):
        if count:
            told.append(f"{format_share(count / whole)} are already {words}")
    said, format = "; ".join(told), FORMATS[scene.format]
    if scene.skips:
        return said + ENOUGH
    if scene.lost[scene.format].overflow and not format.has_infinity:
        return said + SATURATES.format(format_name(scene.format), format.largest)
    return said


def column_tip(scene: Scene, power: int) -> str:
    """Returns the tooltip of a power of two."""
    whole, *parts = scene.shares[:, power - LOW].tolist()
    lie = f"{format_share(whole)} lie between {format_power(power)} and {format_power(power + 1)}"
    lost = loss_sentence(Lost(*(part / whole if whole else 0.0 for part in parts)))
    return f"{lie}, about {format_significant(2.0**power, 2)}\n{format_name(scene.format)}: {lost}"


def window_tip(scene: Scene, name: str) -> str:
    return f"{format_name(name)}: {loss_sentence(scene.lost[name])}"


def life(power: int, is_counted: bool) -> str:
    """Describes the traced gradient."""
    if not is_counted:
        return f"This made-up gradient is about {format_power(power)}"
    return f"This gradient is about {format_power(power)}; click the histogram to pick another"


def lesson(share: float, step: int) -> str:
    """Returns the lesson on bf16. A share of NaN stands for the example."""
    if math.isnan(share):
        return LESSON.format(", as in this made-up example")
    return LESSON.format(f": at step {step:,}, {format_share(share)} of the updates would be")
