"""The texts of Generate. Does not import Qt."""

from __future__ import annotations

import math

from core.numbers import format_brief, format_bytes, format_fixed, format_number, format_share
from core.tokenization.telling import count, quoted, quoted_piece, visible
from explorer.panes.transformer.generate.compute import Choice
from explorer.panes.transformer.generate.scene import CUTS, Scene
from explorer.widgets.cache_scene import CacheScene

FACTS_HELP = (
    "Perplexity tells how unsure the model is, on average: as if it had to choose among this many "
    "equally likely tokens"
)
REST = "all other tokens"
STRIP = "all possible tokens, each as wide as its probability"
STRIP_LEFT = "the tokens that remain after all cuts, each as wide as its probability"
DRAWN = "random number drawn: {:.3f}"
BUTTONS = {
    "next": ("Next token", "Draws the next token and appends it"),
    "write": (
        "Keep writing",
        "Keeps writing until you press Stop, the model ends the text, or the context is full",
    ),
    "back": (
        "Take back",
        "Undoes the last token, or the last switch to another version of the text",
    ),
    "again": ("Draw again", "Draws again with different random numbers"),
}
STOP, STOP_AT = "Stop", "Stop at"
NOT_AT_END = "An earlier token is selected; press Esc to go back to the end of the text"
ENDED = "Writing has stopped: the model ends the text here"
FULL = "Writing has stopped: the text fills the model's context"
OF_PROMPT = "This token belongs to the prompt: edit it in the line above"
SIDES = [("sampling", "Sampling"), ("forks", "Forks"), ("cache", "Cache")]
SIDES_HELP = "The settings of the draw, the texts written so far, or the cache of keys and values"
NO_FORKS = "Nothing is written yet; each text that you generate becomes a branch here"
NO_CACHE = "A model in training has no cache, because its weights change with each optimizer step"
SPECIAL = {("top_k", 0): "all", ("top_p", 1.0): "off", ("min_p", 0.0): "off",
           ("repetition_penalty", 1.0): "off", ("temperature", 0.0): "0: greedy"}  # fmt: skip


def headline(scene: Scene, step: str) -> str:
    """Returns one sentence about a step, or about the token that the text already has."""
    came = quoted_piece(scene.pieces[scene.came])
    if scene.drawn is None:
        shares = scene.table.model[scene.came], scene.table.probabilities[scene.came]
        given, bent = map(format_share, shares)
        told = f"{came} comes here; the model gives it {given}, a surprise of "
        told += f"{format_fixed(-math.log(shares[0] or 5e-324))} nats (\u2212ln of that)"
        return told if bent == given else f"{told}; with these settings it has {bent}"
    if step in CUTS or step == "rescale":
        left = int(scene.table.kept[-1].sum())
        return f"{left} tokens remain to draw from" if left != 1 else "Only one token remains"
    if step in ("draw", "append"):
        had = format_share(scene.table.probabilities[scene.came])
        return f"The draw falls on {came}, which had a probability of {had}"
    first = scene.table.model.argmax()
    share, bent = scene.table.model[first], format_share(scene.table.probabilities[first])
    likeliest = quoted_piece(scene.pieces[first])
    told = f"The likeliest next token is {likeliest}: {format_share(share)}"
    stays = step == "logits" or bent == format_share(share)
    cut = " before any token is cut" * any(name in CUTS for name in scene.table.steps)
    return told if stays else f"{told}, or {bent} with these settings{cut}"


def stopped(stop: str) -> str:
    """Returns why writing stopped at a stop string."""
    return f"Writing has stopped at {quoted(visible(stop))}"


def cache(scene: CacheScene | None) -> str:
    """Returns the text below the picture of the cache."""
    if scene is None:
        return NO_CACHE
    tokens, layers = count(scene.tokens, "token"), count(len(scene.layers), "layer")
    each = f"{format_bytes(scene.bytes_per_token)} per token over {layers}"
    held = f"{format_bytes(scene.bytes)} is reserved for up to {scene.room:,} tokens"
    hatched = ". Hatched tokens are outside the layer's window; their memory is freed in blocks"
    kept = f"{tokens} in {format_bytes(scene.bytes_held)}"
    told = f"The cache holds the keys and values of {kept}, {each}; {held}"
    return told + hatched * scene.has_unseen


def facts(choice: Choice, most: int, cache: CacheScene | None) -> str:
    """Returns the facts below the text; the model reads at most `most` tokens. A model in training
    has no cache, and its forward pass is not timed.
    """
    tokens = len(choice.pieces)
    context = f"context {tokens:,} of {most:,} tokens"
    told = [context if tokens <= most else count(tokens, "token")]
    if math.isfinite(choice.perplexity):
        told.append(f"perplexity {format_number(choice.perplexity)}")
    if cache is not None:
        held, reserved = format_bytes(cache.bytes_held), format_bytes(cache.bytes)
        told.append(f"KV cache {held} of {reserved} reserved")
        told.append(f"forward pass {format_brief(choice.read.seconds)}")
    return "   ".join(told)


def row_tip(scene: Scene, row: int) -> str:
    """Returns the tooltip of a token's row."""
    told = f"Probability {format_share(scene.table.probabilities[row])} before any token is cut"
    where = "" if scene.drawn is not None else " instead; the text then forks here"
    return f"{told}\nClick to choose it{where}"
