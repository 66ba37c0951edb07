"""Byte-level BPE from ranks alone, as in tiktoken (GPT-3.5, GPT-4, GPT-4o, Llama 3, Qwen 1).

Its files list pieces as bytes, each with its rank, and no merges: two neighbors are joined if their
bytes together are a piece, the lowest rank first, from the left. A piece's rank is its id. The
merge that makes a piece can be recovered: merge its bytes using only the ranks below its own, and
the two remaining parts are its parents.

Source: the educational code of tiktoken; the idea of recovering merges is Karpathy's (minbpe).
"""

from collections.abc import Generator, Mapping

from core.jobs import to_the_end
from core.tokenization.bpe.merging import NEVER, Found, merge_all
from core.tokenization.bpe.tokenizer import ByteLevelBPE
from core.tokenization.byte_level import to_characters
from core.tokenization.tokenizer import check_id

REMEMBERED = 1_000_000  # pairs with a cached rank, about 150 MB
PAUSE = 200  # pieces between two yields while merges are recovered
MAX_IDS = 1 << 22  # ten times the largest vocabularies; a broken file may contain any number


class JoinedRanks:
    """The rank of two ids is the rank of the piece that their bytes form together."""

    def __init__(self, data: list[bytes], rank_of: Mapping[bytes, int]) -> None:
        self._data = data
        self._rank_of = rank_of
        self._known: dict[tuple[int, int], Found] = {}

    def get(self, pair: tuple[int, int], default: Found, /) -> Found:
        found = self._known.get(pair)
        if found is None:
            rank = self._rank_of.get(self._data[pair[0]] + self._data[pair[1]])
            found = NEVER if rank is None else (rank, rank)
            if len(self._known) >= REMEMBERED:
                self._known = {}
            self._known[pair] = found
        return default if found is NEVER else found


class RanksBelow:
    """Only the ranks below a limit: the vocabulary as it was before a piece was learned."""

    def __init__(self, ranks: JoinedRanks, limit: int) -> None:
        self._ranks = ranks
        self._limit = limit

    def get(self, pair: tuple[int, int], default: Found, /) -> Found:
        found = self._ranks.get(pair, default)
        return found if found[0] < self._limit else default


class RankedBPE(ByteLevelBPE):
    """A byte-level BPE defined by ranks instead of merges.

    ranks           pieces as bytes with their ids, including all 256 bytes
    special_tokens  tokens with their ids, distinct from those of the pieces
    pattern, normalizer  as in ByteLevelBPE

    Ids between them that neither uses remain unused. Raises ValueError for an id that two pieces
    share or that is impossibly large, and the errors of ByteLevelBPE.
    """

    def __init__(
        self,
        ranks: Mapping[bytes, int],
        special_tokens: Mapping[str, int] | None = None,
        *,
        pattern: str = "gpt2",
        normalizer: str | None = None,
    ) -> None:
        specials = dict(special_tokens or {})
        pieces = {token: to_characters(data) for data, token in ranks.items()}
        named = {token: piece for piece, token in specials.items()}
        if len(pieces) < len(ranks) or len(named) < len(specials) or pieces.keys() & named.keys():
            raise ValueError("an id stands for two pieces: the file is broken, get it again")
        every = pieces | named
        if every and not 0 <= min(every) <= max(every) < MAX_IDS:
            raise ValueError(
                f"the ids run from {min(every)} to {max(every)}, where 0 to {MAX_IDS - 1} is "
                "possible: the file is broken, get it again"
            )
        size = max(every, default=-1) + 1
        unused = [token for token in range(size) if token not in every]
        vocabulary = [every.get(token, f"<unused {token}>") for token in range(size)]
        super().__init__(
            vocabulary,
            [],
            specials,
            pattern=pattern,
            ignore_merges=True,
            unused=unused,
            normalizer=normalizer,
        )
        self.ranks = dict(ranks)
        self._joined = JoinedRanks(self._bytes, self.ranks)
        self._ranks = self._joined
        self._recovered: list[tuple[str, str]] | None = None

    @property
    def merges(self) -> list[tuple[str, str]]:
        """The merges that make the pieces, by rank; recovered on first access (takes seconds)."""
        if self._recovered is None:
            self._recovered = to_the_end(recover_merges_steps(self))
        return self._recovered

    def parents(self, token: int) -> tuple[int, int] | None:
        """Returns the two pieces merged into this one; None for a byte or if no merge makes it."""
        check_id(token, self.vocab_size)
        data = self._bytes[token]
        if data not in self.ranks or self.ranks[data] != token or len(data) < 2:
            return None
        letters = [self._byte_ids[byte] for byte in data]
        parts = merge_all(letters, RanksBelow(self._joined, token))
        return (parts[0], parts[1]) if len(parts) == 2 else None


def recover_merges_steps(
    tokenizer: RankedBPE,
) -> Generator[int, None, list[tuple[str, str]]]:
    """Recovers the merges of a tokenizer with only ranks, in order; yields the number found.

    A piece that its own ranks do not build, which some tokenizers contain, has no merge.
    """
    merges: list[tuple[str, str]] = []
    vocabulary = tokenizer.vocabulary
    for number, token in enumerate(sorted(tokenizer.ranks.values())):
        parents = tokenizer.parents(token)
        if parents is not None:
            merges.append((vocabulary[parents[0]], vocabulary[parents[1]]))
        if number % PAUSE == PAUSE - 1:
            yield len(merges)
    return merges
