"""How the steps of a word become pictures: for each step the scene, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from core.tokenization.bpe import ByteLevelBPE
from core.tokenization.unigram.lattice import END, Lattice
from core.trace import Step, Trace
from explorer.panes.tokenizers.inside.scenes import (
    Branch,
    Face,
    Frame,
    LatticeFrame,
    LatticeScene,
    Look,
    MatchFrame,
    MatchScene,
    MergeFrame,
    MergeScene,
    Scene,
)
from explorer.panes.tokenizers.pieces import bytes_of, text_of

Told = tuple[Step, Scene, Frame]


def face_of(kind: str, piece: str) -> Face:
    """A piece as people read it."""
    return Face(text_of(kind, piece), bytes_of(kind, piece))


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

    def face(symbol: int) -> Face:
        return face_of(tokenizer.kind, spelled[symbol])

    first = next(iter(steps[0].values.values())).tolist()
    branches = [Branch(face(symbol), at, at + 1, 0) for at, symbol in enumerate(first)]
    row = list(range(len(branches)))  # the branches that are not joined yet
    frames: list[MergeFrame] = []
    for step in steps:
        pair, why, passed = None, "", False
        if step.name.endswith((".choose", ".draw")):
            found = _chosen(step)
            if found is not None:
                place, why, passed = found
                pair = row[place], row[place + 1]
        elif step.name.endswith(".merge"):
            symbols = step.value("symbols").tolist()
            at = int(step.value("place"))
            place = _standing(symbols, at)
            left, right = row[place], row[place + 1]
            level = 1 + max(branches[left].level, branches[right].level)
            start, end = branches[left].start, branches[right].end
            branches.append(Branch(face(symbols[at]), start, end, level, (left, right)))
            row[place : place + 2] = [len(branches) - 1]
        frames.append(MergeFrame(len(branches), pair, why, passed))
    scene = MergeScene(len(first), tuple(branches))
    for step, frame in zip(steps, frames, strict=True):
        yield step, scene, frame


def _standing(symbols: Sequence[int], at: int) -> int:
    """How many symbols stand left of a place: some are gone, joined to what is on their left."""
    return sum(symbol >= 0 for symbol in symbols[:at])


def _chosen(step: Step) -> tuple[int, str, bool] | None:
    """Where in the row the chosen pair stands, what it is chosen by, whether it is passed over."""
    symbols = step.value("symbols").tolist()
    if step.name.endswith(".draw"):
        draw, dropout = float(step.value("draw")), float(step.value("dropout"))
        passed = draw < dropout
        said = f"rank {int(step.value('rank')):,}: {'passed over' if passed else 'done'}"
        return _standing(symbols, int(step.value("place"))), said, passed
    if "found" in step.values:  # of a byte-level BPE
        rank, token = int(step.value("rank")), int(step.value("token"))
        if token < 0:
            return None
        return step.value("found").tolist().index([rank, token]), f"rank {rank:,}", False
    rank, at = step.value("best").tolist()[:2]
    return _standing(symbols, at), f"place {rank + 1:,} by score", False


# -- longest match ----------------------------------------------------------------------------


def match_frames(word: str, steps: Sequence[Step], vocabulary: Sequence[str]) -> Iterator[Told]:
    """A word of WordPiece: every look into the vocabulary, and what is taken."""
    looks: list[Look] = []
    frames: list[MatchFrame] = []
    taken: tuple[int, ...] = ()
    for step in steps:
        unknown = ""
        if step.name == "wordpiece.look":
            start, end = int(step.value("start")), int(step.value("end"))
            there = int(step.value("token")) >= 0
            looks.append(Look(str(step.value("piece")), start, end, there))
        elif step.name == "wordpiece.take":
            taken = (*taken, len(looks) - 1)
        else:
            unknown = vocabulary[int(step.value("ids")[0])]
        frames.append(MatchFrame(len(looks), taken, unknown))
    scene = MatchScene(word, tuple(looks))
    for step, frame in zip(steps, frames, strict=True):
        yield step, scene, frame


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
        yield step, scene, frame
