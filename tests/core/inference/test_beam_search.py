"""Beam search against transformers, against a search of everything, and against greedy writing."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import core
from core.inference.beam_search import (
    BeamSettings,
    BeamTree,
    beam_search,
    beam_search_steps,
    predict_target,
)
from core.inference.context import BatchedContext
from core.transformer import EncoderDecoderConfig, ModelConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.foreign.reading import look_at_folder, read_foreign
from core.transformer.gpt import GPT
from tests.core.families import AIAYN_STACK
from tests.core.transformer.foreign.peers import VOCABULARY, random_folder

PROMPT = [1, 2, 3]


def model_of(vocabulary: int = 11, **changes: Any) -> GPT:
    config = ModelConfig(
        vocab_size=vocabulary, block_size=16, n_layer=2, n_head=2, n_embd=8, **changes
    )
    model = GPT(config, torch.Generator().manual_seed(0))
    with torch.no_grad():  # 0.02 makes all tokens equally likely
        for name, parameter in model.named_parameters():
            if ".ln_" not in name:
                parameter.mul_(20)
    return model


def by_score(tree: BeamTree) -> list[tuple[list[int], float]]:
    return [(tree.text(node), tree.nodes[node].score) for node in tree.finished]


class Penalty(float):
    """An exponent by which transformers divides as Wu et al. 2016 do: by ((5 + n) / 6)^alpha."""

    def __rpow__(self, length: int) -> float:
        return ((5 + length) / 6) ** float(self)


@pytest.mark.peers
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_texts_and_scores_are_those_of_transformers(
    kind: str, seed: int, alpha: float, tmp_path: Any
) -> None:
    theirs = random_folder(kind, seed, tmp_path)
    ours = read_foreign(look_at_folder(tmp_path))
    with torch.no_grad():  # 0.1 makes all tokens nearly equally likely
        theirs.lm_head.weight.mul_(8)
        if ours.lm_head.weight is not ours.wte.weight:
            ours.lm_head.weight.mul_(8)
        else:
            ours.wte.weight.mul_(8)
    beams, stop = 3 + seed, list(range(0, VOCABULARY, 3))
    expected = theirs.generate(
        torch.tensor([PROMPT]),
        attention_mask=torch.ones(1, len(PROMPT), dtype=torch.int64),
        max_new_tokens=12,
        num_beams=beams,
        num_return_sequences=beams,
        length_penalty=Penalty(alpha),
        early_stopping="never",
        eos_token_id=stop,
        pad_token_id=0,
        do_sample=False,
        return_dict_in_generate=True,
        output_scores=True,
    )
    tree = beam_search(ours, PROMPT, 12, beams, stop, alpha)
    found = by_score(tree)
    assert len(found) == beams
    told = expected.sequences[:, len(PROMPT) :].tolist()
    for (text, score), theirs_text, theirs_score in zip(
        found, told, expected.sequences_scores.tolist(), strict=True
    ):
        assert theirs_text[: len(text)] == text and set(theirs_text[len(text) :]) <= {stop[0]}
        assert score == pytest.approx(theirs_score, abs=2e-5)
    assert any(node.fate == "finished" and node.depth < 12 for node in tree.nodes)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
def test_with_beams_enough_it_finds_the_best_of_all_texts(alpha: float) -> None:
    model, stop, longest = model_of(5), 4, 4
    texts = [
        text
        for length in range(1, longest + 1)
        for text in itertools.product(range(5), repeat=length)
        if stop not in text[:-1] and (text[-1] == stop or length == longest)
    ]

    def score_of(text: tuple[int, ...]) -> float:
        with torch.no_grad():
            logits = model.eval()(torch.tensor([[*PROMPT, *text]]))[0].double().log_softmax(-1)
        total = sum(logits[len(PROMPT) - 1 + at, token] for at, token in enumerate(text))
        return float(total) / ((5 + len(text)) / 6) ** alpha

    scores = {text: score_of(text) for text in texts}
    best = sorted(scores, key=lambda text: -scores[text])[:3]
    found = by_score(beam_search(model, PROMPT, longest, 4**longest, stop, alpha))
    assert [tuple(text) for text, _ in found[:3]] == best
    assert found[0][1] == pytest.approx(scores[best[0]], abs=1e-5)


def test_one_beam_is_greedy_and_more_find_likelier_texts() -> None:
    model = model_of()
    greedy = beam_search(model, PROMPT, 8, beams=1, length_penalty=0)
    assert greedy.text(greedy.best) == core.generate(model, PROMPT, 8, temperature=0)[3:]
    wider = beam_search(model, PROMPT, 8, beams=5, length_penalty=0)
    assert wider.nodes[wider.best].score >= greedy.nodes[greedy.best].score


def test_the_tree_holds_every_candidate_with_its_fate() -> None:
    settings = BeamSettings(max_new_tokens=5, beams=3, stop=(2,))
    steps = list(beam_search_steps(model_of(), PROMPT, settings))
    for depth, step in enumerate(steps, start=1):
        new = [node for node in step.tree.nodes if node.depth == depth]
        assert [node.place for node in new] == list(range(len(new))) and len(new) <= 6
        assert [node.sum for node in new] == sorted((node.sum for node in new), reverse=True)
        for node in new:
            before = step.tree.nodes[node.parent].sum if depth > 1 else 0.0
            assert node.sum == pytest.approx(before + node.log_probability)
            assert depth == 1 or step.tree.nodes[node.parent].fate == "kept"
        kept = [node for node in new if node.fate == "kept"]
        assert len(kept) == (3 if depth < 5 else 0)
        assert len(step.tree.beams) == len(kept)
    assert {node.fate for node in steps[-1].tree.nodes} == {"kept", "dropped", "finished"}


def test_texts_that_end_leave_room_for_others() -> None:
    """Every next token of the best beam ends the text: as many beams go on all the same."""
    logits = torch.tensor([3.0, 2.9, 2.8, 2.7, -1.0, -1.1, -1.2])
    settings = BeamSettings(max_new_tokens=4, beams=2, stop=(0, 1, 2, 3))
    step = next(beam_search_steps(lambda texts: logits.repeat(len(texts), 1), [0], settings))
    tokens = {node.token: node.fate for node in step.tree.nodes}
    assert tokens == {0: "finished", 1: "finished", 4: "kept", 5: "kept"}


@pytest.fixture(scope="module")
def pair() -> EncoderDecoder:
    stack = replace(AIAYN_STACK, vocab_size=7, n_layer=1, n_embd=8, norm_placement="pre")
    config = EncoderDecoderConfig(encoder=stack, decoder=stack, end_id=6)
    model = EncoderDecoder(config, torch.Generator().manual_seed(3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model.train()


def test_an_encoder_decoder_is_searched_too(pair: EncoderDecoder) -> None:
    start, end = pair.config.start_id, pair.config.end_id
    for source in ([1, 2, 3], [5, 4], [2, 2, 2, 1, 5]):
        predict = predict_target(pair, source)
        greedy = beam_search(predict, [start], 8, 1, end, 0.0)
        told = [token for token in greedy.text(greedy.best) if token != end]
        assert told == core.translate(pair, source, 8)
        wide = beam_search(predict, [start], 8, 4, end, 0.0)
        assert wide.nodes[wide.best].sum >= greedy.nodes[greedy.best].sum - 1e-5
        text = [start, *wide.text(wide.best)]
        with torch.no_grad():
            logits = pair.eval()(torch.tensor([source]), torch.tensor([text[:-1]]))[0]
            pair.train()
        told = logits.double().log_softmax(-1).gather(1, torch.tensor(text[1:])[:, None])
        assert wide.nodes[wide.best].sum == pytest.approx(float(told.sum()), abs=1e-5)


def test_it_ends_once_nothing_can_be_better() -> None:
    """Whoever goes on falls behind two texts that have ended."""
    logits = torch.log(torch.tensor([0.6, 0.3, 0.05, 0.05]))

    def predict(texts: Any) -> torch.Tensor:
        return logits.repeat(len(texts), 1)

    settings = BeamSettings(max_new_tokens=50, beams=2, stop=(0, 1), length_penalty=0.0)
    assert len(list(beam_search_steps(predict, [0], settings))) == 1
    settings = replace(settings, length_penalty=3.0)
    assert len(list(beam_search_steps(predict, [0], settings))) > 1


@pytest.mark.parametrize("window", [None, (None, 3)], ids=str)
def test_texts_read_side_by_side_are_read_as_alone(window: Any) -> None:
    model = model_of(window=window).double()
    context = BatchedContext(model)
    rounds = ([[1, 2, 3]], [[1, 2, 3, 4], [1, 2, 3, 5]], [[1, 2, 3, 5, 1], [1, 2, 3, 5, 2]], [[7]])
    for texts in rounds:
        with torch.no_grad():
            expected = model.eval()(torch.tensor(texts))[:, -1]
        torch.testing.assert_close(context.read(texts), expected.float(), atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match="equally long"):
        context.read([[1], [1, 2]])


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"beams": 0}, "4 to 8 are usual"),
        ({"beams": 100_000}, "from 1 to 256"),
        ({"beams": 2.5}, "a whole number"),
        ({"stop": "."}, "give ids of tokens"),
        ({"ids": "hello"}, "tokenizer.encode_ids"),
        ({"stop": 99}, "token 99 of stop is not in the vocabulary, 0 to 10"),
        ({"max_new_tokens": 0}, "use 1 or more"),
        ({"max_new_tokens": 15}, "shorten the text, or ask for fewer"),
        ({"length_penalty": -1.0}, "0 to 1 is usual"),
        ({"length_penalty": float("nan")}, "0 to 1 is usual"),
        ({"ids": [99]}, "not in the vocabulary"),
        ({"ids": []}, "type at least one character"),
    ],
    ids=str,
)
def test_what_cannot_be_searched_says_the_remedy(changes: dict, remedy: str) -> None:
    asked = {"ids": PROMPT, "max_new_tokens": 4, **changes}
    with pytest.raises(ValueError, match=remedy):
        beam_search(model_of(), **asked)


def test_other_models_say_what_to_do(pair: EncoderDecoder) -> None:
    with pytest.raises(ValueError, match="use core.translate"):
        beam_search(pair, PROMPT)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="reads no source"):
        predict_target(model_of(), PROMPT)  # type: ignore[arg-type]


def test_the_model_is_left_as_it_was() -> None:
    model = model_of(dropout=0.5).train()
    trees = [beam_search(model, np.array(PROMPT), 4) for _ in range(2)]
    assert model.training and trees[0] == trees[1]
