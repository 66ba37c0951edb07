"""Opens SentencePiece's model files as tokenizers."""

from pathlib import Path

from core.tokenization.formats.sentencepiece.charsmap import CharsMap
from core.tokenization.formats.sentencepiece.model import SentencePieceModel, read_model
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE
from core.tokenization.unigram.tokenizer import Unigram

# The supported model types, by their names in the file.
KINDS: dict[str, type[SentencePieceBPE] | type[Unigram]]
KINDS = {SentencePieceBPE.model_type: SentencePieceBPE, Unigram.model_type: Unigram}


def normalizer_of(model: SentencePieceModel, name: str = "the model") -> SentencePieceNormalizer:
    """Returns the normalizer that a model file describes, with the rules of the file's table."""
    settings = model.normalizer
    table = settings.charsmap
    return SentencePieceNormalizer(
        CharsMap(table, f"{name}: the table of character rules") if table else "identity",
        name=settings.name,
        add_dummy_prefix=settings.add_dummy_prefix,
        remove_extra_whitespaces=settings.remove_extra_whitespaces,
        escape_whitespaces=settings.escape_whitespaces,
        whitespace_as_suffix=model.trainer.whitespace_as_suffix,
    )


def open_model(path: str | Path) -> SentencePieceBPE | Unigram:
    """Opens the tokenizer in a SentencePiece model file.

    Raises ValueError for a file that is damaged, too large, or holds another kind of model.
    """
    return from_model(read_model(path), str(path))


def from_model(model: SentencePieceModel, name: str) -> SentencePieceBPE | Unigram:
    """Builds the tokenizer that a model describes; `name` is the file. Raises as open_model."""
    trainer = model.trainer
    if trainer.model_type not in KINDS:
        raise ValueError(
            f"{name} cuts a text into {trainer.model_type}s, not into pieces: choose a BPE or "
            "Unigram model"
        )
    try:
        return KINDS[trainer.model_type](
            model.pieces,
            normalizer_of(model, name),
            byte_fallback=trainer.byte_fallback,
            unknown_surface=trainer.unknown_surface,
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
