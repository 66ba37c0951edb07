"""Writes a SentencePiece tokenizer in the format that the file's name asks for."""

from pathlib import Path

from core.tokenization.formats.sentencepiece.bpe_documents import bpe_document
from core.tokenization.formats.sentencepiece.files import to_model
from core.tokenization.formats.sentencepiece.model import write_model
from core.tokenization.formats.sentencepiece.unigram_documents import unigram_document
from core.tokenization.formats.tokenizer_json import write_document
from core.tokenization.sentencepiece.base import SentencePieceTokenizer
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE
from core.tokenization.unigram.tokenizer import Unigram


def save_sentencepiece(path: str | Path, tokenizer: SentencePieceTokenizer) -> None:
    """Writes a SentencePiece model where the path ends in ".model", else tokenizer.json.

    Raises ValueError where the format cannot say what the tokenizer does.
    """
    if Path(path).suffix == ".model":
        write_model(path, to_model(tokenizer))
    elif isinstance(tokenizer, SentencePieceBPE):
        write_document(path, bpe_document(tokenizer))
    elif isinstance(tokenizer, Unigram):
        write_document(path, unigram_document(tokenizer))
