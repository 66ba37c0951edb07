"""A layer, a head or a position is counted in one way wherever it is asked for."""

import numpy as np
import pytest

from core.inference.attention_trace import trace_attention
from core.inference.forward_trace import trace_forward
from core.inference.interventions import mean_ablation, patch_activations, scale_parts
from core.inference.lens_trace import trace_contribution
from tests.core.transformer.test_look import small

IDS = [3, 1, 4, 1, 5, 9, 2, 6]


def asked(layer, head, position) -> list:
    """What takes a layer and a head, or a position, asked for them."""
    model = small()
    return [
        lambda: trace_attention(model, IDS, layer, head, position).about["by_head"],
        lambda: trace_contribution(model, IDS, layer, head, 7, position=position).about["logit"],
        lambda: [*scale_parts(model.config, {(layer, head): 0.0})],
        lambda: [*scale_parts(model.config, mlps={layer: 0.0})],
        lambda: [*mean_ablation(model, IDS, [(layer, head)], [layer])],
        lambda: [*patch_activations(model, IDS, [], [(layer, head)], [position])],
        lambda: trace_forward(model, IDS, position).about["logits"],
    ]


def test_negative_ones_count_from_the_end():
    for last, counted in zip(asked(-1, -2, -3), asked(2, 2, 5), strict=True):
        np.testing.assert_array_equal(last(), counted())


@pytest.mark.parametrize(
    ("wrong", "takers", "said"),
    [
        ((3, 0, 0), 6, "there is no layer 3; this model has layers 0 to 2"),
        ((-4, 0, 0), 6, "there is no layer -4"),
        ((0.5, 0, 0), 6, "layer 0.5: give whole numbers"),
        ((0, 4, 0), 5, "there is no head 4; each layer has heads 0 to 3"),
        ((0, 0, 8), 4, "this text has tokens 0 to 7"),
        ((0, 0, 1.5), 4, "give whole numbers"),
    ],
    ids=str,
)
def test_what_is_not_there_is_refused_in_the_same_words(wrong, takers, said):
    refused = 0
    for ask in asked(*wrong):
        try:
            ask()
        except ValueError as error:
            refused += said in str(error)
    assert refused == takers
