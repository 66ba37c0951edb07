"""Groups of parameters: what shrinks, and that each is moved exactly once."""

import pytest
import torch

from core.optimization import check_groups, decay_groups


def test_matrices_decay_and_vectors_do_not() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4))
    groups = decay_groups(model.parameters(), 0.1)
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert [len(group["params"]) for group in groups] == [1, 3]
    check_groups(groups, model.parameters())


def test_groups_must_hold_every_parameter_once() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(2)) for _ in range(3)]
    with pytest.raises(ValueError, match="every parameter"):
        check_groups([{"params": parameters[:2]}], parameters)
    with pytest.raises(ValueError, match="twice"):
        check_groups([{"params": parameters}, {"params": parameters[:1]}], parameters)
