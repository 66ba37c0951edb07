"""Byte-pair encoding as it is explained: everything is counted anew before every merge.

An independent reference for the rules that no installed library follows.
"""

import itertools

import regex

GPT2 = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")

Pair = tuple[int, int]


def plain_merges(texts: list[str], number: int, *, first_wins: bool) -> list[Pair]:
    """The merges of raw bytes; equal counts go to the first met pair, or to the smallest ids."""
    words = [list(word.encode()) for text in texts for word in GPT2.findall(text)]
    merges: list[Pair] = []
    while len(merges) < number:
        count: dict[Pair, int] = {}
        for word in words:
            for pair in itertools.pairwise(word):
                count[pair] = count.get(pair, 0) + 1
        if not count:
            break
        if first_wins:
            pair = max(count, key=lambda pair: count[pair])
        else:
            pair = min(count, key=lambda pair: (-count[pair], pair))
        token = 256 + len(merges)
        merges.append(pair)
        words = [plain_merge(word, pair, token) for word in words]
    return merges


def plain_merge(word: list[int], pair: Pair, token: int) -> list[int]:
    merged: list[int] = []
    place = 0
    while place < len(word):
        if tuple(word[place : place + 2]) == pair:
            merged.append(token)
            place += 2
        else:
            merged.append(word[place])
            place += 1
    return merged
