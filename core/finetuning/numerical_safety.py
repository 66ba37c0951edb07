"""Guards fine-tuning's numbers against NaN, infinity and rounding to 16 bits."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from core.files import quoted

LARGEST_SCALE = 1e6


def checked_scale(scale: float, name: str = "scale") -> float:
    """Returns a valid scale, or another factor of the learned change. Raises ValueError, with a
    remedy, for NaN, infinity and values that would soon lead to them.
    """
    if not abs(scale) <= LARGEST_SCALE:
        raise ValueError(
            f"{name} is {quoted(scale)}, and the model would compute NaN or infinity with it; 0 to "
            f"1 is usual, and {LARGEST_SCALE:,.0f} the most"
        )
    return float(scale)


def without_rounding(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Wraps a module's function on tensors, such as a move to another device, so that each tensor
    keeps its dtype.
    """

    def change_of(tensor: Tensor) -> Tensor:
        changed = change(tensor)
        return changed if changed.dtype == tensor.dtype else tensor.to(changed.device)

    return change_of
