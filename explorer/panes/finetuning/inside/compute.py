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
) -> tuple[Examination, list[Mapping[str, Content]]] | list[int] | str:
    """All that is shown, and what the picture draws after each step; where no matrix changed, the
    tokens nearest to a soft prompt's, or the method, "" of a model that was not tuned here.
    `heads`: where they are known.
    """
    from core.finetuning.adapter import adapters_of
    from core.finetuning.examination import examine
    from core.finetuning.loading import tuned_of
    from core.finetuning.own_examination import examine_own, own_kind
    from core.finetuning.soft_prompt import nearest_tokens

    where: dict[str, Any] = {"folder": folder, "step": step, "heads": heads}
    tuned = tuned_of(model)
    if adapters_of(model):
        found = examine(model, ids, draft.matrix, position, other=draft.other, **where)
    elif tuned is not None and own_kind(model, tuned.tuning):
        found = examine_own(model, ids, draft.matrix, position, **where)
    elif tuned is not None and tuned.tuning.prompt:
        return nearest_tokens(model)
    else:
        return "" if tuned is None else tuned.settings.method
    return found, contents_of(found)


def check_other(model: Any, folder: str) -> str:
    """The folder, if it is that of an adapter of this model. Raises as `load_adapter` does."""
    from core.finetuning.adapter_files import load_adapter

    load_adapter(model, folder).remove()
    return folder
