"""The user's choice of parts to switch off and patch. Imports neither Qt nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field

MOST_OFF = 1000
Part = tuple[int, int | None]


@dataclass(frozen=True)
class LensDraft:
    """Changes of the forward pass, and the places where the stream is read.

    off          parts: a layer with the index of a head, or with None for its MLP
    mean         True: a part that is off adds its mean output over the text; False: nothing
    patch        another text with as many tokens; "" for none
    patch_layer  the layer whose input at the chosen token is taken from that text
    """

    off: tuple[Part, ...] = field((), least=0, longest=MOST_OFF)
    mean: bool = field(
        False, label="Mean instead of zero",
        help="A part that is off adds its average output over this text, instead of nothing",
    )  # fmt: skip
    sublayers: bool = field(
        False,
        label="Sublayers",
        help="Also show the prediction between attention and the MLP of each layer",
    )
    patch: str = field(
        "",
        help="At the chosen token, the residual stream of this text replaces that of the original",
    )
    patch_layer: int = field(0, least=0, most=10_000, help="The layer whose input is replaced")

    def __post_init__(self) -> None:
        check(self)

    def parts(self, n_layer: int, n_head: int) -> list[Part]:
        """Returns the parts that are off and that a model of this size has."""
        return [one for one in self.off if one[0] < n_layer and (one[1] or 0) < n_head]
