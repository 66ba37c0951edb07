"""The matrices of a model's layers as a grid, of which some are chosen."""

from __future__ import annotations

import pytest

from core.finetuning.target_grid import TargetGrid
from core.transformer.presets import bundled_config


def grid_of(*names: str) -> TargetGrid:
    return TargetGrid.of(bundled_config()).choosing(names)


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ([(2, layer) for layer in range(4)], ("attn.c_attn.q", "attn.c_attn.k")),
        ([(3, 1)], ("attn.c_attn", "h.1.attn.c_proj")),
        ([(kind, layer) for kind in range(3) for layer in range(4)], ("attn.c_attn",)),
        ([(4, layer) for layer in range(4)], ("attn.c_attn", "mlp.c_fc")),
    ],
)
def test_matrices_are_turned_on_and_off(cells: list[tuple[int, int]], names: tuple[str]) -> None:
    """The third one would leave none, so that nothing changes."""
    assert grid_of("attn.c_attn").toggled(cells) == names


def test_a_grid_shows_what_its_names_mean() -> None:
    grid = grid_of("h.1.attn.c_attn", "attn.c_attn.v", "h.0.mlp.c_proj")
    assert len(grid.cells) == 4 * 6 and len(grid.kinds) == 6
    assert grid.chosen == {(0, 1), (1, 1), *((2, layer) for layer in range(4)), (5, 0)}
    again = grid.toggled([(3, 0)])
    assert grid_of(*again).chosen == grid.chosen | {(3, 0)}


def test_a_name_that_means_no_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mlp\.c_gate"):
        grid_of("mlp.c_gate")
