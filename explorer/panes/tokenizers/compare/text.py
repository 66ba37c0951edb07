"""The texts of Compare: the headline, a column's head and its badge."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.numbers import format_number
from core.tokenization.analysis.rates import cost
from core.tokenization.telling import average, count, listed, sentence, verb, visible
from explorer.panes.tokenizers.compare.compute import Split

IDLE = "Type some text, and every tokenizer splits it as you type"
ADD = "Add another tokenizer to compare"
REMOVE, ONLY_ONE = "Remove this tokenizer", "Compare needs at least one tokenizer"
OPEN = "Open a tokenizer"
SPLITTING = "splitting the text"
EXAMPLES = "Examples of texts that tokenizers split differently"
VIEWS_HELP = (
    "Compares the tokens of a text or the pieces of the vocabularies, or finds a model\u2019s "
    "glitch tokens: those that it hardly ever saw in training"
)
VIEWS = {"text": "Text", "vocabulary": "Search", "overlap": "Overlap", "glitches": "Glitches"}
TOGGLES = {
    "ids": ("Ids", "Shows each token\u2019s id below it"),
    "pieces": ("Pieces", "Shows tokens as the vocabulary spells them, not the text they stand for"),
    "bytes": ("Bytes", "Shows each token\u2019s bytes instead of its text"),
    "whitespace": ("Spaces", "Shows spaces, tabs and line breaks as symbols"),
}
SWITCHES = {
    "specials": (
        "Special tokens",
        "Reads <|endoftext|> in the text as one special token, and does not split it",
    ),
    "differences": ("Differences", "Colors only the tokens on which the tokenizers disagree"),
}
COMMANDS = {
    "text": "show the tokens of a text",
    "vocabulary": "search the vocabularies",
    "overlap": "show what the vocabularies share",
    "glitches": "find the glitch tokens of a model",
    "ids": "show ids below the tokens",
    "pieces": "show tokens as the vocabulary spells them",
    "bytes": "show bytes instead of text",
    "whitespace": "show spaces as symbols",
    "specials": "recognize special tokens in the text",
    "differences": "color only the differences",
}
PRICE = "Enter the price of a million tokens to see what this text costs with each tokenizer"

SYMBOLS = {
    "rates.bytes-per-token": "n_bytes is the number of UTF-8 bytes in the text, and n_tokens is "
    "the number of tokens.",
    "rates.tokens-per-word": "n_tokens is the number of tokens in the text, and n_words is the "
    "number of words.",
    "rates.cost": "n_tokens is the number of tokens in the text; price is the price of a million "
    "tokens.",
}

FEW = 4  # lost characters that are listed
SLIGHT = 1.1  # ratio of token counts; below it the headline gives the count instead

Named = Sequence[tuple[str, Split]]


def compared(known: Named) -> dict[str, float]:
    """Returns the numbers of the headline: the fewest and the most tokens of all tokenizers that
    restore the whole text, and how many times as many the most are.
    """
    fair = [split.count for _, split in known if split.count and split.lossless is not False]
    if not fair:
        return {}
    least, most = min(fair), max(fair)
    fewer = sum(0 < split.count < least for _, split in known)
    return {"least": least, "most": most, "ratio": most / least, "fewer": fewer}


def headline(known: Named) -> str:
    """Says which tokenizer needs the fewest tokens for the text, and which the most.

    Only tokenizers that restore the whole text are compared: those that drop letters need fewer.
    """
    known = [(name, split) for name, split in known if split.count]
    if not known:
        return IDLE
    if len(known) == 1:
        name, split = known[0]
        lost = ", but the tokens do not restore all of it" if split.lossless is False else ""
        return f"{name} splits this text into {count(split.count, 'token')}{lost}"
    fair = [one for one in known if one[1].lossless is not False]
    if not fair:
        return "None of these tokenizers restores the whole text, so their counts say little"
    numbers = compared(known)
    least, most = int(numbers["least"]), int(numbers["most"])
    best = [name for name, split in fair if split.count == least]
    lossy = [(name, split) for name, split in known if split.lossless is False]
    fewer = [name for name, split in lossy if split.count < least]
    if len(fair) == 1 and lossy:
        said = f"Only {best[0]} keeps the whole text ({count(least, 'token')})"
    elif len(best) == len(known):
        return f"All of these tokenizers need {count(least, 'token')}"
    else:
        need = verb(len(best), "needs", "need")
        among = "Of the tokenizers that keep the whole text, " if lossy else ""
        said = f"{among}{listed(best)} {need} the fewest tokens ({least:,})"
    if len(fewer) > 1:
        return f"{said}; {len(fewer)} others need fewer, but lose part of it"
    if fewer:
        return f"{said}; {fewer[0]} needs fewer, but loses part of it"
    if least < most:
        worst = [name for name, split in fair if split.count == most]
        need = verb(len(worst), "needs", "need")
        much = f"{format_number(numbers['ratio'], 2)} times as many"
        return f"{said}; {listed(worst)} {need} {much if most >= SLIGHT * least else f'{most:,}'}"
    return said


def lost(characters: Sequence[str]) -> str:
    """Returns the first few lost characters: "lost: ↵ é …", or ""."""
    first = " ".join(
        visible(one) if one.isprintable() or one in "\n\t\r" else f"U+{ord(one):04X}"
        for one in characters[:FEW]
    )
    return f"lost: {first}{' …' if len(characters) > FEW else ''}" if first else ""


def badge(split: Split) -> tuple[str, str, str]:
    """Returns icon, label and tooltip of the badge: do the ids decode to the same text?"""
    if split.lossless:
        return "success", "lossless", "The ids decode to exactly the same text, byte for byte."
    if split.unknown:
        why = "An unknown token does not tell which text it stands for, so that text is lost."
        words = f"{split.unknown:,} unknown"
    else:
        why = "The ids do not decode to the same text: letters, accents or spaces have changed."
        words = "lossy"
    return "warning", words, "\n".join(filter(None, [why, sentence(lost(split.lost))]))


def rate(split: Split) -> str:
    """Returns the words after the token count: "tokens, 1.41 bytes each"."""
    if not split.count:
        return "tokens"
    noun = "token" if split.count == 1 else "tokens"
    return f"{noun}, {average(split.bytes_per_token, 'byte')} each"


def costs(split: Split, price: float) -> str:
    """Returns the cost of the text at the price of a million tokens; "" if the price is 0."""
    return f"cost: {money(cost(split.count, price))}" if price > 0 else ""


def other_count(split: Split, specials: bool) -> str:
    """Returns the number of tokens with special tokens treated the other way, or ""."""
    if split.other is None:
        return ""
    return f"{split.other:,} if special tokens {'are split' if specials else 'stay whole'}"


def money(amount: float) -> str:
    """Formats dollars with their significant digits, without an exponent: $0.000095."""
    if amount >= 1:
        return f"${amount:,.2f}"
    if amount >= 0.01:
        return f"${amount:.3f}"
    if amount <= 0:
        return "$0"
    digits = 1 - math.floor(math.log10(amount))
    return f"${amount:.{digits}f}".rstrip("0") if digits <= 12 else "almost nothing"
