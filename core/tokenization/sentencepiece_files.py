"""SentencePiece's tokenizers from and to their files."""

from pathlib import Path
from typing import TYPE_CHECKING

from core.tokenization.charsmap import CharsMap, nmt_nfkc_table, write_charsmap
from core.tokenization.sentencepiece_model import (
    NormalizerSettings,
    SentencePieceModel,
    TrainerSettings,
    write_model,
)
from core.tokenization.sentencepiece_normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece_rules import CharacterRules, nmt_nfkc
from core.tokenization.sentencepiece_vocabulary import SentencePieceVocabulary

if TYPE_CHECKING:
    from core.tokenization.sentencepiece_bpe import SentencePieceBPE


def normalizer_of(model: SentencePieceModel, name: str = "the model") -> SentencePieceNormalizer:
    """The normalizer that a model file describes; the rules are those of its own table."""
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


def settings_of(normalizer: SentencePieceNormalizer) -> NormalizerSettings:
    """What a model file says about a normalizer."""
    return NormalizerSettings(
        normalizer.name,
        table_of(normalizer),
        normalizer.add_dummy_prefix,
        normalizer.remove_extra_whitespaces,
        normalizer.escape_whitespaces,
    )


def table_of(normalizer: SentencePieceNormalizer) -> bytes:
    """The normalizer's character rules as a table; nothing for identity.

    Raises ValueError for rules that are neither ours nor from a file.
    """
    rules = normalizer.rules
    if rules is None:
        return b""
    if isinstance(rules, CharsMap):
        return rules.table
    if isinstance(rules, CharacterRules):
        return nmt_nfkc_table() if rules is nmt_nfkc() else write_charsmap(rules)
    raise ValueError("these character rules cannot be written: use CharacterRules or CharsMap")


def to_model(
    pieces: SentencePieceVocabulary, normalizer: SentencePieceNormalizer, model_type: str
) -> SentencePieceModel:
    """A tokenizer as a model file has it; model_type is "bpe" or "unigram"."""
    trainer = TrainerSettings(
        model_type, pieces.byte_fallback, normalizer.whitespace_as_suffix, pieces.unknown_surface
    )
    return SentencePieceModel(pieces.pieces, trainer, settings_of(normalizer))


def bpe_from_model(model: SentencePieceModel, name: str = "the model") -> "SentencePieceBPE":
    """The tokenizer of a model whose type is "bpe"."""
    from core.tokenization.sentencepiece_bpe import SentencePieceBPE

    if model.trainer.model_type != "bpe":
        raise ValueError(f"{name} is a {model.trainer.model_type} model: open it as what it is")
    return SentencePieceBPE(
        model.pieces,
        normalizer_of(model, name),
        byte_fallback=model.trainer.byte_fallback,
        unknown_surface=model.trainer.unknown_surface,
    )


def save_bpe(path: str | Path, tokenizer: "SentencePieceBPE") -> None:
    """Writes a SentencePiece model where the path ends in ".model", else tokenizer.json."""
    if Path(path).suffix == ".model":
        write_model(path, to_model(tokenizer.pieces, tokenizer.normalizer, "bpe"))
    else:
        from core.tokenization.sentencepiece_json import write_sentencepiece_bpe

        write_sentencepiece_bpe(path, tokenizer)
