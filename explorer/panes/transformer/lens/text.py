"""The texts of Lens. Does not import Qt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.numbers import MINUS, format_fixed, format_number, format_share
from core.tokenization.telling import count, sentence

if TYPE_CHECKING:
    from core.inference.attribution import LogitTerm
    from core.inference.interventions import Part
    from explorer.panes.transformer.lens.scene import Scene

NO_TEXT = "Type some text to see in which layer the model settles on the next token"
FACT = "The capital of France is"  # replaces the default prompt for a real model
LENGTH, READS, OFF = "vector norm", "token read", "off"
SAYS, EXPLAIN = "Next token", "Click to see what each part adds to its logit"
GOES_ON = ("Continues", "Now")  # of the unchanged model, and of the changed one
HINT = "Click a head or an MLP to switch it off"
MORE, FOR = "More: who told it", "for {}"
TITLES = (
    "likeliest next token by each layer; darker: the final answer is likelier; "
    "line: it leads from there on",
    "darker: the final answer is likelier; line: it leads from there on",
    "darker: the final answer is likelier",
)
PATCH = "Patch from another text"
OTHER = f"{PATCH} with the same number of tokens"
BUTTONS = {
    "all_on": ("Restore the model", "Switches all heads and MLPs on again, and removes the patch"),
    "sublayers": ("Show or hide sublayers", ""),
    "more": ("Show or hide who told it", "What each part adds, and what changes without it"),
    "patch": (PATCH, ""),
}


def _part(term: LogitTerm) -> str:
    """Returns the name of a part in a sentence."""
    if term.layer is None:
        return f"the {term.name}"
    if term.kind == "attention_bias":
        return f"the attention bias of layer {term.layer}"
    return _component((term.layer, term.head))


def _component(part: Part) -> str:
    """Returns the name of a head or an MLP in a sentence."""
    layer, head = part
    return f"{'the MLP' if head is None else f'head {head}'} of layer {layer}"


def term_tip(scene: Scene, place: int) -> str:
    """Returns the tooltip of a bar."""
    term, norms = scene.found.terms[place][1], scene.found.after.norms
    token = scene.quoted(scene.found.token)
    value = format_fixed(term.value)
    told = [f"{sentence(_part(term))} adds {value} to the logit of {token}"]
    if term.kind == "unexplained":
        told = [f"{value} of the logit of {token} is unexplained"]
        told.append(
            "No part of the model accounts for it: it comes from rounding or from the patch"
        )
        if norms > 1:
            told.append(
                "This model normalizes after every sublayer, so its logit is the sum of its"
            )
            told.append(f"parts only if the scales of all {norms} norms are held fixed")
    if math.isfinite(term.length):
        norm = format_number(term.length)
        told.append(f"It writes a vector with norm (length) {norm} to the stream")
    if term.part is not None:
        now = "on" if scene.found.is_off(term) else "off"
        told.append(f"Click to switch it {now}; right-click to see the calculation")
    return "\n".join(told)


def who(scene: Scene) -> str:
    """Returns the title of the bars, which add up to the logit."""
    token, logit = scene.quoted(scene.found.token), scene.found.after.logit
    return f"Logit of {token}: {format_fixed(logit)}, the sum of these bars"


def table_titles(first: int, last: int, tokens: int) -> list[str]:
    """Returns titles of the table, the longest first; `first` and `last` are positions of its
    tokens.
    """
    which = f" (tokens {first + 1} to {last + 1} of {tokens})" if last - first + 1 < tokens else ""
    return [f"{title}{which}" for title in TITLES]


def cell_tip(scene: Scene, row: int, column: int) -> str:
    """Returns the tooltip of a table cell."""
    lens, read = scene.found.lens, scene.quoted(scene.found.ids[scene.columns[column]])
    said = zip(lens.likeliest[row, column], lens.likeliest_probabilities[row, column], strict=True)
    words = "   ".join(f"{scene.quoted(one)} {format_share(float(share))}" for one, share in said)
    answer, share = scene.quoted(lens.tokens[column, 0]), float(scene.shares[row, column])
    rank = f"rank {lens.rank[row, column, 0] + 1:,}"
    told = f"{answer}, the final prediction, has probability {format_share(share)} and {rank}"
    return f"At {_named(scene, row)}, after {read}, the model would predict:\n{words}\n{told}"


def _named(scene: Scene, row: int) -> str:
    """Returns the name of a place of the stream in a sentence."""
    part, _, layer = scene.rows[row].partition(" ")
    if not layer:
        return f"the {part}"
    return scene.rows[row] if part == "layer" else f"the {part} of layer {layer}"


def headline(scene: Scene, row: int) -> str:
    """Returns one sentence about a place. At the last one it says from which place on the answer
    leads and which part adds most to it, or the effect of a change.
    """
    found, lens, column = scene.found, scene.found.lens, scene.column
    answer = scene.quoted(lens.tokens[column, 0])
    if row < scene.last:
        where = f"{'At' if row == 0 else 'After'} {_named(scene, row)}"
        if (rank := lens.rank[row, column, 0]) == 0:
            return f"{where}, the model would already predict {answer}"
        word = scene.quoted(lens.likeliest[row, column, 0])
        return f"{where}, the model would predict {word}; {answer} has rank {rank + 1:,}"
    if found.is_changed:
        return _effect(scene)
    most = max((after for _, after in found.terms[:-1]), key=lambda term: term.value)
    first = lens.leads_from(column)
    since = _named(scene, row if first is None else first)
    told = f"{answer} is the likeliest next token from {since} on"
    if found.token == lens.tokens[column, 0]:
        return f"{told}; {_part(most)} adds the most to its score (logit)"
    return f"{told}; {_part(most)} adds the most to the logit of {scene.quoted(found.token)}"


def _effect(scene: Scene) -> str:
    """Returns what a change does to the logit or, if a text is patched in, to the probability."""
    found, told, token = scene.found, scene.found.comparison, scene.quoted(scene.found.token)
    change, off = scene.change, found.intervention.off
    what = _component(off[0]) if len(off) == 1 else f"{len(off)} parts"
    cause = f"With {what} off," if off else "With the other text's stream,"
    if found.intervention.patch:
        before, after = (float(one.probabilities[found.token]) for one in (told.before, told.after))
        was, now = format_share(before), format_share(after)
        if was == now:
            return f"{cause} {token} stays at {now}"
        return f"{cause} {token} {'falls' if after < before else 'rises'} from {was} to {now}"
    way = f"{'falls' if change.total < 0 else 'rises'} by {format_fixed(abs(change.total))}"
    way = way if change.total else f"stays at {format_fixed(change.after)}"
    if not change.reaction and not change.norms:
        return f"{cause} the logit of {token} {way}, all of it directly"
    pieces = f"{_signed(change.own)} directly, {_signed(change.indirect)} {_by(scene)}"
    return f"{cause} the logit of {token} {way}: {pieces}"


def _by(scene: Scene) -> str:
    """Returns what changes a logit besides the parts that are off."""
    change, norm = scene.change, _norms(scene)
    if not change.reaction:
        return f"through {norm}"
    parts = "through other parts"
    return f"{parts} and {norm}" if change.norms else parts


def _norms(scene: Scene) -> str:
    return "the final norm" if scene.found.after.norms == 1 else "the norms"


def _signed(value: float) -> str:
    written = format_fixed(value)
    return written if written.startswith(MINUS) else f"+{written}"


def effect_lines(scene: Scene) -> list[str]:
    """Returns the pieces of a logit's change, which add up to it; [] if nothing is off."""
    found, change = scene.found, scene.change
    off, token = found.intervention.off, scene.quoted(found.token)
    if not off:
        return []
    what = sentence(_component(off[0])) if len(off) == 1 else f"{len(off)} parts"
    pieces = {
        f"{what}, directly": change.own,
        "Other parts, which read a changed stream": change.reaction,
        f"{sentence(_norms(scene))}, rescaling what is left": change.norms,
    }
    if found.intervention.patch:
        pieces["The other text's stream"] = change.rest
    lines = [f"{_signed(value)}: {words}" for words, value in pieces.items()]
    ends = f"from {format_fixed(change.before)} to {format_fixed(change.after)}"
    return [f"{_signed(change.total)}: the logit of {token}, {ends}", *lines]


def adds(scene: Scene, term: LogitTerm) -> str:
    """Returns the headline while the steps of a part are played."""
    token, value = scene.quoted(scene.found.token), format_fixed(term.value)
    return f"{sentence(_part(term))} adds {value} to the logit (score) of {token}"


def loss(scene: Scene) -> str:
    """Returns the title of the next tokens, with the loss of a text of at least two tokens."""
    told = scene.found.comparison
    if not math.isfinite(told.before.loss):
        return SAYS
    now = f", now {format_fixed(told.after.loss)}" if scene.found.is_changed else ""
    return f"{SAYS} (loss of the text: {format_fixed(told.before.loss)}{now})"


def goes_on(written: str, how: str) -> str:
    """Returns the continuation of the text; `how` is one of `GOES_ON`."""
    return f"{how}: \u201c{written.strip(' ')}\u201d"


def note(scene: Scene, other: int) -> str:
    """Returns the note at the switches. `other`: number of tokens of the text to patch in."""
    off, mine = scene.found.intervention.off, len(scene.found.ids)
    said = [f"switched off: {', '.join(map(_component, off))}"] if off else []
    if other not in (0, mine):
        said.append(f"the other text has {count(other, 'token')} and needs {mine}")
    return "; ".join(said)
