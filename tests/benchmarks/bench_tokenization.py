"""Our BPE against the Hugging Face library: training time, encoding speed, equal results."""

from core.tokenization import train_tokenizer
from core.tokenization.bpe import ByteLevelBPE
from tests.benchmarks.harness import Report, interleaved, shared_data, timed
from tests.core.tokenization.reference import merges_and_vocabulary, prose, reference_bpe

VOCAB_SIZES = (512, 1024, 2000)


def english() -> tuple[str, str]:
    """tinyshakespeare where it is at hand, made-up prose of the same size elsewhere."""
    path = shared_data() / "tinyshakespeare.txt"
    if path.exists():
        return path.read_text(encoding="utf-8"), "tinyshakespeare"
    return prose(0, 180_000), "made-up prose"


def fast(report: Report) -> None:
    text, name = english()
    megabytes = len(text.encode()) / 1e6
    for vocab_size in VOCAB_SIZES:
        ours = train_tokenizer("bpe", text, vocab_size)
        assert isinstance(ours, ByteLevelBPE)
        merges, _ = merges_and_vocabulary(reference_bpe([text], vocab_size))
        same = sum(a == b for a, b in zip(ours.merges, merges, strict=True))
        report.equal(f"merges equal to the reference, {name} V={vocab_size}", same, len(merges))

    pair = interleaved(
        lambda: train_tokenizer("bpe", text, 2000),
        lambda: reference_bpe([text], 2000),
        repeats=5,
        warm_up=1,
    )
    report.tell(f"BPE training V=2000, {megabytes:.1f} MB", pair.a, "s")
    report.at_most("BPE training, ours / BpeTrainer", pair.ratio, 2.0, "x")

    tokenizer = train_tokenizer("bpe", text, 2000)
    assert isinstance(tokenizer, ByteLevelBPE)

    def encode_with_empty_cache() -> None:
        fresh = ByteLevelBPE(tokenizer.vocabulary, tokenizer.merges, tokenizer.special_tokens)
        fresh.encode_ids(text)

    reference = reference_bpe([text], 2000)
    same_ids = tokenizer.encode_ids(text) == reference.encode(text).ids
    report.equal("ids equal to the reference on the whole text", same_ids, True)
    cold = min(timed(encode_with_empty_cache, repeats=5, warm_up=1))
    report.at_least("encode_ids, empty cache", megabytes / cold, 1.0, "MB/s")
    encoding = interleaved(
        lambda: tokenizer.encode_ids(text), lambda: reference.encode(text), repeats=5, warm_up=1
    )
    report.tell("encode_ids, warm cache", megabytes / encoding.a, "MB/s")
    report.tell("encode_ids, ours / tokenizers (one string, one thread)", encoding.ratio, "x")
