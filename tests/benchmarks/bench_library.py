"""How long a window stands still while the Hugging Face library works for it on another thread.

Opening a file holds Python's lock, and no call of the library opens one without: that is told
alone. Encoding and decoding let go of it, and have a target.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from core.tokenization import open_tokenizer, train_tokenizer
from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.formats.tokenizer_json import byte_level_document
from core.tokenization.known import find_known
from tests.benchmarks.harness import Report
from tests.core.tokenization.reference import prose

Result = TypeVar("Result")
MEGABYTE = 10**6  # characters of prose
FRAME = 0.001  # seconds that the other thread sleeps between two looks at the clock


def fast(report: Report) -> None:
    gemma = find_known("gemma3")
    if gemma is not None:
        stall, spent, _ = longest_stall(lambda: open_tokenizer(gemma.path))
        report.tell("longest stall while gemma3 is opened", 1e3 * stall, "ms")
        report.tell("seconds to open it beside another thread", spent, "s")
    deepseek = find_known("deepseek")
    name = "deepseek" if deepseek is not None else "a small BPE"
    tokenizer = small() if deepseek is None else open_tokenizer(deepseek.path)
    text = (prose(0, 4000) * (MEGABYTE // 4000))[:MEGABYTE]
    stall, spent, ids = longest_stall(lambda: tokenizer.encode_ids(text))
    report.at_most(f"longest stall while 1 MB is cut by {name}", 1e3 * stall, 100, "ms")
    report.tell(f"seconds for 1 MB, {name}", spent, "s")
    stall, _, _ = longest_stall(lambda: tokenizer.encode(text))
    report.at_most(f"the same with the tokens' places, {name}", 1e3 * stall, 150, "ms")
    stall, _, _ = longest_stall(lambda: tokenizer.decode(ids))
    report.at_most(f"longest stall while it is decoded by {name}", 1e3 * stall, 100, "ms")


def small() -> LibraryTokenizer:
    """What the library runs where no file of a large one is here."""
    trained = train_tokenizer("bpe", prose(0, 3000), 600)
    ids = {piece: token for token, piece in enumerate(trained.vocabulary)}
    document = byte_level_document(ids, trained.merges, trained.special_tokens, "gpt2")  # type: ignore[attr-defined]
    return LibraryTokenizer(json.loads(json.dumps(document)), "small")


def longest_stall(call: Callable[[], Result]) -> tuple[float, float, Result]:
    """The longest time in which this thread did not run while another made the call; the seconds
    of the call, and what it returned."""
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    stall = 0.0
    last = begun = time.perf_counter()
    thread.start()
    while thread.is_alive():
        time.sleep(FRAME)
        now = time.perf_counter()
        stall = max(stall, now - last)
        last = now
    thread.join()
    return stall, time.perf_counter() - begun, results[0]
