"""What Inside asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer.panes.finetuning.inside.draft import InsideDraft

if TYPE_CHECKING:
    from core.finetuning.examination import Examination


def examined(
    model: Any, ids: Sequence[int], draft: InsideDraft, position: int, folder: str, step: int | None
) -> Examination:
    """All that is shown."""
    from core.finetuning.examination import examine

    where = {"folder": folder, "step": step, "other": draft.other}
    return examine(model, ids, draft.matrix, position, **where)
