"""WordPiece by likelihood as the Hugging Face course writes it: everything is counted anew before
every merge. An independent reference, since no library trains so.
"""

import itertools

from tokenizers import normalizers, pre_tokenizers

Pair = tuple[str, str]


def bert_words(text: str) -> list[str]:
    normalized = normalizers.BertNormalizer().normalize_str(text)
    return [word for word, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normalized)]


def plain_likelihood_merges(texts: list[str], number: int) -> list[tuple[Pair, float]]:
    """The merges with their scores; of equals the first met."""
    frequency: dict[str, int] = {}
    for text in texts:
        for word in bert_words(text):
            frequency[word] = frequency.get(word, 0) + 1
    splits = {word: [word[0], *("##" + letter for letter in word[1:])] for word in frequency}
    merges: list[tuple[Pair, float]] = []
    while len(merges) < number:
        letters: dict[str, int] = {}
        pairs: dict[Pair, int] = {}
        for word, times in frequency.items():
            split = splits[word]
            for piece in split:
                letters[piece] = letters.get(piece, 0) + times
            for left, right in itertools.pairwise(split):
                pairs[left, right] = pairs.get((left, right), 0) + times
        if not pairs:
            break
        scores = {
            pair: times / (letters[pair[0]] * letters[pair[1]]) for pair, times in pairs.items()
        }
        best = max(scores, key=lambda pair: scores[pair])
        merges.append((best, scores[best]))
        for split in splits.values():
            place = 0
            while place < len(split) - 1:
                if (split[place], split[place + 1]) == best:
                    split[place : place + 2] = [best[0] + best[1].removeprefix("##")]
                place += 1
    return merges
