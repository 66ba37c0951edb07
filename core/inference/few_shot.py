"""Few-shot learning: examples in the prompt show the model a task; no weights change.

    Japan: Tokyo          an example: a question and its answer
    Italy: Rome
    France: Paris         the question; how likely is the answer after it?

Source: Brown et al. 2020 (GPT-3), section 2 and figures 1.2 and 2.1. Letters in shapes: T tokens,
A tokens of the answer, V pieces in the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from core.data.few_shot_tasks import FORMS, Form
from core.inference.generation import generate_steps
from core.inference.sampling import Sampling
from core.inference.surprise import token_log_probabilities
from core.numbers import format_share
from core.tokenization import Tokenizer
from core.tokenization.telling import count, quoted
from core.trace import Step, Trace
from core.transformer.architectures import gpt_of
from core.transformer.gpt import GPT

if TYPE_CHECKING:
    from core.inference.loading import LoadedModel

LONGEST_ANSWER = 12  # limit for the model's own answer
FORMULA = r"p(a \mid x) = \prod_{i} p(a_i \mid x, a_{<i}) = e^{\sum_i \ln p(a_i \mid x, a_{<i})}"


@dataclass(frozen=True, eq=False)
class Shot:
    """A question after a number of examples.

    text         examples, question, and the right answer
    answer       the right one
    ids          (T,) tokens of the text
    spans        (T,) each token's span in the text's bytes
    answer_at    index of the first token of the answer, which extends to the end
    log_probabilities
                 (A,) float64, ln: of each token of the answer, given all before it
    probability  of the whole answer
    said         the model's own answer, by greedy decoding
    """

    count: int
    text: str
    answer: str
    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    answer_at: int
    log_probabilities: np.ndarray
    probability: float
    said: str

    @property
    def is_right(self) -> bool:
        """Whether the model's own answer is the right one."""
        return self.said == self.answer


def few_shot(
    lm: LoadedModel,
    examples: Sequence[tuple[str, str]],
    question: str,
    answer: str,
    counts: Sequence[int] = (0, 1, 2, 4),
    form: Form = FORMS["colon"],
) -> list[Shot]:
    """Returns a Shot for each number of examples (question, answer), counted from the first one.

    Raises ValueError if the question or the answer is missing, if there are fewer examples than
    requested, and if the text does not fit into the model's context.
    """
    model, tokenizer = gpt_of(lm.model), lm.tokenizer
    return [shot(model, tokenizer, examples, question, answer, count, form) for count in counts]


def shot(
    model: GPT,
    tokenizer: Tokenizer,
    examples: Sequence[tuple[str, str]],
    question: str,
    answer: str,
    count: int,
    form: Form = FORMS["colon"],
) -> Shot:
    """Returns the Shot for one number of examples; arguments and errors of `few_shot`."""
    question, answer = question.strip(), answer.strip()
    if not question or not answer:
        raise ValueError("type a question and its right answer, such as France and Paris")
    if not 0 <= count <= len(examples):
        raise ValueError(f"{count} examples are asked for, and there are {len(examples)}")
    prompt = form.prompt(examples[:count], question)
    whole = tokenizer.encode(prompt + answer)
    ids, spans = tuple(whole.ids), tuple(whole.spans)
    # Many tokens begin with a space: the one before the answer belongs to it.
    asked = tokenizer.encode_ids(prompt.rstrip(" "))
    at = next((at for at, pair in enumerate(zip(ids, asked)) if pair[0] != pair[1]), len(asked))
    log_probabilities, probability = answer_probability(model, ids, at)
    return Shot(
        count=count,
        text=prompt + answer,
        answer=answer,
        ids=ids,
        spans=spans,
        answer_at=at,
        log_probabilities=log_probabilities.numpy(),
        probability=probability,
        said=_said(model, tokenizer, ids[:at]),
    )


def answer_probability(
    model: GPT, ids: Sequence[int] | np.ndarray, answer_at: int
) -> tuple[Tensor, float]:
    """Computes the log-probability of each token from `answer_at` on, (A,) float64, given all
    tokens before it in the text ids (T,), and the probability of the whole answer.

    Raises ValueError as `check_ids` does, and for an answer without tokens or with none before it.
    """
    if not 0 < answer_at < len(ids):
        raise ValueError(
            f"the answer begins at token {answer_at} of {len(ids)}: it needs at least one token, "
            "and at least one before it"
        )
    log_probabilities = token_log_probabilities(model, ids, answer_at)  # (A,)
    probability = torch.exp(log_probabilities.sum())  # step: answer
    return log_probabilities, float(probability)


def trace_few_shot(shots: Sequence[Shot], complete: bool = True) -> Trace:
    """Traces one step per number of examples. `about` has "shots"; `complete`: none will follow."""
    trace = Trace({"shots": tuple(shots)})
    for one in shots:
        after = f"After {count(one.count, 'example')}" if one.count else "Without examples"
        share = format_share(one.probability)
        title = f"{after}, the probability of {quoted(one.answer)} is {share}"
        values = {
            "log_probabilities": one.log_probabilities,
            "probability": np.asarray(one.probability),
        }
        marker = f"{__name__}:answer_probability#answer"
        trace.append(Step("few_shot.answer", title, FORMULA, marker, values))
    return trace.finish() if complete else trace


def _said(model: GPT, tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    """Returns the model's text after a prompt, up to the end of the line."""
    ends = set(tokenizer.special_tokens.values())
    written: list[int] = []
    line = ""
    for step in generate_steps(model, ids, LONGEST_ANSWER, Sampling(temperature=0.0)):
        if step.id in ends:
            break
        written.append(step.id)
        line, broken, _ = tokenizer.decode(written).lstrip().partition("\n")
        if broken:
            break
    return line.strip()
