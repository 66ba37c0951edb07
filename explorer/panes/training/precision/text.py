"""Every sentence of Precision. Knows no Qt."""

from __future__ import annotations

from core.numbers import THIN_SPACE, format_percent, format_significant
from core.training.exponents import Lost
from explorer.panes.training.precision.compute import Numbers, Recorded
from explorer.panes.training.precision.scene import HistogramScene
from explorer.panes.training.run_data import RunData, Skip

KINDS = {
    "weights": "Weights",
    "activations": "Activations",
    "gradients": "Gradients",
    "updates": "Updates",
}
TABS = {"scale": "Loss scale", "gradient": "One gradient", "weight": "One weight in bf16"}
START = "Train in fp16 here"
START_HELP = (
    "Trains a tiny model twice from one seed, in fp16 and in fp32, each in a process of its own. "
    "The loss scale begins too high, so that steps are skipped at once"
)
RECORD = "Record the next step"
RECORD_HELP = "Keeps some numbers of each layer of the next step: layers can then be told apart"
NO_RECORD = "Only a run that trains can record a step"
ALL = "All layers"
NO_RUN = (
    "A run in fp16 multiplies its loss by a scale, found by trial: a step that overflows "
    "is skipped, and the scale is halved."
)
NO_HISTOGRAMS = (
    "This run did not count how large its numbers are: an older version or another program trained "
    "it, or probe_every is 0. Train here to see them."
)
UNSCALED = "←  loss scale 1  →"
WAITING = "Waiting for the first step that is counted"
NO_SCALE = (
    "{} trains in {}, whose range is wide enough: its loss is not scaled. In fp16 it would be."
)
DRAG = "Drag, or press Left and Right: the loss scale. Up and Down, or a click: the format"


def no_numbers(kind: str, layer: str, trains: bool) -> str:
    """Why there is no histogram."""
    if layer:
        return f"The recorded step kept no {kind} of {layer_name(layer)}; choose another layer."
    return WAITING if trains else NO_HISTOGRAMS


def power_text(power: int) -> str:
    """2 to a power, as it is written."""
    return "2" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def format_name(format: str) -> str:
    """ "fp8 e4m3": what everybody calls e4m3fn."""
    return format.removesuffix("fn")


def share_text(share: float) -> str:
    """A share with a digit more where it is small: 2.4 %, 0.03 %."""
    if not 0 < share < 0.0995:
        return format_percent(share)
    digits = "<0.01" if share < 5e-5 else format_significant(100 * share, 2)
    return f"{digits}{THIN_SPACE}%"


def brief_loss(lost: Lost) -> str:
    """Beside a format's window: the share that does not stay a number."""
    told = [(lost.zero, "become 0"), (lost.overflow, "overflow"), (lost.subnormal, "lose digits")]
    lossy = [(share, words) for share, words in told if share]
    share, words = next((one for one in lossy if one[0] >= 5e-5), (lossy or [(0.0, "")])[0])
    return f"{share_text(share)} {words}" if share else "keeps all"


def loss_sentence(lost: Lost) -> str:
    """What becomes of the numbers: "2.4 % become 0, 98 % lose digits, none overflow"."""
    told = ((lost.zero, "become 0"), (lost.subnormal, "lose digits"), (lost.overflow, "overflow"))
    if not any(share for share, _ in told):
        return "none is lost"
    return ", ".join(f"{share_text(share) if share else 'none'} {words}" for share, words in told)


def scale_words(exponent: int) -> str:
    """Of the handle."""
    return f"←  loss scale {power_text(exponent)} = {2**exponent:,}  →" if exponent else UNSCALED


def headline(kind: str, layer: str, numbers: Numbers, scene: HistogramScene) -> str:
    """One sentence about what is lost."""
    what = KINDS[kind] if not layer else f"{KINDS[kind]} of {layer_name(layer)}"
    if not numbers.step:
        what = f"Computed example: {what.lower()}"
    else:
        what += f" of step {numbers.step:,}"
    scaled = ""
    if kind == "gradients":
        scaled = f", times {power_text(scene.shift)}" if scene.shift else ", not scaled"
    where = format_name(scene.format)
    return f"{what} in {where}{scaled}: {loss_sentence(scene.window.lost)}"


def layer_name(layer: str) -> str:
    """ "block 2" of "h.2"."""
    return f"block {layer.removeprefix('h.')}" if layer.startswith("h.") else layer


def note(kind: str, numbers: Numbers, spread: float) -> str:
    """Below the histogram: of how many numbers it is."""
    histogram = numbers.histogram
    whole = histogram.total + histogram.zeros + histogram.not_finite
    if not numbers.step:
        return (
            "Computed, not measured: a million normal numbers of standard deviation "
            f"{format_significant(spread, 1)}"
        )
    told = [f"{whole:,} {kind} were counted"]
    if kind == "gradients" and numbers.loss_scale > 1:
        told.append(f"the run's loss scale was {numbers.loss_scale:,.0f}")
    if histogram.zeros:
        told.append(f"{share_text(histogram.zeros / whole)} are 0 already")
    if histogram.not_finite:
        told.append(f"{share_text(histogram.not_finite / whole)} are infinite or NaN already")
    return ", ".join(told)


def column_tip(scene: HistogramScene, power: int, share: float, lost: tuple[float, ...]) -> str:
    """What a tooltip says of a power of two."""
    between = f"{power_text(power)} and {power_text(power + 1)}"
    lines = [
        f"{share_text(share)} lie between {between}, about {format_significant(2.0**power, 2)}"
    ]
    names = ("become 0", "lose some of their digits", "overflow")
    for part, words in zip(lost, names, strict=True):
        if part:
            lines.append(f"in {format_name(scene.format)} they {words}")
    return "\n".join(lines)


def window_tip(name: str, lost: Lost) -> str:
    return f"{format_name(name)}: {loss_sentence(lost)}"


def skip_text(step: int, skip: Skip) -> str:
    """Of a mark: "step 7 skipped, h.1.mlp.c_proj.bias overflowed"."""
    where = skip.where.removeprefix("the gradient of ")
    return f"step {step:,} skipped" + (f", {where} overflowed" if where else "")


def unscaled(data: RunData | None) -> str:
    """Why there is no loss scale to show, and what would be needed."""
    if data is None or data.log:  # another program's log does not tell
        return NO_RUN
    return NO_SCALE.format(data.name, data.config.precision)


def lesson(share: float, recorded: Recorded | None) -> str:
    """The bf16 lesson, in a sentence."""
    if recorded is None or share != share:
        return (
            "Computed example. A bf16 weight keeps 8 significant bits: an update that is 500 times "
            "smaller is lost, which is why weights stay in fp32"
        )
    return (
        f"Stored in bf16, {share_text(share)} of the weights of step {recorded.step:,} would stay "
        "as they were, whatever they learned: so weights stay in fp32"
    )


def life(step: int, power: int) -> str:
    """Which gradient it is."""
    whose = f"of step {step:,}" if step else "of the computed example"
    return f"A gradient {whose}, about {power_text(power)}; a click on the histogram takes another"


def against(own: RunData, twin: RunData) -> str:
    """How two precisions compare at the last step that both have."""
    lines = [one.series("loss") for one in (own, twin)]
    last = min((float(steps[-1]) if len(steps) else 0.0) for steps, _ in lines)
    if not last:
        return ""
    told = (
        f"{run.config.precision} {format_significant(values[steps.searchsorted(last)], 4)}"
        for run, (steps, values) in zip((own, twin), lines, strict=True)
    )
    return f"loss at step {last:,.0f}: {', '.join(told)}"
