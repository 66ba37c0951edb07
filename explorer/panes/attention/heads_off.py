"""Which heads a person has switched off. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.fields import check, field
from explorer.state.workspace import LARGEST_CHOICE

if TYPE_CHECKING:
    from core.transformer import ModelConfig

Head = tuple[int, int]  # layer and head
MOST = 10_000


@dataclass(frozen=True)
class HeadsOff:
    """Of one model: another one has all of its heads on.

    model  its address
    heads  layer and head of each, in order
    """

    model: str = ""
    heads: tuple[Head, ...] = field((), least=0, most=LARGEST_CHOICE, longest=MOST)

    def __post_init__(self) -> None:
        check(self)

    def of(self, model: str, config: ModelConfig | None) -> tuple[Head, ...]:
        """Those of a model that are there."""
        if model != self.model or config is None:
            return ()
        n_layer, n_head = config.n_layer, config.n_head
        return tuple(one for one in self.heads if one[0] < n_layer and one[1] < n_head)


def toggled(off: Sequence[Head], head: Head) -> tuple[Head, ...]:
    """With this head off where it was on, and the other way round."""
    return tuple(sorted({*off} ^ {head}))


def change(off: Sequence[Head], head: Head) -> str:
    """What undo calls it that `off` was chosen."""
    layer, number = head
    return f"Layer {layer}, head {number} {'off' if head in off else 'on'}"


def words(off: Sequence[Head]) -> str:
    """2 heads off: L0 H3, L1 H2."""
    if not off:
        return ""
    names = ", ".join(f"L{layer} H{head}" for layer, head in off)
    return f"{len(off)} head{'s' * (len(off) > 1)} off: {names}"
