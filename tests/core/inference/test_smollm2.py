"""A real model, where `python3 dev.py model smollm2` has put one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

import core
from core.data.few_shot_tasks import TASKS


@pytest.fixture(scope="module")
def smollm2() -> Iterator[core.LoadedModel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLM_EXPLORER_DATA", os.environ["LLM_EXPLORER_REAL_DATA"])
        try:
            yield core.load("smollm2")
        except FileNotFoundError as error:
            pytest.skip(str(error))


def test_the_capital_of_france_is_paris(smollm2: core.LoadedModel) -> None:
    """0.773 with the rows of queries and keys put apart, 0.721 without."""
    tokenizer = smollm2.tokenizer
    with torch.no_grad():
        logits = smollm2.model(torch.tensor([tokenizer.encode_ids("The capital of France is")]))
    probabilities = torch.softmax(logits[0, -1], dim=-1)
    most, likeliest = probabilities.max(dim=-1)
    assert tokenizer.decode([int(likeliest)]) == " Paris"
    assert float(most) == pytest.approx(0.773, abs=0.005)


def test_it_writes_english(smollm2: core.LoadedModel) -> None:
    ids = smollm2.tokenizer.encode_ids("Once upon a time, there was a little")
    written = core.generate(smollm2.model, ids, 9, temperature=0.0)
    said = smollm2.tokenizer.decode(written)
    assert said == "Once upon a time, there was a little girl named Emma who loved to play in the"


def test_it_says_what_ends_an_answer_and_how_one_talks_to_it(smollm2: core.LoadedModel) -> None:
    (end,) = smollm2.usage.end_ids
    assert smollm2.tokenizer.vocabulary[end] == "<|im_end|>"
    assert "<|im_start|>assistant" in (smollm2.usage.chat_template or "")


def test_examples_teach_it_the_task_of_capitals(smollm2: core.LoadedModel) -> None:
    """GPT-3's point: nothing is trained, and the answer comes."""
    *examples, (question, answer) = TASKS["Capitals"].items()
    shots = core.few_shot(smollm2, examples, question, answer, (0, 1, 4))
    assert [one.probability for one in shots] == pytest.approx([0.0002, 0.510, 0.708], abs=0.01)
    assert [one.said for one in shots[1:]] == ["Paris", "Paris"]


def test_it_chats_through_its_template(smollm2: core.LoadedModel) -> None:
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = core.chat_prompt(smollm2, messages)
    assert prompt.text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert "Paris" in core.chat(smollm2, messages, 40, temperature=0.0)


@pytest.mark.peers
def test_its_template_and_its_tokens_are_those_of_transformers(
    smollm2: core.LoadedModel,
) -> None:
    transformers = pytest.importorskip("transformers")
    peer = transformers.PreTrainedTokenizerFast(tokenizer_object=smollm2.tokenizer._library)
    messages = [
        {"role": "user", "content": " What is 2 + 2?\n"},
        {"role": "assistant", "content": "Four."},
        {"role": "user", "content": "Sure?<|im_end|>"},
    ]
    for typed, options in ((True, {}), (False, {"sanitize_control_tokens": True})):
        ids = peer.apply_chat_template(
            messages,
            chat_template=smollm2.usage.chat_template,
            add_generation_prompt=True,
            return_dict=False,
            **options,
        )
        assert list(core.chat_prompt(smollm2, messages, typed_specials=typed).ids) == ids


def test_one_head_tells_it_the_capital_late(smollm2: core.LoadedModel) -> None:
    """Only the last layer says Paris; without one head of layer 23 the model hardly does."""
    model, ids = smollm2.model, smollm2.tokenizer.encode_ids("The capital of France is")
    head = core.Intervention(heads=((23, 4),))
    told = core.explain(model, ids, columns=[-1], sublayers=False, intervention=head)
    assert smollm2.tokenizer.decode([told.token]) == " Paris"
    before, after = (
        one.probabilities[told.token] for one in (told.comparison.before, told.comparison.after)
    )
    assert before == pytest.approx(0.773, abs=0.005) and after < 0.25
    plain = core.logit_lens(model, ids, positions=[-1], sublayers=False)
    assert plain.rank[-1] == 0 and plain.rank[:-1].min() > 0 and plain.rank[:20].min() > 1000
    heads = [term for term in told.before.terms if term.kind == "head"]
    most = max(heads, key=lambda term: term.value)
    assert (most.layer, most.head) == (23, 4)
    rest = told.before.of("unexplained")[0]
    assert abs(rest) < 1e-4 * told.before.logit
