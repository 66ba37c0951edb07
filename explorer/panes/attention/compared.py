"""Two texts read by one model, head by head, as plain arrays and sentences.

Letters in shapes as in `model`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from core.inference.head_comparison import (
    moved_attention,
    moved_step,
    same_queries,
    score_difference,
)
from core.inference.heads import head_scores
from core.numbers import format_number
from explorer.panes.attention.model import (
    Heads,
    Prompt,
    capture_without,
    look,
    quoted,
    read_prompt,
    strongest,
    visible_cells,
    without_first,
)
from explorer.panes.base import Inspection
from explorer.widgets.equations import Equation
from explorer.widgets.pooling import pool_heads, to_uint8

if TYPE_CHECKING:
    from core.tokenization import Tokenizer
    from core.transformer import GPT, ModelConfig
    from explorer.runs.sources import Captured

OTHERS = ("Tom", "Lily", "Ben", "Max", "dog", "cat", "big", "blue")
MOST_TRIED = 60  # texts, each of which is encoded
SEEN = "Two texts compared"
SAME = "Both texts are the same: change a word of the second one."


@dataclass(frozen=True)
class Compared:
    """The heads of the first text, and what the second makes of them.

    attention   (L, H, T, T) on the second text, `prompt`
    moved       (L, H, T): which share of each query's attention goes elsewhere; None for texts of
                different lengths
    difference  (L, H): the largest of these shares, of the queries that can be compared; else
                `score_difference`
    version     of the model that read the second text
    """

    heads: Heads
    prompt: Prompt
    attention: np.ndarray
    moved: np.ndarray | None
    difference: np.ndarray
    version: int

    @property
    def aligned(self) -> bool:
        """Whether the two can be laid over one another."""
        return self.moved is not None

    def query(self, layer: int, head: int) -> int:
        """The query at which a head changes most; of texts of different lengths, the last one."""
        return (
            self.heads.n_tokens - 1 if self.moved is None else int(self.moved[layer, head].argmax())
        )

    @property
    def labels(self) -> list[str]:
        """Of the queries and keys of both: what stands in one place of either text."""
        pairs = zip(self.heads.prompt.labels, self.prompt.labels, strict=False)
        return [one if one == other else f"{one.strip()}/{other.strip()}" for one, other in pairs]

    def weights(self, layer: int, head: int, hide_first: bool) -> np.ndarray:
        """(T, T) weights of one head on the second text."""
        weights = self.attention[layer, head]
        return without_first(weights) if hide_first else weights

    def change(self, layer: int, head: int, hide_first: bool) -> np.ndarray:
        """(T, T): second minus first, where both have as many tokens."""
        before = self.heads.weights(layer, head, hide_first)
        return self.weights(layer, head, hide_first) - before


def reread(model: GPT, heads: Heads, version: int) -> Heads:
    """The first text as this version of the model reads it; for the engine's thread."""
    kept, before = capture_without(model, heads.prompt.ids, heads.off)
    return look(
        kept, heads.prompt, heads.source, version, model.config, off=heads.off, before=before
    )


def compare(heads: Heads, kept: Captured, prompt: Prompt, config: ModelConfig | None) -> Compared:
    """Of what the model made of a second text; meant for the engine's thread."""
    attention = kept.activations.attention
    assert attention is not None
    if len(prompt.ids) == heads.n_tokens:
        queries = same_queries(heads.prompt.ids, prompt.ids)
        moved = np.where(queries, moved_attention(heads.attention, attention), 0)
        return Compared(heads, prompt, attention, moved, moved.max(axis=-1), kept.version)
    visible = None
    if config is not None:
        visible = visible_cells(len(attention), attention.shape[-1], config)
    difference = score_difference(heads.scores, head_scores(attention, prompt.ids, visible))
    return Compared(heads, prompt, attention, None, difference, kept.version)


def mosaic(found: Compared, cell_pixels: int, hide_first: bool) -> np.ndarray:
    """(L, H, P, P) uint8: by how much each weight differs; of texts that cannot be laid over one
    another, the weights on the second.
    """
    before, after = found.heads.attention, found.attention
    if hide_first:
        after = without_first(after)
        before = without_first(before) if found.aligned else before
    return pool_heads(to_uint8(np.abs(after - before) if found.aligned else after), cell_pixels)


def suggestion(tokenizer: Tokenizer, text: str, limit: int) -> str:
    """A second text: the first word that is repeated is another one there (without a repetition
    the last word), or has another letter. Of as many tokens where that is possible.
    """
    tokens, made = _count(tokenizer, text, limit), ""
    for candidate in islice(_others(text), MOST_TRIED):
        count = _count(tokenizer, candidate, limit)
        if count == tokens and candidate != text:
            return candidate
        made = made or (candidate if count else "")
    return made or text


def _others(text: str) -> Iterator[str]:
    """The text with one of OTHERS, or of its own words, in a word's place; then with another of
    its own letters where one that is repeated stands first.
    """
    words = list(re.finditer(r"\w+", text))
    if not words:
        return
    spelled = Counter(word.group() for word in words)
    repeated = [word for word in words if len(word.group()) > 2 and spelled[word.group()] > 1]
    changed = repeated[0] if repeated else words[-1]
    word, upper = changed.group(), changed.group()[0].isupper()
    for other in (*OTHERS, *spelled):
        if other != word and other[0].isupper() == upper and len(words) > 1:
            yield text[: changed.start()] + other + text[changed.end() :]
    place = next((at for at, letter in enumerate(word) if text.count(letter) > 1), 0)
    place += changed.start()
    for letter in dict.fromkeys("".join(spelled)):
        yield text[:place] + letter + text[place + 1 :]


def _count(tokenizer: Tokenizer, text: str, limit: int) -> int:
    """How many tokens; 0 where the tokenizer does not know all of its letters."""
    try:
        return len(read_prompt(tokenizer, text, limit).ids)
    except ValueError:
        return 0


def sentence(found: Compared, layer: int, head: int) -> str:
    """How much this head changes between the texts, and which one changes most."""
    if found.heads.prompt.ids == found.prompt.ids:
        return SAME
    at, most = strongest(found.difference), format_number(float(found.difference.max()))
    here = format_number(float(found.difference[layer, head]))
    other = f"layer {at[0]}, head {at[1]}"
    if not found.aligned:
        sizes = f"{found.heads.n_tokens} and {len(found.prompt.ids)} tokens"
        return (
            f"Texts of {sizes} are compared by their heads' scores: {other} differs most, by "
            f"{most}, this one by {here}."
        )
    row = found.query(layer, head)
    change = found.change(layer, head, False)[row]
    query, loser, winner = (
        quoted(found.labels[place]) for place in (row, int(change.argmin()), int(change.argmax()))
    )
    if not change.any():
        return f"Nothing changes in this head; {other} changes most, by {most}."
    moves = f"{here} of the attention of {query} moves, most of it from {loser} to {winner}"
    if at == (layer, head):
        return f"This head changes most: {moves}."
    return f"Here {moves}; {other} changes most, by {most}."


def inspection(
    found: Compared, layer: int, head: int, cell: tuple[int, int] | None, hide: bool
) -> Inspection:
    """One weight on either text, by default that which changes most, and all of its query."""
    both = found.heads.weights(layer, head, hide), found.weights(layer, head, hide)
    if cell is None:
        row = found.query(layer, head)
        told = np.abs(both[1][row] - both[0][row]) if found.aligned else both[0][row]
        cell = row, int(told.argmax())
    rows: list[Any] = []
    names = found.heads.prompt.labels, found.prompt.labels
    for place, weights, labels in zip(("first", "second"), both, names, strict=True):
        if max(cell) < len(labels):
            said = f"{quoted(labels[cell[0]])} at {quoted(labels[cell[1]])}"
            rows.append(Equation(f"a, {place} text", float(weights[cell]), "attention", said))
    step = None
    if found.aligned:
        step = moved_step(both[0][cell[0]], both[1][cell[0]])
        rows.append(Equation("moved", float(step.value("moved")), "text", "of this query"))
    else:
        told = float(found.difference[layer, head])
        rows.append(Equation("this head", told, "text", "the largest difference of its scores"))
    pieces = [[f"{at} {one}" for at, one in enumerate(labels)] for labels in names]
    table = dict(zip(("first text", "second text"), both, strict=True))
    labelled = {name: (one, one) for name, one in zip(table, pieces, strict=True)}
    said = f"query {cell[0]}, key {cell[1]}"
    return Inspection(step, rows, table, said, False, SEEN, labelled, plain=True)
