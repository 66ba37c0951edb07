"""Opens a tokenizer file by what it holds, not by its name."""

from pathlib import Path

from core.files import GET_AGAIN, MEGABYTE, read_json
from core.tokenization.tokenizer import Tokenizer
from core.tokenization.tokenizer_json import read_byte_level_bpe, read_characters

MAX_FILE = 256 * MEGABYTE


def open_tokenizer(path: str | Path) -> Tokenizer:
    """Opens tokenizer.json, or the folder that holds one.

    Raises ValueError for a file that is broken, cut off, or of a kind that cannot be opened, and
    FileNotFoundError where there is none.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "tokenizer.json"
    document = read_json(path, max_bytes=MAX_FILE)
    model = document.get("model") if isinstance(document, dict) else None
    if not isinstance(model, dict):
        raise ValueError(
            f"{path} is JSON, but describes no tokenizer: choose a tokenizer.json, the file that "
            "lies beside a model's weights"
        )
    kind = model.get("type", "BPE" if "merges" in model else None)
    if kind == "BPE":
        return read_byte_level_bpe(document, str(path))
    if kind == "WordLevel":
        return read_characters(document, str(path))
    if kind is None:
        raise ValueError(f"{path} does not say what kind of tokenizer it holds: {GET_AGAIN}")
    raise ValueError(
        f"{path} holds a tokenizer of the kind {kind!r}, which this version cannot open: choose a "
        "byte-level BPE or a character tokenizer"
    )
