"""What Inside asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from explorer.panes.finetuning.inside.draft import InsideDraft
from explorer.panes.finetuning.inside.scene import contents_of
from explorer.widgets.diagrams.scenes import Content

if TYPE_CHECKING:
    from core.finetuning.examination import Examination


def examined_steps(
    model: Any, ids: Sequence[int], draft: InsideDraft, position: int, **where: Any
) -> Generator[None, None, tuple[Examination, list[Mapping[str, Content]]] | list[int] | str]:
    """All that is shown, and what the picture draws after each step; where no matrix changed, what
    `look_inside_steps` says of it.
    """
    from core.finetuning.examination import Focus, look_inside_steps

    focus = Focus(draft.matrix, position, other=draft.other, **where)
    found = yield from look_inside_steps(model, ids, focus)
    return found if isinstance(found, str | list) else (found, contents_of(found))
