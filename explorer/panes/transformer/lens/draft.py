"""What is switched off and patched, as a person has set it up. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field

DEEP = 12  # layers above which whole layers are shown first
MOST_OFF = 1000
Part = tuple[int, int | None]  # a layer, and a head of it; None: its MLP


@dataclass(frozen=True)
class LensDraft:
    """What is changed on the way, and where the stream is read.

    off           parts: "3.1" is head 1 of layer 3, "3" the MLP of layer 3
    how           what a part that is off writes: nothing, or its mean over the text
    sublayers     whether the stream is read between attention and MLP, too; None: of few layers
    patch         another text of as many tokens; empty: none
    patch_layer   whose incoming stream comes from there
    patch_all     at all tokens, rather than the chosen one
    """

    off: tuple[str, ...] = field((), longest=MOST_OFF)
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
        known = [(layer, head) for layer in range(n_layer) for head in (None, *range(n_head))]
        return [part for part in known if part_name(part) in self.off]


def part_name(part: Part) -> str:
    """How `off` calls it."""
    layer, head = part
    return str(layer) if head is None else f"{layer}.{head}"
