"""How large numbers are: a histogram over powers of two, and the share that a number format loses.

A format of few bits covers a window of powers of two. A value below its smallest number becomes 0,
a value above its largest becomes infinite. Counting the values of each exponent gives the lost
share at any loss scale: scaling by 2^k shifts the histogram by k.

An fp32 number contains its exponent, so counting needs no logarithm; for a large model, a sample
of the values is enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from core.fields import check, field
from core.training.number_formats import NumberFormat

if TYPE_CHECKING:
    from torch import Tensor

LOWEST, HIGHEST = -150, 128  # exponents of the histogram: they cover all of fp32
SAMPLE = 1 << 15  # values counted, about, out of any number
EXAMPLE = 1_000_000  # values in a computed example


@dataclass(frozen=True, slots=True)
class ExponentHistogram:
    """Number of values from 2^k up to 2^(k + 1), regardless of sign, for each k.

    counts      (HIGHEST - LOWEST + 1,), for k from LOWEST on
    zeros       number of values that are 0
    not_finite  number of values that are infinite or NaN

    Raises ValueError for counts of another shape.
    """

    counts: np.ndarray
    zeros: int = 0
    not_finite: int = 0

    def __post_init__(self) -> None:
        if self.counts.shape != (HIGHEST - LOWEST + 1,):
            raise ValueError(
                f"counts of shape {self.counts.shape} are not those of 2^{LOWEST} to 2^{HIGHEST}"
            )

    @property
    def total(self) -> int:
        """Number of values that are neither 0 nor infinite nor NaN."""
        return int(self.counts.sum())

    def quantile(self, share: float) -> int:
        """Returns the k for which the smallest `share` of values ends from 2^k to 2^(k + 1)."""
        reached = np.cumsum(self.counts) >= share * max(self.total, 1)
        return int(powers()[reached.argmax()])

    def to_json(self) -> dict[str, Any]:
        """Returns the values of an event: the counts from the first to the last that is not 0."""
        counted = np.flatnonzero(self.counts)
        first, last = (counted[0], counted[-1]) if len(counted) else (0, -1)
        return {
            "lowest": int(first) + LOWEST,
            "counts": self.counts[first : last + 1].tolist(),
            "zeros": self.zeros,
            "not_finite": self.not_finite,
        }


def _counts(values: Any) -> tuple[int, ...]:
    """Reads whole numbers of at least 0, all at once: a long run has thousands of such rows."""
    is_list = isinstance(values, (list, tuple))
    whole = np.asarray(values) if is_list and values else np.zeros(0, np.int64)
    fits = is_list and whole.ndim == 1 and whole.dtype.kind == "i"
    if not fits or (whole < 0).any() or len(whole) > HIGHEST - LOWEST + 1:
        raise ValueError("they are whole numbers of at least 0")
    return tuple(whole.tolist())


@dataclass(frozen=True, slots=True)
class CountedExponents:
    """An ExponentHistogram as stored in an event: counts from 2^lowest on.

    Raises ValueError if they extend beyond 2^HIGHEST.
    """

    lowest: int = field(LOWEST, least=LOWEST, most=HIGHEST + 1)
    counts: tuple[int, ...] = field((), reader=_counts)
    zeros: int = field(0, least=0)
    not_finite: int = field(0, least=0)

    def __post_init__(self) -> None:
        check(self)
        if self.lowest + len(self.counts) > HIGHEST + 1:
            raise ValueError(f"counts of 2^{self.lowest} on reach beyond 2^{HIGHEST}")

    def histogram(self) -> ExponentHistogram:
        """Returns the histogram, with a count for each power of two."""
        counts = np.zeros(HIGHEST - LOWEST + 1, np.int64)
        first = self.lowest - LOWEST
        counts[first : first + len(self.counts)] = self.counts
        return ExponentHistogram(counts, self.zeros, self.not_finite)


class Lost(NamedTuple):
    """Shares lost, of the values that are neither 0 nor infinite nor NaN before storage."""

    zero: float  # become 0
    subnormal: float  # keep only some of their digits
    overflow: float  # become infinite, or the largest number


def powers() -> np.ndarray:
    """Returns the exponent k of each count."""
    return np.arange(LOWEST, HIGHEST + 1)


def exponent_histogram(
    tensors: Tensor | Sequence[Tensor], sample: int = SAMPLE
) -> ExponentHistogram:
    """Returns the histogram of one tensor, or of several together.

    Samples the same share of each, about `sample` values in all, as fp32. For a tensor that is
    sharded over ranks, pass this rank's part.
    """
    import torch

    values = sampled([tensors] if isinstance(tensors, torch.Tensor) else tensors, sample)
    return count_exponents(values.cpu().numpy())


def count_exponents(values: np.ndarray) -> ExponentHistogram:
    """Returns the histogram of all values, fp32 of any shape."""
    finite = values[np.isfinite(values)]
    numbers = finite[finite != 0]
    _, above = np.frexp(numbers)  # the next power of two above
    counts = np.bincount(above - 1 - LOWEST, minlength=HIGHEST - LOWEST + 1)
    return ExponentHistogram(counts, len(finite) - len(numbers), values.size - len(finite))


def normal_histogram(deviation: float, count: int = EXAMPLE) -> ExponentHistogram:
    """Returns the expected histogram of `count` numbers of a normal distribution with mean 0.

    P(|x| < a) = erf(a / (deviation sqrt(2))); no number is drawn. `deviation`: the standard one.
    """
    edges = 2.0 ** np.append(powers(), HIGHEST + 1.0)
    below = np.array([math.erf(edge / (deviation * math.sqrt(2))) for edge in edges])
    return ExponentHistogram(np.rint(np.diff(below) * count).astype(np.int64))


def sampled(tensors: Sequence[Tensor], sample: int = SAMPLE) -> Tensor:
    """Returns a sample of the values as fp32, in a new tensor: (about `sample`,)."""
    import torch

    stride = sampling_stride(sum(tensor.numel() for tensor in tensors), sample)
    parts = [tensor.detach().flatten()[::stride] for tensor in tensors]
    return torch.cat(parts).float() if parts else torch.zeros(0)


def sampling_stride(count: int, sample: int) -> int:
    """Returns the stride at which values are sampled.

    It is a multiple of neither 2 nor 3, as most layer widths are: otherwise the sample would take
    the same columns again and again.
    """
    stride = max(1, math.ceil(count / sample))
    while stride > 1 and (stride % 2 == 0 or stride % 3 == 0):
        stride += 1
    return stride


def lost_by_power(format: NumberFormat, scale_exponent: int = 0) -> tuple[np.ndarray, ...]:
    """Returns, for every k of `powers`, the share of values from 2^k to 2^(k + 1) that is lost in
    each way of `Lost` after scaling by 2^scale_exponent: (HIGHEST - LOWEST + 1,) each.

    Assumes that values are spread evenly between two powers of two; this matters only for the few
    between the largest number and the next power.
    """
    scaled = powers() + scale_exponent
    normal = round(math.log2(format.smallest_normal))
    smallest = round(math.log2(format.smallest_subnormal)) - 1  # half of it is still rounded up
    too_large = (2.0 ** (scaled + 1.0) - format.overflow) / 2.0**scaled
    zero, some = scaled < smallest, (scaled >= smallest) & (scaled < normal)
    return zero.astype(float), some.astype(float), np.clip(too_large, 0.0, 1.0)


def share_lost(histogram: ExponentHistogram, format: NumberFormat, scale_exponent: int = 0) -> Lost:
    """Returns the shares lost when values are scaled by 2^scale_exponent and stored in a format."""
    if histogram.total == 0:
        return Lost(0.0, 0.0, 0.0)
    shares = histogram.counts / histogram.total
    return Lost(*(float(shares @ part) for part in lost_by_power(format, scale_exponent)))


def folded_shares(
    histogram: ExponentHistogram,
    format: NumberFormat,
    scale_exponent: int = 0,
    lowest: int = LOWEST,
    highest: int = HIGHEST,
) -> np.ndarray:
    """Returns shares of all values for each k from lowest to highest, after scaling by
    2^scale_exponent: those from 2^k to 2^(k + 1), and those of them that in a format become 0,
    become subnormal, or overflow: (4, highest - lowest + 1).

    Values outside the range count at its ends.
    """
    shares = histogram.counts / max(histogram.total, 1)
    columns = np.clip(powers() + scale_exponent, lowest, highest) - lowest
    parts = (shares, *(part * shares for part in lost_by_power(format, scale_exponent)))
    return np.array([np.bincount(columns, part, highest - lowest + 1) for part in parts])
