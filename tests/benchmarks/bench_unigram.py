"""Our Unigram against sentencepiece: training time and results, encoding of long texts."""

import io
import time

from core.data import story_text
from core.tokenization.sentencepiece.pieces import Piece
from core.tokenization.unigram import Unigram
from core.tokenization.unigram.training import unigram_steps
from tests.benchmarks.bench_tokenization import STORIES, english
from tests.benchmarks.harness import Report, interleaved, percentile

PART = 300_000  # bytes of the text that a pane trains on
VOCAB_SIZES = (1000, 2000)
LENGTH = 1_000_000  # characters of a hostile text


def corpus() -> tuple[str, str]:
    """tinyshakespeare where it is at hand, else stories: made-up prose has too few pieces."""
    text, name = english()
    return (text, name) if name == "tinyshakespeare" else (story_text(0, STORIES), "stories")


def train(text: str, vocab_size: int) -> tuple[list[Piece], list[float]]:
    """The pieces, and the seconds between any two yields."""
    steps = unigram_steps([text], vocab_size)
    pauses: list[float] = []
    while True:
        began = time.perf_counter()
        try:
            next(steps)
        except StopIteration as end:
            return end.value, [*pauses, time.perf_counter() - began]
        pauses.append(time.perf_counter() - began)


def reference(text: str, vocab_size: int) -> bytes:
    """The model file that sentencepiece trains, on one thread."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text.split("\n")),
        model_writer=model,
        model_type="unigram",
        vocab_size=vocab_size,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def fast(report: Report) -> None:
    import sentencepiece

    text, name = corpus()
    part = text[:PART]
    times = interleaved(
        lambda: train(part, 1000), lambda: reference(part, 1000), repeats=3, warm_up=1
    )
    report.at_most("Unigram training, 300 kB, V=1,000", times.a, 5.0, "s")
    report.at_most("Unigram training, ours / sentencepiece (1 thread)", times.ratio, 1.3, "x")
    pauses = [pause * 1000 for pause in train(part, 1000)[1]]
    report.tell("between two yields, 99th percentile", percentile(pauses, 0.99), "ms")
    report.tell("between two yields, longest", max(pauses), "ms")

    for vocab_size in VOCAB_SIZES:
        ours = {piece.text: piece.score for piece in train(text, vocab_size)[0]}
        theirs = sentencepiece.SentencePieceProcessor(model_proto=reference(text, vocab_size))
        scores = {theirs.id_to_piece(token): theirs.get_score(token) for token in range(vocab_size)}
        same = len(ours.keys() & scores.keys())
        report.equal(f"pieces equal to the reference, {name} V={vocab_size}", same, vocab_size)
        difference = max(abs(ours[piece] - scores[piece]) for piece in ours.keys() & scores.keys())
        report.at_most("largest difference of their scores", difference, 1e-4)

    tokenizer = Unigram(train(text, 2000)[0])
    theirs = sentencepiece.SentencePieceProcessor(model_proto=reference(text, 2000))
    same_ids = tokenizer.encode_ids(text, specials=False) == theirs.encode(text)
    report.equal("ids equal to the reference on the whole text", same_ids, True)
    pair = interleaved(
        lambda: theirs.encode(text), lambda: tokenizer.encode_ids(text), repeats=5, warm_up=1
    )
    report.tell("encode_ids, English", len(text.encode()) / 1e6 / pair.b, "MB/s")
    report.at_least("encode_ids, speed of ours / sentencepiece", pair.ratio, 0.5, "x")

    spaceless = "".join(text.split())
    spaceless = (spaceless * (2 * LENGTH // len(spaceless) + 1))[: 2 * LENGTH]
    for label, hostile in (
        ('"a"', "a" * 2 * LENGTH),
        ('"^"', "^" * 2 * LENGTH),
        ("no space", spaceless),
    ):
        half = hostile[:LENGTH]
        growth = interleaved(
            lambda hostile=hostile: tokenizer.encode_ids(hostile),
            lambda half=half: tokenizer.encode_ids(half),
            repeats=3,
            warm_up=0,
        )
        report.at_most(f"encode_ids, 1 MB of {label}", growth.b, 6.0, "s")
        report.at_most(f"2 MB / 1 MB of {label}", growth.ratio, 2.3, "x")
