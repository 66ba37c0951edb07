"""An explanation of one prediction: the layer where it appears, the parts that raise it, and the
effect of an intervention.

Letters in shapes: T tokens, P places of the stream, K likeliest tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core.inference.attribution import Attribution, LogitTerm, Parts, attribution_of
from core.inference.generation import generate_steps
from core.inference.indices import check_tokens
from core.inference.interventions import AS_IT_IS, Comparison, Intervention, compare_intervention
from core.inference.lens_trace import trace_contribution, trace_lens
from core.inference.logit_change import LogitChange, logit_change
from core.inference.logit_lens import LogitLens, logit_lens
from core.inference.sampling import Sampling
from core.trace import Trace
from core.transformer.architectures import gpt_of
from core.transformer.gpt import GPT


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """An explanation of the prediction after one position. All but `before` is with intervention.

    ids           (T,) of the text
    intervention  on the model
    position      index of the last token before the prediction, from 0
    token         whose logit is explained
    shown         (K,) likeliest tokens without or with the intervention, the original answer
                  first; `trace` has their probabilities at each place
    lens          of some tokens at all places
    comparison    of the original model with the changed one
    before        without the intervention; the same as `after` if there is none
    change        of the logit, and what makes it up; of zeros without an intervention
    terms         each part's term before and after the intervention: the largest before first, the
                  unexplained rest last
    """

    ids: np.ndarray
    intervention: Intervention
    position: int
    token: int
    shown: tuple[int, ...]
    lens: LogitLens
    comparison: Comparison
    before: Attribution
    after: Attribution
    change: LogitChange
    terms: tuple[tuple[LogitTerm, LogitTerm], ...]
    trace: Trace

    @property
    def is_changed(self) -> bool:
        return self.intervention != AS_IT_IS

    def is_off(self, term: LogitTerm) -> bool:
        return term.part in self.intervention.off

    @property
    def probabilities(self) -> np.ndarray:
        """(P, K) of the tokens in `shown` at each place of the stream."""
        said = [self.trace[place].value("probabilities") for place in self.trace.children()]
        return np.stack(said)

    def continuations(self, model: GPT, count: int, stop: Collection[int] = ()) -> list[list[int]]:
        """Returns the likeliest tokens after the text, up to `count`, one of `stop` or a full
        context: by the original model, then by the changed one if there is an intervention.
        """
        changes = [AS_IT_IS, self.intervention][: 1 + self.is_changed]
        room = model.config.block_size - len(self.ids)
        asked = model, self.ids, min(count, room), Sampling(temperature=0.0)
        return [
            [step.id for step in generate_steps(*asked, stop=stop, intervention=change)]
            for change in changes
        ]

    def trace_term(self, model: GPT, layer: int, head: int | None) -> Trace:
        """Traces the contribution of a head (None: the layer's MLP) to the logit.

        Raises ValueError as `trace_contribution` does.
        """
        asked = model, self.ids, layer, head, self.token
        replace = self.intervention.replacements(model, self.ids)
        return trace_contribution(*asked, position=self.position, replace=replace)


def explain(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    position: int = -1,
    token: int | None = None,
    *,
    columns: Sequence[int] | None = None,
    sublayers: bool = True,
    likeliest: int = 6,
    intervention: Intervention = AS_IT_IS,
) -> Explanation:
    """Explains the model's prediction after `position`.

    token    None: the likeliest one of the original model
    columns  positions of the tokens that the lens reads (None: all)

    Raises ValueError as `logit_lens`, `attribute` and `Intervention.replacements` do.
    """
    model = gpt_of(model)
    replace = intervention.replacements(model, ids)
    comparison = compare_intervention(model, ids, replace, position)
    shown = _likeliest(comparison, min(likeliest, model.config.vocab_size))
    token = shown[0] if token is None else int(check_tokens(model.config.vocab_size, token))
    if token not in shown:
        shown = (*shown[:-1], token)
    was = now = Parts(model, ids, position)
    before = after = attribution_of(was, token)
    if replace:
        now = Parts(model, ids, position, replace)
        after = attribution_of(now, token)
    *parts, rest = zip(before.terms, after.terms, strict=True)
    parts.sort(key=lambda pair: -abs(pair[0].value))
    lens = logit_lens(
        model, ids, positions=columns, sublayers=sublayers, likeliest=3, replace=replace
    )
    trace = trace_lens(model, ids, shown, position=position, sublayers=sublayers, replace=replace)
    return Explanation(
        ids=np.asarray(ids),
        intervention=intervention if replace else AS_IT_IS,
        position=before.position,
        token=token,
        shown=shown,
        lens=lens,
        comparison=comparison,
        before=before,
        after=after,
        change=logit_change((was, now), (before, after), intervention.off),
        terms=(*parts, rest),
        trace=trace,
    )


def _likeliest(comparison: Comparison, count: int) -> tuple[int, ...]:
    """Returns the original model's answer, then tokens by the larger of both probabilities."""
    before, after = comparison.before.probabilities, comparison.after.probabilities
    order = np.argsort(-np.maximum(before, after), kind="stable")[:count].tolist()
    order.sort(key=lambda one: one != before.argmax())
    return tuple(order)
