"""Every sentence of Lens. Knows no Qt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.numbers import format_fixed, format_number, format_share

if TYPE_CHECKING:
    from core.inference.attribution import LogitTerm
    from explorer.panes.transformer.lens.scene import Scene

NO_TEXT = "Type some text: the lens shows when the model knows what comes next"
FACT = "The capital of France is"  # what a real model is asked before a person asks
LENGTH, READS, OFF = "length", "reads", "off"
SAYS, EXPLAIN = "What it says", "Click to see who told it"
GOES_ON = ("goes on", "changed")  # as it is, and then
HINT = "click a head or an MLP to switch it off"
PATCH = "Patch from another text"
OTHER = f"{PATCH} with as many tokens"
BUTTONS = {
    "all_on": ("All on again", "The model as it is"),
    "sublayers": ("Show sublayers, or whole layers", ""),
    "patch": (PATCH, ""),
}


def term_tip(scene: Scene, place: int) -> str:
    """A bar: what the part adds to the logit."""
    term, norms = scene.found.terms[place][1], scene.found.after.norms
    token = scene.quoted(scene.found.token)
    told = [f"{term.name}: {format_fixed(term.value)} of the logit of {token}"]
    if term.kind == "unexplained":
        told.append("What the parts leave: rounding, or what was patched in")
        if norms > 1:
            told.append("This model norms after every sublayer, so its logit is the sum of its")
            told.append(f"parts only as long as the scales of all {norms} norms stay as they are")
    if math.isfinite(term.length):
        told.append(f"It writes a vector of length {format_number(term.length)} to the stream")
    if term.part is not None:
        now = "on" if scene.found.is_off(term) else "off"
        told.append(f"Click to switch it {now}, right-click to see how")
    return "\n".join(told)


def who(scene: Scene) -> str:
    """Above the bars, which add up to it."""
    token, logit = scene.quoted(scene.found.token), scene.found.after.logit
    left = format_fixed(scene.found.terms[-1][1].value)
    return f"Logit of {token}: {format_fixed(logit)}, unexplained {left}"


def table_title(first: int, last: int, count: int) -> str:
    """Above the table; positions of its first and last token."""
    which = f", tokens {first + 1} to {last + 1} of {count}" if last - first + 1 < count else ""
    return f"darker: nearer to the answer{which}"


def cell_tip(scene: Scene, row: int, column: int) -> str:
    """A cell of the table."""
    lens, read = scene.found.lens, scene.quoted(scene.found.ids[scene.columns[column]])
    said = zip(lens.likeliest[row, column], lens.likeliest_probabilities[row, column], strict=True)
    words = "   ".join(f"{scene.quoted(one)} {format_share(float(share))}" for one, share in said)
    answer, share = scene.quoted(lens.tokens[column, 0]), float(scene.shares[row, column])
    told = f"{answer}, the answer: {format_share(share)}, number {lens.rank[row, column, 0] + 1:,}"
    return f"After {read}, {scene.rows[row]}\n{words}\n{told}"


def headline(scene: Scene, row: int) -> str:
    """What is seen at a place; at the end: since when it knows, and who pushed it most, or what has
    changed it.
    """
    found, lens, column = scene.found, scene.found.lens, scene.column
    answer = scene.quoted(lens.tokens[column, 0])
    if row < scene.last:
        where = "At the embedding" if row == 0 else f"After {scene.rows[row]}"
        if (rank := lens.rank[row, column, 0]) == 0:
            return f"{where} the model would say {answer} already"
        word = scene.quoted(lens.likeliest[row, column, 0])
        return f"{where} the model would say {word}; {answer} is number {rank + 1:,}"
    if not found.is_changed:
        most = max((after for _, after in scene.found.terms[:-1]), key=lambda term: term.value)
        first = lens.leads_from(column)
        since = "the " * (first == 0) + scene.rows[row if first is None else first]
        return f"{answer} leads from {since} on; {most.name} pushed it most"
    off, told = found.intervention.names, found.comparison
    what = off[0] if len(off) == 1 else f"{len(off)} parts"
    cause = f"Without {what}" if off else "With the other text\u2019s stream"
    before, after = (float(one.probabilities[found.token]) for one in (told.before, told.after))
    was, now, answer = format_share(before), format_share(after), scene.quoted(found.token)
    if was == now:
        return f"{cause} {answer} stays at {now}"
    return f"{cause} {answer} {'falls' if after < before else 'rises'} from {was} to {now}"


def adds(scene: Scene, term: LogitTerm) -> str:
    """While the steps of a part are played."""
    name, token = f"{term.name[0].upper()}{term.name[1:]}", scene.quoted(scene.found.token)
    return f"{name} adds {format_fixed(term.value)} to the logit of {token}"


def loss(scene: Scene) -> str:
    """Of the whole text; a single token has none."""
    told = scene.found.comparison
    if not math.isfinite(told.before.loss):
        return SAYS
    now = f", now {format_fixed(told.after.loss)}" if scene.found.is_changed else ""
    return f"{SAYS}; loss {format_fixed(told.before.loss)}{now}"


def goes_on(written: str, how: str) -> str:
    """How the text goes on; `how`: one of `GOES_ON`."""
    return f"{how}: \u201c{written.strip(' ')}\u201d"


def note(scene: Scene, other: int) -> str:
    """Beside the switches: what is off, and why nothing is patched; tokens of the other text."""
    off, mine = scene.found.intervention.names, len(scene.found.ids)
    said = [f"off: {', '.join(off)}"] if off else []
    if other not in (0, mine):
        said.append(f"the other text has {other} tokens: give it {mine}")
    return "; ".join(said)
