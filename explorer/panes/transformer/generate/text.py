"""Every sentence of Generate. Knows no Qt."""

from __future__ import annotations

import math

from core.numbers import format_brief, format_bytes, format_fixed, format_number, format_share
from core.tokenization.telling import quoted, quoted_piece, visible
from explorer.panes.transformer.generate.compute import Choice
from explorer.panes.transformer.generate.scene import CUTS, Scene
from explorer.widgets.cache_scene import CacheScene

REST = "all others"
STRIP = "all tokens side by side, each as wide as it is likely"
DRAWN = "the number that was drawn: {:.3f}"
BUTTONS = {
    "next": ("Next token", "Draws the next token and appends it"),
    "write": ("Write on", "Writes until you press Stop, the text ends, or the context is full"),
    "back": ("Take back", "Takes the last token back, or the last fork"),
    "again": ("Draw again", "Draws other numbers, from another seed"),
}
STOP, STOP_AT = "Stop", "Stop at"
NOT_AT_END = "You are looking at a token of the text: Esc goes back to the end"
ENDED = "Writing has stopped: the model ends the text here"
FULL = "Writing has stopped: the context is full, and the model reads no more tokens than this"
OF_PROMPT = "This token belongs to the prompt: edit it in the line above"
SIDES = [("sampling", "Sampling"), ("forks", "Forks"), ("cache", "Cache")]
SIDES_HELP = "The settings of the draw, the texts written, and what is kept of the tokens read"
NO_FORKS = "Nothing is written yet: each text that you write becomes a branch here"
NO_CACHE = "A model in training keeps nothing: it changes with each step"
SPECIAL = {("top_k", 0): "all", ("top_p", 1.0): "off", ("min_p", 0.0): "off",
           ("repetition_penalty", 1.0): "off", ("temperature", 0.0): "0: greedy"}  # fmt: skip


def headline(scene: Scene, step: str, surprise: float | None) -> str:
    """One sentence: what is seen. `surprise`: of the token that came, in nats, where it stands in
    the text already.
    """
    came = quoted_piece(scene.pieces[scene.came])
    if surprise is not None:
        return f"{came} came here: a surprise of {format_fixed(surprise)} nats"
    if step in CUTS or step == "rescale":
        left = int(scene.table.kept[-1].sum())
        many = f"{left} of these tokens" if left != 1 else "Only one of these tokens"
        return f"{many} may come next"
    if step in ("draw", "append"):
        had = format_share(scene.table.probabilities[scene.came])
        return f"The draw falls on {came}, which had {had}"
    first = scene.table.model.argmax()
    share, bent = scene.table.model[first], format_share(scene.table.probabilities[first])
    sure = "is sure of" if share > 0.9 else "expects" if share > 0.5 else "leans towards"
    told = f"The model {sure} {quoted_piece(scene.pieces[first])}: {format_share(share)}"
    stays = step == "logits" or bent == format_share(share)
    return told if stays else f"{told}; the settings make it {bent}"


def stopped(stop: str) -> str:
    """Why writing ends at a stop string."""
    return f"Writing has stopped at {quoted(visible(stop))}"


def cache(scene: CacheScene | None) -> str:
    """Below the picture of the cache."""
    if scene is None:
        return NO_CACHE
    each = f"{format_bytes(scene.bytes_per_token)} per token in {len(scene.layers)} layers"
    held = f"{format_bytes(scene.bytes)} is reserved, enough for {scene.room:,} tokens"
    hatched = ". Hatched: outside the layer's window, freed in blocks"
    told = f"Keys and values of {scene.tokens:,} tokens, {each}; {held}"
    return told + hatched * scene.has_unseen


def facts(choice: Choice, most: int) -> str:
    """Below the text, of which the model reads so many tokens at most."""
    count, read = len(choice.pieces), choice.read
    told = [f"{count:,} of {most:,} tokens" if count <= most else f"{count:,} tokens"]
    if math.isfinite(choice.perplexity):
        told.append(f"perplexity {format_number(choice.perplexity)}")
    if read.cache:
        told.append(f"cache {format_bytes(sum(layer.bytes for layer in read.cache))}")
    return "   ".join([*told, f"read in {format_brief(read.seconds)}"])


def row_tip(scene: Scene, row: int) -> str:
    """A token's row."""
    told = f"{format_share(scene.table.probabilities[row])} before the cuts"
    where = "" if scene.drawn is not None else " here instead: the text forks"
    return f"{told}\nClick to choose it{where}"
