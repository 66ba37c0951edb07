"""Why a logit falls by less, or by more, than the part that is switched off had added to it.

What a part adds to a logit directly, as `core.inference.attribution` computes it, is not what the
logit loses without it: later parts read another stream and write something else (McGrath et al.
2023, "The Hydra Effect"), and the norms divide by another length, which rescales all that is left
(Rushing and Nanda 2024, "Explorations of Self-Repair in Language Models").

The split is exact. A term is a part's output w times a direction d, which holds the norms' scales.
From w d to w' d' it changes by (w' - w) d, at the scales from before, plus w' (d' - d).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from core.inference.attribution import Attribution, Parts, path_to, terms_of
from core.inference.interventions import Part


@dataclass(frozen=True, slots=True)
class LogitChange:
    """A logit without and with an intervention; the four pieces add up to after minus before.

    own       what the parts that are off add now, minus what they added: the direct effect
    reaction  what all other parts add now, minus what they added, at the norms' old scales
    norms     what the norms' new scales make of all that the parts add now
    rest      change of the unexplained rest: rounding, or a stream from another text
    """

    before: float
    after: float
    own: float
    reaction: float
    norms: float
    rest: float

    @property
    def total(self) -> float:
        return self.after - self.before

    @property
    def indirect(self) -> float:
        """All that is not the direct effect."""
        return self.total - self.own

    def rounded(self, decimals: int = 2) -> LogitChange:
        """Returns the numbers as they are written; `norms` takes the error, so that they add up."""
        before, after, own, reaction, rest = (
            round(value, decimals)
            for value in (self.before, self.after, self.own, self.reaction, self.rest)
        )
        norms = round(after - before - own - reaction - rest, decimals)
        return LogitChange(before, after, own, reaction, norms, rest)


def logit_change(
    parts: tuple[Parts, Parts], told: tuple[Attribution, Attribution], off: Collection[Part]
) -> LogitChange:
    """Splits the change of a logit; `parts` and `told` are without and with the intervention, and
    `off` names the parts that it changes.
    """
    before, after = told
    direction, _ = parts[0].target(before.token, before.against)
    frozen = terms_of(parts[1], list(path_to(parts[0], direction)))  # new outputs, old scales
    own = reaction = norms = 0.0
    for was, held, now in zip(before.terms[:-1], frozen, after.terms[:-1], strict=True):
        if was.part is not None and was.part in off:
            own += held.value - was.value
        else:
            reaction += held.value - was.value
        norms += now.value - held.value
    rest = after.terms[-1].value - before.terms[-1].value
    return LogitChange(before.logit, after.logit, own, reaction, norms, rest)
