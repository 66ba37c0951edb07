"""What Inside asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from explorer.panes.finetuning.inside.draft import InsideDraft
from explorer.panes.finetuning.inside.scene import contents_of
from explorer.widgets.diagrams.scenes import Content

if TYPE_CHECKING:
    from core.finetuning.examination import Examination


def examined(
    model: Any, ids: Sequence[int], draft: InsideDraft, position: int, folder: str, step: int | None
) -> tuple[Examination, list[Mapping[str, Content]]] | None:
    """All that is shown, and what the picture draws after each step; None without an adapter."""
    from core.finetuning.adapter import adapters_of
    from core.finetuning.examination import examine

    if not adapters_of(model):
        return None
    where = {"folder": folder, "step": step, "other": draft.other}
    found = examine(model, ids, draft.matrix, position, **where)
    return found, contents_of(found)


def check_other(model: Any, folder: str) -> str:
    """The folder, if it is that of an adapter of this model. Raises as `load_adapter` does."""
    from core.finetuning.adapter_files import load_adapter

    load_adapter(model, folder).remove()
    return folder
