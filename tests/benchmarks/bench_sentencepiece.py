"""Our SentencePiece BPE and normalizer against the sentencepiece library: equal results, speed."""

import io

from core.tokenization import train_tokenizer
from core.tokenization.formats.sentencepiece.charsmap import CharsMap
from core.tokenization.formats.sentencepiece.files import from_model
from core.tokenization.formats.sentencepiece.model import parse_model
from core.tokenization.sentencepiece import SentencePieceBPE
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.rules import nmt_nfkc
from tests.benchmarks.bench_tokenization import english
from tests.benchmarks.harness import Report, interleaved, seconds, timed
from tests.core.tokenization.sentencepiece.reference import any_texts

VOCAB_SIZES = (512, 1024, 2000, 4000)


def reference_model(lines: list[str], vocab_size: int, **settings: object) -> bytes:
    """A model file that the library trained."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        model_type="bpe",
        vocab_size=vocab_size,
        minloglevel=2,
        **settings,
    )
    return model.getvalue()


def fast(report: Report) -> None:
    text, name = english()
    lines = text.split("\n")
    megabytes = len(text.encode()) / 1e6
    for vocab_size in VOCAB_SIZES:
        ours = train_tokenizer("sentencepiece-bpe", text, vocab_size)
        assert isinstance(ours, SentencePieceBPE)
        expected = parse_model(reference_model(lines, vocab_size), "the model").pieces
        same = sum(a == b for a, b in zip(ours.pieces.pieces, expected, strict=True))
        what = f"SentencePiece BPE: pieces with scores as in the reference, {name} V={vocab_size}"
        report.equal(what, same, vocab_size)
    # So far down, the library's choice among equals follows from the order of a hash table.
    ours = train_tokenizer("sentencepiece-bpe", text, 8000)
    assert isinstance(ours, SentencePieceBPE)
    expected = parse_model(reference_model(lines, 8000), "the model").pieces
    equal = [a == b for a, b in zip(ours.pieces.pieces, expected, strict=True)]
    first = equal.index(False) if False in equal else len(equal)
    report.tell(f"the same, V=8000: equal up to the piece, {name}", first)
    training = interleaved(
        lambda: train_tokenizer("sentencepiece-bpe", text, 4000),
        lambda: reference_model(lines, 4000),
        repeats=3,
        warm_up=1,
    )
    report.tell(f"SentencePiece BPE training V=4000, {megabytes:.1f} MB", training.a, "s")
    report.tell("SentencePiece BPE training, ours / sentencepiece", training.ratio, "x")
    normalizing(report, text)
    encoding(report, text, lines)


def normalizing(report: Report, text: str) -> None:
    """Text and places of the normalizer, for hard texts and all of Unicode."""
    import sentencepiece

    rules = nmt_nfkc()
    everything = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x110000))]
    blocks = ["".join(everything[start : start + 97]) for start in range(0, len(everything), 97)]
    texts = [*any_texts(3000, seed=1), *rules.singles, *rules.sequences, *blocks, text]
    for name in ("nmt_nfkc", "identity"):
        reference = sentencepiece.SentencePieceNormalizer(
            rule_name=name,
            add_dummy_prefix=True,
            escape_whitespaces=True,
            remove_extra_whitespaces=True,
        )
        ours = SentencePieceNormalizer(name)
        wrong = sum(ours.normalize(one) != reference.normalize(one) for one in texts)
        report.equal(f"normalizer {name}: mismatches in {len(texts):,} texts", wrong, 0)


def encoding(report: Report, text: str, lines: list[str]) -> None:
    """Ids, places and decoded texts against the library, and our speed."""
    import sentencepiece

    model = reference_model(lines, 4000, byte_fallback=True)
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    ours = from_model(parse_model(model, "the model"), "the model")
    assert isinstance(ours, SentencePieceBPE) and isinstance(ours.normalizer.rules, CharsMap)
    wrong = tokens = 0
    texts = [*any_texts(3000, seed=2), *lines, text]
    for one in texts:
        ids = reference.encode(one)
        tokens += len(ids)
        same = ours.encode_ids(one, specials=False) == ids
        wrong += not (same and ours.decode(ids) == reference.decode(ids))
    what = f"SentencePiece BPE: mismatches in {len(texts):,} texts, {tokens:,} tokens"
    report.equal(what, wrong, 0)

    def encode_with_empty_cache() -> None:
        ours.forget()
        ours.encode_ids(text)

    megabytes = len(text.encode()) / 1e6
    cold = min(timed(encode_with_empty_cache, repeats=5, warm_up=1))
    report.at_least("SentencePiece BPE: encode_ids, empty cache", megabytes / cold, 1.0, "MB/s")
    for name, unit in (("a", "a"), ("^", "^"), ("words without a space", "thequickbrownfox")):
        one = (unit * 1_000_000)[:1_000_000]
        once = min(seconds(lambda it=one: ours.encode_ids(it)) for _ in range(3))
        twice = min(seconds(lambda it=one: ours.encode_ids(it + it)) for _ in range(3))
        report.at_most(f"SentencePiece BPE: 1 MB of {name}", once, 6.0, "s")
        report.at_most(f"SentencePiece BPE: 2 MB / 1 MB of {name}", twice / once, 2.3, "x")
