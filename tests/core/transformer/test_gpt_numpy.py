"""The GPT of our own engine against torch's, in float64: the loss and every gradient."""

import numpy as np
import pytest
import torch

from core.autograd import trace_backprop
from core.transformer import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.gpt_numpy import NumpyGPT

SHAPES = [
    {},
    {"bias": False},
    {"norm_placement": "post", "mlp": "gelu"},
    {"mlp": "relu", "tie_weights": False},
    {"window": (None, 3)},
    {"head_size": 5, "n_inner": 7},
]


def pair(**changes) -> tuple[GPT, NumpyGPT]:
    shape = {"vocab_size": 13, "block_size": 8, "n_layer": 2, "n_head": 2, "n_embd": 8}
    config = ModelConfig(**{**shape, **changes})
    model = GPT(config, torch.Generator().manual_seed(0)).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():  # as large as trained ones, biases and gains too: small ones hide errors
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(0.3 * noise)
    return model, NumpyGPT.of(model)


@pytest.mark.parametrize("changes", SHAPES)
def test_loss_and_all_gradients_are_torchs(changes):
    model, mine = pair(**changes)
    rng = np.random.default_rng(2)
    ids, targets = rng.integers(0, 13, (2, 2, 7))
    loss = mine.loss(ids, targets)
    loss.backward()
    total, count = 0.0, targets.size
    logits = model(torch.from_numpy(ids))
    total = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), torch.from_numpy(targets).flatten(), reduction="sum"
    )
    reference = total / count
    reference.backward()
    assert loss.item() == pytest.approx(reference.item(), rel=1e-12)
    names = dict(model.named_parameters())
    assert set(names) <= set(mine.parameters)
    for name, parameter in names.items():
        wanted = parameter.grad.numpy()
        error = np.abs(mine.parameters[name].grad - wanted).max() / np.abs(wanted).max()
        assert error < 1e-10, (name, error)


def test_a_training_example_is_a_trace_with_named_operations():
    _, mine = pair()
    trace = trace_backprop(mine.loss(np.array([[1, 2, 3]]), np.array([[2, 3, 4]])))
    while trace.grow():
        pass
    labels = [node.label for node in trace.about["graph"].nodes]
    for name in ("residual.0", "h.1.attn.weights", "h.0.mlp.activation", "ln_f", "logits", "loss"):
        assert labels.count(name) == 1, name
    weights = next(n for n in trace.about["graph"].nodes if n.label == "h.0.attn.weights")
    np.testing.assert_allclose(weights.tensor.data.sum(-1), 1.0)
    assert len(trace) == len(trace.about["places"])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: pair()[1](np.zeros((1, 9), int)), "1 to 8"),
        (lambda: pair()[1](np.zeros(3, int)), r"\(B, T\)"),
        (lambda: pair(dropout=0.1), "dropout is random"),
        (
            lambda: pair(norm="rms_norm"),
            "norm 'rms_norm' cannot .* with 'layer_norm'",
        ),
        (lambda: pair(positions="rope"), "positions 'rope' cannot .* with 'learned'"),
        (lambda: pair(mlp="swiglu"), "mlp 'swiglu' cannot .* 'relu' or 'gelu' or 'gelu_tanh'"),
        (lambda: pair(n_kv_head=1), "choose a model with 2 of them"),
        (lambda: NumpyGPT(pair()[1].config, {})(np.zeros((1, 2), int)), "lack wte.weight"),
    ],
)
def test_what_cannot_be_explained_is_told(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_the_numbers_are_those_of_the_moment_it_was_made():
    model, mine = pair()
    before = {name: tensor.data.copy() for name, tensor in mine.parameters.items()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    for name, tensor in mine.parameters.items():
        np.testing.assert_array_equal(tensor.data, before[name])
