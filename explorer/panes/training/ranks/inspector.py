"""The inspector's content for a Step of the lanes: its line of code, and each rank's times."""

from __future__ import annotations

from core.training.lane_trace import LaneTrace
from explorer.panes.base import Inspection, Row
from explorer.panes.step_inspection import calculated
from explorer.panes.training.ranks import text

MOST = 8  # ranks with a row


def inspection(lanes: LaneTrace, place: int) -> Inspection:
    """Returns one Step: an estimate's calculation; each rank's duration, wait and bytes sent."""
    step, table = lanes.trace[place], lanes.by_rank(place)
    rows = calculated(step) if lanes.estimated else []
    columns = (table[name][:MOST].tolist() for name in ("rank", "took (s)", "waited (s)", "bytes"))
    rows += [Row(text.rank_row(lanes.noun, *told)) for told in zip(*columns, strict=True)]
    return Inspection(step=step, rows=rows, table=table, title=step.title, plain=True)
