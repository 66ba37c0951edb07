"""The inspector's content in Compare: the rates of a text, and the derivation of a token."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.numbers import format_number
from core.tokenization.analysis import rates
from core.tokenization.telling import count as count_of
from core.tokenization.telling import quoted, readable_text, visible
from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.compare.derivation import Derivation
from explorer.panes.tokenizers.compare.text import SYMBOLS, Named, money
from explorer.panes.tokenizers.encoding.compute import EncodingStep
from explorer.panes.tokenizers.encoding.inspector import inspection
from explorer.widgets.equations import Equation


def rate_steps(known: Named, words: int | None, price: float) -> list[Step]:
    """Returns the first tokenizer's rates as steps, played while no token is selected."""
    if not known or not known[0][1].count:
        return []
    split = known[0][1]
    steps = [rates.bytes_per_token_step(len(split.tokens.data), split.count)]
    if words:
        steps.append(rates.tokens_per_word_step(split.count, words))
    if price > 0:
        steps.append(rates.cost_step(split.count, price))
    return steps


def rate_inspection(known: Named, step: Step, words: int | None, price: float) -> Inspection:
    """Returns one rate for every tokenizer."""
    rows: list[Any] = [SYMBOLS[step.name]]
    table: dict[str, np.ndarray] = {}
    for place, (name, split) in enumerate(known):
        if not split.count:
            continue
        size, count = len(split.tokens.data), split.count
        value: float | str
        if step.name == "rates.bytes-per-token":
            value, note = split.bytes_per_token, f"= {size:,} / {count:,}"
        elif step.name == "rates.tokens-per-word":
            value = rates.tokens_per_word(count, words) or 0.0
            note = f"= {count:,} / {words:,}"
        else:
            value = money(rates.cost(count, price))
            note = f"= {count:,} \u00d7 {format_number(price)} / 1,000,000"
        lost = f"; {count_of(split.unknown, 'unknown token')}" if split.unknown else ""
        rows.append(Equation(name, value, "attention" if not place else "text", note + lost))
        table[f"ids, {name}"] = split.tokens.ids
    return Inspection(step, rows, table, title=step.title)


def token_inspection(
    name: str, derivation: Derivation, step: EncodingStep | None, pinned: bool
) -> Inspection:
    """Returns a token of the tokenizer `name`, with a step of its derivation if given."""
    rows = [
        Equation("token", derivation.shown, "attention"),
        Equation("id", f"{derivation.token:,}", note=_spelling(derivation)),
        *_normalized(derivation),
        Equation("bytes", derivation.data[:12].hex(" ").upper() or "none"),
    ]
    note = [derivation.note] if derivation.note else []
    if step is None:
        note = note or ["The steps that lead to it cannot be shown."]
        return Inspection(rows=[*rows, *note], title=f"{name}: {derivation.shown}")
    told = inspection(name, step)
    cell = f"{quoted(derivation.shown)} in {name}"
    rows = [*rows, *told.rows, *note]
    return replace(told, rows=rows, cell=cell, pinned=pinned, title=step.step.title)


def _spelling(derivation: Derivation) -> str:
    """Returns the vocabulary's spelling of the token if it is shown differently, else ""."""
    same = derivation.piece == derivation.shown
    return "" if same else f"spelled {derivation.piece}"


def _normalized(derivation: Derivation) -> list[Any]:
    """Returns a row with the text under the token if normalization changed it."""
    text, held = readable_text(derivation.data), derivation.held
    if text is None or not held or held.strip() == text.strip():
        return []
    return [Equation("in the text", visible(text), note=f"normalized to {visible(held)}")]
