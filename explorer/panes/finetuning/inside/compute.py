"""What Inside asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from explorer.panes.finetuning.inside.draft import InsideDraft
from explorer.panes.finetuning.inside.scene import contents_of
from explorer.widgets.diagrams.scenes import Content

if TYPE_CHECKING:
    import numpy as np

    from core.finetuning.examination import Examination


def examined(
    model: Any,
    ids: Sequence[int],
    draft: InsideDraft,
    position: int,
    folder: str,
    step: int | None,
    heads: np.ndarray | None,
) -> tuple[Examination, list[Mapping[str, Content]]] | str:
    """All that is shown, and what the picture draws after each step; of a model without an adapter
    the method that tuned it, "" of one that was not tuned here. `heads`: where they are known.
    """
    from core.finetuning.adapter import adapters_of
    from core.finetuning.examination import examine
    from core.finetuning.loading import tuned_of

    if not adapters_of(model):
        tuned = tuned_of(model)
        return "" if tuned is None else tuned.settings.method
    where = {"folder": folder, "step": step, "other": draft.other, "heads": heads}
    found = examine(model, ids, draft.matrix, position, **where)
    return found, contents_of(found)


def check_other(model: Any, folder: str) -> str:
    """The folder, if it is that of an adapter of this model. Raises as `load_adapter` does."""
    from core.finetuning.peft_reader import load_adapter

    load_adapter(model, folder).remove()
    return folder
