"""What the inspector shows in Compare: the rates of a text, and how one token came to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.numbers import format_number
from core.tokenization.analysis import rates
from core.tokenization.telling import readable_text, visible
from core.trace import Step
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.compare.making import Making
from explorer.panes.tokenizers.compare.model import said_cost
from explorer.panes.tokenizers.compare.text import Named
from explorer.panes.tokenizers.encoding.compute import EncodingStep
from explorer.panes.tokenizers.encoding.inspector import inspection
from explorer.widgets.live_numbers import Equation


def rate_steps(known: Named, words: int | None, price: float) -> list[Step]:
    """What the text costs under the first tokenizer, as steps: they are what Compare plays before
    a token is chosen."""
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
    """One rate of every tokenizer: the formula, the line of core, the live numbers."""
    rows: list[Any] = []
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
            value = said_cost(rates.cost(count, price))
            note = f"= {count:,} \u00d7 {format_number(price)} / 1,000,000"
        lost = f", {split.unknown:,} unknown" if split.unknown else ""
        rows.append(Equation(name, value, "attention" if not place else "text", note + lost))
        table[f"ids, {name}"] = split.tokens.ids
    return Inspection(step, rows, table, title=step.title)


def making_inspection(
    name: str, making: Making, moment: EncodingStep, pinned: bool = True
) -> Inspection:
    """One step of how a token came to be, with what the token is."""
    told = inspection(name, moment)
    rows = [*_facts(making), *told.rows]
    if making.note:
        rows.append(making.note)
    cell = f"{making.shown} in {name}"
    return replace(told, rows=rows, cell=cell, pinned=pinned, title=moment.step.title)


def _facts(making: Making) -> list[Any]:
    """What the token is."""
    return [
        Equation("token", making.shown, "attention"),
        Equation("id", f"{making.token:,}", note=f"spelled {making.piece}"),
        *_changed(making),
        Equation("bytes", making.data[:12].hex(" ").upper() or "none"),
    ]


def _changed(making: Making) -> list[Any]:
    """What the text under a token was before normalization, where that changed it."""
    text = readable_text(making.data)
    if text is None or not making.held or making.held.strip() == text.strip():
        return []
    return [Equation("in the text", visible(text), note=f"normalized to {visible(making.held)}")]


def piece_inspection(name: str, making: Making) -> Inspection:
    """A token whose steps cannot be shown."""
    rows: list[Any] = [*_facts(making), making.note or "Its steps cannot be shown."]
    return Inspection(rows=rows, title=f"{name}: {making.shown}")
