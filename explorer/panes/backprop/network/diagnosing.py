"""What is wrong with learning as it is now, and whether smaller steps would help. No Qt here."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from explorer.panes.backprop.network import text
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.lab import NetworkLab
from explorer.panes.backprop.network.presets import PRESETS, Preset


@dataclass(frozen=True)
class Diagnosis:
    """preset     the one that this is: it says what there is to see
    first      the loss before the first step
    away       the loss runs away from that
    worse      learning has made it worse than guessing
    earlier    one of both, and it was so with an earlier setup: its steps were too large
    rose       how high the loss rose, where steps were too large to learn; else nan
    thrown     they have left neurons dead or saturated, too, or it worse than guessing
    """

    preset: Preset | None = None
    first: float = math.nan
    away: bool = False
    worse: bool = False
    earlier: bool = False
    rose: float = math.nan
    thrown: bool = False

    @property
    def too_large(self) -> bool:
        """Whether the steps are."""
        return self.away or self.worse or self.thrown

    @property
    def troubles(self) -> dict[str, Any]:
        """As `words.headline` takes them."""
        return {
            "away": self.away,
            "worse": self.worse,
            "earlier": self.earlier,
            "rose": self.rose,
        }


def diagnose(lab: NetworkLab | None, draft: NetworkDraft) -> Diagnosis:
    """Of the latest moment."""
    same = next((one for one in PRESETS if one.draft.is_like(draft)), None)
    if lab is None:
        return Diagnosis(same)
    losses, classes, moment = lab.curves.train, lab.data.classes, lab.moments[-1]
    first = losses[0] if losses else math.nan
    own = losses[bisect_left(lab.curves.steps, lab.since) :]
    away, worse = text.runs_away(own), text.learned_worse(own, classes)
    earlier = False
    if lab.since > lab.since_task and not (away or worse):
        whole = losses[bisect_left(lab.curves.steps, lab.since_task) :]
        earlier = text.runs_away(whole) or text.learned_worse(whole, classes)
    if same is not None:
        return Diagnosis(same, first, away)
    rose = lab.rise.overshot(moment.train_loss, text.guessing(classes))
    lost = text.in_trouble(moment) or moment.train_loss > text.WORSE * text.guessing(classes)
    thrown = lost and not math.isnan(rose)
    return Diagnosis(None, first, away, worse, earlier, rose, thrown)
