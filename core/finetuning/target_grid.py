"""The matrices of a model's layers as a grid, some of them selected: a row for each kind of matrix,
a column for each layer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from core.finetuning.targets import Target, find_targets, layer_targets, names_of
from core.transformer.config import ModelConfig

Cell = tuple[int, int]  # index of a kind of matrix, and of a layer


@dataclass(frozen=True, eq=False)
class TargetGrid:
    """kinds  names without their layer, with queries, keys and values apart: "attn.c_attn.q" """

    model: ModelConfig
    kinds: tuple[str, ...]
    cells: Mapping[Cell, Target]
    chosen: frozenset[Cell] = frozenset()

    @classmethod
    def of(cls, model: ModelConfig) -> TargetGrid:
        """Returns the grid of a model, nothing selected."""
        found = layer_targets(model)
        cells = {
            (row, layer): one
            for row, some in enumerate(found.values())
            for layer, one in enumerate(some)
        }
        return cls(model, tuple(found), cells)

    def choosing(self, names: Sequence[str]) -> TargetGrid:
        """Returns the grid with the named matrices selected. Raises ValueError, as `find_targets`,
        if a name matches none.
        """
        meant = {one.name for one in find_targets(self.model, names)}
        chosen = [cell for cell, one in self.cells.items() if {one.name, one.module} & meant]
        return replace(self, chosen=frozenset(chosen))

    @property
    def joined(self) -> frozenset[Cell]:
        """The cells that are one matrix with the cell above them: queries, keys and values, unless
        only some of them are selected and so have an adapter of their own.
        """
        selected: dict[str, set[bool]] = {}
        for cell, one in self.cells.items():
            selected.setdefault(one.module, set()).add(cell in self.chosen)
        return frozenset(
            (row, layer)
            for (row, layer), one in self.cells.items()
            if (above := self.cells.get((row - 1, layer))) is not None
            and above.module == one.module
            and len(selected[one.module]) == 1
        )

    def toggled(self, cells: Collection[Cell]) -> tuple[str, ...]:
        """Returns the names of the selection with these cells added, or, if all of them were
        selected, removed; at least one stays.
        """
        some = frozenset(cells)
        chosen = self.chosen - some if some <= self.chosen else self.chosen | some
        return names_of(self.model, {self.cells[cell] for cell in chosen or self.chosen})
