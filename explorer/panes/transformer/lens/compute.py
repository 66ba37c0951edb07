"""What Lens asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.lens.draft import LensDraft, Part

if TYPE_CHECKING:
    from core.inference.explanation import Explanation
    from core.trace import Trace

COLUMNS, WRITTEN = 16, 8  # tokens of the table; tokens that the text goes on with


def explained(
    model: Any, ids: Sequence[int], position: int, token: int | None, draft: LensDraft,
    other: Sequence[int],
) -> Explanation:  # fmt: skip
    """All that is shown; `other`: tokens that are patched in, none where they do not fit."""
    from core.inference.explanation import explain
    from core.inference.interventions import Intervention

    config = model.config
    parts = draft.parts(config.n_layer, config.n_head)
    intervention = Intervention(
        heads=tuple((layer, head) for layer, head in parts if head is not None),
        mlps=tuple(layer for layer, head in parts if head is None),
        mean=draft.mean,
        patch=tuple(other),
        layer=min(draft.patch_layer, config.n_layer - 1),
        positions=(position,),
    )
    first = max(0, min(position - COLUMNS // 2, len(ids) - COLUMNS))
    columns = range(first, min(first + COLUMNS, len(ids)))
    places = {"columns": columns, "sublayers": draft.sublayers}
    return explain(model, ids, position, token, **places, intervention=intervention)


def continued(model: Any, found: Explanation, stop: Sequence[int]) -> list[list[int]]:
    """The likeliest tokens after the text, as the model is, and as it is changed."""
    from core.inference.generation import generate_steps
    from core.inference.interventions import AS_IT_IS
    from core.inference.sampling import Sampling

    many = min(WRITTEN, model.config.block_size - len(found.ids))
    asked = model, found.ids, many, Sampling(temperature=0.0)
    return [
        [step.id for step in generate_steps(*asked, stop=stop, intervention=change)]
        for change in dict.fromkeys((AS_IT_IS, found.intervention))
    ]


def contribution(model: Any, found: Explanation, part: Part) -> Trace:
    """How much a head or an MLP adds to the token's logit, step by step."""
    from core.inference.lens_trace import trace_contribution

    replace = found.intervention.replacements(model, found.ids)
    asked = model, found.ids, *part, found.token
    return trace_contribution(*asked, position=found.position, replace=replace)
