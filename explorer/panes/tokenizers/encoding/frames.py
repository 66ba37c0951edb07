"""How the steps of a word become pictures: for each step the scene, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.tokenization.bpe import ByteLevelBPE
from core.tokenization.sentencepiece.score_merging import Offer, standing
from core.tokenization.sentencepiece.trace import by_score
from core.tokenization.unigram.lattice import END, Lattice
from core.trace import Step, Trace
from explorer.panes.tokenizers.encoding.numbers import (
    draw_numbers,
    join_numbers,
    letters_numbers,
    match_numbers,
    pairs_numbers,
    tokens_numbers,
)
from explorer.panes.tokenizers.encoding.scenes import (
    Branch,
    Frame,
    LatticeFrame,
    LatticeScene,
    Lookup,
    MatchFrame,
    MatchScene,
    MergeFrame,
    MergeScene,
    Number,
    Pair,
    Scene,
    SymbolFace,
)
from explorer.panes.tokenizers.pieces import bytes_of, text_of

Told = tuple[Step, Scene, Frame, tuple[Number, ...]]


def face_of(kind: str, piece: str) -> SymbolFace:
    """A piece as people read it."""
    return SymbolFace(text_of(kind, piece), bytes_of(kind, piece))


# -- merges -----------------------------------------------------------------------------------


def merge_frames(tokenizer: Any, steps: Sequence[Step]) -> Iterator[Told]:
    """A word of a BPE: its letters, then for each merge the choice and the join."""
    if not steps or not steps[0].name.endswith((".bytes", ".letters")):
        return
    spelled = (
        tokenizer.vocabulary
        if isinstance(tokenizer, ByteLevelBPE)
        else tokenizer.symbols.spelled  # of what is no piece too
    )

    def face(symbol: int) -> SymbolFace:
        return face_of(tokenizer.kind, spelled[symbol])

    first = next(iter(steps[0].values.values())).tolist()
    branches = [Branch(face(symbol), at, at + 1, 0) for at, symbol in enumerate(first)]
    row = list(range(len(branches)))  # the branches that are not joined yet
    frames: list[MergeFrame] = []
    numbers = [letters_numbers([branch.face for branch in branches], letters_of(steps[0]))]
    for step in steps:
        pair, why, passed = None, "", False
        if step.name.endswith((".choose", ".draw")):
            offers = offers_of(tokenizer, step)
            symbols = step.value("symbols").tolist()
            if offers:
                why, place = offers[0].by, _standing(symbols, offers[0].place)
                pair = row[place], row[place + 1]
            passed = _passes(step)
            numbers.append(_choice_numbers(step, offers, face))
        elif step.name.endswith(".merge"):
            symbols = step.value("symbols").tolist()
            at = int(step.value("place"))
            place = _standing(symbols, at)
            left, right = row[place], row[place + 1]
            level = 1 + max(branches[left].level, branches[right].level)
            start, end = branches[left].start, branches[right].end
            branches.append(Branch(face(symbols[at]), start, end, level, (left, right)))
            row[place : place + 2] = [len(branches) - 1]
            parts = (branches[left].face, branches[right].face)
            numbers.append(join_numbers(*parts, branches[-1].face, symbols[at]))
        elif frames:
            numbers.append(tokens_numbers(tokenizer, next(iter(step.values.values())).tolist()))
        if passed:
            why = f"{why}: passed over"
        frames.append(MergeFrame(len(branches), pair, why, passed))
    scene = MergeScene(len(first), tuple(branches))
    for step, frame, told in zip(steps, frames, numbers, strict=True):
        yield step, scene, frame, told


def letters_of(step: Step) -> str:
    """What the first step of a word begins with."""
    return "byte" if step.name.endswith(".bytes") else "character"


def _choice_numbers(
    step: Step, offers: Sequence[Offered], face: Callable[[int], SymbolFace]
) -> tuple[Number, ...]:
    pairs = [Pair(face(one.left).text, face(one.right).text, one.by) for one in offers]
    if step.name.endswith(".draw"):
        return draw_numbers(pairs, float(step.value("draw")), float(step.value("dropout")))
    return pairs_numbers(pairs)


def _passes(step: Step) -> bool:
    """Whether chance passes over the pair that would be joined."""
    return "draw" in step.values and bool(step.value("draw") < step.value("dropout"))


def _standing(symbols: Sequence[int], at: int) -> int:
    """How many symbols stand left of a place: some are gone, joined to what is on their left."""
    return sum(symbol >= 0 for symbol in symbols[:at])


@dataclass(frozen=True)
class Offered:
    """Two neighbors that could be joined: where the left one stands, and what they go by."""

    place: int
    left: int
    right: int
    by: str


def offers_of(tokenizer: Any, step: Step) -> list[Offered]:
    """The pair that a step chooses, then its rivals, the best first; [] where nothing fits."""
    symbols = step.value("symbols").tolist()
    if "best" in step.values:  # by score
        best = Offer(*step.value("best").tolist())
        heap = [Offer(*one) for one in step.value("heap").tolist()]
        return [
            Offered(one.place, one.left, one.right, by_score(tokenizer.pieces, one))
            for one in (best, *standing(heap, symbols))
        ]
    if "found" in step.values:  # by rank: what each pair of neighbors would be joined to
        found = step.value("found").tolist()
        fits = [(rank, at) for at, (rank, token) in enumerate(found) if token >= 0]
        return [
            Offered(at, symbols[at], symbols[at + 1], f"rank {rank:,}") for rank, at in sorted(fits)
        ]
    at, after = int(step.value("place")), int(step.value("after"))
    return [Offered(at, symbols[at], symbols[after], f"rank {int(step.value('rank')):,}")]


# -- longest match ----------------------------------------------------------------------------


def match_frames(tokenizer: Any, word: str, steps: Sequence[Step]) -> Iterator[Told]:
    """A word of WordPiece: every look into the vocabulary, and what is taken."""
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
        yield step, scene, frame, match_numbers(tokenizer, step)


# -- lattice ----------------------------------------------------------------------------------


def lattice_frames(trace: Trace, steps: Sequence[Step], unknown: int | None) -> Iterator[Told]:
    """A sentence of Unigram: all pieces, the best way to each place, the way back, other ways."""
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
                frame = LatticeFrame(size, path=paths[rank - 1].nodes, way="rank", rank=rank)
            case "forward":
                frame = LatticeFrame(size, next(sums), likely=True)
            case "posterior":
                frame = LatticeFrame(size, likely=True)
            case "sample":
                drawn += 1
                nodes = scene.sample.nodes
                frame = LatticeFrame(size, path=nodes[len(nodes) - drawn :], way="sample")
        yield step, scene, frame, ()
