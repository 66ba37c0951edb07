"""How one token came to be: the stretch of text that decides it, and its tokenizer's steps.

No Qt here: it runs on the engine's thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.tokenization.analysis.search import Match, match_step
from core.tokenization.bpe.merge_trees import trace_merge_tree
from core.tokenization.telling import readable_text, shown
from core.trace import Trace
from explorer.panes.tokenizers.encoding.compute import (
    LONGEST,
    EncodingStep,
    ExplainedText,
    explain_text,
)
from explorer.panes.tokenizers.encoding.scene import Branch, MergeFrame, MergeScene, face_of
from explorer.widgets.tokens import whole_character

SPACES = b" \t\n\r"
_RESULTS = ("encoding.special", "encoding.whole", "encoding.model")  # each gives tokens


@dataclass(frozen=True)
class Making:
    """What is known of how a token came to be.

    token    its id; `piece` its spelling, `data` the bytes that it stands for
    text     the stretch of text whose steps these are: cut alone it gives the same token there
    moments  the steps; none where they cannot be shown
    note     one sentence, where there is something to know
    held     what the piece itself stands for, as text: other than `data` where the text was
             normalized; "" where that is not known
    """

    token: int
    piece: str
    data: bytes
    text: str = ""
    moments: tuple[EncodingStep, ...] = ()
    note: str = ""
    held: str = ""

    @property
    def shown(self) -> str:
        """The token as people read it; its bytes where it is part of a character: <C3>."""
        return shown(self.piece, self.data)


def make_token(
    tokenizer: Any, data: bytes, start: int, end: int, token: int, specials: bool = True
) -> Making:
    """How `tokenizer` came to this token of the bytes start..end of a text.

    The shortest stretch of the text is taken that gives the token by itself: its word, else its
    line, else what stands around it.
    """
    piece = tokenizer.vocabulary[token]
    held = readable_text(tokenizer.piece_bytes(token)) or ""
    known = Making(token, piece, data[start:end], held=held)
    for low, high in stretches(data, start, end):
        text = data[low:high].decode("utf-8", "replace")
        if len(text) > LONGEST:
            continue
        encoding = tokenizer.encode(text, specials=specials)
        wanted = (token, (start - low, end - low))
        found = list(zip(encoding.ids, encoding.spans, strict=True))
        if wanted in found:
            inside = explain_text(tokenizer, text, specials=specials)
            moments = _of_part(inside, encoding.spans, found.index(wanted))
            if moments and not any(moment.scene for moment in moments):
                moments += _grown(tokenizer, token)
            return replace(known, text=text, moments=moments, note=inside.why)
    note = "The text that decides this token is too long to be shown step by step."
    return replace(known, note=note)


def stretches(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Parts of a text that hold start..end, from the shortest: whole characters, in bytes."""
    low, high = whole_character(data, start, end)
    if low == high:  # a token that stands for nothing
        yield low, min(len(data), high + 1)
    yield low, high
    yield _back(data, low, SPACES), _on(data, high, SPACES)
    yield _back(data, low, b"\n"), _on(data, high, b"\n")
    room = (LONGEST - (high - low)) // 2
    if room > 0:
        wide = max(0, low - room), min(len(data), high + room)
        yield whole_character(data, *wide)


def _back(data: bytes, place: int, ends: bytes) -> int:
    """Back to behind the last of `ends`, at most LONGEST bytes; a space before a word is its."""
    least = max(0, place - 4 * LONGEST)
    while place > least and data[place - 1] not in ends:
        place -= 1
    if ends == SPACES and place > least and data[place - 1 : place] == b" ":
        place -= 1
    return place


def _on(data: bytes, place: int, ends: bytes) -> int:
    most = min(len(data), place + 4 * LONGEST)
    while place < most and data[place] not in ends:
        place += 1
    return place


def _of_part(
    inside: ExplainedText, spans: list[tuple[int, int]], index: int
) -> tuple[EncodingStep, ...]:
    """The steps of the whole stretch and of the word that the token is in, other words left out."""
    ends: dict[int, int] = {}
    place = 0
    while place < len(spans) and spans[place] == (0, 0):  # put before the text
        place += 1
    added = sum(start == end for start, end in spans[place:])
    for moment in inside.steps:
        if moment.step.name in _RESULTS:
            place += np.atleast_1d(next(iter(moment.step.values.values()))).size  # type: ignore[arg-type]
            ends[moment.word] = place
    if place + added != len(spans):
        return inside.steps
    part = next((word for word, end in ends.items() if index < end), -1)
    return tuple(one for one in inside.steps if one.word in (-1, part) or part < 0)


def _grown(tokenizer: Any, token: int) -> tuple[EncodingStep, ...]:
    """The merges that training made of a piece, where it is made of others: a word that is taken
    whole shows no merge while it is encoded."""
    if not hasattr(tokenizer, "parents") or tokenizer.parents(token) is None:
        return ()
    return tuple(tree_moments(tokenizer, trace_merge_tree(tokenizer, token)))


def make_piece(tokenizer: Any, token: int) -> Making:
    """How a piece of the vocabulary comes to be: its merges, or how its own text is cut."""
    piece, data = tokenizer.vocabulary[token], tokenizer.piece_bytes(token)
    if token in tokenizer.special_tokens.values():
        moments = (EncodingStep(match_step(Match(token, piece, data)), 2),)
        return Making(token, piece, data, piece, moments, "A special token: nothing is merged.")
    if hasattr(tokenizer, "parents"):
        trace = trace_merge_tree(tokenizer, token)
        note = "" if trace[0].name == "tree.merge" else "No merge makes it: training began with it."
        return Making(token, piece, data, "", tuple(tree_moments(tokenizer, trace)), note)
    for text in spellings(data):
        inside = explain_text(tokenizer, text, specials=False)
        if token in inside.ids:
            return Making(token, piece, data, text, inside.steps, inside.why)
    moments = (EncodingStep(match_step(Match(token, piece, data)), 2),)
    note = "Alone, the text of this piece is cut differently: it appears only next to other text."
    return Making(token, piece, data, "", moments, note)


def spellings(data: bytes) -> Iterator[str]:
    """Texts in which a piece of these bytes should appear."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    for one in (text, text.removeprefix(" "), f"a{text}"):
        if one and len(one) <= LONGEST:
            yield one


def tree_moments(tokenizer: Any, trace: Trace) -> Iterator[EncodingStep]:
    """A merge tree as it grows: its bytes first, then merge after merge."""
    tree = trace.about["tree"]
    leaves = tree.leaves
    place_of = {leaf.start: place for place, leaf in enumerate(leaves)}
    place_of[tree.nodes[0].end] = len(leaves)
    branches: list[Branch] = []
    number: dict[tuple[int, int], int] = {}

    def face(token: int) -> Any:
        return face_of(tokenizer.kind, tokenizer.vocabulary[token])

    for place, leaf in enumerate(leaves):
        number[leaf.start, leaf.end] = place
        branches.append(Branch(face(leaf.token), place, place + 1, 0))
    for node in reversed(tree.nodes):
        if node.children is None:
            continue
        parts = [tree.nodes[child] for child in node.children]
        left, right = (number[part.start, part.end] for part in parts)
        level = 1 + max(branches[left].level, branches[right].level)
        number[node.start, node.end] = len(branches)
        start, end = place_of[node.start], place_of[node.end]
        branches.append(Branch(face(node.token), start, end, level, (left, right)))
    scene = MergeScene(len(leaves), tuple(branches))
    for step, there in zip(trace, range(len(leaves) + 1, len(branches) + 2), strict=False):
        yield EncodingStep(step, 2, 0, scene, MergeFrame(min(there, len(branches))))
