"""Explains a next token on the engine's thread. Does not import Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.lens.draft import LensDraft

if TYPE_CHECKING:
    from core.inference.explanation import Explanation

COLUMNS = 16  # columns of the table


def explained(
    model: Any, ids: Sequence[int], position: int, token: int | None, draft: LensDraft,
    other: Sequence[int],
) -> Explanation:  # fmt: skip
    """Explains a token; `other` holds the tokens to patch in, ignored if their number differs."""
    from core.inference.explanation import explain
    from core.inference.interventions import Intervention

    config = model.config
    parts = draft.parts(config.n_layer, config.n_head)
    intervention = Intervention(
        heads=tuple((layer, head) for layer, head in parts if head is not None),
        mlps=tuple(layer for layer, head in parts if head is None),
        mean=draft.mean,
        patch=tuple(other) if len(other) == len(ids) else (),
        layer=min(draft.patch_layer, config.n_layer - 1),
        positions=(position,),
    )
    first = max(0, min(position - COLUMNS // 2, len(ids) - COLUMNS))
    columns = range(first, min(first + COLUMNS, len(ids)))
    places = {"columns": columns, "sublayers": draft.sublayers}
    return explain(model, ids, position, token, **places, intervention=intervention)
