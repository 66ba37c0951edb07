"""How fast stories are told, batches drawn and files tokenized."""

import tempfile
import time
from pathlib import Path

from core.data import (
    Batches,
    StoriesCorpus,
    character_tokenizer,
    open_corpus,
    prepare_corpus_steps,
    stories,
    story_text,
)
from core.tokenization import train_tokenizer
from tests.benchmarks.harness import Report, percentile, seconds, shared_data, timed


def fast(report: Report) -> None:
    spent = seconds(lambda: [stories.story(seed) for seed in range(2000)])
    size = sum(len(stories.story(seed)) for seed in range(2000)) / 1e6
    report.at_least("stories told", size / spent, 0.5, "MB/s")

    tokenizer = train_tokenizer("bpe", [story_text(0, 300_000)], vocab_size=1500)
    first = seconds(lambda: Batches(StoriesCorpus(tokenizer), "train", 256, 16, 0).batch(0))
    report.at_most("first batch of stories, 16 x 256", first * 1000, 200, "ms")
    batches = Batches(StoriesCorpus(tokenizer), "train", 256, 16, 0)
    steps = iter(range(1000))
    later = timed(lambda: batches.batch(next(steps)), repeats=100)
    report.at_most("batch of stories, median", percentile(later, 0.5) * 1000, 20, "ms")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        path.write_text(story_text(0, 2_000_000))
        longest, last = 0.0, time.perf_counter()
        start = last
        for _ in prepare_corpus_steps(path, tokenizer, folder):
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        report.tell("text file tokenized (BPE)", 2 / (last - start), "MB/s")
        report.at_most("longest time without progress", longest * 1000, 50, "ms")
        again = seconds(lambda: open_corpus(path, tokenizer, folder))
        report.at_most("opened again", again * 1000, 50, "ms")
        shakespeare = shared_data() / "tinyshakespeare.txt"
        if shakespeare.exists():
            corpus = open_corpus(shakespeare, character_tokenizer(shakespeare), folder)
            train, validation = corpus.tokens("train"), corpus.tokens("validation")
            report.equal("tinyshakespeare, training characters", len(train), 1_003_854)
            report.equal("tinyshakespeare, validation characters", len(validation), 111_540)
