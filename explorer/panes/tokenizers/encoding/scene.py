"""The data of an encoding's pictures: merges, lookups in a vocabulary, a lattice.

A scene is a whole word, a frame the progress of its encoding. No Qt here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.tokenization.bpe import ByteLevelBPE
from core.tokenization.sentencepiece.score_merging import Offer, standing
from core.tokenization.sentencepiece.trace import by_score
from core.tokenization.unigram.lattice import END, Best, Lattice, Node, Path
from core.trace import Step, Trace
from explorer.panes.tokenizers.encoding.inspector_rows import (
    Rows,
    dropout_rows,
    join_rows,
    letter_rows,
    lookup_rows,
    pair_rows,
    token_rows,
)
from explorer.panes.tokenizers.pieces import SymbolFace, face_of


@dataclass(frozen=True)
class Branch:
    """A symbol of the merge tree: its letters start..end, its level, the indices of its parts."""

    face: SymbolFace
    start: int
    end: int
    level: int
    parts: tuple[int, int] | None = None


@dataclass(frozen=True)
class MergeScene:
    """All symbols of a word: its letters first, then the result of each merge."""

    letters: int
    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class MergeFrame:
    """shown   the number of branches so far
    pair    the indices of the chosen pair, if any
    why     the reason for the choice: rank or score
    passed  True if dropout skips this merge
    """

    shown: int
    pair: tuple[int, int] | None = None
    why: str = ""
    passed: bool = False


@dataclass(frozen=True)
class Lookup:
    """A substring start..end of the word; `there` if the vocabulary contains it."""

    piece: str
    start: int
    end: int
    there: bool


@dataclass(frozen=True)
class MatchScene:
    """A word and all strings that are looked up in the vocabulary."""

    word: str
    lookups: tuple[Lookup, ...]


@dataclass(frozen=True)
class MatchFrame:
    """lookups  the number of lookups so far
    taken    the indices of those that became tokens
    unknown  the token that replaces the whole word if no piece fits, else ""
    """

    lookups: int
    taken: tuple[int, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, eq=False)
class LatticeScene:
    """A text's lattice with its paths; `sample` is drawn with scores scaled by `alpha`."""

    lattice: Lattice
    best: Best
    n_best: tuple[Path, ...]
    shares: tuple[float, ...]  # probability of each of the n best paths
    posteriors: Any  # (nodes)
    sample: Path
    alpha: float
    unknown: int | None = None

    @property
    def ways(self) -> tuple[Path, ...]:
        """The listed paths, numbered from 1: the n best, then the sample."""
        return (*self.n_best, self.sample)

    @cached_property
    def lanes(self) -> tuple[int, ...]:
        """A lane for each node in which it overlaps no other; short nodes get the first lanes."""
        nodes = self.lattice.nodes
        lanes: list[list[Node]] = []
        found = [0] * len(nodes)
        for at in sorted(range(len(nodes)), key=lambda at: nodes[at].end - nodes[at].start):
            free = (lane for lane, others in enumerate(lanes) if not _overlaps(nodes[at], others))
            found[at] = next(free, len(lanes))
            if found[at] == len(lanes):
                lanes.append([])
            lanes[found[at]].append(nodes[at])
        return tuple(found)


def _overlaps(node: Node, others: Sequence[Node]) -> bool:
    return any(node.start < other.end and other.start < node.end for other in others)


@dataclass(frozen=True)
class LatticeFrame:
    """place   the last position with a known best score
    ending  the position whose incoming pieces are compared; -1 for none
    path    the bold nodes
    way     the number of that path in the scene's `ways`; 0 for none
    likely  True if each piece is filled by its probability
    """

    place: int
    ending: int = -1
    path: tuple[Any, ...] = ()
    way: int = 0
    likely: bool = False


Scene = MergeScene | MatchScene | LatticeScene
Frame = MergeFrame | MatchFrame | LatticeFrame
Drawn = tuple[Step, Scene, Frame, Rows]


# -- merges -----------------------------------------------------------------------------------


def merge_frames(tokenizer: Any, steps: Sequence[Step]) -> Iterator[Drawn]:
    """Yields the steps of a BPE word: the letters, then the choice and the join of each merge."""
    if not steps or not steps[0].name.endswith((".bytes", ".letters")):
        return
    spelled = (
        tokenizer.vocabulary
        if isinstance(tokenizer, ByteLevelBPE)
        else tokenizer.symbols.spelled  # includes symbols outside the vocabulary
    )

    def face(symbol: int) -> SymbolFace:
        return face_of(tokenizer.kind, spelled[symbol])

    first = next(iter(steps[0].values.values())).tolist()
    branches = [Branch(face(symbol), at, at + 1, 0) for at, symbol in enumerate(first)]
    row = list(range(len(branches)))  # indices of the branches not joined yet
    frames: list[MergeFrame] = []
    letter = "byte" if steps[0].name.endswith(".bytes") else "character"
    rows = [letter_rows([branch.face.text for branch in branches], letter)]
    for step in steps:
        pair, why, passed = None, "", False
        if step.name.endswith((".choose", ".draw")):
            offers = offers_of(tokenizer, step)
            symbols = step.value("symbols").tolist()
            if offers:
                why, place = offers[0].by, _standing(symbols, offers[0].place)
                pair = row[place], row[place + 1]
            pairs = [(f"{face(one.left).text} + {face(one.right).text}", one.by) for one in offers]
            if step.name.endswith(".draw"):
                draw, dropout = float(step.value("draw")), float(step.value("dropout"))
                passed = draw < dropout
                rows.append(dropout_rows(pairs, draw, dropout))
            else:
                rows.append(pair_rows(pairs))
        elif step.name.endswith(".merge"):
            symbols = step.value("symbols").tolist()
            at = int(step.value("place"))
            place = _standing(symbols, at)
            left, right = row[place], row[place + 1]
            level = 1 + max(branches[left].level, branches[right].level)
            start, end = branches[left].start, branches[right].end
            branches.append(Branch(face(symbols[at]), start, end, level, (left, right)))
            row[place : place + 2] = [len(branches) - 1]
            faces = (branches[one].face.text for one in (left, right, -1))
            rows.append(join_rows(*faces, symbols[at]))
        elif frames:
            rows.append(token_rows(tokenizer, next(iter(step.values.values())).tolist()))
        why = f"{why}: skipped" if passed else why
        frames.append(MergeFrame(len(branches), pair, why, passed))
    scene = MergeScene(len(first), tuple(branches))
    for step, frame, told in zip(steps, frames, rows, strict=True):
        yield step, scene, frame, told


def _standing(symbols: Sequence[int], at: int) -> int:
    """Returns the number of symbols left of index `at` that have not been joined to another."""
    return sum(symbol >= 0 for symbol in symbols[:at])


@dataclass(frozen=True)
class Offered:
    """A candidate pair: the left one's position, both symbols, and its rank or score in words."""

    place: int
    left: int
    right: int
    by: str


def offers_of(tokenizer: Any, step: Step) -> list[Offered]:
    """Returns a step's chosen pair, then its rivals, the best first; [] if there are none."""
    symbols = step.value("symbols").tolist()
    if "best" in step.values:  # by score
        best = Offer(*step.value("best").tolist())
        heap = [Offer(*one) for one in step.value("heap").tolist()]
        return [
            Offered(one.place, one.left, one.right, by_score(tokenizer.pieces, one))
            for one in (best, *standing(heap, symbols))
        ]
    if "found" in step.values:  # by rank: the merge result of each pair of neighbors
        found = step.value("found").tolist()
        fits = [(rank, at) for at, (rank, token) in enumerate(found) if token >= 0]
        return [
            Offered(at, symbols[at], symbols[at + 1], f"rank {rank:,}") for rank, at in sorted(fits)
        ]
    at, after = int(step.value("place")), int(step.value("after"))
    return [Offered(at, symbols[at], symbols[after], f"rank {int(step.value('rank')):,}")]


# -- longest match ----------------------------------------------------------------------------


def match_frames(tokenizer: Any, word: str, steps: Sequence[Step]) -> Iterator[Drawn]:
    """Yields the steps of a WordPiece word: all lookups in the vocabulary and the pieces taken."""
    lookups: list[Lookup] = []
    frames: list[MatchFrame] = []
    taken: tuple[int, ...] = ()
    for step in steps:
        unknown = ""
        if step.name == "wordpiece.look":
            start, end = int(step.value("start")), int(step.value("end"))
            there = int(step.value("token")) >= 0
            lookups.append(Lookup(str(step.value("piece")), start, end, there))
        elif step.name == "wordpiece.take":
            taken = (*taken, len(lookups) - 1)
        else:
            unknown = tokenizer.vocabulary[int(step.value("ids")[0])]
        frames.append(MatchFrame(len(lookups), taken, unknown))
    scene = MatchScene(word, tuple(lookups))
    for step, frame in zip(steps, frames, strict=True):
        yield step, scene, frame, lookup_rows(tokenizer, step)


# -- lattice ----------------------------------------------------------------------------------


def lattice_frames(trace: Trace, steps: Sequence[Step], unknown: int | None) -> Iterator[Drawn]:
    """Yields the steps of a Unigram lattice: pieces, best scores, backtrace, n best, sample."""
    about = trace.about
    lattice: Lattice = about["lattice"]
    total = float(lattice.forward()[END])
    paths = tuple(about["n_best"])
    scene = LatticeScene(
        lattice,
        about["best"],
        paths,
        tuple(float(np.exp(path.score - total)) for path in paths),
        about["posteriors"],
        about["sample"],
        about["alpha"],
        unknown,
    )
    best = scene.best.path.nodes
    size = len(lattice.text)
    arrivals = iter([place for place in range(size + 1) if lattice.ending_at(place)])
    sums = iter([place for place in range(size + 1) if lattice.ending_at(place)])
    place, back, rank, drawn = 0, 0, 0, 0
    for step in steps:
        frame = LatticeFrame(size, path=best)
        match step.name.removeprefix("unigram."):
            case "nodes" | "unknown":
                frame = LatticeFrame(0)
            case "arrive":
                place = next(arrivals)
                frame = LatticeFrame(place - 1, place)
            case "keep":
                arrived = scene.best.arrived[place]
                frame = LatticeFrame(place, place, (arrived,))
            case "backtrace":
                back += 1
                frame = LatticeFrame(size, path=best[len(best) - back :])
            case "take":
                rank += 1
                frame = LatticeFrame(size, path=paths[rank - 1].nodes, way=rank)
            case "forward":
                frame = LatticeFrame(size, next(sums), likely=True)
            case "posterior":
                frame = LatticeFrame(size, likely=True)
            case "sample":
                drawn += 1
                nodes = scene.sample.nodes
                frame = LatticeFrame(size, path=nodes[len(nodes) - drawn :], way=len(paths) + 1)
        yield step, scene, frame, ()
