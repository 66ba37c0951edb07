"""Every sentence of Generate. Knows no Qt."""

from __future__ import annotations

import math

from core.numbers import format_brief, format_bytes, format_fixed, format_number, format_percent
from explorer.panes.transformer.generate.scene import CUTS, Scene
from explorer.widgets.cache_scene import CacheScene

REST = "all others"
STRIP = "all tokens side by side, each as wide as it is likely"
NEXT, WRITE, STOP, BACK = "Next token", "Write on", "Stop", "Back"
NEXT_HELP = "Draws the next token and appends it"
NOT_AT_END = "A token of the text is looked at: Esc goes back to the end"
WRITE_HELP = "Writes until you press Stop, the text ends, or the context is full"
ENDED = "The model has ended the text"
FULL = "The context is full: the model reads no more tokens than this"
BACK_HELP = "Takes the last token back"
AGAIN, AGAIN_HELP = "Draw again", "Other numbers: another seed"
NO_TEXT = "Type a text: the model predicts what comes after it"
OF_PROMPT = "This token belongs to the prompt: edit it in the line above"
FORKED = "The text forks here: what was written before stays under Forks"
SIDES = [("sampling", "Sampling"), ("forks", "Forks"), ("cache", "Cache")]
SIDES_HELP = "The settings of the draw, the texts that were written, what is kept of those read"
NO_FORKS = "Nothing is written yet: each text that you write becomes a branch here"
NO_CACHE = "A model in training keeps nothing: it is another one after each step"
LABELS = {
    "temperature": "Temperature",
    "top_k": "Top-k",
    "top_p": "Top-p",
    "min_p": "Min-p",
    "repetition_penalty": "Repetition penalty",
}
HELP = {
    "temperature": "Below 1 the likeliest gain, above 1 the others; at 0 only the likeliest comes",
    "top_k": "Keep only the k most likely tokens",
    "top_p": "Keep the most likely tokens until they have this much probability together",
    "min_p": "Keep tokens that are at least this share as likely as the most likely one",
    "repetition_penalty": "Lower the scores of tokens that are in the text already",
}


def words_of(setting: str, value: float) -> str:
    """A setting's value, beside its slider."""
    if setting == "top_k":
        return f"{value:.0f}" if value else "all"
    off = {"top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0}
    if off.get(setting) == value:
        return "off"
    return "0: greedy" if setting == "temperature" and not value else f"{value:g}"


def drawn(number: float) -> str:
    """Below the strip, once a number has fallen."""
    return f"the number that was drawn: {format_fixed(number, 3)}"


def headline(scene: Scene, step: str, quoted: str, nats: float | None) -> str:
    """One sentence: what is seen. `quoted`: the token; `nats`: how surprising it was, where it
    stands in the text already.
    """
    probability = float(scene.probabilities[scene.came])
    share = format_percent(probability) if probability >= 0.005 else format_number(probability)
    if nats is not None:
        return f"{quoted} came here: a surprise of {format_fixed(nats)} nats"
    if step in CUTS or step == "rescale":
        left = int((~scene.stages[-1].cut[:-1]).sum())
        many = f"{left} of these tokens are left" if left != 1 else "one token is left"
        return f"What may come next: {many}"
    if step in ("draw", "append"):
        return f"The draw falls on {quoted}, which had {share}"
    first = float(scene.probabilities[0])
    sure = "is sure" if first > 0.9 else "expects" if first > 0.5 else "leans to"
    return f"The model {sure}: {_likeliest(scene)}"


def _likeliest(scene: Scene) -> str:
    word = scene.pieces[0].decode("utf-8", "replace").strip() or "a space"
    return f"\u201c{word}\u201d, {format_percent(float(scene.probabilities[0]))}"


def cache(scene: CacheScene) -> str:
    """Below the picture of the cache."""
    each = f"{format_bytes(scene.bytes_per_token)} a token in {len(scene.layers)} layers"
    held = f"{format_bytes(scene.bytes)} are taken, enough for {scene.room:,} tokens"
    hatched = (
        ". Hatched: outside the layer's window, let go of in blocks" if scene.has_unseen else ""
    )
    return f"Keys and values of {scene.tokens:,} tokens, {each}; {held}{hatched}"


def facts(tokens: int, most: int, perplexity: float, cache: int, seconds: float) -> str:
    """Below the picture: the text, the cache, the time."""
    told = [f"{tokens:,} of {most:,} tokens"]
    if math.isfinite(perplexity):
        told.append(f"perplexity {format_number(perplexity)}")
    if cache:
        told.append(f"cache {format_bytes(cache)}")
    if seconds:
        told.append(f"read in {format_brief(seconds)}")
    return "   ".join(told)


def row_tip(scene: Scene, row: int, at_end: bool) -> str:
    """A token's row."""
    told = f"{format_percent(float(scene.probabilities[row]))} before the cuts"
    where = "" if at_end else " here instead, and go on from there"
    return f"{told}\nClick to choose it{where}"


def change(setting: str, value: float) -> str:
    """Of an undoable change."""
    return f"{LABELS.get(setting, setting.capitalize())} {words_of(setting, value)}"
