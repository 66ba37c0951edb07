"""What the inspector shows for an event of the lanes: its line of code, and each rank's times."""

from __future__ import annotations

import numpy as np

from core.numbers import format_brief, format_bytes
from core.trace import Step
from core.training.phases import CODE
from core.training.phases import FORMULAS as PHASE_FORMULAS
from explorer.panes.base import Inspection, Row
from explorer.panes.training.ranks import text
from explorer.panes.training.ranks.scene import Event, Scene

_PARALLEL = "core.training"
MEASURED = {
    **CODE,
    "all-reduce": f"{_PARALLEL}.data_parallel:_add_up#all_reduce",
    "all-gather": f"{_PARALLEL}.fully_sharded:Gather.__call__#gather",
    "reduce-scatter": f"{_PARALLEL}.fully_sharded:Scatter.__call__#scatter",
    "sum": f"{_PARALLEL}.ranks:Ranks.sums#sum",
}
_ESTIMATES = f"{_PARALLEL}.estimates"
COMPUTED = {
    "all-reduce": f"{_ESTIMATES}.communication:all_reduce#all_reduce",
    "all-gather": f"{_ESTIMATES}.communication:_half#half",
    "reduce-scatter": f"{_ESTIMATES}.communication:_half#half",
}
COMPUTED_FORMULAS = {
    "forward": r"t = \frac{2 \, n_{\mathrm{weights}} \, n_{\mathrm{tokens}}}{\mathrm{FLOP/s}}",
    "backward": r"t = \frac{4 \, n_{\mathrm{weights}} \, n_{\mathrm{tokens}}}{\mathrm{FLOP/s}}",
    "all-reduce": r"\mathrm{bytes} = 2 \, \frac{N-1}{N} \, M",
    "all-gather": r"\mathrm{bytes} = \frac{N-1}{N} \, M",
    "reduce-scatter": r"\mathrm{bytes} = \frac{N-1}{N} \, M",
}
OTHER = f"{_ESTIMATES}.plan:compute_seconds#compute"
LOOK = r"t_{\mathrm{end}} - t_{\mathrm{start}}"


def inspection(event: Event, scene: Scene, strategy: str) -> Inspection:
    """Of one event: who waited how long, how many bytes moved."""
    if scene.computed:
        formula = COMPUTED_FORMULAS.get(event.kind, LOOK)
        code = COMPUTED.get(event.kind, OTHER)
    else:
        formula = text.FORMULAS.get(event.kind) or PHASE_FORMULAS.get(event.kind, LOOK)
        code = MEASURED.get(event.kind, CODE["backward"])
        if event.kind == "schedule":
            code, formula = CODE["optimizer"], LOOK
    title = text.event_title(event, scene, strategy)
    rows, noun = [], "device" if scene.computed else "rank"
    for bar in event.bars[:8]:
        words = f"{noun} {bar.rank}: {format_brief(bar.end - bar.ready)}"
        if bar.ready > bar.start:
            words += f", after waiting {format_brief(bar.ready - bar.start)}"
        if bar.bytes:
            words += f", {format_bytes(bar.bytes)}"
        rows.append(Row(words))
    table = {
        "rank": np.array([bar.rank for bar in event.bars]),
        "start (s)": np.array([bar.start for bar in event.bars]),
        "waited (s)": np.array([bar.ready - bar.start for bar in event.bars]),
        "took (s)": np.array([bar.end - bar.ready for bar in event.bars]),
        "bytes": np.array([bar.bytes for bar in event.bars]),
    }
    step = Step(f"ranks.{event.kind}", title, formula, code, {})
    return Inspection(step=step, rows=rows, table=table, title=title, plain=True)
