"""A fine-tuned model beside its base: what it goes on with, with more or less of what was learned.

A model that `core.load` opened, or one that an adapter lies on, is asked at a `Mixture`; afterwards
it is as it was. Letters in shapes: T tokens, V pieces in the vocabulary, K of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.data.questions import question_of, seed_count
from core.finetuning.adapted_trace import trace_adapter
from core.finetuning.adapter import adapters_of
from core.finetuning.analysis import most_changed, strengths
from core.finetuning.held_out_answers import held_out_data_steps
from core.finetuning.loading import tuned_of
from core.finetuning.scales import Scaled, at_scales, generate_at_scales_steps
from core.finetuning.verdicts import Verdict, check_identity, check_merge
from core.inference.context import Context
from core.inference.sampling import Sampling
from core.inference.surprise import surprise_of, surprises
from core.jobs import to_the_end
from core.substitution import Cell
from core.trace import Step
from core.transformer.architectures import gpt_of
from core.transformer.gpt import GPT


@dataclass(frozen=True, slots=True)
class Mixture:
    """How much of what was learned a model computes with.

    strength  0 nothing of it: the base; 1 what was learned; beyond, more than that
    share     of two adapters the second one's part, 0 to 1; None: the newest one is meant alone
    merged    written into the matrices meanwhile
    """

    strength: float = 1.0
    share: float | None = None
    merged: bool = False

    def scales(self, model: GPT) -> dict[Scaled, float]:
        """Of what lies on the model. Raises ValueError, with the remedy, where nothing does."""
        tuned, adapters = tuned_of(model), adapters_of(model)
        if soft_prompt_of(model):
            return {}
        if self.share is not None and len(adapters) > 1:
            first, second = adapters[-2:]
            return {first: self.strength * (1 - self.share), second: self.strength * self.share}
        if tuned is not None and tuned.tuning.adapter is None:
            return {tuned.tuning: self.strength}
        if not adapters:
            raise ValueError(
                "this model has no base to compare it with; open the folder of an adapter or of a "
                "fine-tuning checkpoint"
            )
        return {adapters[-1]: self.strength}

    def prompt(self, model: GPT) -> tuple[int, ...]:
        """The soft prompt that stands before a text: all of it, or up to strength 0.5 none."""
        return soft_prompt_of(model) if self.strength > 0.5 else ()


def soft_prompt_of(model: GPT) -> tuple[int, ...]:
    """The tokens that a model has learned to read before each text, which work all or not at all;
    (): another method.
    """
    tuned = tuned_of(gpt_of(model))
    return () if tuned is None else tuned.tuning.prompt


BASE = Mixture(0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A text, as far as it is written: its tokens (T,), and how much each of them surprised the
    model, (T,) in nats.
    """

    ids: Sequence[int]
    surprises: np.ndarray


def write_mixed_steps(
    model: GPT,
    mixture: Mixture,
    ids: Sequence[int],
    max_new_tokens: int,
    sampling: Sampling | None = None,
    *,
    seed: int = 0,
    stop: int | Collection[int] | None = None,
) -> Iterator[Written]:
    """The text that is read, and then with each token that is written after it. With one seed, two
    mixtures differ by what was learned alone. Raises ValueError as `generate_at_scales_steps`.
    """
    model = gpt_of(model)
    scales, before = mixture.scales(model), mixture.prompt(model)
    size = model.config.block_size
    with at_scales(scales, merged=mixture.merged):
        told = surprises(model, [*before, *ids][-size:])
    told = _last(told, len(ids))
    yield Written(ids, told)
    tokens = generate_at_scales_steps(
        model, scales, [*before, *ids], max_new_tokens, sampling, seed=seed, stop=stop,
        merged=mixture.merged,
    )  # fmt: skip
    for token in tokens:
        told = np.append(told, surprise_of(token.logits, token.id))
        yield Written(token.ids[len(before) :].tolist(), told)


def _last(values: np.ndarray, count: int) -> np.ndarray:
    """The last so many; NaN before them, where there are fewer."""
    return np.pad(values, (max(count - len(values), 0), 0), constant_values=np.nan)[-count:]


def mixed_shares(model: GPT, mixture: Mixture, ids: Sequence[int]) -> np.ndarray:
    """(V,) float32: how likely each token is after a text. Raises ValueError as `check_ids`."""
    model = gpt_of(model)
    read = [*mixture.prompt(model), *ids][-model.config.block_size :]
    with at_scales(mixture.scales(model), merged=mixture.merged):
        return Context(model).read(read).softmax(-1).numpy()


@dataclass(frozen=True, slots=True, eq=False)
class NextTokens:
    """How likely each token is after a text, (V,): for the base, and with what was learned.

    where  see `strength_step`; None where it was not asked for, too
    """

    base: np.ndarray
    tuned: np.ndarray
    where: tuple[str, Step, Cell] | None

    def likeliest(self, count: int) -> list[int]:
        """The tokens that one of the two finds likeliest, in that order."""
        most = np.maximum(self.base, self.tuned)
        return [int(token) for token in np.argsort(-most, kind="stable")[:count]]


def next_tokens(
    model: GPT, mixture: Mixture, ids: Sequence[int], where: bool = False
) -> NextTokens:
    """What may come after a text, and `where` the strength comes in. Raises as `mixed_shares`."""
    none = replace(mixture, strength=0.0, merged=False)
    base, tuned = (mixed_shares(model, one, ids) for one in (none, mixture))
    return NextTokens(base, tuned, strength_step(model, mixture, ids) if where else None)


def strength_curve_steps(
    model: GPT, mixture: Mixture, ids: Sequence[int], strengths: Sequence[float]
) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Some tokens and, at one strength after the other, how likely each is after a text, (K,): the
    tokens that are the likeliest with what was learned, without it, and with the most of it.
    """
    ends = {one: _at(model, mixture, ids, one) for one in (1.0, 0.0, max(strengths))}
    tokens = tuple(dict.fromkeys(int(shares.argmax()) for shares in ends.values()))
    for strength in strengths:
        shares = ends[strength] if strength in ends else _at(model, mixture, ids, strength)
        yield tokens, shares[list(tokens)]


def _at(model: GPT, mixture: Mixture, ids: Sequence[int], strength: float) -> np.ndarray:
    return mixed_shares(model, replace(mixture, strength=strength, merged=False), ids)


def check_adapter(model: GPT, name: str, mixture: Mixture, ids: Sequence[int]) -> Verdict:
    """`check_identity` or `check_merge` ("identity", "merge") of the newest adapter. Raises
    ValueError, with the remedy, where there is none, and as both.
    """
    if not (adapters := adapters_of(model)):
        raise ValueError(
            "only a LoRA adapter starts without effect and can be merged; open a model that was "
            "tuned with LoRA"
        )
    with at_scales(mixture.scales(model)):
        return (check_identity if name == "identity" else check_merge)(adapters[-1], ids)


def strength_step(
    model: GPT, mixture: Mixture, ids: Sequence[int]
) -> tuple[str, Step, Cell] | None:
    """The matrix that the newest adapter changes most; the Step of its `trace_adapter` in which the
    strength comes in; and the number that it adds most to, (token, output), at the last token that
    is followed by another. None where there is no adapter, or no second token.
    """
    if not (adapters := adapters_of(model)) or len(ids) < 2:
        return None
    with at_scales(mixture.scales(model)):
        name = most_changed(adapters[-1], strengths(adapters[-1]))
        steps = {step.name: step for step in trace_adapter(model, ids, name)}
    step = steps.get("adapter.dora", steps["adapter.scale"])
    change = step.value("change")
    return name, step, (len(change) - 1, int(np.abs(change[-1]).argmax()))


def held_out_prompt(model: GPT, number: int) -> str:
    """A prompt of the data that a model learned from, of the part that was held out; of a model
    that was tuned elsewhere a question about a story of ours. Raises ValueError or OSError where
    the data cannot be read.
    """
    if (tuned := tuned_of(gpt_of(model))) is None:
        return question_of("validation", number % seed_count("validation")).prompt
    data = to_the_end(held_out_data_steps(tuned))
    return tuned.lm.tokenizer.decode(data.prompt(number))
