"""The derivation of one token: its tokenizer's steps on the part of the text that determines it.

No Qt here; runs on the engine's thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

SPACES, LINES = (b" ", b"\t", b"\n", b"\r"), (b"\n",)
_RESULTS = ("encoding.special", "encoding.whole", "encoding.model")  # steps that yield tokens


@dataclass(frozen=True)
class Derivation:
    """The steps that lead to a token.

    token  its id; `piece` is its spelling, `data` the bytes of the text that it covers
    text   the part of the text that is encoded in `steps`; it gives the same token by itself
    steps  empty if they cannot be shown
    note   a sentence of explanation, or ""
    held   the piece's own text, which differs from `data` if the text was normalized; "" if unknown
    """

    token: int
    piece: str
    data: bytes
    text: str = ""
    steps: tuple[EncodingStep, ...] = ()
    note: str = ""
    held: str = ""

    @property
    def shown(self) -> str:
        """The token as readable text, or as bytes if it is part of a character: <C3>."""
        return shown(self.piece, self.data)


def derive_token(
    tokenizer: Any, data: bytes, start: int, end: int, token: int, specials: bool = True
) -> Derivation:
    """Returns the derivation of the token that `tokenizer` gives for bytes start..end of a text.

    The steps are those of the shortest part of the text that gives the token by itself: its word,
    its line, or a stretch of text around it.
    """
    piece = tokenizer.vocabulary[token]
    held = readable_text(tokenizer.piece_bytes(token)) or ""
    known = Derivation(token, piece, data[start:end], held=held)
    for low, high in stretches(data, start, end):
        text = data[low:high].decode("utf-8", "replace")
        if len(text) > LONGEST:
            continue
        encoding = tokenizer.encode(text, specials=specials)
        wanted = (token, (start - low, end - low))
        found = list(zip(encoding.ids, encoding.spans, strict=True))
        if wanted in found:
            explained = explain_text(tokenizer, text, specials=specials)
            steps = _of_part(explained, encoding.spans, found.index(wanted))
            if steps and not any(one.scene for one in steps):
                steps += _grown(tokenizer, token)
            return replace(known, text=text, steps=steps, note=explained.why)
    note = "The text that decides this token is too long to show step by step."
    return replace(known, note=note)


def stretches(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yields byte ranges around start..end that are whole characters, the shortest first."""
    low, high = whole_character(data, start, end)
    if low == high:  # a token that covers no bytes
        yield low, min(len(data), high + 1)
    yield low, high
    word = _before(data, low, SPACES)
    word -= data[word - 1 : word] == b" "  # a space belongs to the word after it
    yield word, _after(data, high, SPACES)
    yield _before(data, low, LINES), _after(data, high, LINES)
    room = (LONGEST - (high - low)) // 2
    if room > 0:
        wide = max(0, low - room), min(len(data), high + room)
        yield whole_character(data, *wide)


def _before(data: bytes, place: int, ends: Sequence[bytes]) -> int:
    """Returns the offset after the last of `ends` before `place`, at most 4 * LONGEST away."""
    least = max(0, place - 4 * LONGEST)
    return max(least, *(data.rfind(end, least, place) + 1 for end in ends))


def _after(data: bytes, place: int, ends: Sequence[bytes]) -> int:
    most = min(len(data), place + 4 * LONGEST)
    found = (data.find(end, place, most) for end in ends)
    return min((at for at in found if at >= 0), default=most)


def _of_part(
    explained: ExplainedText, spans: list[tuple[int, int]], index: int
) -> tuple[EncodingStep, ...]:
    """Returns the steps of the whole text and the token's word, not those of other words."""
    ends: dict[int, int] = {}
    place = 0
    while place < len(spans) and spans[place] == (0, 0):  # added before the text
        place += 1
    added = sum(start == end for start, end in spans[place:])
    for one in explained.steps:
        if one.step.name in _RESULTS:
            place += np.atleast_1d(next(iter(one.step.values.values()))).size  # type: ignore[arg-type]
            ends[one.word] = place
    if place + added != len(spans):
        return explained.steps
    part = next((word for word, end in ends.items() if index < end), -1)
    return tuple(one for one in explained.steps if one.word in (-1, part) or part < 0)


def _grown(tokenizer: Any, token: int) -> tuple[EncodingStep, ...]:
    """Returns the merges by which training built a piece: encoding a word that is in the vocabulary
    as a whole needs none."""
    if not hasattr(tokenizer, "parents") or tokenizer.parents(token) is None:
        return ()
    return tuple(tree_steps(tokenizer, trace_merge_tree(tokenizer, token)))


def derive_piece(tokenizer: Any, token: int) -> Derivation:
    """Returns the derivation of a piece of the vocabulary: its merges, or the split of its text."""
    piece, data = tokenizer.vocabulary[token], tokenizer.piece_bytes(token)
    found = (EncodingStep(match_step(Match(token, piece, data)), 2),)
    if token in tokenizer.special_tokens.values():
        return Derivation(
            token, piece, data, piece, found, "This is a special token, so nothing is merged."
        )
    if hasattr(tokenizer, "parents"):
        trace = trace_merge_tree(tokenizer, token)
        is_merged = trace[0].name == "tree.merge"
        note = "" if is_merged else "No merge makes this piece: training began with it."
        return Derivation(token, piece, data, "", tuple(tree_steps(tokenizer, trace)), note)
    for text in spellings(data):
        explained = explain_text(tokenizer, text, specials=False)
        if token in explained.ids:
            return Derivation(token, piece, data, text, explained.steps, explained.why)
    note = "By itself, its text is split differently: this piece appears only next to other text."
    return Derivation(token, piece, data, "", found, note)


def spellings(data: bytes) -> Iterator[str]:
    """Yields texts in which a piece with these bytes should appear."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    for one in (text, text.removeprefix(" "), f"a{text}"):
        if one and len(one) <= LONGEST:
            yield one


def tree_steps(tokenizer: Any, trace: Trace) -> Iterator[EncodingStep]:
    """Yields the steps that build a merge tree: its bytes first, then one merge after another."""
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
