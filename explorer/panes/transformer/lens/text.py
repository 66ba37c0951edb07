"""Every sentence of Lens. Knows no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.numbers import format_fixed, format_number, format_share

NO_TEXT = "Type a text: the lens shows when the model knows what comes next"
TITLES = "darker: nearer to the answer", "length"
WHO, SAYS, EXPLAIN = "Who told it: logits for", "What it says", "Click to see who told it"
HINT = "Click a head or an MLP on the right to switch it off"
ALL_ON, ALL_ON_HELP = "All on again", "The model as it is"
OFF, HOW = "Parts off write", [("zero", "Zero"), ("mean", "Its mean")]
OFF_HELP = "What a part that is off writes: nothing, or its mean over the text"
SUBLAYERS, SUBLAYERS_HELP = "Sublayers", "Read the stream between attention and MLP, too"
PATCH, PATCH_HELP = "Patch", "Put the stream of another text in the place of this one's"
OTHER = "Another text with as many tokens"
PATCH_LAYER = "Into which layer the stream of the other text goes"
PATCH_ALL, PATCH_ALL_HELP = "All tokens", "At all tokens, rather than the chosen one"
NAMES = {
    "how": "Off writes",
    "sublayers": "Sublayers",
    "patch": "Patch from another text",
    "patch_layer": "Patch into layer",
    "patch_all": "Patch all tokens",
}


def place(kind: str, layer: int | None, sublayers: bool) -> str:
    """A row's name."""
    if layer is None:
        return "embedding"
    part = "layer" if not sublayers else "attention" if kind == "residual_mid" else "MLP"
    return f"{part} {layer}"


def term(kind: str, layer: int | None, head: int | None) -> str:
    """A part of the model."""
    names = {
        "head": f"head {layer}.{head}",
        "mlp": f"MLP {layer}",
        "attention_bias": f"bias {layer}",
        "norm_bias": "norm\u2019s bias",
    }
    return names.get(kind, kind)


def part(one: tuple[int, int | None]) -> str:
    """A head, or the MLP of a layer."""
    return term("mlp" if one[1] is None else "head", *one)


def term_tip(name: str, value: float, length: float, token: str, is_off: bool) -> str:
    """A bar: what the part adds to the logit."""
    told = f"{name}: {format_fixed(value)} of the logit of {token}"
    if length == length:
        told += f"\nIt writes a vector of length {format_number(length)} to the stream"
    can_switch = name.startswith(("head", "MLP"))
    return f"{told}\nClick to switch it {'on' if is_off else 'off'}" if can_switch else told


def unexplained_tip(norms: int) -> str:
    """The last bar."""
    told = "What the parts above leave: rounding, or what was patched in"
    if norms > 1:
        told += f"\nThis model norms after every sublayer: the scales of {norms} norms are held"
    return told


def cell_tip(
    row: str, read: str, said: Sequence[tuple[str, float]], answer: str, share: float, rank: int
) -> str:
    """A cell of the table."""
    words = "   ".join(f"{word} {format_share(one)}" for word, one in said)
    told = f"{answer}, the answer: {format_share(share)}, number {rank + 1:,}"
    return f"After {read}, {row}\n{words}\n{told}"


def headline(answer: str, row: str, who: str) -> str:
    """At the end: since when it knows, and who pushed it most."""
    return f"{answer} leads from {row} on; {who} pushed it most"


def at_place(row: str, word: str, answer: str, rank: int) -> str:
    """On the way."""
    where = "At the embedding" if row == "embedding" else f"After {row}"
    if rank == 0:
        return f"{where} the model would say {answer} already"
    return f"{where} the model would say {word}; {answer} is number {rank + 1:,}"


def changed(answer: str, before: float, after: float, off: Sequence[str]) -> str:
    """With something off or patched."""
    what = off[0] if len(off) == 1 else f"{len(off)} parts"
    cause = f"Without {what}" if off else "With the other text\u2019s stream"
    was, now = format_share(before), format_share(after)
    if was == now:
        return f"{cause} {answer} stays at {now}"
    return f"{cause} {answer} {'falls' if after < before else 'rises'} from {was} to {now}"


def loss(before: float, after: float, is_changed: bool) -> str:
    """Of the whole text; a single token has none."""
    if not math.isfinite(before):
        return SAYS
    told = f"{SAYS}; loss {format_fixed(before)}"
    return f"{told}, now {format_fixed(after)}" if is_changed else told


def patched(other: int, mine: int) -> str:
    """Beside the form: why nothing is patched; "" where it is."""
    return f"It has {other} tokens: give it {mine}" if other not in (0, mine) else ""


def goes_on(written: str, is_changed: bool) -> str:
    """How the text goes on."""
    return f"{'changed' if is_changed else 'goes on'}: \u201c{written.strip(' ')}\u201d"


def switched(name: str, is_off: bool) -> str:
    """Of an undoable change."""
    return f"Switch {name} {'off' if is_off else 'on'}"


def change(setting: str, value: object) -> str:
    """Of an undoable change."""
    words = {"True": "on", "False": "off", **dict(HOW)}
    told = "" if setting == "patch" else f" {words.get(str(value), value)}"
    return NAMES[setting] + told
