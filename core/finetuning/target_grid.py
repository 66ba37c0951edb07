"""The matrices of a model's layers as a grid, of which some are chosen: a row for each kind of
matrix, a column for each layer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from core.finetuning.targets import Target, find_targets, layer_targets, names_of
from core.transformer.config import ModelConfig

Cell = tuple[int, int]  # a kind of matrix, and a layer


@dataclass(frozen=True, eq=False)
class TargetGrid:
    """kinds  names without their layer, of queries, keys and values each: "attn.c_attn.q" """

    model: ModelConfig
    kinds: tuple[str, ...]
    cells: Mapping[Cell, Target]
    chosen: frozenset[Cell] = frozenset()

    @classmethod
    def of(cls, model: ModelConfig) -> TargetGrid:
        """With none chosen."""
        found = layer_targets(model)
        cells = {
            (row, layer): one
            for row, some in enumerate(found.values())
            for layer, one in enumerate(some)
        }
        return cls(model, tuple(found), cells)

    def choosing(self, names: Sequence[str]) -> TargetGrid:
        """With those that the names mean. Raises ValueError, as `find_targets`, where one means
        none.
        """
        meant = {one.name for one in find_targets(self.model, names)}
        chosen = [cell for cell, one in self.cells.items() if {one.name, one.module} & meant]
        return replace(self, chosen=frozenset(chosen))

    def toggled(self, cells: Collection[Cell]) -> tuple[str, ...]:
        """The names of those that are chosen with these, too, or, where all of them were, without
        them; one stays.
        """
        some = frozenset(cells)
        chosen = self.chosen - some if some <= self.chosen else self.chosen | some
        return names_of(self.model, {self.cells[cell] for cell in chosen or self.chosen})
