"""Beam search: continues the few likeliest texts in parallel, instead of only one.

    next tokens of every beam -> score -> choose the best of all -> prune to the number of beams

Letters in shapes: N beams, K likeliest tokens of each, M candidates, V pieces in the vocabulary.
Sources: Sutskever et al. 2014, section 3.2; the length penalty: Wu et al. 2016, equation 14, which
"Attention Is All You Need" uses in section 6.1 with 4 beams and an exponent of 0.6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from core import fields
from core.fields import field
from core.inference.activations import ids_tensor, looking_at, text_ids
from core.inference.context import BatchedContext
from core.transformer.architectures import encoder_decoder_of, gpt_of
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import GPT

# Logits (N, V) of the token after each of N texts of equal length: searches work with any model.
Predict = Callable[[Sequence[Sequence[int]]], Tensor]

PROMPT = -1  # the parent of the first tokens
MOST_BEAMS = 256  # each has its own keys and values


@dataclass(frozen=True, kw_only=True)
class BeamSettings:
    """Settings of a search. The defaults are those of "Attention Is All You Need".

    max_new_tokens  the largest length of a text
    beams           the number of texts continued in parallel; 1: greedy decoding
    stop            tokens that end a text
    length_penalty  exponent of the length by which log-probabilities of finished texts are divided;
                    0: the likeliest text wins, which tends to be short

    Raises ValueError, with a remedy, for values outside their range.
    """

    max_new_tokens: int = field(20, least=1, remedy="use 1 or more")
    beams: int = field(4, least=1, most=MOST_BEAMS, remedy="4 to 8 are usual")
    stop: tuple[int, ...] = field(
        (), least=0, remedy="give ids of tokens, as tokenizer.encode_ids(text) lists them"
    )
    length_penalty: float = field(0.6, least=0, most=10, remedy="0 to 1 is usual")

    def __post_init__(self) -> None:
        fields.check(self)


@dataclass(frozen=True, slots=True)
class BeamNode:
    """A token in the tree; together with its ancestors, a text.

    log_probability  of the token after the text before it
    sum              log-probability of the whole text, in nats: the criterion for beams
    score            `sum` with the length penalty: the criterion for finished texts
    parent           index of the previous node; PROMPT: none
    depth            number of tokens in the text, including this one
    place            rank among the candidates of its depth, from 0
    fate             "kept": a beam of the next step; "finished": ended, or as long as allowed;
                     "dropped": others were likelier
    """

    token: int
    log_probability: float
    sum: float
    score: float
    parent: int
    depth: int
    place: int
    fate: str


@dataclass(frozen=True)
class BeamTree:
    """All candidates of a search.

    nodes     parents before their children, each depth best first
    beams     the nodes to which the next token is added
    finished  the nodes of the best finished texts, best first: at most as many as beams
    """

    nodes: tuple[BeamNode, ...] = ()
    beams: tuple[int, ...] = (PROMPT,)
    finished: tuple[int, ...] = ()

    def path(self, node: int) -> list[int]:
        """Returns the nodes from the first token to this node."""
        path = []
        while node != PROMPT:
            path.append(node)
            node = self.nodes[node].parent
        return path[::-1]

    def text(self, node: int) -> list[int]:
        """Returns the tokens from the first one to this node's."""
        return [self.nodes[one].token for one in self.path(node)]

    @property
    def best(self) -> int:
        """The best finished text, or, before there is one, the likeliest beam."""
        return self.finished[0] if self.finished else self.beams[0]

    @property
    def depth(self) -> int:
        """The number of tokens in the longest text."""
        return self.nodes[-1].depth if self.nodes else 0


class Candidates(NamedTuple):
    """The beams continued by one token; the M candidates are sorted, likeliest first.

    before     (N, 1)  log-probability of each beam
    likeliest  (N, K)  log-probability of its likeliest next tokens
    tokens     (N, K)  the ids of these tokens
    sums       (N, K)  log-probability of the beam with that token
    chosen     (M,)    flat indices of the candidates among all N x K
    ends       (M,)    bool: whether the text ends there
    kept       (M,)    bool: whether it is a beam of the next step
    """

    before: Tensor
    likeliest: Tensor
    tokens: Tensor
    sums: Tensor
    chosen: Tensor
    ends: Tensor
    kept: Tensor


@dataclass(frozen=True, eq=False)
class BeamStep:
    """One step of the search, which adds a token to every beam.

    candidates  with the values that led to them
    scores      (M,) of the candidates, with the length penalty
    tree        after this step
    """

    candidates: Candidates
    scores: Tensor
    tree: BeamTree


def beam_search_steps(
    model: GPT | Predict, ids: Sequence[int] | np.ndarray, settings: BeamSettings
) -> Iterator[BeamStep]:
    """Yields a BeamStep after each token. The search ends after `max_new_tokens`, or once no beam
    can overtake the finished texts. `model`: a GPT, or any function that predicts.

    Raises ValueError, with a remedy, for tokens that are not in the vocabulary, and if prompt and
    text do not fit into a GPT's context.
    """
    longest, beams, alpha = settings.max_new_tokens, settings.beams, settings.length_penalty
    prompt = text_ids(ids).tolist()
    model = gpt_of(model) if isinstance(model, nn.Module) else model
    if isinstance(model, GPT) and len(prompt) + longest - 1 > model.config.block_size:
        raise ValueError(
            f"{len(prompt)} tokens and {longest} new ones do not fit: this model reads at "
            f"most {model.config.block_size}; shorten the text, or ask for fewer"
        )
    predict = BatchedContext(model).read if isinstance(model, GPT) else model
    tree = BeamTree()
    for depth in range(1, longest + 1):
        before = [0.0 if node == PROMPT else tree.nodes[node].sum for node in tree.beams]
        sums = torch.tensor(before, dtype=torch.float64)[:, None]  # (N, 1)
        logits = predict([[*prompt, *tree.text(node)] for node in tree.beams])
        found = extend(sums, logits, beams, settings.stop)
        scores = penalized(found.sums.flatten()[found.chosen], depth, alpha)
        tree = _grown(tree, found, scores, beams, depth == longest)
        yield BeamStep(found, scores, tree)
        if not _can_improve(tree, settings):
            return


def extend(before: Tensor, logits: Tensor, beams: int, stop: Sequence[int] = ()) -> Candidates:
    """Finds every beam's likeliest next tokens, and chooses the texts to continue.

    before (N, 1), logits (N, V). The search chooses twice as many candidates as there are beams, so
    that enough texts continue even if all the best ones end. A text that ends is ignored unless it
    is among the best. Raises ValueError for a token of `stop` that is not in the vocabulary.
    """
    if stop and max(stop) >= logits.size(1):
        raise ValueError(
            f"token {max(stop)} of stop is not in the vocabulary, 0 to {logits.size(1) - 1}"
        )
    stops = torch.tensor(stop, dtype=torch.int64)
    width = min(logits.size(1), 2 * beams + len(stop))
    log_probabilities = torch.log_softmax(logits.double(), dim=-1)
    likeliest, tokens = log_probabilities.topk(width)
    sums = before + likeliest  # step: score
    flat, is_stop = sums.flatten(), torch.isin(tokens, stops).flatten()
    least = flat.topk(min(beams, len(flat))).values[-1]
    counts_nothing = is_stop & (flat < least)
    flat = flat.masked_fill(counts_nothing, -math.inf)
    many = min(2 * beams, int(flat.isfinite().sum()))
    chosen = flat.topk(many).indices  # step: choose
    ends = is_stop[chosen]
    place = (~ends).cumsum(0)  # rank among the texts that continue, from 1
    kept = torch.where(ends, False, place <= beams)  # step: prune
    return Candidates(before, likeliest, tokens, sums, chosen, ends, kept)


def penalized(sums: Tensor, length: int, alpha: float) -> Tensor:
    """Turns log-probabilities (M,) of texts of `length` tokens into scores.

    Each token makes a text less likely; dividing by a number that grows with the length makes up
    for that.
    """
    scores = sums / ((5 + length) / (5 + 1)) ** alpha  # step: finish
    return scores


def beam_search(
    model: GPT | Predict,
    ids: Sequence[int] | np.ndarray,
    max_new_tokens: int = 20,
    beams: int = 4,
    stop: int | Collection[int] = (),
    length_penalty: float = 0.6,
) -> BeamTree:
    """Returns the whole tree of a search; the result is `tree.text(tree.best)`. See `BeamSettings`;
    raises the errors of `beam_search_steps`.
    """
    settings = BeamSettings(
        max_new_tokens=max_new_tokens,
        beams=beams,
        stop=(stop,) if isinstance(stop, int) else tuple(stop),
        length_penalty=length_penalty,
    )
    tree = BeamTree()
    for step in beam_search_steps(model, ids, settings):
        tree = step.tree
    return tree


def predict_target(model: EncoderDecoder, source_ids: Sequence[int] | np.ndarray) -> Predict:
    """Returns an encoder-decoder's predictions for targets that begin with its `start_id`, to
    search for a translation: `beam_search(predict_target(model, source_ids), [start_id], ...,
    stop=end_id)`. Raises ValueError for another model, and for invalid ids.
    """
    config, device = encoder_decoder_of(model).config, model.lm_head.weight.device
    with looking_at(model):
        memory = model.encode(ids_tensor(source_ids, config.encoder, device))
    return BatchedContext(model, memory).read


def _grown(
    tree: BeamTree, found: Candidates, scores: Tensor, beams: int, is_last: bool
) -> BeamTree:
    """Returns the tree with the candidates of one more depth."""
    width, depth = found.sums.size(1), tree.depth + 1
    nodes, kept, finished = list(tree.nodes), [], list(tree.finished)
    for place, chosen in enumerate(found.chosen.tolist()):
        beam, column = divmod(chosen, width)
        node = BeamNode(
            token=int(found.tokens[beam, column]),
            log_probability=float(found.likeliest[beam, column]),
            sum=float(found.sums[beam, column]),
            score=float(scores[place]),
            parent=tree.beams[beam],
            depth=depth,
            place=place,
            fate="dropped",
        )
        if found.ends[place] or (is_last and place < beams):
            node = replace(node, fate="finished")
            finished.append(len(nodes))
        elif found.kept[place] and not is_last:
            node = replace(node, fate="kept")
            kept.append(len(nodes))
        nodes.append(node)
    finished.sort(key=lambda one: -nodes[one].score)
    return BeamTree(tuple(nodes), tuple(kept), tuple(finished[:beams]))


def _can_improve(tree: BeamTree, settings: BeamSettings) -> bool:
    """True if a beam can still become one of the best finished texts: its log-probability can only
    fall, so its score is at most its present value at the greatest length.
    """
    if not tree.beams:
        return False
    if len(tree.finished) < settings.beams:
        return True
    likeliest = torch.tensor([tree.nodes[node].sum for node in tree.beams], dtype=torch.float64)
    most = penalized(likeliest, settings.max_new_tokens, settings.length_penalty).max()
    return float(most) > tree.nodes[tree.finished[-1]].score
