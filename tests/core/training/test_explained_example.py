"""One training example explained: the numbers are torch's, and the model stays as it was."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from core.training.explained_example import explain_example, explain_example_steps
from core.transformer import ModelConfig
from core.transformer.gpt import GPT

CONFIG = ModelConfig(vocab_size=13, block_size=8, n_layer=3, n_head=2, n_embd=8)


def small() -> GPT:
    made = GPT(CONFIG, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(8.0)
    return made


def test_an_example_is_explained_and_torch_agrees():
    given = small()
    explained = explain_example(given, [1, 2, 3, 4, 5])
    assert explained.ids.tolist() == [1, 2, 3, 4] and explained.targets.tolist() == [2, 3, 4, 5]
    total, count = given.loss(torch.tensor([[1, 2, 3, 4]]), torch.tensor([[2, 3, 4, 5]]))
    assert explained.loss.item() == pytest.approx(float(total.detach() / count), rel=1e-5)
    assert 0 < explained.disagreement < 1e-12
    highway = explained.residual_gradients()
    assert highway.shape == (4, 4) and (highway > 0).all()
    wanted = np.linalg.norm(explained.named("residual.1").grad[0, 2])
    assert highway[1, 2] == wanted


def test_a_wrong_gradient_would_show(monkeypatch):
    from core.autograd.functions import GELU

    right = GELU.grad_a
    monkeypatch.setattr(GELU, "grad_a", lambda *given: right(*given) * 1.01)
    assert explain_example(small(), [1, 2, 3, 4, 5]).disagreement > 1e-4


@pytest.mark.parametrize("lost", [None, np.full((8, 8), np.nan)])
def test_a_gradient_that_is_missing_or_no_number_would_show(monkeypatch, lost):
    from core.autograd import Tensor

    whole = Tensor.backward_steps

    def backward_steps(loss: Tensor) -> Iterator[int]:
        yield from whole(loss)
        loss.leaves["h.1.attn.c_proj.weight"].grad = lost

    monkeypatch.setattr(Tensor, "backward_steps", backward_steps)
    assert not np.isfinite(explain_example(small(), [1, 2, 3, 4, 5]).disagreement)


def test_the_model_stays_as_it_was():
    given = small().train()
    given.h[1].eval()
    given.wte.weight.grad = torch.ones_like(given.wte.weight)
    for parameter in given.h[0].parameters():
        parameter.requires_grad_(False)
    before = {name: value.clone() for name, value in given.state_dict().items()}
    modes = [module.training for module in given.modules()]
    with torch.no_grad():
        explained = explain_example(given, [1, 2, 3])
    assert explained.disagreement < 1e-12
    assert modes == [module.training for module in given.modules()]
    assert bool((given.wte.weight.grad == 1).all())
    assert [p.requires_grad for p in given.h[0].parameters()] == [False] * 12
    for name, value in given.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_job_explains_the_model_as_it_was_at_its_first_yield():
    given = small()
    steps = explain_example_steps(given, [1, 2, 3, 4, 5])
    told = [next(steps)]
    with torch.no_grad():
        for parameter in given.parameters():
            parameter.add_(1.0)  # it learns on
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            explained = end.value
            break
    assert list(dict.fromkeys(told)) == ["copy", "forward", "backward", "check"]
    expected = explain_example(small(), [1, 2, 3, 4, 5])
    assert explained.loss.item() == expected.loss.item()
    assert explained.disagreement == expected.disagreement < 1e-12
    for name, parameter in expected.model.parameters.items():
        np.testing.assert_array_equal(explained.model.parameters[name].grad, parameter.grad)


def test_the_job_may_be_closed_at_each_of_its_yields():
    given = small()
    before = {name: value.clone() for name, value in given.state_dict().items()}
    yields = len(list(explain_example_steps(given, [1, 2, 3])))
    assert yields >= 4 + 3  # copy, a block each, backward, check twice
    for after in range(yields):
        steps = explain_example_steps(given, [1, 2, 3])
        for _, _ in zip(range(after), steps, strict=False):
            pass
        steps.close()
        assert all(parameter.grad is None for parameter in given.parameters())
        assert torch.is_grad_enabled() and given.training
        for name, value in given.state_dict().items():
            assert torch.equal(value, before[name])


def test_softmax_and_cross_entropy_are_where_they_should_be():
    explained = explain_example(small(), [1, 2, 3, 4])
    logits = explained.named("logits")
    probabilities = torch.softmax(torch.from_numpy(logits.data[0]), -1).numpy()
    onehot = np.eye(13)[explained.targets]
    np.testing.assert_allclose(logits.grad[0], (probabilities - onehot) / 3, atol=1e-15)
    with pytest.raises(ValueError, match="no node"):
        explained.named("h.9.attn.weights")


@pytest.mark.parametrize(
    ("ids", "said"),
    [([1], "two tokens"), ([], "two tokens"), ([1] * 10, "at most 8"), ([1, 13], "vocabulary")],
)
def test_what_cannot_be_an_example_is_told(ids, said):
    with pytest.raises(ValueError, match=said):
        explain_example(small(), ids)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_a_weight_that_is_no_number_is_named(wrong):
    given = small()
    with torch.no_grad():
        given.h[2].ln_1.bias[3] = wrong
    with pytest.raises(ValueError, match=r"1 of the 8 numbers of h\.2\.ln_1\.bias .*checkpoint"):
        explain_example(given, [1, 2, 3])


def test_dropout_is_refused():
    config = ModelConfig(vocab_size=13, block_size=8, n_layer=1, n_head=1, n_embd=4, dropout=0.1)
    with pytest.raises(ValueError, match="dropout is random"):
        explain_example(GPT(config), [1, 2, 3])
