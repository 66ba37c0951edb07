"""What is switched off and patched, as a person has set it up. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field

DEEP = 12  # layers above which whole layers are shown first
MOST_OFF = 1000
Part = tuple[int, int | None]


@dataclass(frozen=True)
class LensDraft:
    """What is changed on the way, and where the stream is read.

    off           parts: a layer, and a head of it, or None for its MLP
    how           what a part that is off writes: nothing, or its mean over the text
    sublayers     whether the stream is read between attention and MLP, too; None: of few layers
    patch         another text of as many tokens; empty: none
    patch_layer   whose incoming stream comes from there
    patch_all     at all tokens, rather than the chosen one
    """

    off: tuple[Part, ...] = field((), least=0, longest=MOST_OFF)
    how: str = field("zero", choices=("zero", "mean"))
    sublayers: bool | None = None
    patch: str = ""
    patch_layer: int = field(0, least=0, most=10_000)
    patch_all: bool = False

    def __post_init__(self) -> None:
        check(self)

    def reads_sublayers(self, n_layer: int) -> bool:
        return n_layer <= DEEP if self.sublayers is None else self.sublayers

    def parts(self, n_layer: int, n_head: int) -> list[Part]:
        """Those that are off, of a model that may not have them all."""
        return [one for one in self.off if one[0] < n_layer and (one[1] or 0) < n_head]
