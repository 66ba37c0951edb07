"""Steps that a loss scaler skipped, as a run's folder tells of them. Knows no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Skip:
    """A step that a loss scaler skipped: its loss scale, and the next one. 0: not told."""

    scale: float = 0.0
    after: float = 0.0

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Skip:
        return cls(event.get("loss_scale", 0.0), event.get("after", {}).get("loss_scale", 0.0))


def was_skipped(row: Any) -> bool:
    """Whether a loss scaler skipped a recorded step; runs of older versions skipped none."""
    return "skipped" in (row.dtype.names or ()) and bool(row["skipped"])
