"""Our BPE and WordPiece against the Hugging Face library: equal results, training, encoding."""

import os
import random

from core.data import story_text
from core.tokenization import train_tokenizer
from core.tokenization.bpe import ByteLevelBPE
from core.tokenization.wordpiece import WordPiece
from tests.benchmarks.harness import Report, interleaved, shared_data, timed
from tests.core.tokenization.reference import merges_and_vocabulary, prose, reference_bpe
from tests.core.tokenization.wordpiece.test_training import reference_vocabulary

VOCAB_SIZES = (512, 1024, 2000, 8000)
WORDPIECE_SIZES = (1000, 3000)
STORIES = 1_100_000  # characters
LENGTH = 1_000_000  # characters of a hostile text


def english() -> tuple[str, str]:
    """tinyshakespeare where it is at hand, made-up prose of the same size elsewhere."""
    path = shared_data() / "tinyshakespeare.txt"
    if path.exists():
        return path.read_text(encoding="utf-8"), "tinyshakespeare"
    return prose(0, 180_000), "made-up prose"


def hostile_texts() -> dict[str, str]:
    """What makes a word as long as the text."""
    letters = random.Random(0).choices("etaoinshrdlu", k=2 * LENGTH)
    return {
        '"a"': "a" * (2 * LENGTH),
        '"^"': "^" * (2 * LENGTH),
        "random letters": "".join(letters),
        "English without a space": "".join(c for c in english()[0] * 4 if c.isalpha()),
    }


def fast(report: Report) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one thread against one thread
    text, name = english()
    for corpus, title in ((text, name), (story_text(0, STORIES), "stories")):
        equal_results(report, corpus, title)
    training(report, text)
    encoding(report, text)
    hostile(report, text)


def equal_results(report: Report, text: str, name: str) -> None:
    for vocab_size in VOCAB_SIZES:
        ours = train_tokenizer("bpe", text, vocab_size)
        assert isinstance(ours, ByteLevelBPE)
        merges, vocabulary = merges_and_vocabulary(reference_bpe([text], vocab_size))
        same = sum(a == b for a, b in zip(ours.merges, merges))
        report.equal(f"BPE merges equal to the reference, {name} V={vocab_size}", same, len(merges))
        ids = {piece: token for token, piece in enumerate(ours.vocabulary)}
        report.equal(f"BPE vocabulary and ids equal, {name} V={vocab_size}", ids == vocabulary, 1)
    for vocab_size in WORDPIECE_SIZES:
        trained = train_tokenizer("wordpiece", text, vocab_size)
        going_on = [p for p in trained.vocabulary if p.startswith("##") and len(p) == 3]
        vocabulary = reference_vocabulary([text], vocab_size, going_on)
        same = sum(vocabulary.get(p) == token for token, p in enumerate(trained.vocabulary))
        report.equal(
            f"WordPiece pieces with equal ids, {name} V={vocab_size}", same, len(vocabulary)
        )


def training(report: Report, text: str) -> None:
    megabytes = len(text.encode()) / 1e6
    pair = interleaved(
        lambda: train_tokenizer("bpe", text, 4096),
        lambda: reference_bpe([text], 4096),
        repeats=5,
        warm_up=1,
    )
    report.tell(f"BPE training V=4096, {megabytes:.1f} MB", pair.a, "s")
    report.at_most("BPE training V=4096, ours / BpeTrainer, one thread", pair.ratio, 3.0, "x")
    for tie in ("rustbpe", "minbpe"):
        seconds = min(timed(lambda t=tie: train_tokenizer("bpe", text, 4096, tie=t), 2, 1))
        report.tell(f"BPE training V=4096, rule {tie}", seconds, "s")
    for score in ("count", "likelihood"):
        seconds = min(
            timed(lambda s=score: train_tokenizer("wordpiece", text, 4096, score=s), 2, 1)
        )
        report.tell(f"WordPiece training V=4096 by {score}", seconds, "s")


def encoding(report: Report, text: str) -> None:
    megabytes = len(text.encode()) / 1e6
    tokenizer = train_tokenizer("bpe", text, 4096)
    assert isinstance(tokenizer, ByteLevelBPE)
    reference = reference_bpe([text], 4096)
    same_ids = tokenizer.encode_ids(text) == reference.encode(text).ids
    report.equal("ids equal to the reference on the whole text", same_ids, True)
    cold = min(timed(lambda: forgetful(tokenizer).encode_ids(text), repeats=5, warm_up=1))
    report.at_least("BPE: encode_ids, empty cache", megabytes / cold, 1.0, "MB/s")
    curly = text.replace("'", "’")
    seconds = min(timed(lambda: forgetful(tokenizer).encode_ids(curly), repeats=5, warm_up=1))
    report.at_least(
        "BPE: encode_ids, empty cache, not ASCII alone", len(curly.encode()) / 1e6 / seconds, 1.0,
        "MB/s",
    )  # fmt: skip
    warm = interleaved(
        lambda: tokenizer.encode_ids(text), lambda: reference.encode(text), repeats=5, warm_up=1
    )
    report.tell("BPE: encode_ids, warm cache", megabytes / warm.a, "MB/s")
    report.tell("encode_ids, ours / tokenizers (one string, one thread)", warm.ratio, "x")
    whole = min(timed(lambda: forgetful(tokenizer).encode(text), repeats=3, warm_up=1))
    report.tell("BPE: encode with places, empty cache", megabytes / whole, "MB/s")
    wordpiece = train_tokenizer("wordpiece", text, 4096)
    pieces, specials = wordpiece.vocabulary, wordpiece.special_tokens
    cold = min(timed(lambda: WordPiece(pieces, specials).encode_ids(text), repeats=3, warm_up=1))
    report.tell("WordPiece: encode_ids, empty cache", megabytes / cold, "MB/s")


def hostile(report: Report, text: str) -> None:
    tokenizer = train_tokenizer("bpe", text + "a" * 500 + "^" * 500, 4096)
    assert isinstance(tokenizer, ByteLevelBPE)
    for name, long in hostile_texts().items():
        once = long[:LENGTH]
        twice = long[: 2 * LENGTH]
        growth = interleaved(
            lambda twice=twice: forgetful(tokenizer).encode_ids(twice),
            lambda once=once: forgetful(tokenizer).encode_ids(once),
            repeats=5,
            warm_up=1,
        )
        # The fastest of each: what others do on the machine only ever adds to a time.
        two, one = min(growth.a_times), min(growth.b_times)
        report.at_most(f"BPE: 1 MB of {name}", one, 6.0, "s")
        report.at_most(f"BPE: 2 MB / 1 MB of {name}", two / one, 2.3, "x")


def forgetful(tokenizer: ByteLevelBPE) -> ByteLevelBPE:
    """The same tokenizer, which has met no word yet."""
    return ByteLevelBPE(tokenizer.vocabulary, tokenizer.merges, tokenizer.special_tokens)
