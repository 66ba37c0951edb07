""".tiktoken: a piece in base64 and its rank on each line, nothing else.

The word pattern, the special tokens and the normalizer are not in the file. For well-known files
they are looked up; for others the pattern is guessed from the pieces, and there are no special
tokens and no normalizer.
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from core.files import GET_AGAIN, quoted
from core.tokenization.bpe.ranks import RankedBPE
from core.tokenization.formats.limits import check_pieces
from core.tokenization.formats.pieces import guess_pattern
from core.tokenization.formats.reading import MAX_PIECES, read_bytes


def read_ranks(
    path: Path,
    pattern: str | None = None,
    special_tokens: Mapping[str, int] | None = None,
    normalizer: str | None = None,
) -> RankedBPE:
    """Opens a .tiktoken file; a given pattern, normalizer or special tokens replace the known ones.

    Raises ValueError, with a remedy, for a line that is not a piece with its rank.
    """
    from core.tokenization.known import recognize

    ranks = parse_ranks(read_bytes(path), str(path))
    entry = recognize(path)
    if entry is not None:
        pattern = pattern or entry.pattern
        normalizer = normalizer or entry.normalizer
        special_tokens = entry.special_tokens if special_tokens is None else special_tokens
    return ranked_bpe(ranks, special_tokens, pattern, str(path), normalizer)


def parse_ranks(content: bytes, name: str) -> dict[bytes, int]:
    """Returns the pieces of a .tiktoken file with their ranks."""
    ranks: dict[bytes, int] = {}
    if content.count(b"\n") > MAX_PIECES:  # before any is read
        raise ValueError(f"{name} has more than {MAX_PIECES:,} pieces: {GET_AGAIN}")
    for number, line in enumerate(content.splitlines(), 1):
        if not line:
            continue
        piece, _, rank = line.partition(b" ")
        try:
            data = base64.b64decode(piece, validate=True)
            if not rank.isdigit() or len(rank) > 9 or not data:
                raise ValueError
        except (binascii.Error, ValueError):
            raise ValueError(
                f"{name}: line {number} is not a piece in base64 and its rank: {GET_AGAIN}"
            ) from None
        if data in ranks:
            raise ValueError(f"{name}: line {number} repeats the piece {quoted(data)}: {GET_AGAIN}")
        ranks[data] = int(rank)
    return ranks


def ranked_bpe(
    ranks: Mapping[bytes, int],
    special_tokens: Mapping[str, int] | None,
    pattern: str | None,
    name: str,
    normalizer: str | None = None,
) -> RankedBPE:
    """Builds the tokenizer; guesses an unknown pattern from the pieces."""
    check_pieces(list(ranks), name)
    try:
        return RankedBPE(
            ranks,
            special_tokens,
            pattern=pattern or guess_pattern(ranks),
            normalizer=normalizer,
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
