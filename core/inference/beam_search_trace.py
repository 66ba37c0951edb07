"""A beam search, step by step: score, choose and prune for every token; finish when texts end."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import torch

from core.inference.beam_search import (
    BeamSettings,
    BeamStep,
    BeamTree,
    Predict,
    beam_search_steps,
    penalized,
)
from core.jobs import to_the_end
from core.numbers import format_count
from core.tokenization.telling import count, listed
from core.trace import Step, Trace
from core.transformer.gpt import GPT

_HERE = "core.inference.beam_search"
FORMULAS = {
    "score": r"s_{b,i} = s_b + \log p_i \quad p = \mathrm{softmax}(z(y_b))",
    "choose": r"\mathrm{top}_{2B} \ s_{b,i}",
    "prune": r"\{ y : \mathrm{place}(y) \le B \}",
    "finish": r"\frac{\log P(y)}{\mathrm{lp}(y)} \quad"
    r"\mathrm{lp}(y) = \frac{(5 + |y|)^\alpha}{(5 + 1)^\alpha}",
}


def trace_beam_search(
    model: GPT | Predict, ids: Sequence[int] | np.ndarray, settings: BeamSettings
) -> Trace:
    """Traces every step of a search; raises as `beam_search_steps`."""
    return to_the_end(trace_beam_search_steps(model, ids, settings))


def trace_beam_search_steps(
    model: GPT | Predict, ids: Sequence[int] | np.ndarray, settings: BeamSettings
) -> Generator[BeamTree, None, Trace]:
    """Traces a search as a job, which yields the tree after each token."""
    trace = Trace()
    for one in beam_search_steps(model, ids, settings):
        _append(trace, one, settings)
        yield one.tree
    return trace.finish()


class ComparedSearch(NamedTuple):
    """A search so far, its steps, and the tree of greedy decoding, a single beam. Both have scores
    with the same length penalty.
    """

    tree: BeamTree
    trace: Trace
    greedy: BeamTree


def compared_search_steps(
    model: GPT | Predict, ids: Sequence[int] | np.ndarray, settings: BeamSettings
) -> Iterator[ComparedSearch]:
    """Yields a search and greedy decoding, token by token; raises as `beam_search_steps`."""
    trace, tree, greedy = Trace(), BeamTree(), BeamTree()
    several = beam_search_steps(model, ids, settings)
    alone = beam_search_steps(model, ids, replace(settings, beams=1, length_penalty=0.0))
    for wide, narrow in zip_longest(several, alone):  # either may end before the other
        if wide is not None:
            _append(trace, wide, settings)
            tree = wide.tree
        else:
            trace.finish()
        greedy = _scored(narrow.tree, settings.length_penalty) if narrow is not None else greedy
        yield ComparedSearch(tree, trace, greedy)
    trace.finish()


def _scored(tree: BeamTree, alpha: float) -> BeamTree:
    """Returns the tree with scores for another length penalty."""
    nodes = []
    for one in tree.nodes:
        total = torch.tensor(one.sum, dtype=torch.float64)
        nodes.append(replace(one, score=float(penalized(total, one.depth, alpha))))
    return replace(tree, nodes=tuple(nodes))


def _append(trace: Trace, step: BeamStep, settings: BeamSettings) -> None:
    """Appends the steps of one token to the trace."""
    found, tree = step.candidates, step.tree
    (beams, each), depth = found.sums.shape, tree.depth
    sums = {"sums": found.sums.numpy()}
    many = f" of each of {beams} beams" if beams > 1 else ""
    title = f"Score the {format_count(each)} likeliest next tokens{many}"
    likeliest = {"before": found.before.numpy(), "likeliest": found.likeliest.numpy()}
    trace.append(_step("score", depth, title, {**sums, **likeliest}))
    most = len(found.chosen)
    title = f"Choose the {format_count(most)} likeliest of {format_count(beams * each)} texts"
    trace.append(_step("choose", depth, title, {**sums, "chosen": found.chosen.numpy()}))
    title = f"Prune: {_counted(tree, depth)}"
    ends = {"ends": found.ends.numpy(), "kept": found.kept.numpy()}
    trace.append(_step("prune", depth, title, ends))
    if any(node.fate == "finished" for node in _of_depth(tree, depth)):
        chosen = found.sums.flatten()[found.chosen].numpy()
        values = {"sums": chosen, "length": depth, "alpha": settings.length_penalty,
                  "scores": step.scores.numpy()}  # fmt: skip
        title = "Finish: compare texts by a score that allows for their length"
        trace.append(_step("finish", depth, title, values))


def _step(name: str, depth: int, title: str, values: Mapping[str, Any]) -> Step:
    code = f"{_HERE}:{'penalized' if name == 'finish' else 'extend'}#{name}"
    arrays = {key: np.asarray(value) for key, value in values.items()}
    return Step(f"beams.{name}", f"Token {depth}. {title}", FORMULAS[name], code, arrays)


def _of_depth(tree: BeamTree, depth: int) -> list[Any]:
    return [node for node in tree.nodes if node.depth == depth]


def _counted(tree: BeamTree, depth: int) -> str:
    fates = [node.fate for node in _of_depth(tree, depth)]
    told = [(fates.count("kept"), "go on", "goes on"), (fates.count("finished"), "end", "ends"),
            (fates.count("dropped"), "are dropped", "is dropped")]  # fmt: skip
    does = listed([f"{many} {one if many == 1 else more}" for many, more, one in told if many])
    return f"of {count(len(fates), 'text')}, {does}"
