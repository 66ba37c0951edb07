"""Real tokenizers against their own libraries, and the promised counts of tokens by language.

They are read where `python3 dev.py vocabularies` has put them; a figure whose file, text or
library is missing is left out.
"""

import json
import random
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.gguf import open_gguf, read_gguf_tensor
from core.tokenization import Tokenizer, open_tokenizer
from core.tokenization.analysis import glitch_candidates, language_names, language_texts, measure
from core.tokenization.analysis.languages import USUAL, declaration_folder, has_declaration
from core.tokenization.known import find_known, known
from tests.benchmarks.harness import Report
from tests.core.tokenization.reference import any_text, prose

Encode = Callable[[str], Sequence[int]]

# Tokens of the whole Declaration of Human Rights, by language and tokenizer.
LANGUAGES = (
    *("eng", "deu_1996", "rus", "arb", "hin", "tam"),
    *("mya", "amh", "cmn_hans", "jpn", "kor", "swh"),
)
GOLDEN = {
    "gpt2": (1943, 4474, 12697, 7499, 16806, 36522, 41712, 16143, 5537, 6499, 9867, 4176),
    "cl100k": (1975, 3216, 5089, 5202, 10554, 18261, 29321, 15983, 3309, 4817, 4611, 3917),
    "o200k": (1977, 2466, 2700, 2281, 3065, 4453, 7865, 10843, 2253, 3561, 2661, 2868),
    "llama3": (1975, 3213, 3188, 2793, 5584, 18261, 29321, 15982, 2337, 3033, 2700, 3897),
    "qwen": (1996, 3202, 3454, 2672, 10020, 14421, 22736, 6198, 1791, 2919, 2847, 3938),
    "llama2": (2249, 3147, 3702, 6814, 11717, 15106, 24474, 16225, 3971, 5334, 6884, 4262),
    "mistral": (2118, 3508, 4129, 6749, 11421, 14600, 22880, 13991, 3155, 4776, 4984, 4259),
    "albert": (2360, 5198, 3370, 2703, 4164, 2575, 2342, 164, 340, 240, 2475, 4054),
    "j2": (1320, 3513, 5976, 5225, 10048, 13136, 15378, 5632, 2841, 3790, 4568, 4275),
    "deepseek": (1967, 2957, 2984, 2672, 5789, 6984, 13281, 12354, 1632, 2742, 2972, 3869),
    "gemma3": (1980, 2508, 2637, 2490, 2554, 3309, 6110, 4464, 1913, 2358, 2537, 3224),
    "bert": (1970, 4056, 9724, 6105, 6630, 3996, 1488, 2114, 2743, 4015, 6893, 3900),
}
GLITCHES = {
    *("ManagementPlaneProtection", "ĠInstancePreprocess", "Ġtransistorsum", "swigfaiss"),
    *("MetaInfoClass", "kinesisfirehose", "Ġpvproperty"),
}
MANY = 40  # languages of the Declaration that the quick run compares


def fast(report: Report) -> None:
    if has_declaration():
        golden_counts(report)
        found = set(USUAL) & set(language_names())
        report.equal("usual languages that the Declaration is there in", len(found), len(USUAL))
    compare(report, texts(MANY))
    glitches(report)


def full(report: Report) -> None:
    """Every language of the Declaration."""
    compare(report, texts(None))


def opened(name: str) -> tuple[Tokenizer, Path] | None:
    """A well-known tokenizer, the very file, and where it lies."""
    found = find_known(name)
    if found is None or not found.exact:
        return None
    return open_tokenizer(found.path), found.path


def texts(languages: int | None) -> list[str]:
    """The Declaration in so many languages (None: in all), random Unicode, prose, white space.

    Code points without a character are left out: each library knows another version of Unicode,
    and says otherwise which of them are letters.
    """
    rng = random.Random(0)
    made = [assigned(any_text(rng, rng.randint(1, 300))) for _ in range(400)]
    made += [prose(0, 3000), "", " ", "\n\n \t x", "a" * 1000, "1234567 89", "e\u0301\u200d"]
    if not has_declaration():
        return made + [text.text for text in language_texts()]
    codes = sorted(language_names())
    step = 1 if languages is None else max(1, len(codes) // languages)
    folder = declaration_folder()
    return made + [(folder / f"{code}.txt").read_text(encoding="utf-8") for code in codes[::step]]


def assigned(text: str) -> str:
    return "".join(one for one in text if unicodedata.category(one) != "Cn")


def golden_counts(report: Report) -> None:
    by_code = {text.code: text.text for text in language_texts(LANGUAGES)}
    for name, counts in GOLDEN.items():
        pair = opened(name)
        if pair is None:
            continue
        found = [measure(pair[0], by_code[code]).tokens for code in LANGUAGES]
        same = sum(a == b for a, b in zip(found, counts, strict=True))
        report.equal(f"languages with the known count of tokens, {name}", same, len(LANGUAGES))


def compare(report: Report, samples: list[str]) -> None:
    for name, reference in references():
        begun = time.perf_counter()
        pair = opened(name)
        if pair is None:
            continue
        report.tell(f"seconds to open {name}", time.perf_counter() - begun, "s")
        tokenizer, path = pair
        theirs = reference(path)
        wrong = lossy = tokens = size = 0
        begun, spent = time.perf_counter(), 0.0
        for text in samples:
            expected = list(theirs(text))
            begun = time.perf_counter()
            ids = tokenizer.encode_ids(text, specials=False)
            spent += time.perf_counter() - begun
            wrong += ids != expected
            tokens += len(ids)
            size += len(text.encode())
            lossy += tokenizer.decode(ids) != text
        title = f"{len(samples)} texts encoded otherwise than by its library, {name}"
        report.equal(title, wrong, 0)
        if name in LOSSLESS:
            report.equal(f"texts that do not come back, {name}", lossy, 0)
        report.tell(f"encode_ids of many scripts, {name}", size / 1e6 / spent, "MB/s")


# Byte-level, so that every text comes back; but Qwen brings it to one spelling before.
LOSSLESS = ("gpt2", "cl100k", "o200k", "llama3", "tekken")


def references() -> Iterator[tuple[str, Callable[[Path], Encode]]]:
    """Well-known tokenizers with what makes the reference's encoder from the same file."""
    if find_spec("tiktoken"):
        yield from ((name, tiktoken_for(name)) for name in (*LOSSLESS, "qwen"))
    yield "bert", bert_reference
    if find_spec("sentencepiece"):
        yield from ((name, sentencepiece_reference) for name in ("mistral", "llama2", "j2"))
        yield from ((name, sentencepiece_reference) for name in ("albert", "t5"))
    yield from ((name, library_reference) for name in ("deepseek", "gemma3"))


def tiktoken_for(name: str) -> Callable[[Path], Encode]:
    def reference(path: Path) -> Encode:
        import tiktoken
        from tiktoken.load import load_tiktoken_bpe

        if name == "tekken":
            return tekken_reference(path)
        if name in ("gpt2", "cl100k", "o200k"):
            from tiktoken_ext import openai_public

            maker = getattr(openai_public, "r50k_base" if name == "gpt2" else f"{name}_base")
            pattern = in_tiktoken(maker)
        else:
            pattern = LLAMA3 if name == "llama3" else LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
        encoding = tiktoken.Encoding(
            name,
            pat_str=pattern,
            mergeable_ranks=load_tiktoken_bpe(str(path)),
            special_tokens=dict(known(name).special_tokens or {}),
        )
        if name == "qwen":
            return lambda text: encoding.encode_ordinary(unicodedata.normalize("NFC", text))
        return encoding.encode_ordinary

    return reference


LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def in_tiktoken(maker: Callable[[], dict[str, Any]]) -> str:
    """The pattern that tiktoken itself has, without the download that comes with it."""
    from unittest import mock

    with mock.patch("tiktoken_ext.openai_public.load_tiktoken_bpe", lambda *_, **__: {}):
        return maker()["pat_str"]


def tekken_reference(path: Path) -> Encode:
    import base64

    import tiktoken

    document = json.loads(path.read_text(encoding="utf-8"))
    config = document["config"]
    special = config["default_num_special_tokens"]
    kept = config["default_vocab_size"] - special
    ranks = {base64.b64decode(e["token_bytes"]): e["rank"] for e in document["vocab"][:kept]}
    encoding = tiktoken.Encoding(
        "tekken", pat_str=config["pattern"], mergeable_ranks=ranks, special_tokens={}
    )
    return lambda text: [token + special for token in encoding.encode_ordinary(text)]


def bert_reference(path: Path) -> Encode:
    """The library's own WordPiece with BERT's normalizer on the words of vocab.txt."""
    import tokenizers
    from tokenizers import models, normalizers, pre_tokenizers

    words = path.read_text(encoding="utf-8").split("\n")
    vocab = {word: token for token, word in enumerate(words[:-1])}
    made = tokenizers.Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return lambda text: made.encode(text).ids


def sentencepiece_reference(path: Path) -> Encode:
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return processor.encode


def library_reference(path: Path) -> Encode:
    import tokenizers

    made = tokenizers.Tokenizer.from_file(str(path))
    made.encode_special_tokens = True
    return lambda text: made.encode(text, add_special_tokens=False).ids


def glitches(report: Report) -> None:
    """The pieces that a real model never learned are found by its embeddings."""
    pair = opened("smollm2")
    if pair is None:
        return
    tokenizer, path = pair
    embeddings = read_gguf_tensor(open_gguf(path), "token_embd.weight")
    begun = time.perf_counter()
    found = glitch_candidates(embeddings, tokenizer, count=20)
    report.tell("seconds to look for glitch tokens, smollm2", time.perf_counter() - begun, "s")
    pieces = {one.piece for one in found if one.similarity >= 0.97}
    report.equal("known glitch tokens among the first 20, smollm2", len(GLITCHES & pieces), 7)
