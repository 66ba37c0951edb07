"""What Lens asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.lens.draft import LensDraft, Part

if TYPE_CHECKING:
    from core.inference.explanation import Explanation
    from core.trace import Trace

WRITTEN = 8  # tokens that the text goes on with


def explained(
    model: Any, ids: Sequence[int], position: int, token: int | None, columns: Sequence[int],
    draft: LensDraft, other: Sequence[int],
) -> Explanation:  # fmt: skip
    """All that is shown; `other`: tokens that are patched in, none where they do not fit."""
    from core.inference.explanation import explain
    from core.inference.interventions import Intervention

    config = model.config
    parts = draft.parts(config.n_layer, config.n_head)
    intervention = Intervention(
        heads=tuple((layer, head) for layer, head in parts if head is not None),
        mlps=tuple(layer for layer, head in parts if head is None),
        mean=draft.how == "mean",
        patch=tuple(other),
        layer=min(draft.patch_layer, config.n_layer - 1),
        positions=None if draft.patch_all else (position,),
    )
    sublayers = draft.reads_sublayers(config.n_layer)
    return explain(
        model, ids, position, token, columns=columns, sublayers=sublayers, intervention=intervention
    )


def continued(model: Any, found: Explanation, changed: bool, stop: Sequence[int]) -> list[int]:
    """The likeliest tokens after the text, one after the other."""
    from core.inference.interventions import continuation

    replace = found.intervention.replacements(model, found.ids) if changed else None
    return continuation(model, found.ids, WRITTEN, replace, stop)


def contribution(model: Any, found: Explanation, part: Part) -> Trace:
    """How much a head or an MLP adds to the token's logit, step by step."""
    from core.inference.lens_trace import trace_contribution

    replace = found.intervention.replacements(model, found.ids)
    asked = model, found.ids, *part, found.token
    return trace_contribution(*asked, position=found.position, replace=replace)
