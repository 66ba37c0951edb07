"""The inspector's content for a bar and for a step inside it: the numbers behind them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.tokenization.analysis import Premium, premium_step
from core.tokenization.telling import share_said
from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.languages.text import MEANINGLESS, SYMBOLS, part_of
from explorer.widgets.equations import Equation


def inspection(name: str, result: Premium, english: Premium) -> Inspection:
    """Returns the inspection of a bar: a language's premium under the tokenizer `name`."""
    measures = result.measures
    note = f"= {measures.tokens:,} / {english.measures.tokens:,}"
    per_token = f"= {measures.bytes:,} / {measures.tokens:,}"
    rows: list[Any] = [
        SYMBOLS["premium"],
        Equation("premium", result.premium, "attention", note),
        Equation("tokens", f"{measures.tokens:,}", note=f"in {result.language.name}"),
        Equation("tokens", f"{english.measures.tokens:,}", note=f"in {english.language.name}"),
        Equation("bytes per token", measures.bytes_per_token, note=per_token),
    ]
    if measures.fertility is not None:
        per_word = f"= {measures.tokens:,} / {measures.words:,}"
        rows.append(Equation("tokens per word", measures.fertility, note=per_word))
    share = f"{share_said(measures.lost_share)} of the text is lost"
    if measures.unknown:
        rows.append(Equation("unknown tokens", f"{measures.unknown:,}", "warning", share))
    elif measures.dropped_bytes:
        dropped = f"{measures.dropped_bytes:,}"
        rows.append(Equation("bytes without a token", dropped, "warning", share))
    else:
        rows.append(Equation("lossless", "yes" if measures.lossless else "no: the text is changed"))
    if not result.honest:
        rows.append(MEANINGLESS)
    step = premium_step(replace(result, tokenizer=name), english)
    return Inspection(step, rows, title=f"{result.language.name} with {name}")


def part_inspection(name: str, step: Step, result: Premium) -> Inspection:
    """Returns the inspection of a step inside a bar."""
    measures = result.measures
    characters = Equation("characters", f"{measures.characters:,}", note="in the text")
    size = Equation("bytes", f"{measures.bytes:,}", note="in UTF-8")
    tokens = Equation("tokens", f"{measures.tokens:,}", note=f"from {name}")
    rows: list[Any] = []
    match part_of(step):
        case "characters":
            rows = [characters]
        case "bytes":
            rows = [characters, size, _quotient("bytes per character", size, characters)]
        case "tokens":
            rows = [size, tokens, _quotient("bytes per token", size, tokens)]
            if measures.words:
                words = Equation("words", f"{measures.words:,}")
                rows += [words, _quotient("tokens per word", tokens, words)]
        case "lost":
            unknown = Equation("unknown tokens", f"{measures.unknown:,}", "warning")
            lost = Equation("bytes lost", f"{measures.unknown_bytes:,}", "warning")
            rows = [unknown, lost, size, _quotient("share lost", lost, size)]
        case "dropped":
            lost = Equation("bytes without a token", f"{measures.dropped_bytes:,}", "warning")
            rows = [lost, size, _quotient("share lost", lost, size)]
        case "lossless":
            rows = [tokens, Equation("text restored", "yes" if measures.lossless else "no")]
    rows = [SYMBOLS[part_of(step)], *rows]
    return Inspection(step, rows, title=f"{result.language.name} with {name}")


def _quotient(name: str, part: Equation, whole: Equation) -> Equation:
    """Returns a row with the quotient of two other rows' values."""
    top, below = (int(str(one.value).replace(",", "")) for one in (part, whole))
    return Equation(name, top / below if below else 0.0, "attention", f"= {top:,} / {below:,}")
