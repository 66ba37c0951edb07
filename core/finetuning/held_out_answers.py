"""Answers of a base, and of models tuned from it by any method, to a held-out question.

asked = to_the_end(ask_steps({"LoRA": checkpoint}, 0))
asked.right, asked.base, asked.tuned["LoRA"]        # " Maya", " all. Then Maya", " Maya"
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from core.finetuning.classifier import Classifier
from core.finetuning.loading import Tuned, load_tuned_steps
from core.finetuning.run_config import finetuning_config
from core.finetuning.scales import Scaled, generate_at_scales_steps
from core.finetuning.tuning_data import TuningData
from core.inference.generation import generate_steps
from core.inference.sampling import Sampling
from core.transformer.architectures import gpt_of

NEW_TOKENS = 24  # of an answer, at most
GREEDY = Sampling(temperature=0.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its most likely answers.

    number, count  index of the question, and how many there are
    right          the right answer or class; "" if unknown, as for a text that is only continued
    base           answer of the base; "" if it cannot classify
    tuned          answers of the tuned models, by name
    """

    prompt: str
    number: int
    count: int
    right: str
    base: str
    tuned: Mapping[str, str]


def ask_steps(folders: Mapping[str, str | Path], number: int) -> Generator[object, None, Asked]:
    """Asks several fine-tuning checkpoints, by name, a question from the data of the first one.

    Yields during loading and after each token; returns the answers. Raises ValueError or OSError,
    with a remedy, for a folder or data that cannot be opened.
    """
    prompt: list[int] = []
    words, base, count, tuned = ("", ""), "", 1, {}
    for name, folder in folders.items():
        one = yield from load_tuned_steps(folder)
        yield None
        if not prompt:
            data = yield from held_out_data_steps(one)
            count = data.examples.count("validation") if data.examples is not None else 1
            decode, ends = one.lm.tokenizer.decode, _ends(one)
            if one.settings.classes:  # the base knows no classes
                example = data.example(number)
                prompt, right = example.ids.tolist(), one.settings.classes[example.label]
            else:
                prompt = data.prompt(number)
                answer = data.example(number).answer if data.has_answers else []
                right = decode([id for id in answer if id not in ends])
                base = yield from _written_steps(one, prompt, learned=False)
            words = decode(prompt), right
        tuned[name] = yield from _written_steps(one, prompt, learned=True)
    return Asked(words[0], number % count, count, words[1], base, tuned)


def held_out_data_steps(tuned: Tuned) -> Generator[None, None, TuningData]:
    """Opens the training data of a tuned model, without the data of its base. Raises ValueError or
    OSError, with a remedy, if it cannot be opened.
    """
    settings = replace(tuned.settings, base_data="", replay=0.0)
    data = TuningData(finetuning_config(settings), settings, None)
    context = settings.context_in(gpt_of(tuned.lm.model).config.block_size)
    for _ in data.open_steps(tuned.lm, context):
        yield
    return data


def _ends(tuned: Tuned) -> tuple[int, ...]:
    return tuned.lm.usage.end_ids


def _written_steps(tuned: Tuned, ids: list[int], learned: bool) -> Generator[None, None, str]:
    """Writes the most likely answer; a trained classifier names the class instead."""
    model, tuning, ends = gpt_of(tuned.lm.model), tuned.tuning, _ends(tuned)
    if learned and isinstance(tuning.model, Classifier):
        return tuned.settings.classes[int(tuning.model.probabilities(ids).argmax())]
    if tuning.prompt:  # without its tokens the model is the base
        read = [*tuning.prompt, *ids] if learned else ids
        tokens = generate_steps(model, read, NEW_TOKENS, GREEDY, stop=ends)
    else:
        scales: dict[Scaled, float] = {tuning: float(learned)}
        tokens = generate_at_scales_steps(model, scales, ids, NEW_TOKENS, GREEDY, stop=ends)
    new = []
    for token in tokens:
        new.append(token.id)
        yield
    decode = tuned.lm.tokenizer.decode
    return decode([*ids, *(id for id in new if id not in ends)]).removeprefix(decode(ids))
