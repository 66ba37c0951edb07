"""Finds where two tokenizers cut one text differently."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

from core.tokenization.tokenizer import Encoding

WHITE_SPACE = b" \t\n\r"


@dataclass(frozen=True, slots=True)
class Region:
    """A region of the text that two encodings cut differently, as short as possible.

    start, stop     bytes of the text; both encodings cut at both
    first, second   ranges of the tokens inside it
    """

    start: int
    stop: int
    first: range
    second: range


def spans_of(encoding: Encoding, ignore_spaces: bool = False) -> list[tuple[int, int] | None]:
    """Returns each token's span in the text, or None for a token without text.

    With ignore_spaces a span has no white space at its ends, so that " the" and "the" are alike.
    """
    data = encoding.text.encode()
    spans: list[tuple[int, int] | None] = []
    for start, stop in encoding.spans:
        if ignore_spaces:
            part = data[start:stop]
            start = stop - len(part.lstrip(WHITE_SPACE))
            stop = max(start, start + len(part.strip(WHITE_SPACE)))
        spans.append((start, stop) if start < stop else None)
    return spans


def own_tokens(encodings: Sequence[Encoding], ignore_spaces: bool = False) -> list[list[int]]:
    """Returns, for each encoding, the tokens whose span at least one other encoding lacks.

    Raises ValueError for encodings of different texts.
    """
    _check_texts(encodings)
    spans = [spans_of(encoding, ignore_spaces) for encoding in encodings]
    common = set.intersection(*(set(places) for places in spans)) if spans else set()
    return [
        [index for index, place in enumerate(places) if place is not None and place not in common]
        for places in spans
    ]


def differing_regions(first: Encoding, second: Encoding) -> list[Region]:
    """Returns the regions of the text where the two splits differ, from the left.

    The text is cut at every byte where one split cuts and no token of the other runs across; a
    region between two such bytes is returned if the tokens in it differ.
    Raises ValueError for different texts.
    """
    _check_texts([first, second])
    both = (_visible(first), _visible(second))
    cuts = sorted({byte for places in both for _, start, stop in places for byte in (start, stop)})
    cuts = [byte for byte in cuts if not any(_runs_across(places, byte) for places in both)]
    regions = []
    i = j = 0
    for start, stop in pairwise(cuts):
        from_i, i = i, _first_from(both[0], stop, i)
        from_j, j = j, _first_from(both[1], stop, j)
        inside = both[0][from_i:i], both[1][from_j:j]
        if [place[1:] for place in inside[0]] != [place[1:] for place in inside[1]]:
            regions.append(Region(start, stop, _indices(inside[0]), _indices(inside[1])))
    return regions


Place = tuple[int, int, int]  # a token's index, start and stop


def _visible(encoding: Encoding) -> list[Place]:
    return [
        (index, start, stop) for index, (start, stop) in enumerate(encoding.spans) if start < stop
    ]


def _runs_across(places: list[Place], byte: int) -> bool:
    """True if a token starts before this byte and ends after it."""
    at = bisect_left(places, byte, key=itemgetter(1)) - 1
    return at >= 0 and places[at][2] > byte


def _first_from(places: list[Place], byte: int, low: int) -> int:
    """Returns the first token, from index `low` on, that starts at this byte or later."""
    return bisect_left(places, byte, lo=low, key=itemgetter(1))


def _indices(places: list[Place]) -> range:
    return range(places[0][0], places[-1][0] + 1) if places else range(0)


def _check_texts(encodings: Sequence[Encoding]) -> None:
    if len({encoding.text for encoding in encodings}) > 1:
        raise ValueError("these are encodings of different texts: encode one text with each")
