"""The texts of Translate. Does not import Qt."""

from __future__ import annotations

from core.numbers import format_share
from core.tokenization.telling import quoted, visible
from explorer.panes.transformer.translate.scene import TranslationScene

NO_TEXT = "Type a date in words or numbers; the model writes it as year, month and day"
BUTTONS = {
    "another": ("Another date", "Picks a date that the model has not seen in training"),
    "sharpest": ("Sharpest head", "Shows the head whose attention is the most focused"),
}
SOURCE, TARGET = "The encoder reads", "The decoder writes"
MODEL = "model: dates (bundled)"
MODEL_HELP = (
    "An encoder-decoder as in \u201cAttention Is All You Need\u201d, trained to write dates as "
    "year, month and day"
)
HEADS = "What each head reads from the source"
NEXT = (
    "Next token: training aims at 90\u2009% for the right one (label smoothing), so the model "
    "rarely gives more"
)
WRITTEN = "the token written"
CHANGE_TEXT, CHANGE_HEAD = "Change the date", "Show another head"


def not_read(error: ValueError) -> str:
    """Rewords the error about a character outside the vocabulary, with the remedy."""
    return f"{str(error).partition(': ')[0]}: type a date in English words, or in numbers"


def headline(scene: TranslationScene, place: int) -> str:
    """Returns one sentence about the source that was read to write a token."""
    if place == len(scene.target) - 1:
        written = b"".join(scene.target[:-1]).decode("utf-8", "replace")
        return f"The decoder has written {quoted(written)} and now stops"
    span, (layer, head) = scene.trace.about["spans"][place], scene.head
    read = quoted(b"".join(scene.source[span]).decode("utf-8", "replace"))
    which = f"head {head} of layer {layer}"
    return f"To write {name(scene.target[place])}, {which} reads {read} in the source"


def source_tip(scene: TranslationScene, place: int, token: int) -> str:
    """Returns the tooltip of a source token while a target token is written."""
    share = format_share(float(scene.weights[place, token]))
    read, written = name(scene.source[token]), name(scene.target[place])
    return f"{read} gets {share} of this head's attention when {written} is written"


def target_tip(scene: TranslationScene, token: int) -> str:
    """Returns the tooltip of a target token."""
    share = format_share(scene.likeliest(token)[0][1])
    told = f"{name(scene.target[token])} had a probability of {share}"
    return f"{told}\nClick to see what was read to write it"


def name(piece: bytes) -> str:
    """Returns a token as it is written in a sentence."""
    return quoted(visible(piece.decode("utf-8", "replace")))
