"""The way from a head in another pane to Attention, which shows it on the same text."""

from __future__ import annotations

from typing import Any

from explorer.engine import errors
from explorer.state.workspace import Workspace


async def show_head(workspace: Workspace, source: Any, read: str, *head: int) -> bool:
    """Opens a source's model and locks one of its heads, (layer, head), or none; a fine-tuned
    model's are compared with what they were before, and the one that changed most is chosen, unless
    one is locked. `read`: the text, "" for the one there is. False where it could not be opened,
    which is reported.
    """
    try:
        if not await workspace.open_model(source):
            return False
    except (ValueError, OSError) as error:
        errors.report(error, f"opening {source.name}", errors.MODEL)
        return False
    if read and read != workspace.prompt:
        workspace.select(token=None)  # the place of a query in the text before says nothing
        workspace.set_prompt(read)
    is_tuned = getattr(source, "base", None) is not None
    compared = {"mode": "compare", "other": "base"} if is_tuned else {}
    workspace.begin("attention.scene", {"locked": list(head) or None, **compared})
    workspace.begin("pane", "attention")
    return True
