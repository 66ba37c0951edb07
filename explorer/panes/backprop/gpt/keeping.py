"""What a session remembers: the step, the step inside of it, the pinned number, what is folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.moments import MomentTrack
from explorer.panes.backprop.gpt.scene import Cell

if TYPE_CHECKING:
    from explorer.panes.backprop.gpt.mode import GPTMode

NAMES = ("step", "inner", "folded", "pinned", "highway")


def kept(mode: GPTMode) -> dict[str, Any]:
    outer, cell = outer_step(mode), mode.pinned
    pinned = None
    if cell is not None:
        where = list(cell.what[1]) if cell.what[0] == "flow" else cell.what[1]
        pinned = [cell.what[0], where, cell.head, cell.row, cell.column]
    return {
        "step": mode.position if outer is None else outer,
        "inner": None if outer is None else mode.position,
        "folded": mode.view.operations.folded(),
        "pinned": pinned,
        "highway": not mode.view.folded,
    }


def outer_step(mode: GPTMode) -> int | None:
    """Inside an operation its moment of the outermost level, else None."""
    if mode.worked is None or not mode.active or not mode.player.depth:
        return None
    track, moments = mode.player.track, mode.worked.moments
    inner = track.moments if isinstance(track, MomentTrack) else ()
    return next((place for place, one in enumerate(moments) if one.inner == inner), 0)


def bring_back(mode: GPTMode, wanted: dict[str, Any]) -> None:
    """As it was left; what does not fit this example is left out."""
    worked = mode.worked
    assert worked is not None
    step, inner, folded = wanted.get("step"), wanted.get("inner"), wanted.get("folded")
    if type(step) in (int, float) and 0 <= step < len(worked.moments):
        mode.player.seek(step)
        if type(inner) in (int, float) and mode.player.enter():
            mode.player.seek(inner)
    mode.view.set_folded(wanted.get("highway") is False)
    if isinstance(folded, list):
        mode.view.operations.fold([one for one in folded if isinstance(one, str)])
    mode.pinned = cell_from(worked, wanted.get("pinned"))
    mode.view.stage.set_pinned(mode.pinned)


def cell_from(worked: Worked, saved: Any) -> Cell | None:
    """A pinned cell of a session; None for anything that is not there."""
    try:
        kind, where, head, row, column = saved
        what = (kind, tuple(where)) if kind == "flow" else (kind, where)
        cell = Cell(what, head, row, column)
        return cell if is_there(worked, cell) else None
    except (TypeError, ValueError, KeyError, IndexError):
        return None


def is_there(worked: Worked, cell: Cell) -> bool:
    """Whether an example with the same moments, of another length say, has this number, too."""
    rows, columns = worked.plane(cell.what, cell.head).size
    inside = 0 <= cell.row < rows and 0 <= cell.column < columns
    return inside and 0 <= cell.head < worked.n_head and worked.array(cell.what) is not None
