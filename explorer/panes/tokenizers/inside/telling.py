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
from explorer.widgets.base import visible_text

Told = tuple[Step, Scene, Frame]


def face_of(data: bytes) -> Face:
    """Bytes as people read them; as hex where they are no whole characters."""
    try:
        text = visible_text(data.decode())
    except UnicodeDecodeError:
        text = " ".join(f"{byte:02X}" for byte in data)
    return Face(text, data)


def spelled(piece: str) -> Face:
    """A piece of SentencePiece, its sign for a space as the open box."""
    return Face(piece.replace("\u2581", "\u2423"), piece.replace("\u2581", " ").encode())


# -- merges -----------------------------------------------------------------------------------


def merge_frames(tokenizer: Any, steps: Sequence[Step]) -> Iterator[Told]:
    """A word of a BPE: its letters, then for each merge the choice and the join."""
    if not steps or not steps[0].name.endswith((".bytes", ".letters")):
        return
    by_bytes = isinstance(tokenizer, ByteLevelBPE)

    def face(symbol: int) -> Face:
        if by_bytes:
            return face_of(tokenizer.piece_bytes(symbol))
        return spelled(tokenizer.symbols.spelled[symbol])

    first = steps[0].value("letters" if by_bytes else "numbers").tolist()
    branches = [Branch(face(symbol), at, at + 1, 0) for at, symbol in enumerate(first)]
    row = list(range(len(branches)))  # the branches that are not joined yet
    frames: list[MergeFrame] = []
    for step in steps:
        pair, ranks = None, ""
        if step.name.endswith(".choose"):
            found = _chosen(step, by_bytes)
            if found is not None:
                place, rank = found
                pair, ranks = (row[place], row[place + 1]), rank
        elif step.name.endswith(".merge"):
            at = int(step.value("place"))
            symbols = step.value("symbols").tolist()
            place = at if by_bytes else sum(symbol >= 0 for symbol in symbols[:at])
            left, right = row[place], row[place + 1]
            level = 1 + max(branches[left].level, branches[right].level)
            start, end = branches[left].start, branches[right].end
            branches.append(Branch(face(symbols[at]), start, end, level, (left, right)))
            row[place : place + 2] = [len(branches) - 1]
        frames.append(MergeFrame(len(branches), pair, ranks))
    scene = MergeScene(len(first), tuple(branches))
    for step, frame in zip(steps, frames, strict=True):
        yield step, scene, frame


def _chosen(step: Step, by_bytes: bool) -> tuple[int, str] | None:
    """Where in the row the chosen pair stands, and what it is chosen by."""
    if by_bytes:
        rank, token = int(step.value("rank")), int(step.value("token"))
        if token < 0:
            return None
        return step.value("found").tolist().index([rank, token]), f"rank {rank:,}"
    rank, at = step.value("best").tolist()[:2]
    symbols = step.value("symbols").tolist()
    return sum(symbol >= 0 for symbol in symbols[:at]), f"place {rank + 1:,} by score"


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
