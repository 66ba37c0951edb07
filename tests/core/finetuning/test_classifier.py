"""The classification head of GPT-1: its logits, its loss, and that it learns with every method."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from core.data.batches import NO_TOKEN
from core.finetuning.classifier import Classifier, classification_loss
from core.finetuning.methods import Tuning, prepare
from core.finetuning.new_tokens import NewTokens
from core.finetuning.settings import METHODS
from core.inference.activations import capture
from core.inference.generation import generate
from core.transformer.architectures import gpt_of
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from tests.core.finetuning.test_methods import chosen

CONFIG = ModelConfig(vocab_size=20, block_size=12, n_layer=2, n_head=2, n_embd=16)
GPT1 = replace(CONFIG, norm_placement="post")
TEXTS = [[3, 4, 5], [6, 7, 8, 9, 10], [11, 12]]


def model_of(config: ModelConfig = CONFIG) -> GPT:
    return GPT(config, torch.Generator().manual_seed(0)).eval()


def classifier_of(config: ModelConfig = CONFIG, classes: int = 4) -> Classifier:
    return Classifier(model_of(config), classes, generator=torch.Generator().manual_seed(1))


def test_a_text_stands_between_tokens_of_its_own_and_these_are_not_predicted() -> None:
    classifier = classifier_of()
    assert classifier.lay_out([3, 4]) == [20, 3, 4, 22]
    assert classifier.lay_out([3, 4], [5]) == [20, 3, 4, 21, 5, 22]
    assert classifier.lay_out(list(range(15))) == [20, *range(5), *range(10, 15), 22]
    batch = classifier.batch([classifier.lay_out([3, 4], [5]), classifier.lay_out([6])], [1, 0])
    assert batch.targets.tolist() == [
        [3, 4, NO_TOKEN, 5, NO_TOKEN, NO_TOKEN],
        [6, NO_TOKEN, NO_TOKEN, NO_TOKEN, NO_TOKEN, NO_TOKEN],
    ]
    assert batch.last.tolist() == [5, 2]
    assert batch.ids[1].tolist() == [20, 6, 22, 22, 22, 22]


@pytest.mark.peers
def test_transformers_gpt1_classifier_has_the_same_logits() -> None:
    transformers = pytest.importorskip("transformers")
    classifier = classifier_of(GPT1)
    gpt = classifier.module
    theirs = transformers.OpenAIGPTForSequenceClassification(
        transformers.OpenAIGPTConfig(
            vocab_size=23, n_positions=12, n_embd=16, n_layer=2, n_head=2, afn="gelu",
            num_labels=4, pad_token_id=0, attn_implementation="eager",
        )
    ).eval()  # fmt: skip
    assert isinstance(gpt.wte, NewTokens)
    own = {name: tensor.detach() for name, tensor in gpt.named_parameters()}
    named = {
        "transformer.tokens_embed.weight": torch.cat((own["wte.base.weight"], own["wte.rows"])),
        "transformer.positions_embed.weight": own["wpe.weight"],
        "score.weight": classifier.score.detach(),
    }
    for name, tensor in own.items():
        if name.startswith("h."):  # their matrices are turned
            named[f"transformer.{name}"] = tensor.mT if tensor.ndim == 2 else tensor
    theirs.load_state_dict(named, strict=True)
    texts = [classifier.lay_out(text) for text in TEXTS]
    batch = classifier.batch(texts, [0, 1, 2])
    length = batch.ids.size(1)
    padded = torch.tensor([text + [0] * (length - len(text)) for text in texts])
    with torch.no_grad():
        logits, _ = classifier(batch.ids, batch.last)
        torch.testing.assert_close(logits, theirs(padded).logits, rtol=0, atol=1e-5)


def test_each_text_is_classified_as_it_is_alone() -> None:
    classifier = classifier_of()
    batch = classifier.batch([classifier.lay_out(text) for text in TEXTS], [0, 1, 2])
    with torch.no_grad():
        logits, _ = classifier(batch.ids, batch.last)
    for text, row in zip(TEXTS, logits, strict=True):
        alone = classifier.probabilities(text)
        torch.testing.assert_close(alone, row.softmax(-1), rtol=0, atol=1e-6)
        assert math.isclose(float(alone.sum()), 1.0, abs_tol=1e-6)


def test_the_loss_is_that_of_the_paper() -> None:
    """Equation 5, each sum written out."""
    generator = torch.Generator().manual_seed(3)
    class_logits = torch.randn(2, 3, generator=generator)
    token_logits = torch.randn(2, 4, 5, generator=generator)
    labels, targets = torch.tensor([2, 0]), torch.tensor([[1, 4, -1, 0], [3, -1, -1, -1]])
    classes, tokens = class_logits.log_softmax(-1), token_logits.log_softmax(-1)
    of_class = -classes[0, 2] - classes[1, 0]
    first = -(tokens[0, 0, 1] + tokens[0, 1, 4] + tokens[0, 3, 0]) / 3
    second = -tokens[1, 0, 3]
    found = classification_loss(class_logits, labels, token_logits, targets)
    torch.testing.assert_close(found, of_class + 0.5 * (first + second))
    alone = classification_loss(class_logits, labels, token_logits, targets, auxiliary=0)
    torch.testing.assert_close(alone, of_class)


def test_the_model_inside_still_does_what_it_could() -> None:
    classifier = classifier_of()
    assert gpt_of(classifier) is classifier.module
    plain = model_of()
    assert generate(classifier, [1, 2], 4, seed=1) == generate(plain, [1, 2], 4, seed=1)
    assert capture(classifier, [1, 2]).logits.shape == (2, 20)


def large_model() -> GPT:
    """Random, but what it makes of a text depends on each token, as after training."""
    model = model_of()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(8 if parameter.ndim == 2 else 1)
    return model


def learn_by_heart(tuning: Tuning, texts: list[list[int]], labels: list[int]) -> Tensor:
    """The class of each text, afterwards."""
    classifier = tuning.model
    assert isinstance(classifier, Classifier)
    batch = classifier.batch([classifier.lay_out(text) for text in texts], labels)
    optimizer = torch.optim.AdamW(tuning.parameters.values(), lr=0.02)
    for _ in range(100):
        class_logits, token_logits = classifier(batch.ids, batch.last)
        loss = classification_loss(class_logits, batch.labels, token_logits, batch.targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return classifier(batch.ids, batch.last)[0].argmax(-1)


@pytest.mark.parametrize("method", [one for one in METHODS if one != "prompt"])
def test_it_learns_by_every_method(method: str) -> None:
    settings = chosen(method, classes=("one", "two", "three"), data="some.jsonl")
    tuning = prepare(large_model(), settings, torch.Generator().manual_seed(2))
    assert {"score", "module.wte.rows"} <= set(tuning.parameters)
    texts = torch.randint(20, (9, 6), generator=torch.Generator().manual_seed(4)).tolist()
    labels = [0, 1, 2] * 3
    assert learn_by_heart(tuning, texts, labels).tolist() == labels

    again = prepare(large_model(), settings, torch.Generator().manual_seed(2))
    again.load_state(tuning.state())
    assert isinstance(again.model, Classifier)
    assert isinstance(tuning.model, Classifier)
    assert torch.equal(again.model.probabilities(texts[0]), tuning.model.probabilities(texts[0]))


def test_what_cannot_be_is_told_with_its_remedy() -> None:
    with pytest.raises(ValueError, match="give the names of 2 or more"):
        Classifier(model_of(), 1)
    with pytest.raises(ValueError, match="token 23 is not in the vocabulary"):
        classifier_of().probabilities([3, 23])
