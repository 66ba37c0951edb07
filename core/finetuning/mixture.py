"""A fine-tuned model compared with its base: continuations at any strength of the learned change.

A model that `core.load` opened, or one with an adapter, computes at a `Mixture`; afterwards it is
unchanged. Letters in shapes: T tokens, V vocabulary size, K selected tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.data.questions import question_of, seed_count
from core.finetuning.adapter import adapters_of
from core.finetuning.changes import changes_of
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
    """How much of the learned change a model computes with.

    strength  0 none of it: the base; 1 the learned change; larger values exaggerate it
    share     of two adapters the second one's part, 0 to 1; None: only the newest one is used
    merged    computes with the change merged into the matrices
    """

    strength: float = 1.0
    share: float | None = None
    merged: bool = False

    def scales(self, model: GPT) -> dict[Scaled, float]:
        """Returns the scale of each learned change. Raises ValueError, with a remedy, if none."""
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
        """Returns the soft prompt that precedes a text: all of it, or none up to strength 0.5."""
        return soft_prompt_of(model) if self.strength > 0.5 else ()


def soft_prompt_of(model: GPT) -> tuple[int, ...]:
    """Returns the soft prompt that a model learned, which works all or not at all; () for another
    method.
    """
    tuned = tuned_of(gpt_of(model))
    return () if tuned is None else tuned.tuning.prompt


BASE = Mixture(0.0)
# The step at which the strength is applied: with DoRA, LoRA, a tuned matrix, a tuned bias.
STRENGTH_STEPS = ("dora", "scale", "change", "bias_change")


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A text written so far: its tokens (T,), the model's surprise at each, (T,) in nats, and the
    strength of the learned change.
    """

    ids: Sequence[int]
    surprises: np.ndarray
    strength: float


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
    """Yields the text that is read, and again with each token written after it. With the same seed,
    two mixtures differ only by the learned change. Raises ValueError as `generate_at_scales_steps`.
    """
    model = gpt_of(model)
    scales, before = mixture.scales(model), mixture.prompt(model)
    size = model.config.block_size
    with at_scales(scales, merged=mixture.merged):
        told = surprises(model, [*before, *ids][-size:])
    told = _last(told, len(ids))
    yield Written(ids, told, mixture.strength)
    tokens = generate_at_scales_steps(
        model, scales, [*before, *ids], max_new_tokens, sampling, seed=seed, stop=stop,
        merged=mixture.merged,
    )  # fmt: skip
    for token in tokens:
        told = np.append(told, surprise_of(token.logits, token.id))
        yield Written(token.ids[len(before) :].tolist(), told, mixture.strength)


def _last(values: np.ndarray, count: int) -> np.ndarray:
    """Returns the last `count` values, padded with NaN in front if there are fewer."""
    return np.pad(values, (max(count - len(values), 0), 0), constant_values=np.nan)[-count:]


def mixed_shares(model: GPT, mixture: Mixture, ids: Sequence[int]) -> np.ndarray:
    """Returns (V,) float32: each token's probability after a text. Raises as `check_ids`."""
    model = gpt_of(model)
    read = [*mixture.prompt(model), *ids][-model.config.block_size :]
    with at_scales(mixture.scales(model), merged=mixture.merged):
        return Context(model).read(read).softmax(-1).numpy()


@dataclass(frozen=True, slots=True, eq=False)
class NextTokens:
    """Probability of each token after a text, (V,): for the base, and with the learned change.

    strength  of the learned change
    where     see `strength_step`; also None if not requested
    """

    base: np.ndarray
    tuned: np.ndarray
    strength: float
    where: tuple[str, Step, Cell] | None

    def likeliest(self, count: int, *others: int) -> list[int]:
        """Returns `count` tokens, likeliest with the learned change first: the likeliest ones, and
        always the base's favorite and the `others`.
        """
        likeliest = np.argsort(-self.tuned, kind="stable")[:count].tolist()
        kept = dict.fromkeys((int(self.base.argmax()), *others, *likeliest))
        return sorted([*kept][:count], key=lambda token: -self.tuned[token])


def next_tokens(
    model: GPT, mixture: Mixture, ids: Sequence[int], where: bool = False
) -> NextTokens:
    """Predicts the token after a text; `where` adds `strength_step`. Raises as `mixed_shares`."""
    none = replace(mixture, strength=0.0, merged=False)
    base, tuned = (mixed_shares(model, one, ids) for one in (none, mixture))
    step = strength_step(model, mixture, ids) if where else None
    return NextTokens(base, tuned, mixture.strength, step)


def strength_curve_steps(
    model: GPT, mixture: Mixture, ids: Sequence[int], strengths: Sequence[float]
) -> Iterator[np.ndarray]:
    """Yields each token's probability after a text, (V,) float32, for each strength in turn.
    Raises as `mixed_shares`.
    """
    for strength in strengths:
        yield mixed_shares(model, replace(mixture, strength=strength, merged=False), ids)


def favorites(shares: Sequence[np.ndarray]) -> list[int]:
    """Returns the tokens that are the likeliest in any of these (V,) probabilities, each once, in
    their order.
    """
    return list(dict.fromkeys(int(one.argmax()) for one in shares))


def check_adapter(model: GPT, name: str, mixture: Mixture, ids: Sequence[int]) -> Verdict:
    """Runs `check_identity` or `check_merge` ("identity", "merge") on the newest adapter. Raises
    ValueError, with a remedy, if there is none, and as both.
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
    """Returns the matrix or bias that changed most; the Step of a pass through it that applies the
    strength; and the number that it changes most, at the last token that has a successor: (token,
    output), for a bias (output,). None if no matrix changed, or the text has fewer than two tokens.
    """
    if len(ids) < 2 or (changes := changes_of(model)) is None:
        return None
    name = changes.most_changed([changes.strength(one) for one in changes.parameters])
    with at_scales(mixture.scales(model)):
        steps = {step.name.rpartition(".")[2]: step for step in changes.trace(ids, name, -1)}
    step = next(steps[kind] for kind in STRENGTH_STEPS if kind in steps)
    change = step.value("change")
    last = change[-1] if change.ndim == 2 else change
    return name, step, (len(change) - 1, int(np.abs(last).argmax()))[-change.ndim :]


def held_out_prompt(model: GPT, number: int) -> str:
    """Returns a held-out prompt from a model's training data; for a model tuned elsewhere, a
    question about one of the app's stories. Raises ValueError or OSError if the data cannot be
    read.
    """
    if (tuned := tuned_of(gpt_of(model))) is None:
        return question_of("validation", number % seed_count("validation")).prompt
    data = to_the_end(held_out_data_steps(tuned))
    return tuned.lm.tokenizer.decode(data.prompt(number))
