"""Examines a fine-tuned model on the engine's thread. Does not import Qt."""

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
    """Returns the examination and the picture's content after each step; if no matrix has changed,
    the explanation of `look_inside_steps`.
    """
    from core.finetuning.examination import Focus, look_inside_steps

    focus = Focus(draft.matrix, position, other=draft.other, **where)
    found = yield from look_inside_steps(model, ids, focus)
    return found if isinstance(found, str | list) else (found, contents_of(found))
