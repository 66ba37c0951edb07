"""Opens a head from another pane in Attention, on the same text."""

from __future__ import annotations

from typing import Any

from explorer.engine import errors
from explorer.state.workspace import Workspace


async def show_head(workspace: Workspace, source: Any, read: str, *head: int) -> bool:
    """Opens a source's model in Attention and locks one of its heads, (layer, head), if given. A
    fine-tuned model is compared with its base; the head that changed most is selected unless one is
    locked. `read` is the text, "" for the current one. Reports a model that cannot be opened and
    returns False.
    """
    try:
        if not await workspace.open_model(source):
            return False
    except (ValueError, OSError) as error:
        errors.report(error, f"opening {source.name}", errors.MODEL)
        return False
    if read and read != workspace.prompt:
        workspace.select(token=None)  # a position in the previous text means nothing in this one
        workspace.set_prompt(read)
    is_tuned = getattr(source, "base", None) is not None
    compared = {"mode": "compare", "other": "base"} if is_tuned else {}
    workspace.begin("attention.scene", {"locked": list(head) or None, **compared})
    workspace.begin("pane", "attention")
    return True
